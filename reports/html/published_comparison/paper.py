"""Everything published that a comparison is shown with, depending on what the run varied."""

from markupsafe import Markup

from reports.html.published_comparison.benchmark import benchmark_table
from reports.html.published_comparison.choices import choices_beside_published
from reports.html.published_comparison.losses import losses_beside_published
from reports.html.published_comparison.matrix import matrix_table
from reports.html.published_comparison.methods import age_table
from reports.html.published_comparison.networks import networks_beside_published
from reports.model.points import Comparison
from suite.runs.info import RunInfo

#: The parts in their order; each is empty where it does not apply.
PARTS = (
    networks_beside_published,
    age_table,
    benchmark_table,
    matrix_table,
    losses_beside_published,
    choices_beside_published,
)


def published_comparison(comparison: Comparison, info: RunInfo) -> Markup:
    """Render all parts that apply."""
    return Markup("").join(part(comparison, info) for part in PARTS)
