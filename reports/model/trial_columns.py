"""The columns of the table of trials as plain data: what a cell shows, and what it sorts by."""

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Literal

from reports import formatting
from reports.model.recipe import WITH_KL
from reports.model.trials import FrontSummary, Trial
from suite.runs.info import RunInfo
from suite.statistics.spread import Spread

#: The title of the column of names, whose cells open a trial in its own section.
NAME = "trial"
#: Fields of a configuration that have a column wherever they vary.
FIELDS_WITH_A_COLUMN = {"widths", "depths", "method", "lambda_l1", "label_deviation", "learning_rate"}


@dataclass(frozen=True)
class Cell:
    """What a cell shows: text, and a note below it, a range beside it, or the cause of a status."""

    text: str
    note: str = ""
    kind: Literal["note", "range", "cause"] = "note"


@dataclass(frozen=True)
class Column:
    """A column of the table of trials.

    ``words`` start at the left; numbers end at the right.
    """

    title: str
    unit: str
    cell: Callable[[Trial], Cell]
    sort_key: Callable[[Trial], float | str]
    words: bool = False


def columns(info: RunInfo, summary: FrontSummary, points: Mapping[str, str]) -> tuple[Column, ...]:
    """Return the table's columns from left to right. To add one, add a row to one of the four parts.

    Args:
        info: Of the run.
        summary: Its trials.
        points: The label of the point that each trial is a training of, by the trial's id.
    """
    made = Column("made", "from", _made(summary), lambda t: t.stage if t.parent else "", words=True)
    return (
        Column(NAME, "", lambda t: Cell(t.id, "TinyAgeNet" if t.is_tiny else ""), lambda t: t.id, words=True),
        Column("front", "", lambda t: Cell("\u25cf" * t.on_front), lambda t: -float(t.on_front)),
        *((made,) if summary.relatives else ()),
        *_point_and_seed(points, info),
        *_inputs(info, summary),
        *_sizes(summary),
        *_results(info, summary),
    )


def _point_and_seed(points: Mapping[str, str], info: RunInfo) -> tuple[Column, ...]:
    """Tell the trainings of one point apart, where points were trained with several seeds.

    The point has no column where the columns of the varied fields already identify it.
    """
    if not points:
        return ()

    def label(trial: Trial) -> str:
        return points.get(trial.id, "")  # what was made from a trial is a training of no point

    point = Column("point", "", lambda t: _or_dash(label(t)), label, words=True)
    has_columns = set(info.search.get("vary") or {}) <= FIELDS_WITH_A_COLUMN
    seed = Column("seed", "", lambda t: Cell(str(t.seed)), lambda t: t.seed)
    return (seed,) if has_columns else (point, seed)


def _inputs(info: RunInfo, summary: FrontSummary) -> tuple[Column, ...]:
    """What a trial was given. A default that all trials share has no column."""
    recipes = [trial.recipe for trial in summary.trials]
    scales = {recipe.kl_over_bins for recipe in recipes} - {""}
    scale = f", KL {scales.pop()} over bins" if len(scales) == 1 else ""
    optional = (
        (
            Column("method", "", lambda t: Cell(t.recipe.method), lambda t: t.recipe.method, words=True),
            {recipe.method for recipe in recipes} - {"dldl-v2"},
        ),
        (
            Column(
                "KL", "over bins", lambda t: _or_dash(t.recipe.kl_over_bins),
                lambda t: t.recipe.kl_over_bins, words=True,
            ),
            len(scales) > 1,
        ),
        (
            Column("resolution", "px", lambda t: Cell(str(t.recipe.resolution)), lambda t: t.recipe.resolution),
            len(summary.resolutions) > 1,
        ),
        (
            Column("images", "training", lambda t: Cell(f"{t.recipe.train_images:,}"), lambda t: t.recipe.train_images),
            len(summary.train_images) > 1,
        ),
    )  # fmt: skip
    return (
        Column("widths", "channels", _widths, lambda t: sum(t.widths) or math.nan, words=True),
        Column("depths", "convolutions", _depths, lambda t: sum(t.depths) or math.nan, words=True),
        *(column for column, differs in optional if differs),
        Column("lambda", f"L1 weight{scale}", lambda t: _digits(t.lambda_l1), lambda t: t.lambda_l1),
        Column("deviation", f"target, {info.unit}", _deviation, lambda t: t.label_deviation),
        Column("learning rate", "", lambda t: _digits(t.learning_rate), lambda t: t.learning_rate),
    )


