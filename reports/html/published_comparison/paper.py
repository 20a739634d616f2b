"""Everything of the paper that belongs beside a comparison, by what the run varied, as HTML."""

from reports.html.published_comparison.choices import choices_beside_published
from reports.html.published_comparison.losses import losses_beside_published
from reports.html.published_comparison.matrix import matrix_table
from reports.html.published_comparison.methods import age_table
from reports.html.published_comparison.networks import methods_beside_published, networks_beside_published
from reports.model.points import Comparison
from suite.runs.info import RunInfo


def beside_paper(comparison: Comparison, info: RunInfo) -> str:
    """The parts that apply, in their order; each is empty where it does not."""
    parts = (
        networks_beside_published,
        age_table,
        methods_beside_published,
        matrix_table,
        losses_beside_published,
        choices_beside_published,
    )
    return "".join(part(comparison, info) for part in parts)
