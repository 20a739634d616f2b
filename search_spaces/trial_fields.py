"""The fields of a trial that a search space fixes or varies, taken from ``suite.trial.TrialConfig``.

Their names, types and defaults stand there, and are not repeated. A new field of ``TrialConfig`` is a field of
every search space. What it allows beyond its type is a row of ``LIMITS`` or ``LENGTHS`` here.
"""

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from types import GenericAlias, NoneType
from typing import Annotated, Any, Literal, get_args, get_origin, get_type_hints

from pydantic import Field, TypeAdapter
from pydantic.fields import FieldInfo

from search_spaces.validation import STRICT
from suite.presets import PRESETS as ARCHITECTURES
from suite.trial import MethodName, Network, TrialConfig

#: Whether a field's values make a range of whole numbers, a range of numbers, or no range.
RangeKind = Literal["int", "float", "none"]

STAGES = 5
#: The compact networks of the paper and its released code by name. Where a network is chosen, one of these
#: words stands for "compact" with these widths and depths.
PRESETS: Mapping[str, Mapping[str, tuple[int, ...]]] = {
    name: {"widths": network.widths, "depths": network.depths} for name, network in ARCHITECTURES.items()
}
#: The output layer of each method. Two methods with the same one can train the same network in turn.
OUTPUT_LAYERS: Mapping[MethodName, str] = {
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


@dataclass(frozen=True)
class Base(TrialConfig):
    """What all trials of a space share; a field that varies has its default here, which no trial takes.

    Attributes:
        label_low: Of the label range, label units; None: the data's own, as for the next two.
        label_high: Of the label range, label units.
        label_step: Between two bins, label units.
    """

    # A trial's own label range is never open.
    label_low: float | None = None  # type: ignore[assignment]
    label_high: float | None = None  # type: ignore[assignment]
    label_step: float | None = None  # type: ignore[assignment]


#: The fields of a trial that no search space sets: the seed is one setting of the whole search, and the
#: fingerprints of files are filled in where training begins.
NOT_OF_A_SPACE = {"seed", "pruned_from_sha256", "backbone_sha256", "teacher_sha256"}
#: The fields that ``base`` may fix and ``vary`` may vary.
FIELDS = tuple(field.name for field in dataclasses.fields(Base) if field.name not in NOT_OF_A_SPACE)

#: What a field allows beyond its type; for a tuple, what each of its entries allows.
LIMITS: Mapping[str, FieldInfo] = {
    "widths": Field(ge=1, le=4096),
    "depths": Field(ge=1, le=32),
    "pruned_widths": Field(ge=1, le=4096),
    "pruned_from": Field(min_length=1),
    "keep": Field(gt=0, le=1),
    "label_step": Field(gt=0),
    "label_deviation": Field(ge=0),
    "lambda_l1": Field(ge=0),
    "lambda_mean": Field(ge=0),
    "lambda_variance": Field(ge=0),
    "warmup_epochs": Field(ge=0, le=100_000),
    "backbone": Field(min_length=1),
    "teacher": Field(min_length=1),
    "distill_weight": Field(ge=0),
    "temperature": Field(gt=0),
    "learning_rate": Field(gt=0),
    "weight_decay": Field(ge=0),
    "epochs": Field(ge=1, le=100_000),
    "batch_size": Field(ge=1, le=65_536),
    "resolution": Field(ge=32, le=1024),  # five poolings need 32
    "train_images": Field(ge=1, le=2**31),
    "shift_pixels": Field(ge=0, le=512),
}
#: How many entries a tuple has.
LENGTHS: Mapping[str, FieldInfo] = {
    "widths": Field(min_length=STAGES, max_length=STAGES),
    "depths": Field(min_length=STAGES, max_length=STAGES),
    "keep": Field(min_length=STAGES, max_length=STAGES),
    "pruned_widths": Field(min_length=1),
}
#: The fields with a value for each of the five stages, which may be dimensions of their own.
STAGED = ("widths", "depths", "keep")

_HINTS = get_type_hints(Base)


@cache
def field_adapter(field: str) -> TypeAdapter[Any]:
    """Return what checks a value of a field."""
    own, is_optional = _without_none(_HINTS[field])
    if get_origin(own) is tuple:
        checked: Any = Annotated[GenericAlias(tuple, (_entry_type(field), ...)), LENGTHS[field]]
    else:
        checked = _limited(field, own)
    return TypeAdapter(checked | None if is_optional else checked, config=STRICT)


@cache
def choice_adapter(field: str) -> TypeAdapter[Any]:
    """Return what checks a choice of a field that varies; a preset is a choice of network."""
    if field != "network":
        return field_adapter(field)
    words: Any = Literal[(*get_args(Network), *PRESETS)]
    return TypeAdapter(words, config=STRICT)


@cache
def stage_adapter(field: str) -> TypeAdapter[Any]:
    """Return what checks the value of one stage of a field in ``STAGED``."""
    return TypeAdapter(_entry_type(field), config=STRICT)


def base_schema() -> dict[str, Any]:
    """Return the JSON schema of ``base``, for a reference of its fields."""
    defaults = {k: list(v) if isinstance(v, tuple) else v for k, v in dataclasses.asdict(Base()).items()}
    properties = {name: {**field_adapter(name).json_schema(), "default": defaults[name]} for name in FIELDS}
    return {"title": "Base", "type": "object", "properties": properties}


def range_kind(field: str) -> RangeKind:
    """Return what kind of range a field, or one stage of it, may vary in."""
    own, _ = _without_none(_HINTS[field])
    number = get_args(own)[0] if get_origin(own) is tuple else own
    return "int" if number is int else "float" if number is float else "none"


def _without_none(hint: Any) -> tuple[Any, bool]:
    """Return a type without None, and whether None was one of its alternatives."""
    if get_origin(hint) is Literal or NoneType not in get_args(hint):
        return hint, False
    (own,) = [part for part in get_args(hint) if part is not NoneType]
    return own, True


def _entry_type(field: str) -> Any:
    own, _ = _without_none(_HINTS[field])
    return _limited(field, get_args(own)[0])


def _limited(field: str, own: Any) -> Any:
    return Annotated[own, LIMITS[field]] if field in LIMITS else own
