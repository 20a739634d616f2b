"""Paired rounds: what is timed, how often, and how ratios are formed."""

import math

import numpy as np
import pytest
import torch
from torch import nn

import suite.measure.latency
from suite.measure.latency import LEAST_ROUNDS, PairedTimes, rounds_planned, time_in_rounds
from suite.networks import CompactNet
from suite.statistics.spread import Spread

CPU = torch.device("cpu")


class SimulatedTime:
    """A clock that only the networks of the test advance; it replaces the module ``time``."""

    def __init__(self) -> None:
        self.now = 0.0

    def perf_counter(self) -> float:
        return self.now


class Simulated(nn.Module):
    """Takes a number of simulated seconds per image, and records its calls."""

    def __init__(self, name: str, seconds: float, time: SimulatedTime, notes: list[tuple[str, int]]) -> None:
        super().__init__()
        self.name, self.seconds, self.time, self.notes = name, seconds, time, notes
        self.weight = nn.Parameter(torch.ones(1))

    def forward(self, images: torch.Tensor) -> torch.Tensor:
        assert not self.training
        assert not torch.is_grad_enabled()
        self.notes.append((self.name, len(images)))
        self.time.now += self.seconds * len(images)
        return images.sum() * self.weight


@pytest.fixture
def simulated(monkeypatch: pytest.MonkeyPatch) -> SimulatedTime:
    clock = SimulatedTime()
    monkeypatch.setattr(suite.measure.latency, "time", clock)
    return clock


def test_times_are_for_an_image_and_their_ratio_is_the_speed_up(simulated: SimulatedTime) -> None:
    notes: list[tuple[str, int]] = []
    networks = {
        "small": Simulated("small", 0.25, simulated, notes),
        "large": Simulated("large", 1.0, simulated, notes),
    }
    times = time_in_rounds(networks, resolution=8, batch_size=2, rounds=5, device=CPU)
    assert times.rounds == 5
    assert times.seconds["small"] == pytest.approx([0.5] * 5)
    assert times.ms_per_image("small") == pytest.approx(250)
    assert times.ms_per_image("large") == pytest.approx(1000)
    assert times.speedup("small", over="large") == Spread(4.0, 4.0, 4.0)
    assert 0 <= times.others <= 1


def test_a_real_network_is_timed() -> None:
    network = CompactNet([4] * 5, [1] * 5)
    times = time_in_rounds({"only": network}, resolution=32, batch_size=2, rounds=4, device=CPU)
    assert len(times.seconds["only"]) == 4
    assert times.ms_per_image("only") > 0


def test_ratios_are_formed_round_by_round() -> None:
    """A machine that is three times slower in one round leaves every ratio as it was."""
    times = PairedTimes({"a": (1.0, 3.0, 1.0), "b": (2.0, 6.0, 2.0)}, batch_size=4, resolution=64, others=0.0)
    speedup = times.speedup("a", over="b")
    assert (speedup.low, speedup.value, speedup.high) == (2.0, 2.0, 2.0)
    assert times.speedup("b", over="a").value == 0.5
    assert times.ms_per_image("b") == 500.0


def test_the_spread_is_that_of_the_ratios() -> None:
    seconds = np.linspace(1.0, 2.0, 11)
    times = PairedTimes({"a": (1.0,) * 11, "b": tuple(seconds)}, batch_size=1, resolution=64, others=0.0)
    speedup = times.speedup("a", over="b")
    assert (speedup.low, speedup.value, speedup.high) == pytest.approx((1.1, 1.5, 1.9))


def test_rounds_alternate_their_order_and_are_reported(simulated: SimulatedTime) -> None:
    notes: list[tuple[str, int]] = []
    progress: list[tuple[int, int]] = []
    time_in_rounds(
        {name: Simulated(name, 0.02, simulated, notes) for name in "ab"},
        resolution=8,
        batch_size=2,
        rounds=4,
        device=CPU,
        on_round=lambda done, planned: progress.append((done, planned)),
    )
    runs = "".join(name for i, (name, _) in enumerate(notes) if i == 0 or notes[i - 1][0] != name)
    assert runs == "ab" + "ab" + "a" + "b" + "a"  # warm-up, then ab, ba, ab, ba
    assert progress == [(0, 4), (1, 4), (2, 4), (3, 4), (4, 4)]


def test_a_short_call_is_repeated_after_an_uncounted_one_and_a_long_call_is_warmed_up_by_one_image(
    simulated: SimulatedTime,
) -> None:
    notes: list[tuple[str, int]] = []
    networks = {
        "short": Simulated("short", 0.001, simulated, notes),
        "long": Simulated("long", 1.0, simulated, notes),
    }
    times = time_in_rounds(networks, resolution=8, batch_size=10, rounds=3, device=CPU)
    assert [images for name, images in notes if name == "long"] == [1, 1, 1] + [10] * 3
    assert [images for name, images in notes if name == "short"] == [1, 1, 1, 10, 10, 10] + [10] * 11 * 3
    assert times.seconds["short"] == pytest.approx([0.01] * 3)


@pytest.mark.parametrize(
    ("done", "requested", "a_round", "left", "planned"),
    [
        (0, 15, 1.0, math.inf, 15),  # no limit of time: the requested rounds
        (0, 100, 2.0, 21.0, 10),  # whole rounds only
        (4, 100, 2.0, 6.5, 7),
        (7, 100, 2.0, 1.9, 7),  # the next round would not fit
        (7, 100, 2.0, -5.0, 7),
        (0, 100, 50.0, 60.0, LEAST_ROUNDS),  # fewer would show no spread
        (1, 2, 50.0, 60.0, 2),  # never more than requested
    ],
)
def test_rounds_are_those_that_fit(
    done: int, requested: int, a_round: float, left: float, planned: int
) -> None:
    assert rounds_planned(done, requested, a_round, left) == planned


@pytest.mark.parametrize(("seconds", "rounds"), [(0.0, LEAST_ROUNDS), (25.4, 5), (25.5, 6), (1000.0, 12)])
def test_a_limit_of_time_decides_the_rounds(simulated: SimulatedTime, seconds: float, rounds: int) -> None:
    """The warm-up is 3 calls of one image, 1.5 s; a round of 8 images is 4 s."""
    networks = {"only": Simulated("only", 0.5, simulated, [])}
    times = time_in_rounds(networks, resolution=8, batch_size=8, rounds=12, seconds=seconds, device=CPU)
    assert times.rounds == rounds
    assert simulated.now <= max(seconds, 1.5 + 4 * LEAST_ROUNDS)
