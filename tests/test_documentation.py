"""Tables of the documentation that have a row for each entry of a table of the code."""

from collections.abc import Iterable
from pathlib import Path
from typing import get_args

import pytest

from search_spaces import FIELDS, StoppingRule, shipped
from suite.cli.main import COMMANDS
from suite.data.sets import READERS
from suite.deployment.export import WRITERS
from suite.methods import METHODS
from suite.trial import Network

ROOT = Path(__file__).parents[1]
COMMAND_NAMES = [command.__name__.rpartition(".")[2] for command in COMMANDS]


@pytest.mark.parametrize(
    ("document", "mentions"),
    [
        ("search_spaces/README.md", [f"`{method}`" for method in METHODS]),
        ("search_spaces/README.md", [f"`{network}`" for network in get_args(Network)]),
        ("search_spaces/README.md", [f"`{field}`" for field in FIELDS]),
        ("search_spaces/README.md", [f"| `{search}` |" for search in shipped()]),
        ("search_spaces/README.md", [f"`{rule}`" for rule in get_args(StoppingRule)]),
        ("docs/first-search.md", [f"`{search}`" for search in shipped()]),
        ("docs/first-search.md", [f"`suite {command}" for command in COMMAND_NAMES]),
        ("docs/search.md", [f"| `{rule}` |" for rule in get_args(StoppingRule) if rule != "none"]),
        ("docs/data.md", [f"| `{reader}` |" for reader in READERS]),
        ("docs/deployment.md", [f"| `{ending}` |" for ending in WRITERS]),
        ("SECURITY.md", [f"`{ending}`" for ending in WRITERS]),
        ("docs/deployment.md", [f"`{name}`" for name, method in METHODS.items() if method.distribution]),
    ],
)
def test_a_document_has_all_entries_of_a_table_of_the_code(document: str, mentions: Iterable[str]) -> None:
    text = (ROOT / document).read_text(encoding="utf-8")
    assert [mention for mention in mentions if mention not in text] == []
