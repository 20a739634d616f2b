"""Optional dependencies, imported where they are needed, and the log messages that they are not to write."""

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from importlib import import_module
from typing import Any

from suite.errors import RequestError


def need(package: str, purpose: str, extra: str = "compress") -> Any:
    """Import and return a package of an optional dependency group.

    Args:
        package: The package, or one of its modules.
        purpose: What needs it; the error message begins with it.
        extra: The optional dependency group in ``pyproject.toml`` that installs it.

    Raises:
        RequestError: The package is not installed.
    """
    try:
        return import_module(package)
    except ImportError:
        raise RequestError(
            f"{purpose} needs {package}, which is not installed; install it with pip install 'suite[{extra}]'"
        ) from None


@contextmanager
def unlogged() -> Iterator[None]:
    """Suppress log messages up to warnings inside the context; errors are still logged."""
    before = logging.root.manager.disable
    logging.disable(logging.WARNING)
    try:
        yield
    finally:
        logging.disable(before)
