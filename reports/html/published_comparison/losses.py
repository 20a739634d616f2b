"""KL alone against KL + L1, as published for attractiveness, with a run's own lambdas beside it, as HTML."""

from html import escape

from reports import formatting
from reports.html.markup import scrolling
from reports.html.published_comparison.networks import over_seeds, table_heads
from reports.model.difference_text import difference_sentence
from reports.model.points import Comparison, Point
from reports.published.numbers import SOURCES, PublishedLoss, published
from suite.runs.info import RunInfo
from suite.statistics.paired import paired_difference

#: The columns of the published table.
LOSS_TITLES = ("published", "MAE, points", "RMSE, points", "Pearson")


def losses_beside_published(comparison: Comparison, info: RunInfo) -> str:
    """The published table with this run's column; empty where something else than lambda varied."""
    if comparison.varied != ("lambda_l1",):
        return ""
    losses = published().losses
    rows = "".join(
        loss_row(row, f'<td class="text">{_here(row, comparison, info)}</td>') for row in losses.rows
    )
    heads = table_heads(*LOSS_TITLES, f"val MAE here, {info.unit}")
    return (
        f"<h3>KL alone against KL + L1, published beside ours</h3>{_words(comparison, info)}"
        + scrolling("KL against KL + L1", f"<table><thead>{heads}</thead><tbody>{rows}</tbody></table>")
        + f'<ul class="sources"><li>{SOURCES[losses.source]}: {escape(published().papers[0])}</li></ul>'
    )


def loss_row(row: PublishedLoss, more: str = "") -> str:
    """A row of the published table, ``more`` being the HTML of further cells."""
    network = published().networks[row.network].name
    numbers = "".join(f'<td class="text">{value:.3f}</td>' for value in (row.mae, row.rmse, row.pearson))
    return f'<tr><th scope="row">{network}, {row.loss}</th>{numbers}{more}</tr>'


def counterpart(row: PublishedLoss, comparison: Comparison) -> Point | None:
    """The point with a published row's network and loss; lambda means the same beside a mean KL only."""
    name = published().networks[row.network].name
    for point in comparison.points:
        config = point.config
        loss = (config.method, config.kl_over_bins, config.lambda_l1)
        if point.network == name and loss == ("dldl-v2", "mean", row.lambda_l1):
            return point
    return None


def _here(row: PublishedLoss, comparison: Comparison, info: RunInfo) -> str:
    point = counterpart(row, comparison)
    if point is None or not point.errors:
        return formatting.MISSING
    return f"{over_seeds(point, info)}<small>{escape(point.label)}</small>"


def _words(comparison: Comparison, info: RunInfo) -> str:
    losses = published().losses
    return (
        f"<p>Published are means of {losses.folds} folds of {losses.data}: the attractiveness of "
        "photographs, from 1 to 5 points; nothing of it was measured here. The paper's L1 has lambda 1 "
        "beside a KL averaged over bins; lambda 0 is KL alone. <b>The data differ</b>: ours are means over "
        f"the seeds of the validation MAE for {escape(info.attribute)}, on {escape(info.data.name)} at "
        f"{info.resolution} px. Compare the direction within a column, not one column with the other."
        f"{_difference(comparison, info)}</p>"
    )


def _difference(comparison: Comparison, info: RunInfo) -> str:
    """Lambda 1 against lambda 0 of one network, widened as the other differences of the run are."""
    rows = {(row.network, row.lambda_l1): counterpart(row, comparison) for row in published().losses.rows}
    for network in ("thin", "tiny"):
        alone, joint = rows[network, 0.0], rows[network, 1.0]
        if alone and joint and alone.errors.keys() & joint.errors.keys():
            difference = paired_difference(
                (alone.label, alone.errors),
                (joint.label, joint.errors),
                comparisons=max(len(comparison.differences), 1),
            )
            return f" Here, {escape(difference_sentence(difference, 'MAE', info.unit))}"
    return ""
