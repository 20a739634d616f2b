"""A plotly figure in a page, as JSON that the page's script draws."""

import plotly.graph_objects as go
from markupsafe import Markup

from reports.html.templating import render


def figure_markup(figure: go.Figure, label: str) -> Markup:
    """Render an element that holds a figure's JSON.

    Args:
        figure: Drawn by Python.
        label: What it shows, for a screen reader.
    """
    json = script_json(str(figure.to_json()))
    return render("figure", label=label, height=int(figure.layout.height), json=json)


def script_json(text: str) -> Markup:
    """Escape each "<" of a JSON text, which could end the script element that holds it."""
    return Markup(text.replace("<", "\\u003c"))
