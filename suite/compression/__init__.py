"""From a trained network to a smaller one: pruning, distillation, int8."""
