"""The token with which Ray authenticates, as the environment and the home folder name it.

Ray reads the environment while it is imported, so nothing here imports it.
"""

import os
import sys
from pathlib import Path

from suite.errors import RequestError
from suite.files.paths import home_folder, is_there
from suite.files.reading import FileContentError, read_text

#: Bytes; a token is a few dozen characters.
LARGEST_TOKEN = 10_000


def token_mode() -> dict[str, str]:
    """Return the environment variables that make Ray authenticate with the token that it finds.

    By itself Ray does so only at the address "auto". It reads the environment while it is imported. Once it
    has been imported the result is empty, because a later change would reach only the processes that Ray
    starts.
    """
    is_settled = "RAY_AUTH_MODE" in os.environ or "ray" in sys.modules
    return {} if is_settled or not _has_token() else {"RAY_AUTH_MODE": "token"}


def unusable_token() -> str:
    """Return why the token that Ray would take cannot be used; empty where it can, or where there is none."""
    if os.environ.get("RAY_AUTH_TOKEN") or os.environ.get("RAY_AUTH_MODE", "token").lower() != "token":
        return ""
    if path := os.environ.get("RAY_AUTH_TOKEN_PATH"):
        reason = _fault(Path(path))
        return f"RAY_AUTH_TOKEN_PATH names {path}, which {reason}" if reason else ""
    kept = home_token()
    reason = _fault(kept) if is_there(kept) else ""
    return f"Ray's token {kept} {reason}" if reason else ""


def check_token() -> None:
    """Refuse a token that cannot be used, before Ray fails with it.

    Raises:
        RequestError: The token cannot be read.
    """
    if reason := unusable_token():
        raise RequestError(
            f"{reason}; set RAY_AUTH_TOKEN to the token of the cluster, or RAY_AUTH_TOKEN_PATH to a file with it"
        )


def home_token() -> Path:
    """Return the path at which Ray keeps the token of a user; the file may not exist."""
    return home_folder() / ".ray" / "auth_token"


def _fault(path: Path) -> str:
    try:
        return "" if read_text(path, largest=LARGEST_TOKEN).strip() else "is empty"
    except FileNotFoundError:
        return "does not exist"
    except FileContentError as error:
        return f"cannot be read ({error})"


def _has_token() -> bool:
    """Return whether Ray would find a token where it looks for one."""
    if os.environ.get("RAY_AUTH_TOKEN") or os.environ.get("RAY_AUTH_TOKEN_PATH"):
        return True
    return is_there(home_token())
