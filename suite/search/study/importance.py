"""How much each dimension of a search mattered for the error, by Optuna's PED-ANOVA."""

import math
from collections.abc import Mapping
from typing import Any

import optuna
from optuna.importance import PedAnovaImportanceEvaluator, get_param_importances
from optuna.trial import TrialState, create_trial

from search_spaces import Choices, SearchSpace, SearchSpaceError, load_dict
from search_spaces.space import PRESETS, Dimension, Value
from suite.runs.tables import Run, config_of
from suite.search.study.study import category_of, distribution_of
from suite.trial import TrialConfig


def importances(run: Run) -> dict[str, float]:
    """The share (0..1) of each dimension in what tells the best tenth of the trials from the others.

    PED-ANOVA (Watanabe, Bansal, Hutter 2023) on the validation errors of the search's finished trials. The
    shares sum to 1. Of very many trials it takes ``MOST``. Empty where there are too few trials for it, or
    nothing to compare: fewer than two dimensions with two values, or a search that this version cannot read.
    """
    if not len(run.trials):
        return {}
    try:
        space = load_dict({"confirm_seeds": 1, **run.info.search})
    except SearchSpaceError:
        return {}
    rows = run.trials[(run.trials["stage"] == "search") & (run.trials["status"] == "finished")]
    rows = rows.iloc[:: max(1, math.ceil(len(rows) / MOST))]
    points = [(values_of(config_of(row), space), row[run.info.error_column]) for row in _records(rows)]
    told = [(values, float(error)) for values, error in points if values and math.isfinite(error)]
    dimensions = {
        name: dimension
        for name, dimension in space.dimensions().items()
        if len({str(values[name]) for values, _ in told}) > 1
    }
    if len(dimensions) < 2 or len(told) < FEWEST:
        return {}
    return _ped_anova(dimensions, told)


#: With fewer it would say nothing; the report cautions where there are few.
FEWEST = 8
#: Of more trials so many are taken, evenly spread over the search: Optuna copies each, which takes time.
MOST = 3000


def _ped_anova(
    dimensions: Mapping[str, Dimension], told: list[tuple[dict[str, Value], float]]
) -> dict[str, float]:
    optuna.logging.set_verbosity(optuna.logging.ERROR)
    distributions = {name: distribution_of(dimension) for name, dimension in dimensions.items()}
    study = optuna.create_study(direction="minimize")
    study.add_trials(
        [
            create_trial(
                state=TrialState.COMPLETE,
                value=error,
                params={name: _parameter(dimensions[name], values[name]) for name in dimensions},
                distributions=distributions,
            )
            for values, error in told
        ]
    )
    found = get_param_importances(study, evaluator=PedAnovaImportanceEvaluator(), params=list(dimensions))
    return {name: float(share) for name, share in found.items() if math.isfinite(share)}


def values_of(config: TrialConfig, space: SearchSpace) -> dict[str, Value]:
    """Where a trial lies in the space, by dimension; empty where it lies in none of its points."""
    values: dict[str, Value] = {}
    for name, dimension in space.dimensions().items():
        field, _, stage = name.partition("[")
        value = getattr(config, field)
        value = value[int(stage[:-1])] if stage else value
        if field == "network" and value not in dimension:
            value = _preset(config, dimension)
        if value not in dimension:
            return {}
        values[name] = value
    return values


def _preset(config: TrialConfig, dimension: Dimension) -> str | None:
    """The word that a compact network was chosen by."""
    for name, preset in PRESETS.items():
        if name in dimension and (config.widths, config.depths) == (preset["widths"], preset["depths"]):
            return name
    return None


def _parameter(dimension: Dimension, value: Value) -> Any:
    return category_of(value) if isinstance(dimension, Choices) else value


def _records(rows: Any) -> list[dict[str, Any]]:
    return [{str(name): cell for name, cell in row.items()} for row in rows.to_dict("records")]
