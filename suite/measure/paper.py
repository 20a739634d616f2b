"""The paper's networks counted and timed without training: the measured half of ``suite paper``."""

import time
from collections.abc import Callable, Mapping, Sequence

import torch
from torch import nn

from suite.machine import best_device
from suite.measure.latency import LEAST_ROUNDS, PairedTimes, time_in_rounds
from suite.measure.profiling import (
    PAPER_RESOLUTION,
    count_macs,
    count_parameters,
    safetensors_bytes,
    without_weights,
)
from suite.methods.labels import LabelSet
from suite.networks import build_network
from suite.runs.paper_measurement import NetworkSize, NetworkTimes, PaperMeasurement, TimingMachine
from suite.runs.provenance import processor
from suite.trial import Attribute, config_of_network

#: The networks that the paper compares its own with.
REFERENCES = ("vgg16", "resnet50")
#: Label bins in the paper: ages 0 to 100 in steps of a year, scores 1 to 5 in steps of 0.1.
BINS: Mapping[Attribute, int] = {
    "age": LabelSet(0, 100, 1).bins,
    "attractiveness": LabelSet(1, 5, 0.1).bins,
}
BATCH_SIZES = (1, 32)
MOST_ROUNDS = 60
#: Share of the time for single images; a round of 32 images takes about thirty times as long.
SHARE_OF_SINGLE_IMAGES = 0.15
#: The paper's resolution, then those that are tried where rounds at 224 pixels would take too long.
RESOLUTIONS = (PAPER_RESOLUTION, 160, 112, 64)

#: Called with a sentence when a stage begins; returns what is called with (rounds done, rounds planned).
OnStage = Callable[[str], Callable[[int, int], None]]


def measure_paper(
    networks: Sequence[tuple[str, Attribute]], latency_seconds: float, on_stage: OnStage
) -> PaperMeasurement:
    """Count networks, and time those for age.

    Args:
        networks: Names in ``suite.trial.NETWORKS``, each with the attribute whose label bins its output layer has.
        latency_seconds: The timing keeps within this time; 0 leaves the timing out.
        on_stage: Called when counting and each timing begins.
    """
    on_stage("counting parameters, bytes and multiply-adds")
    sizes = tuple(count_network(name, attribute) for name, attribute in networks)
    times: tuple[NetworkTimes, ...] = ()
    if latency_seconds > 0:
        for_age = [name for name, attribute in networks if attribute == "age"]
        built = {name: build_network(config_of_network(name), BINS["age"]) for name in for_age}
        times = time_networks(built, latency_seconds, on_stage)
    return PaperMeasurement(_timing_machine(), sizes, times)


def count_network(name: str, attribute: Attribute) -> NetworkSize:
    """Count a named network whose output layer has the label bins of an attribute."""
    network = without_weights(config_of_network(name), BINS[attribute])
    return NetworkSize(
        network=name,
        attribute=attribute,
        bins=BINS[attribute],
        params=count_parameters(network),
        macs_at_224=count_macs(network, PAPER_RESOLUTION),
        bytes=safetensors_bytes(network),
    )


def time_networks(
    networks: Mapping[str, nn.Module], seconds: float, on_stage: OnStage
) -> tuple[NetworkTimes, NetworkTimes]:
    """Time networks on single images and on batches of 32, within a limit of time.

    Single images have 224 pixels a side. So do the batches where ``LEAST_ROUNDS`` rounds fit into the time that is
    left; otherwise their images are smaller.

    Args:
        networks: The networks by name; those of ``REFERENCES`` among them are what the others are compared with.
        seconds: The limit of time.
        on_stage: Called when each of the two timings begins.

    Returns:
        The times for single images, then those for batches.
    """
    one, many = BATCH_SIZES
    began = time.monotonic()
    singly = _time(networks, one, PAPER_RESOLUTION, SHARE_OF_SINGLE_IMAGES * seconds, on_stage)
    single_round = sum(singly.ms_per_image(name) for name in networks) / 1000
    for_many = seconds - (time.monotonic() - began)
    resolution = fitting_resolution(many * single_round, for_many)
    together = _time(networks, many, resolution, for_many, on_stage)
    return _network_times(singly), _network_times(together)


def fitting_resolution(seconds_a_round_at_224: float, seconds: float) -> int:
    """Return the first of ``RESOLUTIONS`` at which ``LEAST_ROUNDS`` rounds fit; time is taken to grow with the area."""
    for side in RESOLUTIONS:
        if LEAST_ROUNDS * seconds_a_round_at_224 * (side / PAPER_RESOLUTION) ** 2 <= seconds:
            return side
    return RESOLUTIONS[-1]


def _time(
    networks: Mapping[str, nn.Module], batch_size: int, resolution: int, seconds: float, on_stage: OnStage
) -> PairedTimes:
    return time_in_rounds(
        networks,
        resolution=resolution,
        batch_size=batch_size,
        rounds=MOST_ROUNDS,
        seconds=seconds,
        on_round=on_stage(f"timing at {resolution} px, batch {batch_size}"),
    )


def _network_times(times: PairedTimes) -> NetworkTimes:
    references = [name for name in REFERENCES if name in times.seconds]
    return NetworkTimes(
        batch_size=times.batch_size,
        resolution=times.resolution,
        rounds=times.rounds,
        others=times.others,
        ms_per_image={name: times.ms_per_image(name) for name in times.seconds},
        speedups={
            name: {reference: times.speedup(name, reference) for reference in references}
            for name in times.seconds
        },
    )


def _timing_machine() -> TimingMachine:
    device = best_device()
    on_gpu = device.type == "cuda"
    return TimingMachine(
        device=device.type,
        processor=torch.cuda.get_device_name(device) if on_gpu else processor(),
        threads=torch.get_num_threads(),
        torch=torch.__version__,
    )
