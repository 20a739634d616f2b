"""The paper's claims and our arithmetic beside what ``suite paper`` counted and timed without training."""

import math

from reports.model.claims import Finding, exact
from reports.published.numbers import PublishedClaim, published
from suite.runs.paper_measurement import PaperMeasurement
from suite.trial import Attribute

#: The paper's networks, in the order in which they are shown: keys of ``published.yaml``, names in ``suite.presets``.
NETWORKS = ("vgg16", "resnet50", "thin", "tiny")


def networks_to_measure() -> tuple[tuple[str, Attribute], ...]:
    """Return every network of the paper for age, and for the attribute of each claim that it is part of."""
    wanted: dict[tuple[str, Attribute], None] = dict.fromkeys((name, "age") for name in NETWORKS)
    for claim in published().claims:
        wanted |= dict.fromkeys((name, claim.attribute) for name in (claim.of, claim.over) if name)
    return tuple(wanted)


def paper_findings(measured: PaperMeasurement) -> tuple[Finding, ...]:
    """Return a finding for every claim of ``published.yaml``, in its order; a speed-up has one per batch size."""
    found: list[Finding] = []
    for claim in published().claims:
        if claim.quantity == "speedup":
            found += _speedup_findings(claim, measured)
        else:
            found.append(_size_finding(claim, measured))
    return tuple(found)


def remarks(measured: PaperMeasurement) -> tuple[str, ...]:
    """Return sentences on what differs from the paper, what can explain it, and what is doubtful."""
    missed = [finding for finding in paper_findings(measured) if finding.verdict == "no"]
    sentences = [_difference(finding, measured) for finding in missed]
    if any(times.disturbed for times in measured.times):
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


def multiply_add_ratio(claim: PublishedClaim, measured: PaperMeasurement) -> float:
    """Return the multiply-adds of a claim's ``over`` divided by those of its ``of``."""
    of, over = measured.size_of(claim.of), measured.size_of(claim.over)
    return over.macs_at_224 / of.macs_at_224


def _size_finding(claim: PublishedClaim, measured: PaperMeasurement) -> Finding:
    of = measured.size_of(claim.of, claim.attribute)
    value = float(getattr(of, claim.quantity))
    if claim.over:
        value = float(getattr(measured.size_of(claim.over, claim.attribute), claim.quantity)) / value
    return Finding(claim, published().networks[claim.of], exact(value), f"counted, {of.bins} bins")


def _speedup_findings(claim: PublishedClaim, measured: PaperMeasurement) -> list[Finding]:
    network = published().networks[claim.of]
    if not measured.times:
        return [Finding(claim, network, exact(math.nan), "not timed")]
    return [
        Finding(
            claim,
            network,
            times.speedups[claim.of][claim.over],
            f"batch {times.batch_size}, {times.resolution} px, {times.rounds} rounds"
            + ", disturbed" * times.disturbed,
        )
        for times in measured.times
    ]


def _difference(finding: Finding, measured: PaperMeasurement) -> str:
    claim, name = finding.claim, finding.network.name
    more = "more" if finding.difference > 0 else "less"
    given = "published" if claim.is_published else "worked out"
    given = f"the {claim.value:g}x {given}" if claim.unit == "x" else given
    text = f"{name}, {claim.claim}: {abs(finding.difference):.0%} {more} here than {given} ({finding.how})"
    if claim.quantity == "speedup":
        other = published().networks[claim.over].name
        ratio = multiply_add_ratio(claim, measured)
        text += f"; {other} has {ratio:.2f} times its multiply-adds"
    return text + "."


def _why_speeds_differ(measured: PaperMeasurement) -> str:
    machine = measured.machine
    here = f"{machine.processor}, {machine.threads} threads" if machine.device == "cpu" else machine.processor
    return (
        "What can move a ratio of times: the authors' released code times a GPU at batch 32 with cuDNN; here it is "
        f"{here}, eager PyTorch {machine.torch} in float32. How much of a ratio of multiply-adds becomes "
        "time depends on processor, library and batch. Batch normalisation and pooling are few "
        "multiply-adds but read and write whole feature maps: ResNet-50 and the thin networks normalise "
        "after every convolution, this VGG-16 nowhere. At batch 1 VGG-16 reads all its linear weights for "
        "one image."
    )


def _attractiveness_note(measured: PaperMeasurement) -> str:
    bins = measured.size_of("thin", "attractiveness").bins
    timed_bins = measured.size_of("thin").bins
    return (
        "The claims against ResNet-50 are about attractiveness networks: their parameters are counted with "
        f"{bins} bins, as in the paper; the networks were timed with {timed_bins} bins, which changes only the "
        "last and smallest layer."
    )
