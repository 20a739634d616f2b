"""Style shared by the figures: colours that are legible on white and black, logarithmic ticks, a bare layout."""

import math
from collections.abc import Callable

import plotly.graph_objects as go

#: ``figures.js`` replaces these three by the page's own colours, which differ between light and dark.
FRONT = "#2f6fdb"
PUBLISHED = "#9a35bb"
GROUND = "#ffffff"
OTHERS = "#9aa1ab"
TINY = "#d9780f"
#: From the smallest network to the largest; every tone reads on white and on black.
BY_SIZE = ("#e0a100", "#dd6b20", "#cf3f6b", "#9550c8", "#3b6fe0")

FONT_SIZE = 12


def log_ticks(low: float, high: float, label: Callable[[float], str]) -> tuple[list[float], list[str]]:
    """Return tick values and labels of a logarithmic axis from ``low`` to ``high``: decades, or finer."""
    decades = range(math.floor(math.log10(low)), math.ceil(math.log10(high)) + 1)
    for steps in ((1.0,), (1.0, 3.0), (1.0, 2.0, 5.0), (1.0, 1.5, 2.0, 3.0, 4.0, 5.0, 6.0, 7.0, 8.0)):
        ticks = [step * 10.0**decade for decade in decades for step in steps]
        ticks = [tick for tick in ticks if low * 1.01 <= tick <= high * 0.99]
        if len(ticks) >= 4:
            break
    return ticks, [label(tick) for tick in ticks]


def bare_figure(height: int) -> go.Figure:
    """Return an empty figure with a transparent background, so that the page's shows, light or dark."""
    figure = go.Figure()
    figure.update_layout(
        template=go.layout.Template(),
        height=height,
        margin={"l": 52, "r": 14, "t": 8, "b": 46},
        paper_bgcolor="rgba(0,0,0,0)",
        plot_bgcolor="rgba(0,0,0,0)",
        font={"size": FONT_SIZE, "family": "system-ui, sans-serif"},
        hoverlabel={"align": "left"},
        dragmode=False,
        showlegend=False,
    )
    grid = {"gridcolor": "rgba(128,128,128,0.22)", "zeroline": False, "linecolor": "rgba(128,128,128,0.6)"}
    figure.update_xaxes(**grid, showline=True, ticks="outside", ticklen=4, tickcolor="rgba(128,128,128,0.6)")
    figure.update_yaxes(**grid, showline=True)
    return figure
