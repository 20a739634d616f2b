"""The paper's numbers, read from ``published.yaml``, each with the place it was published in."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any, Literal

import yaml

Attribute = Literal["age", "attractiveness"]
Source = Literal["abs", "text", "tab", "code", "calc", "cvpr24"]
Quantity = Literal["params", "macs_at_224", "bytes", "speedup"]

#: What a source word means, as the report prints it.
SOURCES: Mapping[Source, str] = {
    "abs": "the paper's abstract",
    "text": "the paper's text",
    "tab": "the paper's result table",
    "code": "the authors' released code",
    "calc": "worked out from the published architecture",
    "cvpr24": "the result table of the CVPR 2024 benchmark",
}


@dataclass(frozen=True)
class PublishedNumber:
    """A number and where it stands."""

    value: float
    source: Source


@dataclass(frozen=True)
class PublishedError:
    """A published mean absolute error, in ``unit`` (years or points), on the test split of ``data``."""

    data: str
    value: float
    unit: str
    source: Source
    note: str


@dataclass(frozen=True)
class PublishedNetwork:
    """A network of the paper. Sizes are at 224x224 pixels and 101 label bins; bytes are float32.

    ``speedup_vs_vgg16`` is None where none was published.
    """

    key: str
    name: str
    params: PublishedNumber
    macs_at_224: PublishedNumber
    bytes: PublishedNumber
    speedup_vs_vgg16: PublishedNumber | None
    mae: tuple[PublishedError, ...]

    def errors_on(self, data: str) -> tuple[PublishedError, ...]:
        """The published errors on one data set; several where training data differed."""
        return tuple(error for error in self.mae if error.data == data)


@dataclass(frozen=True)
class PublishedClaim:
    """A claim to hold against what is counted or measured: a quantity of one network, or a ratio.

    The ratio is ``over`` / ``of`` of the two networks' sizes ("fewer"), or of their times (``speedup``).
    """

    claim: str
    of: str
    over: str
    attribute: Attribute  # whose label bins the networks have
    quantity: Quantity
    value: float
    unit: str
    source: Source
    note: str


@dataclass(frozen=True)
class PublishedBenchmark:
    """Methods compared by others, with one network and one protocol: MAE in ``unit``, on test splits."""

    paper: str
    network: str
    finding: str
    unit: str
    source: Source
    mae: Mapping[str, Mapping[str, float]]  # by data set, then by method as that paper names it


@dataclass(frozen=True)
class Published:
    """Everything of ``published.yaml``; networks by key: vgg16, thin, tiny, resnet50."""

    papers: tuple[str, ...]
    networks: Mapping[str, PublishedNetwork]
    claims: tuple[PublishedClaim, ...]
    benchmark: PublishedBenchmark


@cache
def published() -> Published:
    """The paper's numbers.

    Raises:
        ValueError: the file that is shipped has an unknown key, source or network.
    """
    text = Path(__file__).with_name("published.yaml").read_text(encoding="utf-8")
    fields: dict[str, Any] = yaml.safe_load(text)
    networks = {key: _network(key, network) for key, network in fields["networks"].items()}
    claims = tuple(_claim(claim, networks) for claim in fields["claims"])
    benchmark = PublishedBenchmark(
        **{**fields["benchmark"], "source": _source(fields["benchmark"]["source"])}
    )
    return Published(tuple(fields["papers"]), networks, claims, benchmark)


def _network(key: str, fields: Mapping[str, Any]) -> PublishedNetwork:
    errors = tuple(PublishedError(**{**error, "source": _source(error["source"])}) for error in fields["mae"])
    numbers: dict[str, PublishedNumber] = {
        name: PublishedNumber(float(number["value"]), _source(number["source"]))
        for name, number in fields.items()
        if name not in ("name", "mae")
    }
    speedup = numbers.pop("speedup_vs_vgg16", None)
    return PublishedNetwork(key=key, name=fields["name"], mae=errors, speedup_vs_vgg16=speedup, **numbers)


def _claim(fields: Mapping[str, Any], networks: Mapping[str, PublishedNetwork]) -> PublishedClaim:
    typed = {"value": float(fields["value"]), "source": _source(fields["source"])}
    claim = PublishedClaim(**{"over": "", "attribute": "age", "note": "", **fields, **typed})
    if unknown := {claim.of, claim.over} - {*networks, ""}:
        raise ValueError(f"published.yaml: claim {claim.claim!r} names an unknown network {unknown}")
    return claim


def _source(word: str) -> Source:
    for source in SOURCES:
        if source == word:
            return source
    raise ValueError(f"published.yaml: {word!r} is no source; use one of {', '.join(SOURCES)}")
