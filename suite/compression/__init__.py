"""From a trained network to the file that ships: export, pruning, int8."""
