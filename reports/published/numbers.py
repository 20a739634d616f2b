"""The paper's numbers and our arithmetic on them, read from ``published.yaml``, each with its source."""

from collections.abc import Mapping, Set
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any, Literal

import yaml

Attribute = Literal["age", "attractiveness"]
Source = Literal["abs", "ijcai", "copy", "unseen", "tab", "code", "calc", "cvpr24"]
Quantity = Literal["params", "macs_at_224", "bytes", "speedup"]

#: What a source word means, as the report prints it.
SOURCES: Mapping[Source, str] = {
    "abs": "abstract of arXiv 2007.01771, version 2",
    "ijcai": "abstract of the IJCAI 2018 paper",
    "copy": "abstract of another arXiv version, seen in a copy dated 2020-07-03",
    "unseen": "source not seen",
    "tab": "the paper's result table",
    "code": "the authors' released code",
    "calc": "our arithmetic on the published architecture",
    "cvpr24": "the result table of the CVPR 2024 benchmark",
}


@dataclass(frozen=True)
class PublishedNumber:
    """A number and its source."""

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
    """A network of the paper. Sizes are our arithmetic, at 224x224 pixels and 101 label bins; bytes are float32.

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
        """Return the published errors on one data set; several if training data differed."""
        return tuple(error for error in self.mae if error.data == data)


@dataclass(frozen=True)
class PublishedClaim:
    """A number that can be checked: a quantity of one network, or a ratio of two.

    The paper claims it, unless ``is_published`` says that it is our own arithmetic. The ratio is ``over`` / ``of``
    of the two networks' sizes ("fewer"), or of their times (``speedup``). ``printed`` is the number as the paper
    writes it, where that differs from what the report would write.
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
    printed: str

    @property
    def is_published(self) -> bool:
        """Whether the paper says so; else the number is our arithmetic on its architecture."""
        return self.source != "calc"


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
class PublishedResult:
    """A method's errors on one data set: MAE in years, epsilon-error; None where none was published."""

    mae: float | None = None
    epsilon: float | None = None


@dataclass(frozen=True)
class PublishedMethod:
    """A row of the paper's age table."""

    name: str
    network: str  # a key of ``Published.networks`` where the row is of one of them, else empty
    external: bool  # trained with more data than the data set's own
    here: tuple[str, ...]  # what it is among the suite's methods; empty where it is none of them
    results: Mapping[str, PublishedResult]  # by data set


@dataclass(frozen=True)
class PublishedMethods:
    """The paper's age table, in its order; errors in ``unit``, on test splits."""

    source: Source
    unit: str
    rows: tuple[PublishedMethod, ...]

    @property
    def data(self) -> tuple[str, ...]:
        """The data sets of its columns."""
        return tuple(sorted({data for row in self.rows for data in row.results}))


@dataclass(frozen=True)
class PublishedLoss:
    """A network trained with KL alone (``lambda_l1`` 0) or with KL + lambda L1, the KL averaged over bins."""

    network: str  # a key of ``Published.networks``
    lambda_l1: float
    mae: float  # points, as the next
    rmse: float
    pearson: float

    @property
    def loss(self) -> str:
        """The loss in words."""
        return "KL + L1" if self.lambda_l1 else "KL"


@dataclass(frozen=True)
class PublishedLosses:
    """The two losses against each other: means over the ``folds`` of one data set, in ``unit``."""

    data: str
    folds: int
    unit: str
    source: Source
    rows: tuple[PublishedLoss, ...]


@dataclass(frozen=True)
class PublishedChoice:
    """What the paper sets a field of a trial to; for every attribute where ``attribute`` is None."""

    of: str
    value: float | str
    source: Source
    words: str
    attribute: Attribute | None = None
    given: Mapping[str, str] = field(default_factory=dict)  # fields without which it means another thing


@dataclass(frozen=True)
class Published:
    """Everything of ``published.yaml``; networks by key: vgg16, thin, tiny, resnet50."""

    papers: tuple[str, ...]
    networks: Mapping[str, PublishedNetwork]
    claims: tuple[PublishedClaim, ...]
    benchmark: PublishedBenchmark
    methods: PublishedMethods
    losses: PublishedLosses
    choices: tuple[PublishedChoice, ...]

    def choice(self, name: str, attribute: str) -> PublishedChoice | None:
        """Return what the paper sets a field to for an attribute; None if it does not say."""
        return next((c for c in self.choices if c.of == name and c.attribute in (None, attribute)), None)


@cache
def published() -> Published:
    """Load the paper's numbers.

    Raises:
        ValueError: The file that is shipped has an unknown key, source or network.
    """
    text = Path(__file__).with_name("published.yaml").read_text(encoding="utf-8")
    fields: dict[str, Any] = yaml.safe_load(text)
    networks = {key: _network(key, network) for key, network in fields["networks"].items()}
    claims = tuple(_claim(claim, networks) for claim in fields["claims"])
    benchmark = PublishedBenchmark(
        **{**fields["benchmark"], "source": _source(fields["benchmark"]["source"])}
    )
    return Published(
        papers=tuple(fields["papers"]),
        networks=networks,
        claims=claims,
        benchmark=benchmark,
        methods=_methods(fields["methods"], networks),
        losses=_losses(fields["losses"], networks),
        choices=tuple(PublishedChoice(**{**c, "source": _source(c["source"])}) for c in fields["choices"]),
    )


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
    claim = PublishedClaim(**{"over": "", "attribute": "age", "note": "", "printed": "", **fields, **typed})
    if unknown := {claim.of, claim.over} - {*networks, ""}:
        raise ValueError(f"published.yaml: claim {claim.claim!r} names an unknown network {unknown}")
    return claim


def _methods(fields: Mapping[str, Any], networks: Mapping[str, PublishedNetwork]) -> PublishedMethods:
    rows = tuple(
        PublishedMethod(
            name=row["name"],
            network=_key(row.get("network", ""), {*networks, ""}),
            external=row["external"],
            here=tuple(row["here"]),
            results={data: PublishedResult(**result) for data, result in row["results"].items()},
        )
        for row in fields["rows"]
    )
    return PublishedMethods(_source(fields["source"]), fields["unit"], rows)


def _losses(fields: Mapping[str, Any], networks: Mapping[str, PublishedNetwork]) -> PublishedLosses:
    rows = tuple(
        PublishedLoss(**{**row, "network": _key(row["network"], {*networks})}) for row in fields["rows"]
    )
    return PublishedLosses(**{**fields, "source": _source(fields["source"]), "rows": rows})


def _key(network: str, known: Set[str]) -> str:
    if network not in known:
        raise ValueError(
            f"published.yaml: {network!r} is not a network; use one of {', '.join(sorted(known))}"
        )
    return network


def _source(word: str) -> Source:
    for source in SOURCES:
        if source == word:
            return source
    raise ValueError(f"published.yaml: {word!r} is not a source; use one of {', '.join(SOURCES)}")
