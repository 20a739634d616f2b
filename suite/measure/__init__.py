"""What a network costs: parameters, multiply-adds, bytes, latency."""
