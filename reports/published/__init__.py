"""The paper's figures, each with its source."""
