"""The paper's networks counted and timed, without training: the measured half of ``suite paper``."""

import time
from collections.abc import Callable, Mapping

import torch
from torch import nn

from reports.model.paper import Counted, Machine, Measured, Timed
from reports.model.timing import Spread
from reports.published.numbers import Attribute, published
from suite.measure.latency import LEAST_ROUNDS, PairedTimes, best_device, time_in_rounds
from suite.measure.profiling import PAPER_RESOLUTION, count_macs, count_parameters, safetensors_bytes
from suite.methods.labels import LabelSet
from suite.networks import build_network
from suite.runs.provenance import processor
from suite.trial import config_of_network

NETWORKS = ("vgg16", "resnet50", "thin", "tiny")  # keys of published.yaml, and names in suite.trial.NETWORKS
REFERENCES = ("vgg16", "resnet50")  # what the paper says that its networks are faster than
#: Of the paper: ages 0 to 100 a year apart, scores 1 to 5 a tenth apart.
BINS: Mapping[Attribute, int] = {
    "age": LabelSet(0, 100, 1).bins,
    "attractiveness": LabelSet(1, 5, 0.1).bins,
}
BATCH_SIZES = (1, 32)
MOST_ROUNDS = 60
SHARE_OF_SINGLE_IMAGES = 0.15  # of the time; a round of 32 images takes some thirty times as long
#: The paper's, and what is tried in its place where rounds at 224 px would take too long.
RESOLUTIONS = (PAPER_RESOLUTION, 160, 112, 64)

#: Told what begins; gives what is told (rounds done, rounds planned).
Watch = Callable[[str], Callable[[int, int], None]]


def measure_paper(latency_seconds: float, watch: Watch) -> Measured:
    """Count the paper's networks, and time them within so many seconds; 0 leaves the timing out."""
    watch("counting parameters, bytes and multiply-adds")
    counted = count_networks()
    timed: tuple[Timed, ...] = ()
    if latency_seconds > 0:
        networks = {key: build_network(config_of_network(key), BINS["age"]) for key in NETWORKS}
        timed = time_networks(networks, latency_seconds, watch)
    return Measured(_machine(), counted, timed)


def count_networks() -> tuple[Counted, ...]:
    """Every network for age, and for the attribute of every claim that it is part of."""
    wanted: dict[tuple[str, Attribute], None] = dict.fromkeys((key, "age") for key in NETWORKS)
    for claim in published().claims:
        wanted |= dict.fromkeys((key, claim.attribute) for key in (claim.of, claim.over) if key)
    return tuple(_count(key, attribute) for key, attribute in wanted)


def time_networks(networks: Mapping[str, nn.Module], seconds: float, watch: Watch) -> tuple[Timed, ...]:
    """Time networks, by key and the references among them, on one image and on 32, within so many seconds.

    Single images are at 224 px; the 32 too where ``LEAST_ROUNDS`` rounds then fit, else smaller.
    """
    one, many = BATCH_SIZES
    began = time.monotonic()
    singly = _time(networks, one, PAPER_RESOLUTION, SHARE_OF_SINGLE_IMAGES * seconds, watch)
    single_round = sum(singly.ms_per_image(key) for key in networks) / 1000
    for_many = seconds - (time.monotonic() - began)
    together = _time(networks, many, fitting_resolution(many * single_round, for_many), for_many, watch)
    return _timed(singly), _timed(together)


def fitting_resolution(a_round_at_224: float, seconds: float) -> int:
    """The first of ``RESOLUTIONS`` at which ``LEAST_ROUNDS`` rounds fit, time going with the area."""
    for side in RESOLUTIONS:
        if LEAST_ROUNDS * a_round_at_224 * (side / PAPER_RESOLUTION) ** 2 <= seconds:
            return side
    return RESOLUTIONS[-1]


def _count(key: str, attribute: Attribute) -> Counted:
    network = build_network(config_of_network(key), BINS[attribute])
    return Counted(
        network=key,
        attribute=attribute,
        bins=BINS[attribute],
        params=count_parameters(network),
        macs_at_224=count_macs(network, PAPER_RESOLUTION),
        bytes=safetensors_bytes(network),
    )


def _time(
    networks: Mapping[str, nn.Module], batch_size: int, resolution: int, seconds: float, watch: Watch
) -> PairedTimes:
    return time_in_rounds(
        networks,
        resolution=resolution,
        batch_size=batch_size,
        rounds=MOST_ROUNDS,
        seconds=seconds,
        on_round=watch(f"timing at {resolution} px, batch {batch_size}"),
    )


def _timed(times: PairedTimes) -> Timed:
    def spread(network: str, over: str) -> Spread:
        speedup = times.speedup(network, over)
        return Spread(speedup.median, speedup.low, speedup.high)

    references = [key for key in REFERENCES if key in times.seconds]
    return Timed(
        batch_size=times.batch_size,
        resolution=times.resolution,
        rounds=times.rounds,
        others=times.others,
        ms_per_image={key: times.ms_per_image(key) for key in times.seconds},
        speedups={key: {over: spread(key, over) for over in references} for key in times.seconds},
    )


def _machine() -> Machine:
    device = best_device()
    on_gpu = device.type == "cuda"
    return Machine(
        device=device.type,
        processor=torch.cuda.get_device_name(device) if on_gpu else processor(),
        threads=torch.get_num_threads(),
        torch=torch.__version__,
    )
