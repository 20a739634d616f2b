"""Pruning of a trained trial: cut channels and train on, in one round or several.

``suite.compression.channel_pruning`` does a single cut; this module decides the widths of each round, trains between
the cuts, and makes the result a derived trial.
"""

import dataclasses
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Literal

import torch
from torch import nn

from suite.compression.budget import Budget
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
from suite.measure.profiling import Counted, cost
from suite.networks import STAGES, Widths, stages_of_widths, widths_of, with_widths
from suite.training.fit import fit
from suite.trial import Importance, TrialConfig

#: From the descending channel scores of each width to the widths to keep.
ChooseWidths = Callable[[Sequence[Floats]], Widths]
Spread = Literal["uniform", "global"]


@dataclass(frozen=True)
class Pruning:
    """What to cut and how to train afterwards.

    The names of the fields are part of a row's id and of the file ``ID.pruning.json``.

    Attributes:
        goal: A budget, or the share of its channels that each stage keeps.
        spread: How a budget is met: "uniform" keeps the same share of every stage, "global" cuts the least important
            channels of the whole network. Given shares leave no choice.
        importance: How channels are scored.
        rounds: Cuts, each followed by its part of the epochs.
        epochs: Epochs of training, all rounds together; 0 only cuts.
        learning_rate: Learning rate of that training.
        teaching: How it learns from the trial before the cuts.
    """

    goal: Budget | tuple[float, ...]
    spread: Spread
    importance: Importance
    rounds: int
    epochs: int
    learning_rate: float
    teaching: DistillationSettings = NO_DISTILLATION

    def id_for(self, parent_id: str) -> str:
        """Return the id of the row; the same request for the same trial has the same id."""
        return derived_id(parent_id, "p", self)


def check_pruning(pruning: Pruning, config: TrialConfig) -> None:
    """Refuse a pruning that is impossible for a trial.

    Raises:
        RequestError: The criterion cannot score the network, the shares are not one for each stage, or there are fewer
            epochs than rounds.
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
    parent: TrainedTrial, pruning: Pruning, on_epoch: OnEpoch, on_stage: Callable[[str], None]
) -> DerivedTrial:
    """Cut and train, round by round; a round that was interrupted continues from its checkpoint.

    Args:
        parent: The trial to prune.
        pruning: A request that ``check_pruning`` accepted.
        on_epoch: Called after each epoch, which is numbered through all rounds.
        on_stage: Called with a sentence at each cut, and where an interrupted training continues.

    Raises:
        RequestError: The goal is too small to be reached, torch-pruning is not installed, or the trial has no
            distribution to distil.
        DivergedError: The training after a cut diverged.
    """
    network, threads, trial_id = parent.network, torch.get_num_threads(), pruning.id_for(parent.id)
    config = derived_config(parent, pruning.epochs, pruning.learning_rate, pruning.teaching)
    resumable = ResumableFit(parent, trial_id, config, on_epoch, on_stage)
    rounds = zip(
        _widths_by_round(pruning, config, parent.label_set.bins), _epochs_by_round(pruning), strict=True
    )
    for number, (choose_widths, epochs) in enumerate(rounds, 1):
        if number < resumable.number:
            continue
        training = resumable.interrupted if number == resumable.number else None
        if training is None:
            network, config = _cut(parent, network, config, pruning.importance, choose_widths)
            config = dataclasses.replace(config, epochs=epochs)
            widths = "-".join(map(str, widths_of(config)))
            on_stage(f"cut {number} of {pruning.rounds}: widths {widths}, then {epochs} epochs")
            if not epochs:
                continue
            training = fit(config, parent.dataset, threads=threads, network=network)
        resumable.train(training, number)
        network, config = training.network, training.config
    config = dataclasses.replace(config, epochs=pruning.epochs, importance=pruning.importance)
    epochs_run = tuple(resumable.epochs)
    return derive_trial(parent, trial_id, "pruned", network, config, epochs_run, resumable.seconds)


def _cut(
    parent: TrainedTrial,
    network: nn.Module,
    config: TrialConfig,
    importance: Importance,
    choose_widths: ChooseWidths,
) -> tuple[nn.Module, TrialConfig]:
    """Return a network cut to the widths that are chosen from its scores, and the configuration with them."""
    train, label_set = parent.dataset.splits["train"], parent.label_set
    scores = score_channels(network, config, label_set, importance, train)
    # A resumed process measures latency again, and its widths may then be larger than those that are left.
    widths = tuple(map(min, choose_widths(scores.descending()), widths_of(config)))
    return cut(network, config, label_set.bins, widths, scores), with_widths(config, widths)


def _widths_by_round(pruning: Pruning, config: TrialConfig, bins: int) -> Iterator[ChooseWidths]:
    """Yield how each round chooses its widths; every round shrinks the network by the same factor."""
    whole, goal, stages = widths_of(config), pruning.goal, stages_of_widths(config)
    latency = PairedLatency(config, bins)  # shared by the rounds, so that no widths are timed twice

    def of_round(number: int) -> ChooseWidths:
        progress = number / pruning.rounds
        if isinstance(goal, tuple):
            return lambda scores: kept_widths(whole, [goal[stage] ** progress for stage in stages])

        cost_of = latency if goal.quantity == "latency" else _counted_cost(config, bins, goal.quantity)
        before = cost_of(whole)
        if goal.most >= before:
            raise RequestError(
                f"the trial has {before:,} {goal.quantity} and may have {goal.most:,}, so that nothing would "
                "be cut; ask for less"
            )
        most = goal.most if number == pruning.rounds else before * (goal.most / before) ** progress
        if pruning.spread == "uniform":
            return lambda scores: uniform_widths(whole, cost_of, most)
        return lambda scores: ranked_widths(scores, cost_of, most)

    return (of_round(number) for number in range(1, pruning.rounds + 1))


def _counted_cost(config: TrialConfig, bins: int, quantity: Counted) -> CostOf:
    return lambda widths: cost(with_widths(config, widths), bins, quantity)


def _epochs_by_round(pruning: Pruning) -> list[int]:
    """Return the epochs of each round, divided equally; the last round has the remainder."""
    each, more = divmod(pruning.epochs, pruning.rounds)
    return [each] * (pruning.rounds - 1) + [each + more]
