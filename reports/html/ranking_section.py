"""The paper's analysis of Ranking, as a section of a run that compares methods which it is about."""

from reports.model.points import Comparison

#: Methods with Ranking's targets, or with the label distribution that these are the limit of.
CONCERNED = ("ranking-bce", "ranking-mse", "dldl", "dldl-v2")


def is_concerned(comparison: Comparison | None) -> bool:
    """Whether methods varied and the analysis is about one of them."""
    if comparison is None or "method" not in comparison.varied:
        return False
    return any(point.method in CONCERNED for point in comparison.points)


def ranking_section(chart: str) -> str:
    """The section around the chart's HTML."""
    return (
        "<section>\n<h2>What Ranking learns</h2>\n"
        "<p>Ranking's targets are the limit of 1 &minus; CDF of the label distribution (the paper's analysis "
        "of Ranking): as its deviation goes to 0, the probability that the age is above a threshold goes to "
        "1 below the label and to 0 from the label on, and these are what Ranking trains its outputs for. "
        "The curves are worked out from the definitions; nothing in them was measured.</p>\n"
        f"{chart}\n</section>"
    )
