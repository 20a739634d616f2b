"""The paper's networks, counted and timed for ``suite paper``."""

from collections.abc import Callable

import pytest

from suite.measure.latency import LEAST_ROUNDS
from suite.measure.paper import RESOLUTIONS, fitting_resolution, time_networks
from suite.measure.profiling import PAPER_RESOLUTION
from suite.networks import CompactNet


@pytest.mark.parametrize(
    ("a_round", "seconds", "side"),
    [
        (10.0, 30.0, 224),
        (10.0, 29.0, 160),
        (10.0, 10.0, 112),
        (10.0, 3.0, 64),
        (10.0, 0.1, 64),  # the smallest, whatever it takes
    ],
)
def test_the_resolution_is_the_highest_at_which_the_least_rounds_fit(
    a_round: float, seconds: float, side: int
) -> None:
    assert fitting_resolution(a_round, seconds) == side


def test_networks_are_timed_on_one_image_and_on_32_beside_the_references() -> None:
    networks = {"vgg16": CompactNet([32] * 5), "tiny": CompactNet([4] * 5, [1] * 5)}
    stages: list[str] = []
    progress: list[tuple[int, int]] = []

    def watch(stage: str) -> Callable[[int, int], None]:
        stages.append(stage)
        return lambda done, planned: progress.append((done, planned))

    singly, together = time_networks(networks, 1.0, watch)
    assert (singly.batch_size, singly.resolution) == (1, PAPER_RESOLUTION)
    assert together.batch_size == 32
    assert together.resolution in RESOLUTIONS
    assert singly.rounds >= LEAST_ROUNDS <= together.rounds
    assert singly.speedups["tiny"].keys() == {"vgg16"}
    assert singly.speedups["vgg16"]["vgg16"].value == 1
    ratio = together.speedups["tiny"]["vgg16"]
    assert 0 < ratio.low <= ratio.value <= ratio.high
    assert stages[0] == "timing at 224 px, batch 1"
    assert progress[-1] == (together.rounds, together.rounds)
