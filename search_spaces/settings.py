"""The settings of a search space: everything but its dimensions."""

from collections.abc import Mapping
from typing import Annotated, Literal, Self

from pydantic import Field, SkipValidation, model_validator

from search_spaces.quantities import Count, Length
from search_spaces.trial_fields import Base
from search_spaces.validation import Strict, error_at

Objective = Literal["val_mae", "worst_group_mae", "params", "macs", "bytes"]
Sampler = Literal["tpe", "nsga2", "random", "grid"]
StoppingRule = Literal["front", "forecast", "error", "none"]
#: The options that only some rules use, and these rules.
RULES_WITH_OPTION: Mapping[str, tuple[StoppingRule, ...]] = {
    "reduction_factor": ("front", "error"),
    "chance": ("forecast",),
}
#: The first rung where a space names none.
DEFAULT_GRACE_EPOCHS = 2


class Latency(Strict):
    """How the latency of the front's members is measured when the search is over.

    Attributes:
        resolution: Pixels a side.
        batch_size: Images.
        rounds: In each of which every network is timed once.
    """

    resolution: Annotated[int, Field(ge=32, le=1024)] = 224
    batch_size: Annotated[int, Field(ge=1, le=65_536)] = 1
    rounds: Annotated[int, Field(ge=2, le=10_000)] = 15


class Stopping(Strict):
    """Whether, when and by which rule trials are stopped before their last epoch.

    Attributes:
        rule: "front" ranks by all objectives, "forecast" by the forecast final error, "error" by the
            validation error alone, "none" stops nothing.
        grace_epochs: The first rung, in epochs; None: ``DEFAULT_GRACE_EPOCHS``.
        reduction_factor: Of "front" and "error": one trial in ``reduction_factor`` continues at each rung; each
            rung is that many times the previous one.
        chance: Of "forecast": the least probability of reaching the front with which a trial continues.
        rungs: Epochs after which trials are compared, ascending, instead of those that grace_epochs gives.
    """

    rule: StoppingRule = "none"
    grace_epochs: Annotated[int, Field(ge=1, le=100_000)] | None = None
    reduction_factor: Annotated[int, Field(ge=2, le=100)] = 3
    chance: Annotated[float, Field(gt=0.0, lt=1.0)] = 0.02
    rungs: Annotated[tuple[Annotated[int, Field(ge=1)], ...], Field(min_length=1)] | None = None

    @model_validator(mode="after")
    def _one_way_to_name_rungs(self) -> Self:
        if self.rungs is None:
            return self
        if self.grace_epochs is not None:
            raise error_at(
                "rungs", "rungs and grace_epochs are both given, and each defines the rungs; leave one out"
            )
        if list(self.rungs) != sorted(set(self.rungs)):
            raise error_at("rungs", "rungs must ascend, each epoch once")
        return self

    @model_validator(mode="after")
    def _of_its_rule(self) -> Self:
        if self.rule == "none":
            return self
        for option, rules in RULES_WITH_OPTION.items():
            default = type(self).model_fields[option].default  # a search that was written to JSON has it too
            if self.rule not in rules and getattr(self, option) != default:
                raise error_at(
                    option, "{key} does not apply to rule {rule}; leave it out", key=option, rule=self.rule
                )
        return self

    def rungs_below(self, epochs: int) -> tuple[int, ...]:
        """Return the rungs of trainings of so many epochs, all below the last one."""
        if self.rungs is not None:
            return tuple(rung for rung in self.rungs if rung < epochs)
        first = self.grace_epochs or DEFAULT_GRACE_EPOCHS
        if self.rule == "forecast":
            return tuple(range(first, epochs))
        rungs, rung = [], first
        while rung < epochs:
            rungs.append(rung)
            rung *= self.reduction_factor
        return tuple(rungs)


