"""The cost of a network: parameters, multiply-adds, bytes and latency."""
