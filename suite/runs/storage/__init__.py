"""Where a run folder is stored: on this machine, or on S3-compatible object storage."""
