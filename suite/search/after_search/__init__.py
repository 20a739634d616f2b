"""What follows the search: confirmation, evaluation on the test split, latency."""
