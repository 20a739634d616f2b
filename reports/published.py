"""The paper's numbers, read from ``published.yaml``, each with the place it was published in."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any, Literal

import yaml

Source = Literal["abs", "tab", "code", "calc"]
Quantity = Literal["params", "macs_at_224", "bytes", "speedup_vs_vgg16"]

#: What a source word means, as the report prints it.
SOURCES: Mapping[Source, str] = {
    "abs": "the paper's abstract",
    "tab": "the paper's result table",
    "code": "the authors' released code",
    "calc": "worked out from the published architecture",
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
    """A network of the paper. Sizes are at 224x224 pixels and 101 label bins; bytes are float32."""

    key: str
    name: str
    params: PublishedNumber
    macs_at_224: PublishedNumber
    bytes: PublishedNumber
    speedup_vs_vgg16: PublishedNumber
    mae: tuple[PublishedError, ...]

    def errors_on(self, data: str) -> tuple[PublishedError, ...]:
        """The published errors on one data set; several where training data differed."""
        return tuple(error for error in self.mae if error.data == data)


@dataclass(frozen=True)
class PublishedClaim:
    """A claim to hold against what is counted or measured: a quantity of one network, or a ratio.

    The ratio is ``over`` / ``of`` for sizes ("fewer"), and for ``speedup_vs_vgg16`` the speed-up itself.
    """

    claim: str
    of: str
    over: str
    quantity: Quantity
    value: float
    unit: str
    source: Source
    note: str


@dataclass(frozen=True)
class Published:
    """Everything of ``published.yaml``; networks by key: vgg16, thin, tiny."""

    papers: tuple[str, ...]
    networks: Mapping[str, PublishedNetwork]
    claims: tuple[PublishedClaim, ...]


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
    return Published(tuple(fields["papers"]), networks, claims)


def _network(key: str, fields: Mapping[str, Any]) -> PublishedNetwork:
    errors = tuple(PublishedError(**{**error, "source": _source(error["source"])}) for error in fields["mae"])
    numbers: dict[str, PublishedNumber] = {
        name: PublishedNumber(float(number["value"]), _source(number["source"]))
        for name, number in fields.items()
        if name not in ("name", "mae")
    }
    return PublishedNetwork(key=key, name=fields["name"], mae=errors, **numbers)


def _claim(fields: Mapping[str, Any], networks: Mapping[str, PublishedNetwork]) -> PublishedClaim:
    typed = {"value": float(fields["value"]), "source": _source(fields["source"])}
    claim = PublishedClaim(**{"over": "", "note": "", **fields, **typed})
    if unknown := {claim.of, claim.over} - {*networks, ""}:
        raise ValueError(f"published.yaml: claim {claim.claim!r} names an unknown network {unknown}")
    return claim


def _source(word: str) -> Source:
    for source in SOURCES:
        if source == word:
            return source
    raise ValueError(f"published.yaml: {word!r} is no source; use one of {', '.join(SOURCES)}")
