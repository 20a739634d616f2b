"""Pareto fronts, intervals and tests: pure functions on arrays."""
