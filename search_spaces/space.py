"""The types of a search space: what all trials share, what varies between them, and how."""

from collections.abc import Iterator, Mapping
from typing import Annotated, Any, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, SkipValidation, model_validator
from pydantic_core import PydanticCustomError

from search_spaces.quantities import Count
from suite import presets

Objective = Literal["val_mae", "params", "macs", "bytes"]
Sampler = Literal["tpe", "nsga2", "random", "grid"]
Stop = Literal["front", "forecast", "error", "none"]
Network = Literal["compact", "vgg16", "vgg16-bn", "resnet50"]
Method = Literal[
    "mr-l1",
    "mr-l2",
    "dex",
    "ranking-bce",
    "ranking-mse",
    "dldl",
    "er",
    "dldl-v2",
    "mean-variance",
    "coral",
]

STAGES = 5
#: The compact networks that have a name. Where a network is chosen, the name stands for "compact" with these
#: widths and depths.
PRESETS: Mapping[str, Mapping[str, tuple[int, ...]]] = {
    name: {"widths": preset.widths, "depths": preset.depths} for name, preset in presets.PRESETS.items()
}
TINY = PRESETS["tiny"]

#: Methods with the same word have the same output layer, so that one can follow the other on a network.
OUTPUT_LAYERS: Mapping[Method, str] = {
    "mr-l1": "value",
    "mr-l2": "value",
    "dex": "bins",
    "ranking-bce": "thresholds",
    "ranking-mse": "thresholds",
    "dldl": "bins",
    "er": "bins",
    "dldl-v2": "bins",
    "mean-variance": "bins",
    "coral": "shared thresholds",
}

Scalar = bool | int | float | str | None  # in strict mode each keeps its own type
Value = Scalar | tuple[Scalar, ...]
Width = Annotated[int, Field(ge=1, le=4096)]
Depth = Annotated[int, Field(ge=1, le=32)]
Share = Annotated[float, Field(gt=0, le=1)]


class Strict(BaseModel):
    """Frozen; takes no unknown fields and converts no types."""

    model_config = ConfigDict(
        frozen=True, strict=True, extra="forbid", allow_inf_nan=False, protected_namespaces=()
    )


class Base(Strict):
    """What all trials share: the fields of a trial but its seed, with a trial's defaults.

    A label range that is not given (None) is the data's own. A field that varies has its default
    here, which no trial takes.
    """

    network: Network = "compact"
    widths: Annotated[tuple[Width, ...], Field(min_length=STAGES, max_length=STAGES)] = TINY["widths"]
    depths: Annotated[tuple[Depth, ...], Field(min_length=STAGES, max_length=STAGES)] = TINY["depths"]
    pooling: Literal["hybrid", "average"] = "hybrid"
    pruned_widths: Annotated[tuple[Width, ...], Field(min_length=1)] | None = None  # of vgg16 and resnet50
    pruned_from: Annotated[str, Field(min_length=1)] | None = None  # a file of weights to cut this out of
    importance: Literal["magnitude", "taylor", "lamp", "bn-scale"] = "taylor"
    #: The share of its channels that each stage of the network above keeps.
    keep: Annotated[tuple[Share, ...], Field(min_length=STAGES, max_length=STAGES)] | None = None
    attribute: Literal["age", "attractiveness"] = "age"
    label_low: float | None = None  # label units, as the three below
    label_high: float | None = None
    label_step: Annotated[float, Field(gt=0)] | None = None
    label_deviation: Annotated[float, Field(ge=0)] | None = None
    method: Method = "dldl-v2"
    kl_over_bins: Literal["mean", "sum"] = "mean"
    lambda_l1: Annotated[float, Field(ge=0)] = 1.0
    lambda_mean: Annotated[float, Field(ge=0)] = 0.2
    lambda_variance: Annotated[float, Field(ge=0)] = 0.05
    warmup_method: Method | None = None
    warmup_epochs: Annotated[int, Field(ge=0, le=100_000)] = 0  # the first of `epochs`
    backbone: Annotated[str, Field(min_length=1)] | None = None  # a file of weights to start from
    teacher: Annotated[str, Field(min_length=1)] | None = None  # a file of weights to learn from
    distill_weight: Annotated[float, Field(ge=0)] = 0.0
    temperature: Annotated[float, Field(gt=0)] = 2.0
    optimizer: Literal["adamw", "adam"] = "adamw"
    learning_rate: Annotated[float, Field(gt=0)] = 3e-3
    weight_decay: Annotated[float, Field(ge=0)] = 1e-4
    schedule: Literal["one-cycle", "step"] = "one-cycle"
    epochs: Annotated[int, Field(ge=1, le=100_000)] = 12
    batch_size: Annotated[int, Field(ge=1, le=65_536)] = 64
    resolution: Annotated[int, Field(ge=32, le=1024)] = 64  # pixels a side; five poolings need 32
    train_images: Annotated[int, Field(ge=1, le=2**31)] | None = None  # None: all
    augmentation: Literal["light", "paper"] = "light"
    flip: bool = True
    shift_pixels: Annotated[int, Field(ge=0, le=512)] = 2
    precision: Literal["auto", "bf16", "float32"] = "auto"

    @model_validator(mode="after")
    def _labels_ascend(self) -> Self:
        if self.label_low is not None and self.label_high is not None and self.label_low >= self.label_high:
            raise PydanticCustomError(
                "label_low",
                "label_low is {low} and label_high is {high}; label_low must be below label_high",
                {"low": self.label_low, "high": self.label_high},
            )
        return self


