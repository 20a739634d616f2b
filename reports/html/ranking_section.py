"""The paper's analysis of Ranking, in the report of a run that compares the methods it concerns."""

from markupsafe import Markup

from reports.figures import ranking_limit
from reports.html.figure import figure_markup
from reports.html.templating import render
from reports.model.points import Comparison

#: Methods with Ranking's targets, or with the label distribution that these are the limit of.
CONCERNED = ("ranking-bce", "ranking-mse", "dldl", "dldl-v2")


def ranking_section(comparison: Comparison | None) -> Markup:
    """Render the section; empty if methods did not vary or the analysis concerns none of them."""
    if comparison is None or "method" not in comparison.varied:
        return Markup("")
    if not any(point.method in CONCERNED for point in comparison.points):
        return Markup("")
    figure = ranking_limit.draw(ranking_limit.collect())
    chart = figure_markup(figure, "1 - CDF of label distributions, and Ranking's targets")
    return render("ranking", chart=chart)
