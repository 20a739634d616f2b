"""The packages of the optional extra ``compress``."""

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
