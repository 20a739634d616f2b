"""What the paper and a later benchmark published, beside what a run measured."""
