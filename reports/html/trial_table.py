"""The table of trials: its columns, and its first rows as HTML."""

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from html import escape

from reports import formatting as numerals
from reports.html.markup import opener, scrolling
from reports.model.recipe import WITH_KL
from reports.model.timing import Spread
from reports.model.trials import Standing, Trial
from suite.runs.info import RunInfo


@dataclass(frozen=True)
class Column:
    """A column of the table of trials: what a cell shows (HTML) and the number or text it sorts by."""

    title: str
    unit: str
    shows: Callable[[Trial], str]
    sorts: Callable[[Trial], float | str]
    words: bool = False  # words start at the left, numbers end at the right


#: The title of the column of names.
NAME = "trial"


def columns(info: RunInfo, standing: Standing, points: Mapping[str, str]) -> tuple[Column, ...]:
    """What the table shows, from left to right. To add a column, add a row to one of the four parts."""
    name = (
        Column(NAME, "", _name, lambda t: t.id, words=True),
        Column("front", "", lambda t: "\u25cf" * t.on_front, lambda t: -float(t.on_front)),
    )
    made = (Column("made", "from", _made, lambda t: t.stage if t.parent else "", words=True),)
    return (
        *name,
        *(made if standing.kin else ()),
        *_point_and_seed(points, info),
        *_inputs(info, standing),
        *_sizes(standing),
        *_results(info, standing),
    )


def _inputs(info: RunInfo, standing: Standing) -> tuple[Column, ...]:
    """What a trial was given; what is the same for all as it is by default has no column."""
    recipes = [trial.recipe for trial in standing.trials]
    method = Column("method", "", lambda t: escape(t.recipe.method), lambda t: t.recipe.method, words=True)
    scales = {recipe.kl_over_bins for recipe in recipes} - {""}
    scale = f", KL {scales.pop()} over bins" if len(scales) == 1 else ""
    optional = (
        (method, {recipe.method for recipe in recipes} - {"dldl-v2"}),
        (Column("KL", "over bins", _kl, lambda t: t.recipe.kl_over_bins, words=True), len(scales) > 1),
        (
            Column("resolution", "px", _resolution, lambda t: t.recipe.resolution),
            len(standing.resolutions) > 1,
        ),
        (
            Column("images", "training", _train_images, lambda t: t.recipe.train_images),
            len(standing.train_images) > 1,
        ),
    )
    return (
        Column("widths", "channels", _widths, lambda t: sum(t.widths) or math.nan, words=True),
        Column("depths", "convolutions", _depths, lambda t: sum(t.depths) or math.nan, words=True),
        *(column for column, tells in optional if tells),
        Column("lambda", f"L1 weight{scale}", lambda t: numerals.digits(t.lambda_l1), lambda t: t.lambda_l1),
        Column("deviation", f"target, {info.unit}", _deviation, lambda t: t.label_deviation),
        Column("learning rate", "", lambda t: numerals.digits(t.learning_rate), lambda t: t.learning_rate),
    )


def _sizes(standing: Standing) -> tuple[Column, ...]:
    """What a trial costs, counted exactly."""
    sides = standing.resolutions
    side = f"{sides[0]} px" if len(sides) == 1 else "at its resolution"
    return (
        Column("params", "", lambda t: numerals.quantity(t.params), lambda t: t.params),
        Column("macs", side, lambda t: numerals.quantity(t.macs), lambda t: t.macs),
        Column("size", "on disk", lambda t: numerals.quantity(t.bytes, "B"), lambda t: t.bytes),
    )


def _results(info: RunInfo, standing: Standing) -> tuple[Column, ...]:
    """What was measured."""
    unit = info.unit
    at = f", {numerals.span(standing.timed_at)} px" if standing.timed_at else ""
    again = standing.is_confirmed
    confirmed = Column("confirmed", f"mean val MAE, {unit}", _confirmed(unit), _confirmed_mean)

    def searched(trial: Trial) -> str:
        return numerals.error(trial.val_mae, unit)

    def tested(trial: Trial) -> str:
        return numerals.error(trial.test_error, unit)

    latency, speedup = f"ms an image{at}", f"over VGG-16{at}; spread"
    return (
        Column("val MAE", f"{unit}, in the search" if again else unit, searched, lambda t: t.val_mae),
        *([confirmed] if again else []),
        Column("test MAE", f"{unit}, mean" if again else unit, tested, lambda t: t.test_error),
        Column("latency", latency, lambda t: numerals.digits(t.timing.ms), lambda t: t.timing.ms),
        Column("speed-up", speedup, lambda t: _spread(t.timing.speedup), lambda t: t.timing.speedup.value),
        Column("epochs", "", lambda t: str(t.epochs_run), lambda t: t.epochs_run),
        Column("time", "", lambda t: numerals.duration(t.seconds), lambda t: t.seconds),
        Column("status", "", _status, lambda t: t.status, words=True),
    )


#: Fields that have a column of their own wherever they vary.
SHOWN_ANYWAY = {"widths", "depths", "method", "lambda_l1", "label_deviation", "learning_rate"}


