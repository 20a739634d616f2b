"""Published errors of the paper's networks, beside what this run measured."""

from collections.abc import Sequence
from dataclasses import dataclass

from markupsafe import Markup

from reports import formatting
from reports.html.published_comparison.entry import Entry, seeds_entry
from reports.html.templating import render
from reports.model.points import PUBLISHED_KEYS, Comparison
from reports.model.trials import NAMES
from reports.published.numbers import SOURCES, published
from suite.runs.info import RunInfo


@dataclass(frozen=True)
class NetworkRow:
    """A network that the paper knows, by its name here: counts here and worked out, errors of both."""

    name: str
    params: str
    params_worked_out: str
    macs: str
    macs_worked_out: str
    published: list[Entry]
    here: list[Entry]


def networks_beside_published(comparison: Comparison, info: RunInfo) -> Markup:
    """Render the paper's table beside this run's; empty if networks did not vary or none is the paper's."""
    named = [point for point in comparison.points if point.network in PUBLISHED_KEYS]
    if "network" not in comparison.varied or not named:
        return Markup("")
    rows = [
        network_row(
            point.network,
            point.params,
            point.macs_at_224,
            [seeds_entry(point, info, point.label if point.label != point.network else "")],
            info,
        )
        for point in named
    ]
    normalised = any(point.network == NAMES["vgg16-bn"] for point in comparison.points)
    return networks_table(rows, info, normalised=normalised)


def networks_table(rows: Sequence[NetworkRow], info: RunInfo, *, normalised: bool) -> Markup:
    """Render the table with its caveats; ``normalised``: VGG-16 has batch normalisation."""
    return render("published_networks", rows=rows, info=info, normalised=normalised)


def network_row(name: str, params: float, macs_at_224: float, here: list[Entry], info: RunInfo) -> NetworkRow:
    """Return the row of a network, given its exact counts and its errors in this run."""
    network = published().networks[PUBLISHED_KEYS[name]]
    return NetworkRow(
        name=name,
        params=formatting.exactly(params),
        params_worked_out=f"{formatting.exactly(network.params.value)} worked out from the paper",
        macs=formatting.quantity(macs_at_224),
        macs_worked_out=f"{formatting.quantity(network.macs_at_224.value)} worked out from the paper",
        published=[
            Entry(f"{error.value:g} {info.unit} on {error.data}", (f"{error.note}; {SOURCES[error.source]}",))
            for error in network.mae
            if error.unit == info.unit
        ],
        here=here,
    )
