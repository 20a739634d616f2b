"""What was published of the networks, or of the methods, beside what this run measured: as HTML."""

from html import escape

from reports import formatting
from reports.html.markup import count, scrolling
from reports.model.points import PUBLISHED_KEYS, Comparison, Point
from reports.model.trials import NAMES
from reports.published.numbers import SOURCES, published
from suite.runs.info import RunInfo


def networks_beside_published(comparison: Comparison, info: RunInfo) -> str:
    """The paper's table beside ours; empty where networks are not what varied, or none is the paper's."""
    named = [point for point in comparison.points if point.network in PUBLISHED_KEYS]
    if "network" not in comparison.varied or not named:
        return ""
    rows = "".join(
        network_row(point.network, point.params, point.macs_at_224, _here(point, info), info)
        for point in named
    )
    normalised = any(point.network == NAMES["vgg16-bn"] for point in comparison.points)
    return networks_table(rows, normalised, info)


def _here(point: Point, info: RunInfo) -> str:
    """The point's mean, and which point it is where more than the network varied."""
    label = f"<small>{escape(point.label)}</small>" if point.label != point.network else ""
    return over_seeds(point, info) + label


def networks_table(rows: str, normalised: bool, info: RunInfo) -> str:
    """The table around the rows of networks, with what to mind; ``normalised``: VGG-16 has batch norm."""
    heads = table_heads(
        "network", "parameters", "multiply-adds at 224 px", "published MAE", f"MAE here, {info.unit}"
    )
    return f"<h3>Published beside measured here</h3>{_network_words(normalised, info)}" + scrolling(
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
            f'<td class="text">{formatting.error(errors[method], benchmark.unit)}</td>' for method in methods
        )
        + "</tr>"
        for data, errors in benchmark.mae.items()
    )
    heads = table_heads("published, test MAE", *(f"{method}, {benchmark.unit}" for method in methods))
    return (
        "<h3>What others found of the methods</h3>"
        f"<p>With one network ({escape(benchmark.network)}) and one protocol for all: "
        f"{escape(benchmark.finding)}. These are published figures on other data and with another network; "
        "none was measured here. Cross-entropy is the loss of dex.</p>"
        + scrolling("Methods, published", f"<table><thead>{heads}</thead><tbody>{rows}</tbody></table>")
        + f'<ul class="sources"><li>{escape(benchmark.paper)}</li></ul>'
    )


def network_row(name: str, params: float, macs_at_224: float, here: str, info: RunInfo) -> str:
    """A network that the paper knows, by its name here, with its counts; ``here`` is HTML of its errors."""
    network = published().networks[PUBLISHED_KEYS[name]]
    errors = "".join(
        f"{error.value:g} {info.unit} on {escape(error.data)}"
        f"<small>{escape(error.note)}; {SOURCES[error.source]}</small>"
        for error in network.mae
        if error.unit == info.unit
    )
    return (
        f'<tr><th scope="row">{escape(name)}</th>'
        f'<td class="text">{formatting.exactly(params)}'
        f"<small>{formatting.exactly(network.params.value)} published</small></td>"
        f'<td class="text">{formatting.quantity(macs_at_224)}'
        f"<small>{formatting.quantity(network.macs_at_224.value)} published</small></td>"
        f'<td class="text">{errors or formatting.MISSING}</td><td class="text">{here}</td></tr>'
    )


def over_seeds(point: Point, info: RunInfo) -> str:
    """The mean validation MAE of a point, without its unit, and its seeds; a dash without a result."""
    if not point.errors:
        return formatting.MISSING
    return (
        f"{formatting.error(point.mean, info.unit)}<small>mean of {count(len(point.errors), 'seed')}</small>"
    )


def table_heads(*titles: str) -> str:
    """A row of heads over columns of words."""
    return (
        "<tr>" + "".join(f'<th scope="col" class="text">{escape(title)}</th>' for title in titles) + "</tr>"
    )


def _network_words(normalised: bool, info: RunInfo) -> str:
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
