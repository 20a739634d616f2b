"""Atomic writes, locks and the cache."""
