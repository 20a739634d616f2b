"""Early stopping: which trials of a search are stopped before their last epoch."""
