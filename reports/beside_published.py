"""What was published of the networks, or of the methods, beside what this run measured: as HTML."""

from html import escape

from reports import numerals
from reports.comparison import mean_interval
from reports.markup import scrolling
from reports.points import PUBLISHED_KEYS, Comparison, Point
from reports.published import SOURCES, PublishedNetwork, published
from suite.runs import RunInfo


def networks_beside_published(comparison: Comparison, info: RunInfo) -> str:
    """The paper's table beside ours; empty where networks are not what varied, or none is the paper's."""
    known = published().networks
    named = [(p, known[PUBLISHED_KEYS[p.network]]) for p in comparison.points if p.network in PUBLISHED_KEYS]
    if "network" not in comparison.varied or not named:
        return ""
    rows = "".join(_network_row(point, network, info) for point, network in named)
    heads = _heads(
        "network", "parameters", "multiply-adds at 224 px", "published MAE", f"MAE here, {info.unit}"
    )
    return f"<h3>Published beside measured here</h3>{_network_words(comparison, info)}" + scrolling(
        "Networks, published beside measured",
        f"<table><thead>{heads}</thead><tbody>{rows}</tbody></table>",
    )


def methods_beside_published(comparison: Comparison, info: RunInfo) -> str:
    """What a later benchmark found of the methods; empty where methods are not what varied."""
    benchmark = published().benchmark
    if "method" not in comparison.varied or info.unit != benchmark.unit:
        return ""
    methods = list(next(iter(benchmark.mae.values())))
    rows = "".join(
        f'<tr><th scope="row">{escape(data)}</th>'
        + "".join(
            f'<td class="text">{numerals.error(errors[method], benchmark.unit)}</td>' for method in methods
        )
        + "</tr>"
        for data, errors in benchmark.mae.items()
    )
    heads = _heads("published, test MAE", *(f"{method}, {benchmark.unit}" for method in methods))
    return (
        "<h3>What others found of the methods</h3>"
        f"<p>With one network ({escape(benchmark.network)}) and one protocol for all: "
        f"{escape(benchmark.finding)}. These are published figures on other data and with another network; "
        "none was measured here. Cross-entropy is the loss of dex.</p>"
        + scrolling("Methods, published", f"<table><thead>{heads}</thead><tbody>{rows}</tbody></table>")
        + f'<ul class="sources"><li>{escape(benchmark.paper)}</li></ul>'
    )


def _network_words(comparison: Comparison, info: RunInfo) -> str:
    normalised = any(point.network == "VGG-16 with batch norm" for point in comparison.points)
    form = (
        " VGG-16 is trained here in its form with batch normalisation, since the original hardly trains from "
        "scratch; what is published of it is DEX's, without."
        if normalised
        else ""
    )
    return (
        "<p><b>The data differ:</b> published errors are of photographs of real people at 224 px, ours of "
        f"{escape(info.data.name)} at {info.resolution} px, on validation. Compare the order and the "
        f"distances within a column, not one column with the other.{form}</p>"
    )


def _network_row(point: Point, network: PublishedNetwork, info: RunInfo) -> str:
    errors = "".join(
        f"{error.value:g} {info.unit} on {escape(error.data)}"
        f"<small>{escape(error.note)}; {SOURCES[error.source]}</small>"
        for error in network.mae
        if error.unit == info.unit
    )
    here = numerals.MISSING
    if point.errors:
        interval = mean_interval(list(point.errors.values()))
        here = f"{numerals.error(interval.mean, info.unit)}<small>mean of {interval.values} seeds</small>"
    params = f"{numerals.exactly(network.params.value)} published"
    macs = numerals.quantity(network.macs_at_224.value)
    return (
        f'<tr><th scope="row">{escape(point.network)}</th>'
        f'<td class="text">{numerals.exactly(point.params)}<small>{params}</small></td>'
        f'<td class="text">{numerals.quantity(point.macs_at_224)}<small>{macs} published</small></td>'
        f'<td class="text">{errors or numerals.MISSING}</td><td class="text">{here}</td></tr>'
    )


def _heads(*titles: str) -> str:
    return (
        "<tr>" + "".join(f'<th scope="col" class="text">{escape(title)}</th>' for title in titles) + "</tr>"
    )
