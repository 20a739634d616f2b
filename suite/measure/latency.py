"""Latency of several networks, measured in paired rounds in one process: float32, eager, channels-last.

A round times each network once. The order of the networks alternates from round to round, so that a slow moment of
the machine affects both sides of a ratio. The caller makes sure that nothing else runs; ``PairedTimes.others`` says
how much of the processor other programs took all the same.
"""

import math
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np
import torch
from torch import nn

from suite.machine import best_device, core_affinity, without_tf32
from suite.measure.contention import read_clock, share_of_others
from suite.networks import to_device
from suite.statistics.spread import Spread

#: Rounds that are taken however little time there is: fewer would show no spread.
LEAST_ROUNDS = 3
#: A measurement repeats its call for about this long.
MEASUREMENT_SECONDS = 0.1
#: A call at least this long needs no warm-up with its own batch.
LONG_CALL_SECONDS = 1.0
#: An uncounted call goes before calls shorter than this: the caches still hold the previous network's weights.
SHORT_CALL_SECONDS = 0.2


@dataclass(frozen=True)
class PairedTimes:
    """Times of several networks over paired rounds.

    Attributes:
        seconds: Seconds a call, by network; entry ``i`` of each was taken in round ``i``.
        batch_size: Images a call.
        resolution: Pixels a side.
        others: Share of the processor that other programs took meanwhile, from 0 to 1.
    """

    seconds: Mapping[str, tuple[float, ...]]
    batch_size: int
    resolution: int
    others: float

    @property
    def rounds(self) -> int:
        """The number of rounds."""
        return len(next(iter(self.seconds.values())))

    def ms_per_image(self, network: str) -> float:
        """Return the median over rounds, in milliseconds per image."""
        return float(np.median(self.seconds[network])) * 1000 / self.batch_size

    def speedup(self, network: str, over: str) -> Spread:
        """Return how many times as fast ``network`` is as ``over``.

        The ratio is formed in each round; its median and its 10th and 90th percentile over rounds are returned.
        """
        ratios = np.asarray(self.seconds[over]) / np.asarray(self.seconds[network])
        low, median, high = np.quantile(ratios, (0.1, 0.5, 0.9))
        return Spread(float(median), float(low), float(high))


def time_in_rounds(
    networks: Mapping[str, nn.Module],
    *,
    resolution: int,
    batch_size: int,
    rounds: int,
    seconds: float = math.inf,
    device: torch.device | None = None,
    on_round: Callable[[int, int], None] | None = None,
) -> PairedTimes:
    """Time networks in turn, round after round.

    Args:
        networks: The networks by name; they are put into evaluation mode.
        resolution: Pixels a side of the random images.
        batch_size: Images a call.
        rounds: The largest number of paired rounds.
        seconds: Take no more rounds than fit into this time, warm-up included, but ``LEAST_ROUNDS`` where that many are
            asked for.
        device: Where the networks run; None takes CUDA where there is a GPU.
        on_round: Called with (rounds done, rounds planned) after the warm-up and after each round.
    """
    before, began = read_clock(), time.perf_counter()
    device = device or best_device()
    images = torch.rand(batch_size, 3, resolution, resolution).to(device, memory_format=torch.channels_last)
    on_device = {name: to_device(network, device).eval() for name, network in networks.items()}
    calls = {name: _warm_up(network, images) for name, network in on_device.items()}
    names = list(on_device)
    measured: dict[str, list[float]] = {name: [] for name in names}
    seconds_a_round = sum(call.seconds * (call.repeats + call.is_short) for call in calls.values())
    done, first_round = 0, time.perf_counter()
    while True:
        left = seconds - (time.perf_counter() - began)
        planned = rounds_planned(done, rounds, seconds_a_round, left)
        if on_round:
            on_round(done, planned)
        if done == planned:
            break
        for name in names if done % 2 == 0 else names[::-1]:
            if calls[name].is_short:
                _seconds_a_call(on_device[name], images, 1)
            measured[name].append(_seconds_a_call(on_device[name], images, calls[name].repeats))
        done += 1
        seconds_a_round = (time.perf_counter() - first_round) / done
    others = share_of_others(before, read_clock(), len(core_affinity()))
    by_network = {name: tuple(times) for name, times in measured.items()}
    return PairedTimes(by_network, batch_size, resolution, others)


def rounds_planned(done: int, requested: int, seconds_a_round: float, seconds_left: float) -> int:
    """Return the number of rounds, those done included, that fit into the time that is left.

    It is never more than ``requested``, and at least ``LEAST_ROUNDS`` where that many are requested.
    """
    fitting = int(min(max(seconds_left, 0.0) / seconds_a_round, requested - done))
    return max(done + fitting, min(requested, LEAST_ROUNDS))


@dataclass(frozen=True)
class _Call:
    """What the warm-up found: how long a call takes, and how many calls make a measurement."""

    seconds: float
    repeats: int

    @property
    def is_short(self) -> bool:
        """Whether an uncounted call goes before a measurement."""
        return self.seconds < SHORT_CALL_SECONDS


def _warm_up(network: nn.Module, images: torch.Tensor) -> _Call:
    """Warm up on one image, then on the whole batch unless that takes long."""
    _seconds_a_call(network, images[:1], 2)
    seconds = _seconds_a_call(network, images[:1], 1) * len(images)
    long = seconds > LONG_CALL_SECONDS and images.device.type == "cpu"
    if len(images) > 1 and not long:
        _seconds_a_call(network, images, 2)
        seconds = _seconds_a_call(network, images, 1)
    return _Call(seconds, max(1, min(200, round(MEASUREMENT_SECONDS / seconds))))


@torch.inference_mode()
def _seconds_a_call(network: nn.Module, images: torch.Tensor, calls: int) -> float:
    with without_tf32():
        _synchronize(images.device)
        started = time.perf_counter()
        for _ in range(calls):
            network(images)
        _synchronize(images.device)
        return (time.perf_counter() - started) / calls


def _synchronize(device: torch.device) -> None:
    if device.type == "cuda":
        torch.cuda.synchronize(device)