#: The fields that ``base`` may fix and ``vary`` may vary.
FIELDS = tuple(Base.model_fields)


class IntRange(Strict):
    """Whole numbers ``low, low + step, ..., high``; ``log`` draws them evenly by logarithm."""

    low: int
    high: int
    step: Annotated[int, Field(ge=1)] = 1
    log: bool = False

    @model_validator(mode="after")
    def _in_order(self) -> Self:
        _check_bounds(self.low, self.high, self.log)
        if self.log and self.step != 1:
            raise _range_error(
                "step", "step is {step} and log is true; a log range has steps of 1", self.model_dump()
            )
        if (self.high - self.low) % self.step:
            met = self.high - (self.high - self.low) % self.step
            raise _range_error(
                "high",
                "high is {high}, which steps of {step} from {low} pass by; set high to {below} or {above}",
                self.model_dump() | {"below": met, "above": met + self.step},
            )
        return self

    def __contains__(self, value: object) -> bool:
        return (
            isinstance(value, int)
            and not isinstance(value, bool)
            and self.low <= value <= self.high
            and (value - self.low) % self.step == 0
        )

    def __str__(self) -> str:
        return f"from {self.low} to {self.high}" + (f" in steps of {self.step}" if self.step > 1 else "")


class FloatRange(Strict):
    """Numbers from ``low`` to ``high``; ``log`` draws them evenly by logarithm."""

    low: float
    high: float
    log: bool = False

    @model_validator(mode="after")
    def _in_order(self) -> Self:
        _check_bounds(self.low, self.high, self.log)
        return self

    def __contains__(self, value: object) -> bool:
        return (
            isinstance(value, int | float) and not isinstance(value, bool) and self.low <= value <= self.high
        )

    def __str__(self) -> str:
        return f"from {self.low:g} to {self.high:g}"


class Choices(Strict):
    """One of the listed values: scalars, or whole tuples where the field is a tuple."""

    values: Annotated[tuple[Value, ...], Field(min_length=1)]

    def __contains__(self, value: object) -> bool:
        return any(
            value == known and isinstance(value, bool) == isinstance(known, bool) for known in self.values
        )

    def __str__(self) -> str:
        return "one of " + ", ".join(str(value) for value in self.values)


