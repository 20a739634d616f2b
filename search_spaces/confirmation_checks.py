"""What the confirmation requires of a search space: a training that confirms is no shorter than the search's."""

from collections.abc import Iterator, Mapping
from typing import Any

from search_spaces.dimensions import Choices
from search_spaces.problems import Problem
from search_spaces.quantities import MOST_EPOCHS
from search_spaces.settings import Settings


def check_confirmation(settings: Settings, vary: Mapping[str, Any]) -> list[Problem]:
    """Return what is wrong with the length of the confirming trainings; nothing where there are none."""
    return [] if settings.seeds > 1 or settings.confirm_seeds == 1 else list(_problems(settings, vary))


def _problems(settings: Settings, vary: Mapping[str, Any]) -> Iterator[Problem]:
    asked, longest = settings.confirm_epochs, _longest(settings, vary)
    if isinstance(asked, int) and asked < longest:
        sentence = (
            f"confirm_epochs is {asked} and epochs is {longest}; what confirms a trial trains at least as long, "
            "so raise confirm_epochs, or give a factor such as 4x"
        )
        yield Problem(("confirm_epochs",), sentence)
    if isinstance(asked, str) and (epochs := int(asked.removesuffix("x")) * longest) > MOST_EPOCHS:
        sentence = (
            f"confirm_epochs is {asked} and epochs is {longest:,}, which makes {epochs:,}; a training has at most "
            f"{MOST_EPOCHS:,}"
        )
        yield Problem(("confirm_epochs",), sentence)


def _longest(settings: Settings, vary: Mapping[str, Any]) -> int:
    varied = vary.get("epochs")
    if varied is None:
        return settings.base.epochs
    if isinstance(varied, Choices):
        return max(value for value in varied.values if isinstance(value, int))
    return int(varied.high)
