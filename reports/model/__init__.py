"""What the report says as numbers and plain data; no HTML."""
