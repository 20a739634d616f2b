"""Tables that a narrow window stacks: titles and roles are added, and nothing else is changed."""

import re

from markupsafe import Markup

from reports.html.stackable_tables import stackable

TABLE = Markup(
    '<p>1 &lt; 2</p><table class="claims"><thead><tr><th scope="col">Claim</th>'
    '<th scope="col" class="text">MAE, <b>A &amp; "B"</b><small>in &lt;years&gt;</small></th></tr></thead>'
    '<tbody>\n<tr><th scope="row">a</th><td class="text">1&#160;<br>2<small>of</small></td></tr></tbody><tbody>'
    '<tr><th scope="rowgroup" colspan="2">here</th></tr><tr><th scope="row">b</th><td>&#39;3</td></tr></tbody></table>'
)
ADDED = re.compile(r' data-label="[^"]*"| role="[^"]*"')


def test_each_cell_has_the_title_of_its_column_with_its_note() -> None:
    labels = re.findall(r'<td data-label="([^"]*)"', stackable(TABLE))
    assert labels == ["MAE, A &amp; &quot;B&quot; in &lt;years&gt;"] * 2


def test_each_part_has_its_role_and_the_rest_is_as_it_was_written() -> None:
    html = stackable(TABLE)
    roles = re.findall(r'role="(\w+)"', html)
    assert roles == [
        *("table", "rowgroup", "row", "columnheader", "columnheader", "rowgroup", "row", "rowheader", "cell"),
        *("rowgroup", "row", "rowheader", "row", "rowheader", "cell"),
    ]
    assert ADDED.sub("", html) == TABLE


def test_the_table_of_trials_and_what_is_no_table_stay() -> None:
    other = Markup(
        '<p>a</p><table class="sortable"><tr><td>1</td></tr></table><svg viewBox="0 0 1 1"><path/></svg>'
    )
    assert stackable(other) == other
