"""The answer first: which network to ship. The page's script answers under the limits that a reader sets."""

from html import escape

from reports import formatting
from reports.html.markup import count, mae, opener
from reports.model.networks import compared_networks
from reports.model.timing import conditions
from reports.model.trials import FrontSummary, Trial
from suite.runs.info import RunInfo

#: The limits of the form: a column of the page's trials, its label, its unit, an example.
LIMITS = (
    ("error", "Validation MAE at most", "", ""),
    ("params", "Parameters at most", "", "900k"),
    ("macs", "Multiply-adds at most", "", "30M"),
    ("bytes", "Bytes at most", "", "3.8M"),
    ("ms", "Latency at most", "ms", "5"),
)
TAKES = (
    ("error", "the lowest error"),
    ("params", "the fewest parameters"),
    ("macs", "the fewest multiply-adds"),
    ("bytes", "the fewest bytes"),
    ("ms", "the lowest latency"),
)


def form(info: RunInfo) -> str:
    """The limits that a reader may set; hidden until the script that answers them runs."""
    fields = "".join(
        f'<p><label for="max-{name}">{label}</label>'
        f'<input id="max-{name}" name="max-{name}" inputmode="decimal" autocomplete="off" '
        f'placeholder="{example or "none"}"><span class="unit">'
        f"{escape(unit or info.unit * (name == 'error'))}</span></p>"
        for name, label, unit, example in LIMITS
    )
    options = "".join(f'<option value="{name}">{words}</option>' for name, words in TAKES)
    return (
        f'<form id="limits" hidden aria-label="Limits">{fields}'
        '<p><label for="take">of what is left, take</label>'
        f'<select id="take" name="take">{options}</select></p>'
        '<p><button type="reset">No limits</button></p></form>'
    )


def lead(info: RunInfo, summary: FrontSummary) -> str:
    """The result in a sentence: the most accurate, the knee and the smallest of the front."""
    best, smallest = summary.best, summary.smallest
    if best is None or smallest is None:
        return '<p class="lead">No trial has finished, so there is no front.</p>'
    text = (
        f"The most accurate of {count(summary.count('finished'), 'finished trial')} is "
        f"<b>{escape(best.id)}</b>, with a validation MAE of <b>{mae(best.error, info)}</b>"
        f"{_over_seeds(best)} and {formatting.quantity(best.params)} parameters, "
        f"{_against(best, info, summary)}"
    )
    if summary.knee and summary.knee.id == best.id:
        text += "; it is also the knee of the front"
    elif summary.knee:
        knee = summary.knee
        text += f"; the knee of the front is <b>{escape(knee.id)}</b> ({_short(knee, info)})"
    if smallest.id != best.id:
        text += f"; its smallest member is <b>{escape(smallest.id)}</b> ({_short(smallest, info)})"
    return f'<p class="lead">{text}.</p>'


def tiles(info: RunInfo, summary: FrontSummary) -> str:
    """A tile for the best, the knee and the smallest of the front, and a word where none is any good."""
    of = " of the search" if summary.kin else ""  # of which one may have a lower error yet
    chosen = {f"lowest error{of}": summary.best, "knee": summary.knee, "smallest": summary.smallest}
    titles: dict[str, list[str]] = {}
    for title, trial in chosen.items():
        if trial:
            titles.setdefault(trial.id, []).append(title)
    by_id = {trial.id: trial for trial in summary.trials}
    found = "".join(_tile(" and ".join(names), by_id[id_], info) for id_, names in titles.items())
    sobering = _sobering(summary.best, info) if summary.best else ""
    return f'{sobering}<div class="tiles">{found}</div>' if found else ""


def _short(trial: Trial, info: RunInfo) -> str:
    return f"{mae(trial.error, info)}, {formatting.quantity(trial.params)} parameters"


def _over_seeds(trial: Trial) -> str:
    """What the error is a mean of, where it is one."""
    if not trial.confirmed or not trial.confirmed.errors:
        return ""
    return f" (confirmed: the mean of {count(len(trial.confirmed.errors), 'new seed')})"


def _against(trial: Trial, info: RunInfo, summary: FrontSummary) -> str:
    """How many times fewer parameters than VGG-16 and TinyAgeNet, both counted exactly, and at what error.

    The error is the best that this run trained the network to; where it trained none, nothing is said of it.
    """
    parts = []
    for network in compared_networks(info, summary):
        if network["key"] not in ("vgg16", "tiny") or not trial.params > 0:
            continue
        name, factor = network["name"], network["params"] / trial.params
        size = f"{formatting.ratio(factor)} fewer than {name}"
        if network["params"] == trial.params:
            size = f"exactly as many as {name}"
        elif factor < 1:
            size = f"{formatting.ratio(1 / factor)} as many as {name}"
        if network["error"] is not None and network["trial"] != trial.id:
            size += f" ({_worse(trial.error - network['error'], info)})"
        parts.append(size)
    return " and ".join(parts) or "with no reference counted"


def _worse(difference: float, info: RunInfo) -> str:
    size = formatting.error(abs(difference), info.unit)
    if not float(size):
        return "the same error"
    return f"{size}\u00a0{info.unit} {'worse' if difference > 0 else 'better'}"


def _sobering(best: Trial, info: RunInfo) -> str:
    if not best.error >= info.data.constant_val_mae:
        return ""
    return (
        f'<p class="banner">No trial does better than a constant: predicting the median training label is '
        f"off by {mae(info.data.constant_val_mae, info)}.</p>"
    )


def _tile(title: str, trial: Trial, info: RunInfo) -> str:
    lines = [escape(line) for line in trial.design]
    if trial.timing.known:
        speed = formatting.ratio(trial.timing.speedup.value)
        lines.append(f"{speed} as fast as VGG-16, {formatting.digits(trial.timing.ms)}\u00a0ms an image")
        lines.append(f"at {escape(conditions(info, (trial.timing.side,)))}")
    return (
        f'<div class="tile"><h3>{title}</h3><p class="figure">{mae(trial.error, info)}</p>'
        f"<p>{opener(trial.id)}, {formatting.quantity(trial.params)} parameters, "
        f"{formatting.quantity(trial.bytes, 'B')}<br>{'<br>'.join(lines)}</p></div>"
    )