Dimension = IntRange | FloatRange | Choices
#: By field of a trial; a tuple of five for widths or depths that vary stage by stage.
Vary = Mapping[str, Dimension | tuple[Dimension, ...]]
#: A value for some or all of the fields that vary, by field of a trial.
Point = Mapping[str, Value]


class Latency(Strict):
    """How the latency of the front's members is taken when the search is over."""

    resolution: Annotated[int, Field(ge=32, le=1024)] = 224  # pixels a side
    batch_size: Annotated[int, Field(ge=1, le=65_536)] = 1
    rounds: Annotated[int, Field(ge=2, le=10_000)] = 15


class Stopping(Strict):
    """Whether, when and by what trials are stopped before their last epoch."""

    #: By the rank of the space's objectives, by what the trial is forecast to come to, by validation error
    #: alone, not at all.
    rule: Stop = "none"
    grace_epochs: Annotated[int, Field(ge=1, le=100_000)] | None = None  # the first rung; None: 2
    reduction_factor: Annotated[int, Field(ge=2, le=100)] = 3  # at a rung, one in so many goes on
    #: Of `forecast`: with at least such a chance of a place on the front a trial goes on.
    chance: Annotated[float, Field(gt=0.0, lt=1.0)] = 0.02
    #: Epochs after which trials are compared, ascending, in place of grace_epochs; None: that, and from each
    #: the next by the reduction factor; of `forecast`: that, and every epoch after it.
    rungs: Annotated[tuple[Annotated[int, Field(ge=1)], ...], Field(min_length=1)] | None = None

    @model_validator(mode="after")
    def _one_way_to_name_rungs(self) -> Self:
        if self.rungs is None:
            return self
        if self.grace_epochs is not None:
            raise PydanticCustomError(
                "rungs", "rungs is given and so is grace_epochs, which would make others; leave one out"
            )
        if list(self.rungs) != sorted(set(self.rungs)):
            raise PydanticCustomError("rungs", "rungs must ascend, each epoch once")
        return self

    @model_validator(mode="after")
    def _of_its_rule(self) -> Self:
        alien = {"forecast": "reduction_factor"}.get(self.rule, "chance")
        default = type(self).model_fields[alien].default  # which a search that was written out has too
        if self.rule != "none" and getattr(self, alien) != default:
            raise PydanticCustomError(
                "rule",
                "{alien} says nothing to rule {rule}; leave it out",
                {"alien": alien, "rule": self.rule},
            )
        return self

    def rungs_below(self, epochs: int) -> tuple[int, ...]:
        """The rungs of trainings of so many epochs; after the last epoch there is nothing to stop."""
        if self.rungs is not None:
            return tuple(rung for rung in self.rungs if rung < epochs)
        first = self.grace_epochs or DEFAULT_GRACE_EPOCHS
        if self.rule == "forecast":
            return tuple(range(first, epochs))
        found, rung = [], first
        while rung < epochs:
            found.append(rung)
            rung *= self.reduction_factor
        return tuple(found)


DEFAULT_GRACE_EPOCHS = 2


class Bounds(Strict):
    """What a network may cost at most, to be trained at all; None: no bound."""

    params: Count | None = None
    macs: Count | None = None  # of one image at the trial's resolution
    bytes: Count | None = None  # of the safetensors file

    def given(self) -> dict[str, int]:
        """The bounds that there are, by quantity."""
        return {name: bound for name, bound in self.model_dump().items() if bound is not None}


class Settings(Strict):
    """A search space without its dimensions."""

    name: Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$")]
    description: str = ""
    data: Annotated[str, Field(min_length=1)]  # an embedded set, or the folder of a packed one
    objectives: Annotated[tuple[Objective, ...], Field(min_length=1)]  # all minimised
    trials: Annotated[int, Field(ge=1, le=1_000_000)]
    sampler: Sampler = "tpe"
    seed: Annotated[int, Field(ge=0, lt=2**32)] = 0
    seeds: Annotated[int, Field(ge=1, le=1000)] = 1  # of a grid: every point with seed, seed + 1, ...
    #: Seeds that the front's members are trained again with, once the search is over; 1: they are not.
    confirm_seeds: Annotated[int, Field(ge=1, le=100)] = 3
    base: Base = Base()
    stopping: Stopping = Stopping()
    bounds: Bounds = Bounds()
    latency: Latency = Latency()


