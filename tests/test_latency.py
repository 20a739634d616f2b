"""Paired rounds: what is timed, how often, and what the ratios are made of."""

import math

import numpy as np
import pytest
import torch
from torch import nn

from suite.latency import LEAST_ROUNDS, PairedTimes, rounds_planned, time_in_rounds
from suite.networks import CompactNet

CPU = torch.device("cpu")


class Called(nn.Module):
    """Notes the calls of several networks in one list."""

    def __init__(self, name: str, notes: list[tuple[str, int]]) -> None:
        super().__init__()
        self.name, self.notes = name, notes
        self.weight = nn.Parameter(torch.ones(1))

    def forward(self, images: torch.Tensor) -> torch.Tensor:
        assert not self.training
        assert not torch.is_grad_enabled()
        self.notes.append((self.name, len(images)))
        return images.sum() * self.weight


def test_the_smaller_network_is_faster_in_every_statistic() -> None:
    networks = {"small": CompactNet([4] * 5, [1] * 5), "large": CompactNet([32] * 5, [2] * 5)}
    times = time_in_rounds(networks, resolution=64, batch_size=2, rounds=5, device=CPU)
    speedup = times.speedup("small", over="large")
    assert times.rounds == 5
    assert 0 <= times.others <= 1
    assert times.ms_per_image("small") < times.ms_per_image("large")
    assert 1 < speedup.low <= speedup.median <= speedup.high


def test_ratios_are_formed_round_by_round() -> None:
    """A machine that is three times slower in one round leaves every ratio as it was."""
    times = PairedTimes({"a": (1.0, 3.0, 1.0), "b": (2.0, 6.0, 2.0)}, batch_size=4, resolution=64, others=0.0)
    speedup = times.speedup("a", over="b")
    assert (speedup.low, speedup.median, speedup.high) == (2.0, 2.0, 2.0)
    assert times.speedup("b", over="a").median == 0.5
    assert times.ms_per_image("b") == 500.0


def test_the_spread_is_that_of_the_ratios() -> None:
    seconds = np.linspace(1.0, 2.0, 11)
    times = PairedTimes({"a": (1.0,) * 11, "b": tuple(seconds)}, batch_size=1, resolution=64, others=0.0)
    speedup = times.speedup("a", over="b")
    assert (speedup.low, speedup.median, speedup.high) == pytest.approx((1.1, 1.5, 1.9))


def test_rounds_alternate_their_order_and_are_told() -> None:
    notes: list[tuple[str, int]] = []
    told: list[tuple[int, int]] = []
    networks = {name: Called(name, notes) for name in "ab"}
    time_in_rounds(
        networks,
        resolution=8,
        batch_size=2,
        rounds=4,
        device=CPU,
        on_round=lambda done, planned: told.append((done, planned)),
    )
    runs = "".join(name for i, (name, _) in enumerate(notes) if i == 0 or notes[i - 1][0] != name)
    assert runs == "ab" + "ab" + "a" + "b" + "a"  # warm-up, then ab, ba, ab, ba
    assert told == [(0, 4), (1, 4), (2, 4), (3, 4), (4, 4)]
    assert {images for _, images in notes} == {1, 2}  # the warm-up begins with one image


@pytest.mark.parametrize(
    ("done", "asked", "a_round", "left", "planned"),
    [
        (0, 15, 1.0, math.inf, 15),  # no limit of time: what was asked for
        (0, 100, 2.0, 21.0, 10),  # whole rounds only
        (4, 100, 2.0, 6.5, 7),
        (7, 100, 2.0, 1.9, 7),  # the next round would not fit
        (7, 100, 2.0, -5.0, 7),
        (0, 100, 50.0, 60.0, LEAST_ROUNDS),  # fewer would show no spread
        (1, 2, 50.0, 60.0, 2),  # never more than asked for
    ],
)
def test_rounds_are_those_that_fit(done: int, asked: int, a_round: float, left: float, planned: int) -> None:
    assert rounds_planned(done, asked, a_round, left) == planned


def test_a_limit_of_time_ends_the_rounds_early() -> None:
    networks = {"only": CompactNet([4] * 5, [1] * 5)}
    times = time_in_rounds(networks, resolution=32, batch_size=1, rounds=10**6, seconds=0.0, device=CPU)
    assert times.rounds == LEAST_ROUNDS
