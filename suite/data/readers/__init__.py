"""One reader per public data set, and what the readers share."""
