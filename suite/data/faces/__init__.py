"""Synthetic faces with ages and attractiveness scores, which ship with the suite and show no real person."""
