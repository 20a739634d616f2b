"""The Optuna study of a search. No other package imports Optuna."""
