"""Ranking's targets as the limit of 1 - CDF of the label distribution (paper, analysis of Ranking)."""

from dataclasses import dataclass

import numpy as np
import plotly.graph_objects as go

from reports.figures import style

#: A label in the middle of the age axis, and how many years are shown on either side of it.
LABEL, REACH = 30, 15
BINS = np.arange(101)
#: Deviations of the label distribution, years, approaching 0.
DEVIATIONS = (4.0, 2.0, 1.0, 0.5)


@dataclass(frozen=True)
class RankingLimit:
    """1 - CDF for each deviation, and Ranking's targets of 0 and 1, over thresholds (years) around a label."""

    label: int
    thresholds: tuple[int, ...]
    exceedance: tuple[tuple[float, tuple[float, ...]], ...]  # (deviation, a value a threshold)
    targets: tuple[float, ...]


def collect() -> RankingLimit:
    """Compute the curves, which do not depend on a run."""
    thresholds = BINS[LABEL - REACH : LABEL + REACH + 1]
    return RankingLimit(
        label=LABEL,
        thresholds=tuple(int(threshold) for threshold in thresholds),
        exceedance=tuple(
            (deviation, _exceedance(deviation)[LABEL - REACH : LABEL + REACH + 1]) for deviation in DEVIATIONS
        ),
        targets=tuple(float(threshold < LABEL) for threshold in thresholds),
    )


def draw(data: RankingLimit) -> go.Figure:
    """Draw the curves as a plotly figure, with the targets as marks."""
    figure = style.bare_figure(height=300)
    for colour, (deviation, values) in zip(style.BY_SIZE, data.exceedance, strict=False):
        figure.add_scatter(
            x=data.thresholds,
            y=values,
            name=f"deviation {deviation:g}",
            mode="lines",
            line={"color": colour, "width": 2},
            hovertemplate=f"deviation {deviation:g}: %{{y:.3f}} above %{{x}} years<extra></extra>",
        )
    figure.add_scatter(
        x=data.thresholds,
        y=data.targets,
        name="Ranking's targets",
        mode="markers",
        marker={"color": style.FRONT, "size": 6, "symbol": "circle-open", "line": {"width": 1.5}},
        hovertemplate="Ranking's target: %{y:.0f} above %{x} years<extra></extra>",
    )
    figure.update_layout(showlegend=True, legend={"x": 1, "y": 0.98, "xanchor": "right", "yanchor": "top"})
    figure.update_xaxes(title={"text": f"threshold, years; the label is {data.label}", "standoff": 6})
    figure.update_yaxes(title={"text": "probability above it", "standoff": 6}, range=[-0.05, 1.08])
    return figure


def _exceedance(deviation: float) -> tuple[float, ...]:
    """Return the probability above each bin, under a Gaussian around the label that is normalised over the bins."""
    weights = np.exp(-((BINS - LABEL) ** 2) / (2 * deviation**2))
    above = np.append((weights / weights.sum())[:0:-1].cumsum()[::-1], 0.0)
    return tuple(float(probability) for probability in above)
