"""The environment that Ray needs, before it is imported, to authenticate with a cluster's token."""

import os
import sys
from pathlib import Path


def token_mode() -> dict[str, str]:
    """Return the environment variables that make Ray authenticate with the token that it finds.

    By itself Ray does so only at the address "auto". It reads the environment while it is imported. Once it
    has been imported the result is empty, because a later change would reach only the processes that Ray
    starts.
    """
    is_settled = "RAY_AUTH_MODE" in os.environ or "ray" in sys.modules
    return {} if is_settled or not _has_token() else {"RAY_AUTH_MODE": "token"}


def _has_token() -> bool:
    """Return whether Ray would find a token where it looks for one."""
    if os.environ.get("RAY_AUTH_TOKEN") or os.environ.get("RAY_AUTH_TOKEN_PATH"):
        return True
    return (Path.home() / ".ray" / "auth_token").exists()
