"""The bounds of a search space: refused where no network can satisfy them, and applied to a grid."""

from search_spaces import SearchSpace, grid_trials
from suite.errors import RequestError
from suite.search.costs import NOUNS
from suite.search.trial_factory import TrialFactory

#: A search ends after so many proposals in a row of which none is trained. A sampler that learns nothing
#: gets there once in 400 trials where one network in fifty is within bounds. A proposal takes some hundredths
#: of a second, during which the running trials have to wait.
MOST_IN_A_ROW = 300


def check_bounds(trials: TrialFactory) -> None:
    """Refuse bounds that no network of the space can satisfy, or that a point of ``first`` cannot.

    Raises:
        RequestError: A bound is too low.
    """
    space = trials.space
    for name, bound in space.bounds.on_costs().items():
        least = trials.least_cost(name)
        if least > bound:
            raise RequestError(
                f"bounds.{name} is {bound:,} and the smallest network of the space has {least:,} "
                f"{NOUNS[name]}; raise bounds.{name}, or widen the space"
            )
        for number, point in enumerate(space.first):
            least = trials.least_cost(name, space.flat(point))
            if least > bound:
                raise RequestError(
                    f"first[{number}] has {least:,} {NOUNS[name]} and bounds.{name} is {bound:,}; raise "
                    f"bounds.{name}, or leave the point out of first"
                )


def within_bounds(trials: TrialFactory) -> tuple[SearchSpace, int]:
    """Limit the trials of a grid to those within bounds; other spaces stay as they are.

    Returns:
        The space with its new number of trials, and how many trials of the whole grid are out of bounds.

    Raises:
        RequestError: No point of the grid is within bounds.
    """
    space = trials.space
    if space.sampler != "grid" or not space.bounds.on_costs():
        return space, 0
    fitting = [trials.fits(trial.values) for trial in grid_trials(space)]
    if not any(fitting):
        raise RequestError(f"no point of the grid is within {_bounds_in_words(space)}; raise one of them")
    count = min(space.trials, sum(fitting))
    return space.model_copy(update={"trials": count}), len(fitting) - sum(fitting)


def describe_exhausted(space: SearchSpace, trained: int, repeats: int) -> str:
    """Say why a search ended early: its last proposals were out of bounds, or trained before.

    Args:
        space: The search space.
        trained: Trials that the search has.
        repeats: Proposals, of the last ``MOST_IN_A_ROW``, whose configuration had been trained before.
    """
    bounds = _bounds_in_words(space)
    ended = f"so the search ended with {trained} of {space.trials} trials"
    start = f"{MOST_IN_A_ROW} suggestions in a row were"
    if repeats == 0:
        return f"{start} out of {bounds}, {ended}; raise a bound, or narrow the space to what keeps it"
    if repeats == MOST_IN_A_ROW:
        return f"{start} of configurations trained before, {ended}; widen the space, or ask for fewer"
    return f"{start} trained before or out of {bounds}, {ended}; raise a bound, or widen the space"


def _bounds_in_words(space: SearchSpace) -> str:
    return " and ".join(f"bounds.{name} ({bound:,})" for name, bound in space.bounds.on_costs().items())
