"""The first rows of the table of trials as HTML."""

from collections.abc import Sequence
from html import escape

from reports.html.markup import opener, scrolling
from reports.model.trial_columns import NAME, Column
from reports.model.trials import Trial

#: So many rows are in the page's markup; the script that sorts and filters has all.
STATIC_ROWS = 100


def trial_table(shown: Sequence[Column], networks: Sequence[Trial]) -> str:
    """Every network, the front first; the headers are buttons that sort (``script/table.js``).

    Without scripts it has the first ``STATIC_ROWS`` and says so.
    """
    heads = "".join(map(_head, shown))
    rows = "".join(_trial_row(trial, shown) for trial in networks[:STATIC_ROWS])
    table = scrolling(
        "Table of trials",
        f'<table class="sortable"><thead><tr>{heads}</tr></thead><tbody>{rows}</tbody></table>',
    )
    rest = len(networks) - STATIC_ROWS
    left_out = (
        f"<noscript><p>{rest:,} more are in the run's trials.parquet; with JavaScript they are here, too.</p>"
        "</noscript>"
        if rest > 0
        else ""
    )
    return f'{TOOLS}{table}{left_out}<p><button type="button" id="more" hidden>Show more rows</button></p>'


#: What the script adds to the table; hidden until it runs.
TOOLS = (
    '<div id="table-tools" hidden><p><label for="filter">Filter</label> '
    '<input id="filter" type="search" autocomplete="off" spellcheck="false" '
    'placeholder="stopped  params&lt;100k"> '
    '<button type="button" id="save">Save as CSV</button> <span id="filtered" role="status"></span></p>'
    '<p class="soft">A header sorts by its column. A filter has words that a row must have (an id, front, '
    "stopped, pruned, a cause) and conditions on columns: "
    "<code>params&lt;100k valMAE&lt;=8.5 status=finished</code>.</p></div>"
)


def _head(column: Column) -> str:
    unit = f"<small>{escape(column.unit)}</small>" if column.unit else ""
    words = " class=text" if column.words else ""
    title = escape(column.title)
    return f'<th scope="col"{words} data-title="{title}"><button type="button">{title}{unit}</button></th>'


def _trial_row(trial: Trial, shown: Sequence[Column]) -> str:
    cells = []
    for place, column in enumerate(shown):
        tag = 'th scope="row"' if place == 0 else "td"
        words = " class=text" if column.words else ""
        cells.append(f"<{tag}{words}>{_cell(column, trial)}</{tag[:2]}>")
    return f"<tr{' class=front' if trial.on_front else ''}>{''.join(cells)}</tr>"


def _cell(column: Column, trial: Trial) -> str:
    cell = column.cell(trial)
    text, note = escape(cell.text), escape(cell.note)
    if column.title == NAME:
        return f"{opener(cell.text)} <small>{note}</small>" if note else opener(cell.text)
    if not note:
        return text
    if cell.kind == "cause":
        return f'{text}: <span class="cause">{note}</span>'
    return (
        f'{text} <small class="ends">{note}</small>'
        if cell.kind == "range"
        else f"{text}<small>{note}</small>"
    )
