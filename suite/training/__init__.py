"""Training a network, without Ray and Optuna."""
