"""Compression of a trained network: pruning, distillation, int8 and bf16."""
