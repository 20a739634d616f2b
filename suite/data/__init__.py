"""Data sets: readers of public sets, the packed store, and the synthetic faces."""
