"""The section "Weight sharing": its cost, how well slices rank the networks, and how the front was confirmed."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

from markupsafe import Markup

from reports import formatting
from reports.figures import slice_ranks
from reports.html.figure import figure_markup
from reports.html.templating import render
from reports.model.confirmation import Confirmed
from reports.model.confirmation_agreement import Agreement, MemberAgreement
from reports.model.difference_text import NO_DIFFERENCE
from reports.model.elastic_cost import ElasticCost
from reports.model.interval_text import IntervalText, interval_text, mean_text
from reports.model.shared_weights import SharedWeights
from reports.model.sharing_text import (
    agreement_ranking_sentence,
    agreement_sentence,
    confirmation_sentence,
    ranking_sentence,
)
from reports.model.trials import FrontSummary
from suite.runs.info import RunInfo
from suite.statistics.rank_correlation import RESAMPLES

#: At most this many elastic trainings have a row.
MOST_TRAININGS = 100


@dataclass(frozen=True)
class Group:
    """Marks of the front's chart that can be switched off together."""

    name: str
    css: str
    mark: str
    words: str
    marks: int


@dataclass(frozen=True)
class TrainingRow:
    """An elastic training in the table."""

    id: str
    use: str
    epochs: str
    networks: int
    network_epochs: str
    macs: str
    error: str
    time: str
    status: str


@dataclass(frozen=True)
class AgreementRow:
    """A member that was confirmed both ways."""

    member: str
    procedure: IntervalText | None
    procedure_seeds: str
    scratch: IntervalText | None
    scratch_seeds: str
    of_means: str
    difference: IntervalText | None
    verdict: str


@dataclass(frozen=True)
class AgreementTable:
    """How both ways agree, in sentences and member by member."""

    lead: str
    ranking: str
    titles: tuple[str, ...]
    rows: Sequence[AgreementRow]


def sharing_section(info: RunInfo, shared: SharedWeights | None, agreed: Agreement | None) -> Markup:
    """Render the section; empty where the networks share no weights."""
    if shared is None:
        return Markup("")
    lowest = min((one.val_mae for one in shared.slices if math.isfinite(one.val_mae)), default=math.nan)
    ranks = slice_ranks.collect(shared, info.unit)
    trainings = [(one, "the search's") for one in shared.elastic]
    trainings += [(one, "for confirmation") for one in shared.confirming]
    return render(
        "sharing",
        ranking=ranking_sentence(shared),
        missing=shared.missing,
        titles=_titles(info),
        trainings=[_training(one, use, info) for one, use in trainings[:MOST_TRAININGS]],
        random_slices=shared.asked.random_slices,
        slices=len(shared.slices),
        front=len(shared.front),
        lowest=formatting.error_with_unit(lowest, info.unit) if math.isfinite(lowest) else "",
        scoring=formatting.quantity(shared.scoring_macs),
        chart=_chart(ranks) if ranks.pairs else "",
        has_interval=shared.ranking is not None and math.isfinite(shared.ranking.low),
        resamples=f"{RESAMPLES:,}",
        not_drawn=ranks.left_out,
        unscored=shared.unscored,
        confirmed=confirmation_sentence(info),
        agreement=_agreement(agreed, info) if agreed else None,
    )


def groups(summary: FrontSummary, shared: SharedWeights | None, other: int) -> Markup:
    """Render the switches of the front's groups of marks; empty where the networks share no weights.

    Args:
        summary: The trials of a run.
        shared: Its weight sharing.
        other: Members that were confirmed by the other procedure than the run's.
    """
    found: list[Group] = []
    if shared is not None:
        tuned = [trial for trial in summary.trials if trial.finished and trial.slice_of]
        alone = [t for t in summary.trials if t.finished and not t.slice_of and not t.confirmed]
        means = sum(1 for trial in summary.trials if trial.confirmed and trial.confirmed.errors)
        procedure, scratch = (means, other) if shared.asked.counted == "procedure" else (other, means)
        found = [
            Group(
                "slices",
                "slice",
                "",
                "scored slices as they are, no training of their own",
                len(shared.slices),
            ),
            Group(
                "tuned",
                "hollow",
                "",
                "fine-tuned from a slice, one training",
                len(tuned),
            ),
            Group(
                "confirmed", "shape", "\u2605", "confirmed by the whole procedure, mean over seeds", procedure
            ),
            Group("alone", "shape", "\u271a", "trained alone, without a slice", scratch + len(alone)),
        ]
    return render("legend_of_sharing", groups=[group for group in found if group.marks])


def _titles(info: RunInfo) -> tuple[str, ...]:
    return (
        "elastic training",
        "epochs",
        "networks a step",
        "epochs of networks trained",
        "multiply-adds",
        f"largest network's val MAE, {info.unit}",
        "time",
        "status",
    )


def _training(one: ElasticCost, use: str, info: RunInfo) -> TrainingRow:
    return TrainingRow(
        id=one.id,
        use=f"{use}, seed {one.seed}",
        epochs=f"{one.epochs:,}",
        networks=one.networks,
        network_epochs=f"{one.network_epochs:,}",
        macs=formatting.quantity(one.forward_macs),
        error=formatting.error(one.val_mae, info.unit),
        time=formatting.duration(one.seconds),
        status=f"{one.status}: {one.cause}" if one.cause else one.status,
    )


def _chart(ranks: slice_ranks.SliceRanks) -> Markup:
    return figure_markup(
        slice_ranks.draw(ranks), "Error after fine-tuning against that of the slice as it is"
    )


def _agreement(found: Agreement, info: RunInfo) -> AgreementTable:
    unit = info.unit
    return AgreementTable(
        lead=agreement_sentence(found, unit),
        ranking=agreement_ranking_sentence(found),
        titles=(
            "member",
            f"by the procedure: mean val MAE, {unit}, 95 % interval",
            "alone: mean, 95 % interval",
            "difference of the means",
            "seed by seed, interval",
            "in words",
        ),
        rows=[_member(one, unit) for one in found.members],
    )


def _member(one: MemberAgreement, unit: str) -> AgreementRow:
    difference = one.difference
    return AgreementRow(
        member=one.member,
        procedure=mean_text(one.procedure.interval, unit),
        procedure_seeds=_seeds(one.procedure),
        scratch=mean_text(one.scratch.interval, unit),
        scratch_seeds=_seeds(one.scratch),
        of_means=formatting.signed(one.of_means, unit),
        difference=interval_text(difference.interval, unit, signed=True) if difference else None,
        verdict=_verdict(one),
    )


def _seeds(confirmed: Confirmed) -> str:
    return formatting.count(len(confirmed.errors), "seed")


def _verdict(one: MemberAgreement) -> str:
    if one.difference is None:
        return "no seed in common"
    if not one.difference.seen:
        return NO_DIFFERENCE
    return f"{'lower' if one.difference.interval.mean < 0 else 'higher'} by the procedure"
