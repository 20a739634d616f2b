"""The paper's claims beside what was counted and timed without any training: what ``suite paper`` tells."""

import math
from collections.abc import Mapping
from dataclasses import dataclass

from reports.model.claims import Finding, exact
from reports.model.timing import Spread
from reports.published.numbers import Attribute, PublishedClaim, published

DISTURBED = 0.1  # share of the processor


@dataclass(frozen=True)
class Counted:
    """Exact sizes of a network with the output layer for an attribute's label bins."""

    network: str  # its key in published.yaml
    attribute: Attribute
    bins: int
    params: int
    macs_at_224: int  # of one image
    bytes: int  # of its safetensors file, float32


@dataclass(frozen=True)
class Timed:
    """Networks, by their key in published.yaml, timed beside each other in paired rounds."""

    batch_size: int  # images a call
    resolution: int  # pixels a side
    rounds: int
    others: float  # share of the processor that other programs took meanwhile, 0 to 1
    ms_per_image: Mapping[str, float]  # median over rounds
    #: By network, then by the network that it is faster than: median, 10th and 90th percentile over rounds.
    speedups: Mapping[str, Mapping[str, Spread]]

    @property
    def disturbed(self) -> bool:
        """Whether other programs took so much of the processor that the times are doubtful."""
        return self.others > DISTURBED


@dataclass(frozen=True)
class Machine:
    """Where the timing was done."""

    device: str  # "cpu" or "cuda"
    processor: str  # the name of the processor, or of the GPU where that is the device
    threads: int
    torch: str  # version


@dataclass(frozen=True)
class Measured:
    """Everything that was counted and timed; ``timed`` is empty where no timing was asked for."""

    machine: Machine
    counted: tuple[Counted, ...]
    timed: tuple[Timed, ...]

    def count(self, network: str, attribute: Attribute = "age") -> Counted:
        """The sizes of a network.

        Raises:
            KeyError: it was not counted.
        """
        for counted in self.counted:
            if (counted.network, counted.attribute) == (network, attribute):
                return counted
        raise KeyError(f"{network} was not counted for {attribute}")


def paper_findings(measured: Measured) -> tuple[Finding, ...]:
    """Every claim of ``published.yaml``, in its order; a speed-up once for each batch size timed."""
    found: list[Finding] = []
    for claim in published().claims:
        found += _timed(claim, measured) if claim.quantity == "speedup" else [_counted(claim, measured)]
    return tuple(found)


def remarks(measured: Measured) -> tuple[str, ...]:
    """Sentences on what does not come out as published, what can make it differ, and what to doubt."""
    missed = [finding for finding in paper_findings(measured) if finding.verdict == "no"]
    sentences = [_departure(finding, measured) for finding in missed]
    if any(timed.disturbed for timed in measured.timed):
        sentences.append(_DISTURBED)
    if any(finding.claim.quantity == "speedup" for finding in missed):
        sentences.append(_why_speeds_differ(measured))
    if any(finding.claim.attribute == "attractiveness" for finding in missed):
        sentences.append(_attractiveness_note(measured))
    return tuple(sentences)


_DISTURBED = (
    "Other programs took much of the processor while the networks were timed, and networks of many small "
    "layers suffer most from it: repeat this on a quiet machine before trusting a ratio of times."
)


def multiply_add_ratio(claim: PublishedClaim, measured: Measured) -> float:
    """How many times the multiply-adds of a claim's network the other one needs: a speed-up by arithmetic."""
    of, over = measured.count(claim.of), measured.count(claim.over)
    return over.macs_at_224 / of.macs_at_224


def _counted(claim: PublishedClaim, measured: Measured) -> Finding:
    of = measured.count(claim.of, claim.attribute)
    value = float(getattr(of, claim.quantity))
    if claim.over:
        value = float(getattr(measured.count(claim.over, claim.attribute), claim.quantity)) / value
    return Finding(claim, published().networks[claim.of], exact(value), f"counted, {of.bins} bins")


def _timed(claim: PublishedClaim, measured: Measured) -> list[Finding]:
    network = published().networks[claim.of]
    if not measured.timed:
        return [Finding(claim, network, exact(math.nan), "not timed")]
    return [
        Finding(
            claim,
            network,
            timed.speedups[claim.of][claim.over],
            f"batch {timed.batch_size}, {timed.resolution} px, {timed.rounds} rounds"
            + ", disturbed" * timed.disturbed,
        )
        for timed in measured.timed
    ]


def _departure(finding: Finding, measured: Measured) -> str:
    claim, name = finding.claim, finding.network.name
    more = "more" if finding.difference > 0 else "less"
    text = f"{name}, {claim.claim}: {abs(finding.difference):.0%} {more} here than published ({finding.how})"
    if claim.quantity == "speedup":
        other = published().networks[claim.over].name
        ratio = multiply_add_ratio(claim, measured)
        text += f"; {other} has {ratio:.2f} times its multiply-adds"
    return text + "."


def _why_speeds_differ(measured: Measured) -> str:
    machine = measured.machine
    here = f"{machine.processor}, {machine.threads} threads" if machine.device == "cpu" else machine.processor
    return (
        "What can move a ratio of times: the paper timed a GPU of 2018 at batch 32 with cuDNN; here it is "
        f"{here}, eager PyTorch {machine.torch} in float32. How much of a ratio of multiply-adds becomes "
        "time depends on processor, library and batch. Batch normalisation and pooling are few "
        "multiply-adds but read and write whole feature maps: ResNet-50 and the thin networks normalise "
        "after every convolution, this VGG-16 nowhere. At batch 1 VGG-16 reads all its linear weights for "
        "one image."
    )


def _attractiveness_note(measured: Measured) -> str:
    bins = measured.count("thin", "attractiveness").bins
    timed = measured.count("thin").bins
    return (
        f"The claims against ResNet-50 are about attractiveness networks: their parameters are counted with "
        f"{bins} bins, as there; they were timed with {timed}, which changes the last, smallest layer only."
    )
