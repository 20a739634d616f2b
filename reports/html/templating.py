"""The Jinja2 templates of the reports.

Everything that enters a template is escaped, except ``Markup``: rendered templates, the static pictures and the
page's own scripts, style and JSON.
"""

from functools import cache

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from reports import formatting

_FILTERS = (
    formatting.count,
    formatting.digits,
    formatting.duration,
    formatting.error,
    formatting.error_with_unit,
    formatting.exactly,
    formatting.quantity,
    formatting.ratio,
    formatting.signed,
)


def render(template: str, **data: object) -> Markup:
    """Render a template of ``templates/``, given its name without ``.html.j2``.

    Raises:
        jinja2.UndefinedError: The template uses a name that ``data`` lacks.
    """
    return Markup(_environment().get_template(f"{template}.html.j2").render(data))


@cache
def _environment() -> Environment:
    environment = Environment(
        loader=PackageLoader("reports.html"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters.update({function.__name__: function for function in _FILTERS})
    return environment
