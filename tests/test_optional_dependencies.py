"""Packages that are not always installed."""

import math

import pytest

from suite.errors import RequestError
from suite.optional_dependencies import need


def test_an_installed_package_is_imported() -> None:
    assert need("math", "Arithmetic") is math


@pytest.mark.parametrize(("extra", "command"), [((), r"suite\[compress\]"), (("sets",), r"suite\[sets\]")])
def test_the_refusal_names_the_group_that_installs_the_package(extra: tuple[str, ...], command: str) -> None:
    refusal = (
        f"A table needs no_such_package, which is not installed; install it with pip install '{command}'"
    )
    with pytest.raises(RequestError, match=refusal):
        need("no_such_package", "A table", *extra)