class Sharing(Strict):
    """One elastic training whose slices the trials start from (Yu et al. 2020, BigNAS; Cai et al. 2020).

    Attributes:
        epochs: Of the elastic training.
        learning_rate: The largest of its one-cycle schedule.
        random_slices: Slices of each step, beside the largest network and the smallest (the sandwich rule).
        distillation: Share of a slice's loss that compares it with the largest network instead of the labels.
        recalibration_images: Training images that a slice's batch-norm statistics are measured on.
        candidates: Slices whose validation error is measured before the trials begin.
        suggestions: Members of the candidates' front that are the first trials; None: half of the trials.
        workers: Processes that share the images of each step of the elastic training, by Ray Train; 1: it trains as
            a trial does.
        confirm: "procedure" repeats the elastic training and the member's own with each confirming seed;
            "scratch" trains the members alone, for the epochs of both together; "both" does both, and the procedure's
            errors count.
    """

    epochs: Annotated[int, Field(ge=1, le=100_000)] = 16
    learning_rate: Annotated[float, Field(gt=0)] = 0.01
    random_slices: Annotated[int, Field(ge=0, le=64)] = 1
    distillation: Annotated[float, Field(ge=0, le=1)] = 0.5
    recalibration_images: Annotated[int, Field(ge=2, le=1_000_000)] = 1024
    candidates: Annotated[int, Field(ge=2, le=1_000_000)] = 400
    suggestions: Annotated[int, Field(ge=0, le=1_000_000)] | None = None
    workers: Annotated[int, Field(ge=1, le=1024)] = 1
    confirm: Literal["procedure", "scratch", "both"] = "procedure"


class Bounds(Strict):
    """The most that a network may cost to be trained, and the most that it may err to be on the front; None: no bound.

    Attributes:
        params: Parameters.
        macs: Multiply-adds of one image at the trial's resolution.
        bytes: Of the safetensors file.
        worst_group_mae: Validation error of the worst group, label units, which is known only after the training.
    """

    params: Count | None = None
    macs: Count | None = None
    bytes: Count | None = None
    worst_group_mae: Annotated[float, Field(gt=0)] | None = None

    def on_costs(self) -> dict[str, int]:
        """Return the bounds on costs that are set, by quantity. Costs are known before a network trains."""
        costs = {"params": self.params, "macs": self.macs, "bytes": self.bytes}
        return {name: bound for name, bound in costs.items() if bound is not None}


class Settings(Strict):
    """A search space without its dimensions.

    Attributes:
        name: The name of the space, with which its run folder begins.
        description: The space in one sentence.
        data: The name of an embedded data set, or the folder of a packed one.
        objectives: The quantities to minimise.
        trials: The number of trials.
        sampler: The method that proposes them.
        seed: The seed of the search and of every training.
        seeds: The number of seeds of a grid: every point is trained with seed, seed + 1, ...
        confirm_seeds: The number of new seeds with which the front's members are trained again; 1: they are not.
        confirm_epochs: How long these trainings are: epochs, or as "4x" a factor of the trial's own.
        confirm_neighbours: How many trials beside the front are confirmed at most.
        base: The fields that all trials share.
        stopping: Which trials are stopped early.
        bounds: The most that a network may cost, and err.
        sharing: The elastic training that the trials start from; None: every trial starts from random weights.
        latency: How it is measured.
    """

    name: Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$")]
    description: str = ""
    data: Annotated[str, Field(min_length=1)]
    objectives: Annotated[tuple[Objective, ...], Field(min_length=1)]
    trials: Annotated[int, Field(ge=1, le=1_000_000)]
    sampler: Sampler = "tpe"
    seed: Annotated[int, Field(ge=0, lt=2**32)] = 0
    seeds: Annotated[int, Field(ge=1, le=1000)] = 1
    confirm_seeds: Annotated[int, Field(ge=1, le=100)] = 3
    confirm_epochs: Length = "4x"
    confirm_neighbours: Annotated[int, Field(ge=0, le=1000)] = 4
    base: SkipValidation[Base] = Base()  # search_spaces.checking checks it
    stopping: Stopping = Stopping()
    bounds: Bounds = Bounds()
    sharing: Sharing | None = None
    latency: Latency = Latency()
