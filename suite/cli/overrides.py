"""What the command line lays over a search space."""

import argparse
import json

#: The options of ``suite run`` that are short for a --set, and what they set.
SETTINGS = {
    "trials": "trials",
    "seed": "seed",
    "epochs": "epochs",
    "data": "data",
    "confirm_seeds": "confirm_seeds",
    "stopping": "stopping.rule",
    "max_params": "bounds.params",
    "max_macs": "bounds.macs",
    "max_bytes": "bounds.bytes",
}


def overrides(options: argparse.Namespace) -> list[str]:
    """The options of ``suite run`` that change the space, as settings ``key=value``."""
    settings = [*options.set]
    for option, key in SETTINGS.items():
        value = getattr(options, option)
        if value is not None:
            settings.append(f"{key}={json.dumps(value)}")
    return settings
