"""Each trial's error after fine-tuning against that of its slice as it was."""

from dataclasses import dataclass
from html import escape

import plotly.graph_objects as go

from reports.figures import style
from reports.formatting import error
from reports.model.shared_weights import Pair, SharedWeights

#: At most this many marks, evenly spread over the trials.
MOST = 1000


@dataclass(frozen=True)
class SliceRanks:
    """The pairs that are drawn, the errors' unit, and how many pairs are not drawn."""

    pairs: tuple[Pair, ...]
    unit: str
    left_out: int = 0


def collect(shared: SharedWeights, unit: str) -> SliceRanks:
    """Gather the pairs."""
    pairs = shared.pairs
    if len(pairs) > MOST:
        pairs = tuple(pairs[round(place * (len(pairs) - 1) / (MOST - 1))] for place in range(MOST))
    return SliceRanks(pairs, unit, len(shared.pairs) - len(pairs))


def draw(data: SliceRanks) -> go.Figure:
    """Draw the pairs as a plotly figure."""
    figure = style.bare_figure(height=320)
    figure.add_scatter(
        x=[pair.sliced for pair in data.pairs],
        y=[pair.tuned for pair in data.pairs],
        mode="markers",
        marker={"color": style.FRONT, "size": 8, "opacity": 0.75},
        hovertext=[_hover(pair, data.unit) for pair in data.pairs],
        hoverinfo="text",
    )
    figure.update_xaxes(
        title={"text": f"validation MAE of the slice as it is, {data.unit}", "standoff": 6}, nticks=8
    )
    figure.update_yaxes(title={"text": f"after fine-tuning, {data.unit}", "standoff": 6}, nticks=6)
    return figure


def _hover(pair: Pair, unit: str) -> str:
    return f"<b>{escape(pair.trial)}</b><br>slice {error(pair.sliced, unit)}, then {error(pair.tuned, unit)} {unit}"
