"""The packages of the optional extra ``compress``, and what packages say that nobody asked for."""

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from importlib import import_module
from typing import Any

from suite.errors import RequestError


def need(package: str, why: str) -> Any:
    """Import a package of the extra.

    Raises:
        RequestError: it is not installed.
    """
    try:
        return import_module(package)
    except ImportError:
        raise RequestError(
            f"{why} needs {package}, which is not installed; install it with pip install 'suite[compress]'"
        ) from None


@contextmanager
def unlogged() -> Iterator[None]:
    """No warning is logged inside; errors are."""
    before = logging.root.manager.disable
    logging.disable(logging.WARNING)
    try:
        yield
    finally:
        logging.disable(before)