def _point_and_seed(points: Mapping[str, str], info: RunInfo) -> tuple[Column, ...]:
    """Which trials are trainings of one point, where points were trained with several seeds.

    A point needs no column where the columns of what varied tell it.
    """
    if not points:
        return ()

    def label(trial: Trial) -> str:
        return points.get(trial.id, "")  # what was made from a trial is a training of no point

    point = Column("point", "", lambda t: escape(label(t)) or numerals.MISSING, label, words=True)
    told = set(info.search.get("vary") or {}) <= SHOWN_ANYWAY
    return (*(() if told else (point,)), Column("seed", "", lambda t: str(t.seed), lambda t: t.seed))


#: So many rows are in the page's markup; the script that sorts and filters has all.
STATIC_ROWS = 100


def trial_table(shown: Sequence[Column], networks: Sequence[Trial]) -> str:
    """Every network, the front first; the headers are buttons that sort (``script/table.js``).

    Without scripts it has the first ``STATIC_ROWS`` and says so.
    """
    heads = "".join(map(_head, shown))
    rows = "".join(_trial_row(trial, shown) for trial in networks[:STATIC_ROWS])
    table = scrolling(
        "Table of trials",
        f'<table class="sortable"><thead><tr>{heads}</tr></thead><tbody>{rows}</tbody></table>',
    )
    rest = len(networks) - STATIC_ROWS
    left_out = (
        f"<noscript><p>{rest:,} more are in the run's trials.parquet; with JavaScript they are here, too.</p>"
        "</noscript>"
        if rest > 0
        else ""
    )
    return f'{TOOLS}{table}{left_out}<p><button type="button" id="more" hidden>Show more rows</button></p>'


#: What the script adds to the table; hidden until it runs.
TOOLS = (
    '<div id="table-tools" hidden><p><label for="filter">Filter</label> '
    '<input id="filter" type="search" autocomplete="off" spellcheck="false" '
    'placeholder="stopped  params&lt;100k"> '
    '<button type="button" id="save">Save as CSV</button> <span id="filtered" role="status"></span></p>'
    '<p class="soft">A header sorts by its column. A filter has words that a row must have (an id, front, '
    "stopped, pruned, a cause) and conditions on columns: "
    "<code>params&lt;100k valMAE&lt;=8.5 status=finished</code>.</p></div>"
)


def _head(column: Column) -> str:
    unit = f"<small>{escape(column.unit)}</small>" if column.unit else ""
    words = " class=text" if column.words else ""
    title = escape(column.title)
    return f'<th scope="col"{words} data-title="{title}"><button type="button">{title}{unit}</button></th>'


def _trial_row(trial: Trial, shown: Sequence[Column]) -> str:
    cells = []
    for place, column in enumerate(shown):
        tag = 'th scope="row"' if place == 0 else "td"
        words = " class=text" if column.words else ""
        cells.append(f"<{tag}{words}>{column.shows(trial)}</{tag[:2]}>")
    return f"<tr{' class=front' if trial.on_front else ''}>{''.join(cells)}</tr>"


def _name(trial: Trial) -> str:
    return f"{opener(trial.id)}{' <small>TinyAgeNet</small>' if trial.is_tiny else ''}"


def _made(trial: Trial) -> str:
    if not trial.parent:
        return numerals.MISSING
    how = "pruned" if trial.stage == "search" else trial.stage  # a search with a parent prunes it
    return f"{escape(how)}<small>{escape(trial.parent)}</small>"


def _widths(trial: Trial) -> str:
    """The widths, or the name of a network that has its own; and a pooling that is not the paper's."""
    if not trial.is_compact:
        return escape(trial.design[0])
    pooling = "" if trial.pooling == "hybrid" else f"<small>{escape(trial.pooling)} pooling</small>"
    return f"{numerals.sizes(trial.widths)}{pooling}"


def _depths(trial: Trial) -> str:
    return numerals.sizes(trial.depths) or numerals.MISSING


def _kl(trial: Trial) -> str:
    return escape(trial.recipe.kl_over_bins) or numerals.MISSING


def _resolution(trial: Trial) -> str:
    return str(trial.recipe.resolution)


def _train_images(trial: Trial) -> str:
    return f"{trial.recipe.train_images:,}"


def _deviation(trial: Trial) -> str:
    """Without one of its own, a trial takes each annotation's deviation."""
    if not set(trial.recipe.methods) & set(WITH_KL):
        return numerals.MISSING
    return "data's own" if math.isnan(trial.label_deviation) else numerals.digits(trial.label_deviation)


def _confirmed_mean(trial: Trial) -> float:
    return trial.confirmed.mean if trial.confirmed else math.nan


def _confirmed(unit: str) -> Callable[[Trial], str]:
    return lambda trial: numerals.error(_confirmed_mean(trial), unit)


def _status(trial: Trial) -> str:
    cause = f': <span class="cause">{escape(trial.cause)}</span>' if trial.cause else ""
    return escape(trial.status) + cause


def _spread(spread: Spread) -> str:
    return numerals.ratio(spread.value) + _ends(spread)


def _ends(spread: Spread) -> str:
    if not math.isfinite(spread.low):
        return ""
    return f' <small class="ends">{numerals.digits(spread.low)} to {numerals.digits(spread.high)}</small>'
