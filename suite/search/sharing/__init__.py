"""Weight sharing: one elastic training, its slices scored, and trials that start from them."""
