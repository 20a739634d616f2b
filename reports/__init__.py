"""The Pareto front of a run and the page that shows it."""
