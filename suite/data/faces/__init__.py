"""Synthetic faces with an age and an attractiveness: data that ships with the suite, of no real person."""
