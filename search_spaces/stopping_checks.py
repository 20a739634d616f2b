"""What early stopping requires of a search space, so that a rung compares comparable trials."""

from collections.abc import Iterator, Mapping
from typing import Any

from search_spaces.problems import Problem
from search_spaces.settings import DEFAULT_GRACE_EPOCHS, Settings


def check_stopping(settings: Settings, vary: Mapping[str, Any]) -> list[Problem]:
    """Return what is wrong with stopping trials early; nothing where none is stopped."""
    return [] if settings.stopping.rule == "none" else list(_problems(settings, vary))


def _problems(settings: Settings, vary: Mapping[str, Any]) -> Iterator[Problem]:
    stopping, epochs = settings.stopping, settings.base.epochs
    rule = f"stopping.rule is {stopping.rule}"
    if settings.sampler == "grid":
        sentence = f"{rule} and sampler is grid, which compares whole trainings; set stopping.rule to none"
        yield Problem(("stopping", "rule"), sentence)
    if "epochs" in vary:
        sentence = f"{rule} and epochs varies, so that rungs would compare trials at different points of "
        yield Problem(
            ("stopping", "rule"), sentence + "their schedules; fix epochs, or set stopping.rule to none"
        )
    elif not stopping.rungs_below(epochs):
        first = min(stopping.rungs or (stopping.grace_epochs or DEFAULT_GRACE_EPOCHS,))
        key = "rungs" if stopping.rungs else "grace_epochs"
        sentence = f"{rule} and its first rung is after epoch {first} of {epochs}, where nothing is left to "
        yield Problem(("stopping", key), sentence + f"stop; lower stopping.{key}, or raise base.epochs")
    elif stopping.rungs and stopping.rungs[-1] >= epochs:
        sentence = f"stopping.rungs has {stopping.rungs[-1]} and base.epochs is {epochs}; a rung lies below"
        yield Problem(("stopping", "rungs"), sentence)
    if stopping.rule == "forecast" and "worst_group_mae" in settings.objectives:
        sentence = (
            f"{rule} and objectives have worst_group_mae, but only the error over all is forecast; set "
        )
        yield Problem(("stopping", "rule"), sentence + "stopping.rule to front, or leave worst_group_mae out")
    if "val_mae" not in settings.objectives:
        sentence = f"{rule} and objectives lack val_mae, which is what early stopping compares; add it"
        yield Problem(("objectives",), sentence)
