"""From a trained trial to a smaller one: cut, train on, cut further, as one row of the run."""

import dataclasses
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Literal

import torch
from torch import nn

from suite.compression.budget import Budget, Counted, cost
from suite.compression.channel_pruning import check_importance, cut, score_channels
from suite.compression.derived_trial import (
    NO_DISTILLATION,
    DerivedTrial,
    DistillationSettings,
    derive_trial,
    derived_config,
    derived_id,
)
from suite.compression.relative_latency import PairedLatency
from suite.compression.resumable_fit import OnEpoch, ResumableFit
from suite.compression.widths import CostOf, Floats, kept_widths, ranked_widths, uniform_widths
from suite.deployment.trained_trial import TrainedTrial
from suite.errors import RequestError
from suite.networks import STAGES, Widths, stages_of_widths, widths_of, with_widths
from suite.training.fit import fit
from suite.trial import Importance, TrialConfig

#: Widths to cut to, from each stage's falling scores.
WidthsOf = Callable[[Sequence[Floats]], Widths]
Spread = Literal["uniform", "global"]


@dataclass(frozen=True)
class Pruning:
    """What is to be cut, and how it is trained on.

    Attributes:
        goal: a budget, or the share of its channels that each stage keeps.
        spread: how a budget is met: by the same share of every stage, or by cutting the channels that
            matter least anywhere. Shares that are given leave no choice.
        importance: which channels of a layer go.
        rounds: cuts, each followed by its part of the epochs.
        epochs: of training after the cuts, all rounds together; 0 only cuts.
        learning_rate: of that training.
        teaching: what it learns from the trial before the cuts.
    """

    goal: Budget | tuple[float, ...]
    spread: Spread
    importance: Importance
    rounds: int
    epochs: int
    learning_rate: float
    teaching: DistillationSettings = NO_DISTILLATION

    def id_for(self, parent: str) -> str:
        """The id of the row: the same request of the same trial is the same row."""
        return derived_id(parent, "p", self)


def check_pruning(pruning: Pruning, config: TrialConfig) -> None:
    """Raises:
    RequestError: this cannot be done to the trial.
    """
    check_importance(pruning.importance, config)
    if isinstance(pruning.goal, tuple) and not (
        len(pruning.goal) == STAGES and all(0 < share <= 1 for share in pruning.goal)
    ):
        raise RequestError(
            f"the shares to keep are {pruning.goal}; give one for all stages, or one for each of the "
            f"{STAGES}, above 0 and at most 1"
        )
    if 0 < pruning.epochs < pruning.rounds:
        raise RequestError(
            f"{pruning.epochs} epochs are too few for {pruning.rounds} rounds; give each round one"
        )


def prune_and_finetune(
    trained: TrainedTrial, pruning: Pruning, on_epoch: OnEpoch, on_stage: Callable[[str], None]
) -> DerivedTrial:
    """Cut and train on, round by round, or go on in the round that was interrupted.

    Args:
        trained: what is to be cut.
        pruning: checked.
        on_epoch: told each epoch, numbered through all rounds.
        on_stage: told in a sentence of each cut, and where an interrupted training goes on.

    Raises:
        RequestError: the goal is too small to be reached, torch-pruning is missing, or the trial has no
            distribution to distil.
        DivergedError: a training after a cut diverged.
    """
    network, threads, trial_id = trained.network, torch.get_num_threads(), pruning.id_for(trained.id)
    config = derived_config(trained, pruning.epochs, pruning.learning_rate, pruning.teaching)
    resumable = ResumableFit(trained, trial_id, config, on_epoch, on_stage)
    rounds = zip(_parts(pruning, config, trained.label_set.bins), _shared(pruning), strict=True)
    for number, (part, epochs) in enumerate(rounds, 1):
        if number < resumable.number:
            continue
        training = resumable.interrupted if number == resumable.number else None
        if training is None:
            network, config = _cut(trained, network, config, pruning.importance, part)
            config = dataclasses.replace(config, epochs=epochs)
            widths = "-".join(map(str, widths_of(config)))
            on_stage(f"cut {number} of {pruning.rounds}: widths {widths}, then {epochs} epochs")
            if not epochs:
                continue
            training = fit(config, trained.dataset, threads=threads, network=network)
        resumable.train(training, number)
        network, config = training.network, training.config
    config = dataclasses.replace(config, epochs=pruning.epochs, importance=pruning.importance)
    epochs_run = tuple(resumable.epochs)
    return derive_trial(trained, trial_id, "pruned", network, config, epochs_run, resumable.seconds)


def _cut(
    trained: TrainedTrial, network: nn.Module, config: TrialConfig, importance: Importance, part: WidthsOf
) -> tuple[nn.Module, TrialConfig]:
    """A network cut to the widths that ``part`` makes of its scores, and the configuration with them."""
    train, label_set = trained.dataset.splits["train"], trained.label_set
    scores = score_channels(network, config, label_set, importance, train)
    # A round that went on elsewhere measures its times anew, and may then find more than there still is.
    widths = tuple(map(min, part(scores.falling()), widths_of(config)))
    return cut(network, config, label_set.bins, widths, scores), with_widths(config, widths)


def _parts(pruning: Pruning, config: TrialConfig, bins: int) -> Iterator[WidthsOf]:
    """For each round the widths to cut to, from falling scores; the rounds shrink by the same factor."""
    whole, goal, stages = widths_of(config), pruning.goal, stages_of_widths(config)

    timed = PairedLatency(config, bins)  # what was timed once is not timed again in a later round

    def shrunk(done: int) -> WidthsOf:
        share = done / pruning.rounds
        if isinstance(goal, tuple):
            return lambda falling: kept_widths(whole, [goal[stage] ** share for stage in stages])

        cost_of = timed if goal.quantity == "latency" else _counted(config, bins, goal.quantity)
        before = cost_of(whole)
        if goal.most >= before:
            raise RequestError(
                f"the trial has {before:,} {goal.quantity} and may have {goal.most:,}, so that nothing would "
                "be cut; ask for less"
            )
        most = goal.most if done == pruning.rounds else before * (goal.most / before) ** share
        if pruning.spread == "uniform":
            return lambda falling: uniform_widths(whole, cost_of, most)
        return lambda falling: ranked_widths(falling, cost_of, most)

    return (shrunk(done) for done in range(1, pruning.rounds + 1))


def _counted(config: TrialConfig, bins: int, quantity: Counted) -> CostOf:
    return lambda widths: cost(with_widths(config, widths), bins, quantity)


def _shared(pruning: Pruning) -> list[int]:
    """The epochs of each round: as equal as can be, the last round longest."""
    each, more = divmod(pruning.epochs, pruning.rounds)
    return [each] * (pruning.rounds - 1) + [each + more]
