"""How long a smaller network takes, as a share of what the larger one takes on this machine."""

import torch

from suite.measure.latency import PairedTimes, time_in_rounds
from suite.networks import Widths, build_network, widths_of, with_widths
from suite.trial import TrialConfig

#: Paired rounds for each candidate of the search for widths, and for what it came to.
ROUNDS, FINAL_ROUNDS = 7, 15
WHOLE, CUT = "whole", "cut"


class TimedBeside:
    """Times networks of a trial's kind beside its own, one image at its resolution, eager, float32.

    Weights are random, as they change no time. Of equal widths the first measurement stays.
    """

    def __init__(self, config: TrialConfig, bins: int) -> None:
        self._config, self._bins = config, bins
        self._known: dict[Widths, float] = {widths_of(config): 1.0}

    def __call__(self, widths: Widths) -> float:
        """The share of the whole network's time, by the median of paired rounds."""
        if widths not in self._known:
            times = time_pair(self._config, with_widths(self._config, widths), self._bins, ROUNDS)
            self._known[widths] = 1 / times.speedup(CUT, over=WHOLE).value
        return self._known[widths]


def time_pair(whole: TrialConfig, cut: TrialConfig, bins: int, rounds: int) -> PairedTimes:
    """Time two networks in turn, one image at a time, on the processor."""
    networks = {WHOLE: build_network(whole, bins), CUT: build_network(cut, bins)}
    return time_in_rounds(
        networks,
        resolution=whole.resolution,
        batch_size=1,
        rounds=rounds,
        device=torch.device("cpu"),
    )


def share_of_time(whole: TrialConfig, cut: TrialConfig, bins: int) -> str:
    """What a cut network's time was measured to be, in words."""
    times = time_pair(whole, cut, bins, FINAL_ROUNDS)
    speedup = times.speedup(CUT, over=WHOLE)
    spread = f"{1 / speedup.high:.2f} to {1 / speedup.low:.2f}"
    how = f"one image of {whole.resolution} pixels, eager PyTorch, float32, {torch.get_num_threads()} threads"
    others = f"while others took {times.others:.0%} of the processor"
    return f"{1 / speedup.value:.2f} of the time ({spread}): {how}, {times.rounds} paired rounds, {others}"
