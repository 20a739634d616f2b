"""What follows the search: confirmation, the test split, latency, predictions."""
