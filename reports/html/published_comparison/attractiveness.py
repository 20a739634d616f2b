"""Published errors on SCUT-FBP5500, beside those of a run on attractiveness."""

import dataclasses
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from statistics import fmean

from markupsafe import Markup

from reports import formatting
from reports.html.published_comparison.entry import Entry
from reports.html.published_comparison.losses import LOSS_TITLES, loss_row
from reports.html.published_comparison.trials import papers_name
from reports.html.templating import render
from reports.model.cells import Row, number, rows_of
from reports.model.trials import FrontSummary, Trial
from reports.published.numbers import SOURCES, published
from suite.runs.tables import Run, config_of
from suite.trial import TrialConfig


@dataclass(frozen=True)
class Measured:
    """Means over trainings that differ only in their seed; NaN if not all of them have a value.

    For a confirmed trial these are the confirming trainings, without the search's.
    """

    name: str
    loss: str
    ids: tuple[str, ...]
    validation: tuple[float, ...]  # MAE and RMSE in points, Pearson
    test: tuple[float, ...]


def measured(run: Run, summary: FrontSummary) -> tuple[Measured, ...]:
    """Gather the finished ThinAgeNet and TinyAgeNet trials and the most accurate trial of the front."""
    rows = {str(row["id"]): row for stage in ("search", "confirm") for row in rows_of(run, stage)}
    groups: dict[TrialConfig, list[Trial]] = {}
    for trial in sorted(summary.trials, key=lambda trial: trial.id):
        if trial.finished:
            groups.setdefault(_without_seed(rows[trial.id]), []).append(trial)
    best = min(summary.front, key=lambda trial: trial.error, default=None)
    shown = [g for g in groups.values() if g[0].is_thin or g[0].is_tiny or (best and best in g)]
    return tuple(_measured(trials, rows, best, run.info.unit) for trials in shown)


@dataclass(frozen=True)
class MeasuredRow:
    """A row of the table's second part."""

    name: str
    note: str
    entries: list[Entry]  # MAE, RMSE and Pearson on validation, with the test's below
    tested: bool


def attractiveness_table(run: Run, summary: FrontSummary) -> Markup:
    """Render the published table, then this run's rows; empty for age."""
    if run.info.attribute != "attractiveness":
        return Markup("")
    losses = published().losses
    return render(
        "attractiveness",
        info=run.info,
        titles=(*LOSS_TITLES, "on"),
        published=[loss_row(row) for row in losses.rows],
        published_on=f"{losses.data}, mean of {losses.folds} folds",
        measured=[_row(one) for one in measured(run, summary)],
        source=f"{SOURCES[losses.source]}: {published().papers[0]}",
    )


def _row(one: Measured) -> MeasuredRow:
    seeds = "one seed" if len(one.ids) == 1 else f"mean of {len(one.ids)} seeds"
    return MeasuredRow(
        name=one.name,
        note=f"{one.loss}; {', '.join(one.ids)}, {seeds}",
        entries=[_entry(*pair) for pair in zip(one.validation, one.test, strict=True)],
        tested=any(map(math.isfinite, one.test)),
    )


def _entry(validation: float, test: float) -> Entry:
    notes = (f"test {formatting.error(test, 'points')}",) if math.isfinite(test) else ()
    return Entry(formatting.error(validation, "points"), notes)


def _measured(trials: Sequence[Trial], rows: Mapping[str, Row], best: Trial | None, unit: str) -> Measured:
    first, ids = trials[0], tuple(id_ for trial in trials for id_ in _trainings(trial))
    name = papers_name(first) or " ".join(first.design)
    return Measured(
        name=f"{name}, the front's best" if best in trials else name,
        loss=_loss(config_of(rows[first.id])),
        ids=ids,
        validation=_means([rows[id_] for id_ in ids], "val", unit),
        test=_means([rows[id_] for id_ in ids], "test", unit),
    )


def _trainings(trial: Trial) -> tuple[str, ...]:
    """Return the ids of the trainings behind a trial's error."""
    if not trial.confirmed or not trial.confirmed.errors:
        return (trial.id,)
    return tuple(training.id for training in trial.confirmed.trainings if training.finished)


def _means(rows: Sequence[Row], split: str, unit: str) -> tuple[float, ...]:
    columns = (f"{split}_mae_{unit}", f"{split}_rmse_{unit}", f"{split}_pearson")
    return tuple(fmean(number(row, column) for row in rows) for column in columns)


def _loss(config: TrialConfig) -> str:
    """Name the loss as the published table does, with the scale of its KL."""
    if config.method == "dldl":
        return "KL"
    if config.method != "dldl-v2":
        return config.method
    return f"KL + {config.lambda_l1:.3g} L1" + (
        ", KL summed over bins" if config.kl_over_bins == "sum" else ""
    )


def _without_seed(row: Row) -> TrialConfig:
    return dataclasses.replace(config_of(row), seed=0)
