"""What suite paper prints: plain text and JSON."""
