"""SCUT-FBP5500 as published, and a run's own attractiveness networks beside it, as HTML."""

import dataclasses
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from html import escape
from statistics import fmean

from reports import formatting
from reports.html.markup import scrolling
from reports.html.published_comparison.losses import LOSS_TITLES, loss_row
from reports.html.published_comparison.networks import table_heads
from reports.html.published_comparison.trials import papers_name
from reports.model.cells import Row, number, rows_of
from reports.model.trials import FrontSummary, Trial
from reports.published.numbers import SOURCES, published
from suite.runs.tables import Run, config_of
from suite.trial import TrialConfig


@dataclass(frozen=True)
class Measured:
    """Trainings that differ in their seed alone: means of what they measured, NaN where not all did.

    Of a trial that was confirmed they are the confirming ones, without the search's.
    """

    name: str
    loss: str
    ids: tuple[str, ...]
    validation: tuple[float, ...]  # MAE and RMSE in points, Pearson
    test: tuple[float, ...]


def measured(run: Run, summary: FrontSummary) -> tuple[Measured, ...]:
    """The finished ThinAgeNet and TinyAgeNet trials, and the most accurate of the front, each once."""
    rows = {str(row["id"]): row for stage in ("search", "confirm") for row in rows_of(run, stage)}
    groups: dict[TrialConfig, list[Trial]] = {}
    for trial in sorted(summary.trials, key=lambda trial: trial.id):
        if trial.finished:
            groups.setdefault(_without_seed(rows[trial.id]), []).append(trial)
    best = min(summary.front, key=lambda trial: trial.error, default=None)
    shown = [g for g in groups.values() if g[0].is_thin or g[0].is_tiny or (best and best in g)]
    return tuple(_measured(trials, rows, best, run.info.unit) for trials in shown)


def attractiveness_table(run: Run, summary: FrontSummary) -> str:
    """The published table, then ours; empty for age."""
    if run.info.attribute != "attractiveness":
        return ""
    losses, info = published().losses, run.info
    where = f'<td class="text">{losses.data}, mean of {losses.folds} folds</td>'
    rows = "".join(loss_row(row, where) for row in losses.rows)
    ours = "".join(_row(one, info.data.name) for one in measured(run, summary))
    heads = f"<thead>{table_heads(*LOSS_TITLES, 'on')}</thead>"
    here = f'<tr><th scope="rowgroup" colspan="5" class="text"><b>Measured here</b></th></tr>{ours}'
    return (
        "<h3>Attractiveness, published beside measured here</h3>"
        f"<p><b>The data differ:</b> published are photographs of real people at 224 px, scored from 1 to 5; "
        f"ours are {escape(info.data.name)} at {info.resolution} px. Compare the order and the distances "
        "within a part of the table, not one part with the other.</p>"
        + scrolling(
            "Attractiveness, published and measured",
            f"<table>{heads}<tbody>{rows}</tbody><tbody>{here if ours else ''}</tbody></table>",
        )
        + f'<ul class="sources"><li>{SOURCES[losses.source]}: {escape(published().papers[0])}</li></ul>'
    )


def _row(one: Measured, data: str) -> str:
    numbers = "".join(
        f'<td class="text">{formatting.error(value, "points")}{_on_test(tested)}</td>'
        for value, tested in zip(one.validation, one.test, strict=True)
    )
    seeds = "one seed" if len(one.ids) == 1 else f"mean of {len(one.ids)} seeds"
    small = f"{escape(one.loss)}; {escape(', '.join(one.ids))}, {seeds}"
    on = f"{escape(data)}, validation" + ("<small>and test</small>" if _known(one.test) else "")
    return (
        f'<tr><th scope="row">{escape(one.name)}<small>{small}</small></th>{numbers}'
        f'<td class="text">{on}</td></tr>'
    )


def _on_test(value: float) -> str:
    return f"<small>test {formatting.error(value, 'points')}</small>" if math.isfinite(value) else ""


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
    """The ids of the rows that its errors are of."""
    if not trial.confirmed or not trial.confirmed.errors:
        return (trial.id,)
    return tuple(training.id for training in trial.confirmed.trainings if training.finished)


def _means(rows: Sequence[Row], split: str, unit: str) -> tuple[float, ...]:
    columns = (f"{split}_mae_{unit}", f"{split}_rmse_{unit}", f"{split}_pearson")
    return tuple(fmean(number(row, column) for row in rows) for column in columns)


def _loss(config: TrialConfig) -> str:
    """The loss as the published table words it, with the scale of the KL that its lambda stands beside."""
    if config.method == "dldl":
        return "KL"
    if config.method != "dldl-v2":
        return config.method
    return f"KL + {config.lambda_l1:.3g} L1" + (
        ", KL summed over bins" if config.kl_over_bins == "sum" else ""
    )


def _without_seed(row: Row) -> TrialConfig:
    return dataclasses.replace(config_of(row), seed=0)


def _known(values: Sequence[float]) -> bool:
    return any(map(math.isfinite, values))
