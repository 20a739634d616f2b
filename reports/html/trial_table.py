"""The first rows of the table of trials."""

from collections.abc import Sequence

from markupsafe import Markup

from reports.html.templating import render
from reports.model.trial_columns import NAME, Column
from reports.model.trials import Trial

#: Rows in the page's markup; the script that sorts and filters has all.
STATIC_ROWS = 100


def trial_table(columns: Sequence[Column], networks: Sequence[Trial]) -> Markup:
    """Render the table, the front first; its headers are buttons that sort (``script/table.js``).

    Without scripts it has the first ``STATIC_ROWS`` and says so.
    """
    left_out = max(len(networks) - STATIC_ROWS, 0)
    return render(
        "trial_table",
        columns=columns,
        trials=networks[:STATIC_ROWS],
        name_title=NAME,
        left_out=f"{left_out:,}" if left_out else "",
    )
