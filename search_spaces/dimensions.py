"""The dimensions of a search space: what a field that varies ranges over."""

from collections.abc import Mapping
from typing import Annotated, Self

from pydantic import Field, model_validator

from search_spaces.validation import Strict, error_at

Scalar = bool | int | float | str | None  # in strict mode each keeps its own type
Value = Scalar | tuple[Scalar, ...]


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
            raise error_at(
                "step", "step is {step} and log is true; a log range has steps of 1", step=self.step
            )
        if (self.high - self.low) % self.step:
            below = self.high - (self.high - self.low) % self.step
            raise error_at(
                "high",
                "high is {high}, which steps of {step} from {low} pass by; set high to {below} or {above}",
                **self.model_dump(),
                below=below,
                above=below + self.step,
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


def _check_bounds(low: float, high: float, log: bool) -> None:
    if low > high:
        raise error_at(
            "low", "low is {low} and high is {high}; low must not be above high", low=low, high=high
        )
    if log and low <= 0:
        raise error_at("low", "low is {low} and log is true; a log range starts above 0", low=low)
