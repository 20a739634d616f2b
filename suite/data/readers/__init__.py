"""One reader a public data set, and what the readers share."""
