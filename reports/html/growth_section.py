"""The front's hypervolume as the search went on, and what it is drawn against."""

import math

from markupsafe import Markup

from reports import formatting
from reports.figures.static import growth_picture
from reports.html.templating import render
from reports.model.growth import Growth, Spent, elastic_spending
from reports.model.shared_weights import SharedWeights

#: What the chart can be drawn against, by column of the page's data.
AGAINST = {"ended": "trials", "epochs": "epochs of networks trained", "macs": "multiply-adds"}


def growth_section(grown: Growth | None, shared: SharedWeights | None) -> Markup:
    """Render the section; empty without a growth."""
    start = elastic_spending(shared)
    known = grown is not None and all(math.isfinite(spent.macs) for spent in grown.spent)
    return render(
        "growth",
        picture=growth_picture(grown),
        elastic=start if start.epochs else None,
        elastic_macs=_macs(start),
        slices=grown is not None and grown.slices is not None,
        uncounted=grown.uncounted if grown is not None and known else 0,
        switch=[(value, words) for value, words in AGAINST.items() if known or value != "macs"],
    )


def _macs(spent: Spent) -> str:
    return formatting.quantity(spent.macs) if math.isfinite(spent.macs) else ""
