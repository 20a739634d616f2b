"""How small and fast can a facial age or attractiveness network get before it gets worse?

``suite.api`` documents the functions that a notebook finds here. They are imported when they are first used, so
that ``import suite`` loads neither torch nor ray nor pandas.
"""

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from suite.api import (
        config_for,
        export,
        export_fit,
        fit,
        front,
        load_data,
        load_space,
        load_store,
        open_model,
        predict,
        profile,
        read_run,
    )
    from suite.errors import RequestError
    from suite.trial import TrialConfig

__version__ = "0.1.0"

__all__ = [
    "RequestError",
    "TrialConfig",
    "config_for",
    "export",
    "export_fit",
    "fit",
    "front",
    "load_data",
    "load_space",
    "load_store",
    "open_model",
    "predict",
    "profile",
    "read_run",
]


def __getattr__(name: str) -> Any:
    if name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from suite import api

    return getattr(api, name)


def __dir__() -> list[str]:
    return sorted([*globals(), *__all__])
