"""Tables as CSV for people, who open them in spreadsheets and terminals."""

import csv
import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import pandas as pd

#: A spreadsheet would take text that begins with one of these characters for a formula. The report's script
#: ``table.js`` has the same list for its own CSV.
_FORMULA = re.compile(r"[=+\-@\t\r]")


def csv_text(table: "pd.DataFrame") -> str:
    """Return a table as CSV, with all text in quotes and an apostrophe before what looks like a formula."""
    harmless = table.assign(**{column: table[column].map(_harmless) for column in table.columns})
    return harmless.to_csv(index=False, quoting=csv.QUOTE_NONNUMERIC)


def _harmless(value: object) -> object:
    return f"'{value}" if isinstance(value, str) and _FORMULA.match(value) else value
