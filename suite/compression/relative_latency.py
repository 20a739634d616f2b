"""Latency of a pruned network relative to the network before pruning, measured on this machine."""

import torch

from suite.measure.latency import PairedTimes, time_in_rounds
from suite.networks import Widths, build_network, widths_of, with_widths
from suite.trial import TrialConfig

#: Paired rounds for each candidate of the search for widths, and for the result.
ROUNDS, FINAL_ROUNDS = 7, 15
WHOLE, CUT = "whole", "cut"


class PairedLatency:
    """Latency of networks of given widths, each paired with the whole network of a trial.

    One image at the trial's resolution, eager, float32, on the CPU. Weights are random: they do not change the time.
    Each width is measured once.
    """

    def __init__(self, config: TrialConfig, bins: int) -> None:
        self._config, self._bins = config, bins
        self._measured: dict[Widths, float] = {widths_of(config): 1.0}

    def __call__(self, widths: Widths) -> float:
        """Return the share of the whole network's latency, a median over paired rounds."""
        if widths not in self._measured:
            times = time_pair(self._config, with_widths(self._config, widths), self._bins, ROUNDS)
            self._measured[widths] = 1 / times.speedup(CUT, over=WHOLE).value
        return self._measured[widths]


def time_pair(whole: TrialConfig, cut: TrialConfig, bins: int, rounds: int) -> PairedTimes:
    """Time two networks in turn, one image at a time, on the CPU."""
    networks = {WHOLE: build_network(whole, bins), CUT: build_network(cut, bins)}
    return time_in_rounds(
        networks,
        resolution=whole.resolution,
        batch_size=1,
        rounds=rounds,
        device=torch.device("cpu"),
    )


def describe_relative_latency(whole: TrialConfig, cut: TrialConfig, bins: int) -> str:
    """Measure the latency of a pruned network, and return it with its conditions in words."""
    times = time_pair(whole, cut, bins, FINAL_ROUNDS)
    speedup = times.speedup(CUT, over=WHOLE)
    spread = f"{1 / speedup.high:.2f} to {1 / speedup.low:.2f}"
    how = f"one image of {whole.resolution} pixels, eager PyTorch, float32, {torch.get_num_threads()} threads"
    others = f"while other programs took {times.others:.0%} of the processor"
    return f"{1 / speedup.value:.2f} of the time ({spread}): {how}, {times.rounds} paired rounds, {others}"
