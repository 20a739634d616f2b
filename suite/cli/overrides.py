"""The settings that the options of ``suite run`` apply to a search space."""

import argparse
import json

#: Options of ``suite run`` that are shorthands for ``--set``, with the key that each sets.
SHORTHANDS = {
    "trials": "trials",
    "seed": "seed",
    "epochs": "epochs",
    "data": "data",
    "confirm_seeds": "confirm_seeds",
    "confirm_epochs": "confirm_epochs",
    "confirm_neighbours": "confirm_neighbours",
    "stopping": "stopping.rule",
    "max_params": "bounds.params",
    "max_macs": "bounds.macs",
    "max_bytes": "bounds.bytes",
    "max_worst_group_mae": "bounds.worst_group_mae",
}


def overrides(options: argparse.Namespace) -> list[str]:
    """The options of ``suite run`` that change the search space, as settings ``key=value``."""
    settings = [*options.set]
    for option, key in SHORTHANDS.items():
        value = getattr(options, option)
        if value is not None:
            settings.append(f"{key}={json.dumps(value)}")
    if options.sharing is False:
        settings.append("sharing=null")
    return settings
