"""The token of a Ray cluster, told to Ray before it is imported."""

import os
import sys
from pathlib import Path


def token_mode() -> dict[str, str]:
    """What the environment lacks for Ray to show a cluster the token that it would find.

    By itself it does so at the address "auto" only. It reads the environment while it is imported: once it
    has been, nothing is lacking, or the processes that it starts would be of another mind.
    """
    late = "RAY_AUTH_MODE" in os.environ or "ray" in sys.modules
    return {} if late or not _has_token() else {"RAY_AUTH_MODE": "token"}


def _has_token() -> bool:
    """Ray would find a token, in the places and the order that it looks."""
    if os.environ.get("RAY_AUTH_TOKEN") or os.environ.get("RAY_AUTH_TOKEN_PATH"):
        return True
    return (Path.home() / ".ray" / "auth_token").exists()
