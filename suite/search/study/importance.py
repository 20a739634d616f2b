"""How much each dimension of a search mattered for the error, by Optuna's PED-ANOVA."""

import math
from collections.abc import Mapping
from typing import Any

import optuna
from optuna.importance import PedAnovaImportanceEvaluator, get_param_importances
from optuna.trial import TrialState, create_trial

from search_spaces import PRESETS, Choices, Dimension, SearchSpace, SearchSpaceError, Value, load_dict
from suite.runs.info import BEFORE_CONFIRMATION
from suite.runs.tables import Run, config_of
from suite.search.study.parameters import category_of, distribution_of
from suite.trial import TrialConfig

#: Fewer trials give no meaningful shares; the report warns where there are few.
FEWEST = 8
#: Of more trials this many are used, evenly spread over the search, because Optuna copies each.
MOST = 3000


def importances(run: Run) -> dict[str, float]:
    """Return the share (0..1) of each dimension in what separates the best tenth of the trials from the rest.

    PED-ANOVA (Watanabe, Bansal, Hutter 2023) on the validation errors of the search's finished trials, at
    most ``MOST`` of them. The shares sum to 1.

    The result is empty where there are too few trials, where fewer than two dimensions have two values, and
    where this version cannot read the search.
    """
    if not len(run.trials):
        return {}
    try:
        space = load_dict({**BEFORE_CONFIRMATION, **run.info.search})
    except SearchSpaceError:
        return {}
    rows = run.trials[(run.trials["stage"] == "search") & (run.trials["status"] == "finished")]
    rows = rows.iloc[:: max(1, math.ceil(len(rows) / MOST))]
    points = [(values_of(config_of(row), space), row[run.info.error_column]) for row in _records(rows)]
    observed = [(values, float(error)) for values, error in points if values and math.isfinite(error)]
    dimensions = {
        name: dimension
        for name, dimension in space.dimensions().items()
        if len({str(values[name]) for values, _ in observed}) > 1
    }
    if len(dimensions) < 2 or len(observed) < FEWEST:
        return {}
    return _ped_anova(dimensions, observed)


def _ped_anova(
    dimensions: Mapping[str, Dimension], observed: list[tuple[dict[str, Value], float]]
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
            for values, error in observed
        ]
    )
    shares = get_param_importances(study, evaluator=PedAnovaImportanceEvaluator(), params=list(dimensions))
    return {name: float(share) for name, share in shares.items() if math.isfinite(share)}


def values_of(config: TrialConfig, space: SearchSpace) -> dict[str, Value]:
    """Return a trial's values by dimension; empty where the trial is not a point of the space."""
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
    """Return the preset that a compact network is, among those of a dimension."""
    for name, preset in PRESETS.items():
        if name in dimension and (config.widths, config.depths) == (preset["widths"], preset["depths"]):
            return name
    return None


def _parameter(dimension: Dimension, value: Value) -> Any:
    return category_of(value) if isinstance(dimension, Choices) else value


def _records(rows: Any) -> list[dict[str, Any]]:
    return [{str(name): cell for name, cell in row.items()} for row in rows.to_dict("records")]