class SearchSpace(Settings):
    """A checked search space: every trial is ``base``, with a point of ``vary`` laid over it."""

    # The checks of these two need each other and `base`; search_spaces.checking has them.
    vary: SkipValidation[Vary]
    first: SkipValidation[tuple[Point, ...]] = ()  # tried before the sampler has its say

    def dimensions(self) -> dict[str, Dimension]:
        """The dimensions as a sampler sees them, each with a name: ``widths[0]``, ``lambda_l1``."""
        return {
            name: dimension
            for field, varied in self.vary.items()
            for name, dimension in _stages(field, varied)
        }

    def flat(self, point: Point) -> dict[str, Value]:
        """A point (of ``first``) under the names of ``dimensions``."""
        return {
            name: value
            for field, given in point.items()
            for name, value in (
                _stages(field, given) if isinstance(self.vary[field], tuple) else [(field, given)]
            )
        }

    def trial_fields(self, values: Mapping[str, Value]) -> dict[str, Value]:
        """The fields of the trial at ``values``, given under the names of ``dimensions``.

        All fields but the seed; a label range that neither base nor vary sets is None.

        Raises:
            KeyError: a dimension has no value.
        """
        fields: dict[str, Value] = {name: getattr(self.base, name) for name in FIELDS}
        for field, varied in self.vary.items():
            if isinstance(varied, tuple):
                stages = tuple(values[name] for name, _ in _stages(field, varied))
                fields[field] = stages  # type: ignore[assignment]
            else:
                fields[field] = values[field]
        if preset := PRESETS.get(str(fields["network"])):  # a choice of vary.network
            fields |= {"network": "compact", **preset}
        return fields

    @property
    def confirming_seeds(self) -> range:
        """The seeds of the confirmation, none of which the search trains with; empty where there is none."""
        first = self.seed + self.seeds
        return range(first, first + (self.confirm_seeds if self.confirm_seeds > 1 else 0))

    def to_dict(self) -> dict[str, Any]:
        """JSON types, everything resolved; ``load_dict`` reads it back."""
        document = self.model_dump(mode="json", exclude={"vary", "first"})
        document["base"] = {k: v for k, v in document["base"].items() if k not in self.vary}
        document["vary"] = {
            field: [_dimension_dict(d) for d in varied]
            if isinstance(varied, tuple)
            else _dimension_dict(varied)
            for field, varied in self.vary.items()
        }
        document["first"] = [{k: _json(v) for k, v in point.items()} for point in self.first]
        return document


def _stages(field: str, entries: Any) -> Iterator[tuple[str, Any]]:
    """The entries of a field under the names of their dimensions."""
    if isinstance(entries, tuple):
        yield from ((f"{field}[{stage}]", entry) for stage, entry in enumerate(entries))
    else:
        yield field, entries


def _check_bounds(low: float, high: float, log: bool) -> None:
    if low > high:
        raise _range_error(
            "low", "low is {low} and high is {high}; low must not be above high", {"low": low, "high": high}
        )
    if log and low <= 0:
        raise _range_error("low", "low is {low} and log is true; a log range starts above 0", {"low": low})


def _range_error(key: str, message: str, values: dict[str, Any]) -> PydanticCustomError:
    """An error whose type is the key at fault, whose line the message should name."""
    return PydanticCustomError(key, message, values)


def _dimension_dict(dimension: Dimension) -> dict[str, Any]:
    if isinstance(dimension, Choices):
        return {"choices": [_json(value) for value in dimension.values]}
    return dimension.model_dump(mode="json")


def _json(value: Value) -> Any:
    return list(value) if isinstance(value, tuple) else value
