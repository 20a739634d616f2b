"""The only room that imports ray or optuna: a search space goes in, finished trials come out."""