def _sizes(summary: FrontSummary) -> tuple[Column, ...]:
    """What a trial costs, counted exactly."""
    sides = summary.resolutions
    side = f"{sides[0]} px" if len(sides) == 1 else "at its resolution"
    return (
        Column("params", "", lambda t: Cell(formatting.quantity(t.params)), lambda t: t.params),
        Column("macs", side, lambda t: Cell(formatting.quantity(t.macs)), lambda t: t.macs),
        Column("size", "on disk", lambda t: Cell(formatting.quantity(t.bytes, "B")), lambda t: t.bytes),
    )


def _results(info: RunInfo, summary: FrontSummary) -> tuple[Column, ...]:
    """What was measured."""
    unit = info.unit
    at = f", {formatting.span(summary.timed_at)} px" if summary.timed_at else ""

    def error(value: float) -> Cell:
        return Cell(formatting.error(value, unit))

    worst = Column(
        "worst group", f"val MAE, {unit}", lambda t: _worst_group(t, unit), lambda t: t.worst_group_mae
    )
    confirmed = Column(
        "confirmed", f"mean val MAE, {unit}", lambda t: error(_confirmed_mean(t)), _confirmed_mean
    )
    one_pass = Column("one pass", f"val MAE, {unit}", lambda t: error(t.one_pass), lambda t: t.one_pass)
    is_known = any(math.isfinite(trial.one_pass) for trial in (*summary.trials, *summary.relatives))
    searched_unit, tested_unit = unit, unit
    if summary.is_confirmed:
        searched_unit, tested_unit = f"{unit}, in the search", f"{unit}, mean"
    return (
        Column("val MAE", searched_unit, lambda t: error(t.val_mae), lambda t: t.val_mae),
        *([one_pass] if is_known else []),
        *([confirmed] if summary.is_confirmed else []),
        *([worst] if any(trial.worst_group for trial in summary.trials) else []),
        Column("test MAE", tested_unit, lambda t: error(t.test_error), lambda t: t.test_error),
        Column("latency", f"ms per image{at}", lambda t: _digits(t.timing.ms), lambda t: t.timing.ms),
        Column(
            "speed-up", f"over VGG-16{at}; spread", lambda t: _spread(t.timing.speedup),
            lambda t: t.timing.speedup.value,
        ),
        Column("epochs", "", lambda t: Cell(str(t.epochs_run)), lambda t: t.epochs_run),
        Column("time", "", lambda t: Cell(formatting.duration(t.seconds)), lambda t: t.seconds),
        Column("status", "", lambda t: Cell(t.status, t.cause, "cause"), lambda t: t.status, words=True),
    )  # fmt: skip


def _worst_group(trial: Trial, unit: str) -> Cell:
    """The error of the worst group, with its name and how many people it has."""
    group = trial.worst_group
    if group is None:
        return Cell(formatting.MISSING)
    return Cell(formatting.error(group.mae, unit), f"{group.name}, {group.people:,} people")


def _made(summary: FrontSummary) -> Callable[[Trial], Cell]:
    """Return the column's cells; beside confirmed trials, what was made from one says that it is not confirmed."""

    def cell(trial: Trial) -> Cell:
        if not trial.parent:
            return Cell(formatting.MISSING)
        if trial.stage == "search":  # a search with a parent prunes it
            return Cell("pruned", trial.parent)
        return Cell(trial.stage, f"{trial.parent}{', not confirmed' if summary.is_confirmed else ''}")

    return cell


def _widths(trial: Trial) -> Cell:
    """The widths, or the name of a network that has its own; and a pooling that is not the paper's."""
    if not trial.is_compact:
        return Cell(trial.design[0])
    pooling = "" if trial.pooling == "hybrid" else f"{trial.pooling} pooling"
    return Cell(formatting.sizes(trial.widths), pooling)


def _depths(trial: Trial) -> Cell:
    return _or_dash(formatting.sizes(trial.depths))


def _deviation(trial: Trial) -> Cell:
    """A trial without a deviation of its own uses each annotation's."""
    if not set(trial.recipe.methods) & set(WITH_KL):
        return Cell(formatting.MISSING)
    return Cell("data's own") if math.isnan(trial.label_deviation) else _digits(trial.label_deviation)


def _confirmed_mean(trial: Trial) -> float:
    return trial.confirmed.mean if trial.confirmed else math.nan


def _spread(spread: Spread) -> Cell:
    ends = ""
    if math.isfinite(spread.low):
        ends = f"{formatting.digits(spread.low)} to {formatting.digits(spread.high)}"
    return Cell(formatting.ratio(spread.value), ends, "range")


def _digits(value: float) -> Cell:
    return Cell(formatting.digits(value))


def _or_dash(text: str) -> Cell:
    return Cell(text or formatting.MISSING)
