"""From a trained network to the file that ships: export, verification, prediction, model card."""
