"""What the command line lays over a search space."""

import argparse
import json


def overrides(options: argparse.Namespace) -> list[str]:
    """The options of ``suite run`` that change the space, as settings ``key=value``."""
    settings = [*options.set]
    for key in ("trials", "seed", "epochs", "data"):
        value = getattr(options, key)
        if value is not None:
            settings.append(f"{key}={json.dumps(value)}")
    return settings
