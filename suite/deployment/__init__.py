"""Deployment of a trained network: export, verification, inference, prediction, model card."""
