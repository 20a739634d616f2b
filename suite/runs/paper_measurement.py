"""What ``suite paper`` counts and times of the paper's networks, as plain values without torch.

``suite.measure.paper`` fills these types; ``reports`` sets them beside the published numbers.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from suite.statistics.spread import Spread
from suite.trial import Attribute

#: Share of the processor that other programs may take before times are doubtful.
MOST_TAKEN_BY_OTHERS = 0.1


@dataclass(frozen=True)
class NetworkSize:
    """Exact sizes of a network whose output layer has the label bins of an attribute.

    Attributes:
        network: Its name in ``suite.trial.NETWORKS`` and its key in ``published.yaml``.
        attribute: The attribute that it estimates.
        bins: Label bins of that attribute.
        params: Parameters.
        macs_at_224: Multiply-adds of one image of 224 pixels a side.
        bytes: Size of its safetensors file, float32.
    """

    network: str
    attribute: Attribute
    bins: int
    params: int
    macs_at_224: int
    bytes: int


@dataclass(frozen=True)
class NetworkTimes:
    """Latency of several networks, by name, measured in paired rounds.

    Attributes:
        batch_size: Images a call.
        resolution: Pixels a side.
        rounds: Paired rounds.
        others: Share of the processor that other programs took meanwhile, from 0 to 1.
        ms_per_image: Median over rounds, milliseconds.
        speedups: By network, then by the reference that it is compared with: how many times as fast it is.
    """

    batch_size: int
    resolution: int
    rounds: int
    others: float
    ms_per_image: Mapping[str, float]
    speedups: Mapping[str, Mapping[str, Spread]]

    @property
    def disturbed(self) -> bool:
        """Whether other programs took so much of the processor that the times are doubtful."""
        return self.others > MOST_TAKEN_BY_OTHERS


@dataclass(frozen=True)
class TimingMachine:
    """The machine that the times were measured on.

    Attributes:
        device: "cpu" or "cuda".
        processor: Name of the processor, or of the GPU where that is the device.
        threads: Threads that PyTorch used.
        torch: Version of PyTorch.
    """

    device: str
    processor: str
    threads: int
    torch: str


@dataclass(frozen=True)
class PaperMeasurement:
    """Everything that was counted and timed; ``times`` is empty where no timing was asked for."""

    machine: TimingMachine
    sizes: tuple[NetworkSize, ...]
    times: tuple[NetworkTimes, ...]

    def size_of(self, network: str, attribute: Attribute = "age") -> NetworkSize:
        """Return the sizes of a network.

        Raises:
            KeyError: It was not counted for this attribute.
        """
        for size in self.sizes:
            if (size.network, size.attribute) == (network, attribute):
                return size
        raise KeyError(f"{network} was not counted for {attribute}")
