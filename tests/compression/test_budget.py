"""Budgets: how they are written, and what a network costs."""

import dataclasses

import pytest

from suite.compression.budget import Budget, parse_budget
from suite.errors import RequestError
from suite.measure.profiling import cost, count_macs, count_parameters, safetensors_bytes
from suite.networks import build_network
from tests.support.trained_runs import CONFIG

WIDE = dataclasses.replace(CONFIG, widths=(8, 16, 16, 24, 24), depths=(1, 2, 1, 1, 2))


@pytest.mark.parametrize(
    ("text", "most"), [("934869", 934_869), ("0.9M", 900_000), ("250k", 250_000), ("1G", 10**9)]
)
def test_a_budget_is_a_number_with_a_letter(text: str, most: int) -> None:
    assert parse_budget(text, "params") == Budget("params", most)


@pytest.mark.parametrize("text", ["", "small", "-1", "0", "1T"])
def test_another_text_is_refused_in_one_sentence(text: str) -> None:
    with pytest.raises(RequestError, match="is not a count of params"):
        parse_budget(text, "params")


def test_a_cost_is_that_of_the_network() -> None:
    network = build_network(WIDE, 101)
    assert cost(WIDE, 101, "params") == count_parameters(network)
    assert cost(WIDE, 101, "macs") == count_macs(network, 32)
    assert cost(WIDE, 101, "bytes") == safetensors_bytes(network)
