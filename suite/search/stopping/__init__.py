"""Early stopping: which trials go on at a rung."""
