"""KL alone against KL + L1, as published for attractiveness, with this run's lambdas beside it."""

from dataclasses import dataclass

from markupsafe import Markup

from reports.html.published_comparison.entry import Entry, seeds_entry
from reports.html.templating import render
from reports.model.difference_text import difference_sentence
from reports.model.points import Comparison, Point, difference_between
from reports.published.numbers import SOURCES, PublishedLoss, published
from suite.runs.info import RunInfo

#: The columns of the published table.
LOSS_TITLES = ("published", "MAE, points", "RMSE, points", "Pearson")


@dataclass(frozen=True)
class LossRow:
    """A row of the published table, with this run's error of the same network and loss."""

    name: str
    numbers: tuple[str, ...]
    here: Entry | None


def losses_beside_published(comparison: Comparison, info: RunInfo) -> Markup:
    """Render the published table with this run's column; empty unless lambda alone varied."""
    if comparison.varied != ("lambda_l1",):
        return Markup("")
    losses = published().losses
    return render(
        "published_losses",
        info=info,
        losses=losses,
        difference=_difference(comparison, info),
        titles=(*LOSS_TITLES, f"val MAE here, {info.unit}"),
        rows=[loss_row(row, _here(row, comparison, info)) for row in losses.rows],
        source=f"{SOURCES[losses.source]}: {published().papers[0]}",
    )


def loss_row(row: PublishedLoss, here: Entry | None = None) -> LossRow:
    """Return a row of the published table."""
    network = published().networks[row.network].name
    numbers = tuple(f"{value:.3f}" for value in (row.mae, row.rmse, row.pearson))
    return LossRow(f"{network}, {row.loss}", numbers, here)


def counterpart(row: PublishedLoss, comparison: Comparison) -> Point | None:
    """Find the point with a published row's network and loss; lambda is comparable only for a KL averaged over bins."""
    name = published().networks[row.network].name
    for point in comparison.points:
        config = point.config
        loss = (config.method, config.kl_over_bins, config.lambda_l1)
        if point.network == name and loss == ("dldl-v2", "mean", row.lambda_l1):
            return point
    return None


def _here(row: PublishedLoss, comparison: Comparison, info: RunInfo) -> Entry | None:
    point = counterpart(row, comparison)
    if point is None or not point.errors:
        return None
    return seeds_entry(point, info, point.label)


def _difference(comparison: Comparison, info: RunInfo) -> str:
    """Compare lambda 1 with lambda 0 for one network, its interval widened like the run's other differences."""
    rows = {(row.network, row.lambda_l1): counterpart(row, comparison) for row in published().losses.rows}
    for network in ("thin", "tiny"):
        alone, joint = rows[network, 0.0], rows[network, 1.0]
        if alone and joint and alone.errors.keys() & joint.errors.keys():
            difference = difference_between(alone, joint, max(len(comparison.differences), 1))
            return difference_sentence(difference, "MAE", info.unit)
    return ""
