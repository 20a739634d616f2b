"""How the whole procedure and trainings alone agree, member by member."""

import math

import pytest

from reports.model.confirmation import Confirmed, Training, confirmations, other_confirmations
from reports.model.confirmation_agreement import agreement, compared_ways
from reports.model.sharing_text import agreement_ranking_sentence, agreement_sentence, confirmation_sentence
from reports.model.trials import summarise
from suite.statistics.paired import paired_difference
from tests.support.shared_runs import Confirm, shared_run
from tests.support.synthetic_runs import MakeRun


def confirmed(member: str, errors: dict[int, float | None]) -> Confirmed:
    return Confirmed(
        member,
        tuple(
            Training(
                f"{member}-s{seed}", seed, "finished" if error is not None else "diverged", "", 1,
                math.nan if error is None else error, math.nan,
            )
            for seed, error in errors.items()
        ),
    )  # fmt: skip


@pytest.mark.parametrize("named", ["procedure", "scratch", "both"])
def test_only_the_named_procedure_confirms_and_the_other_is_kept_apart(
    make_run: MakeRun, named: Confirm
) -> None:
    run = shared_run(make_run, confirm=named, confirmed=["procedure", "scratch"])
    own, other = confirmations(run), other_confirmations(run)
    assert own.keys() == other.keys()
    starts = {bool(training.slice_of) for one in own.values() for training in one.trainings}
    assert starts == {named != "scratch"}
    result = summarise(run)
    assert result.is_confirmed
    assert all(trial.error == own[trial.id].mean for trial in result.front)


def test_a_confirmation_of_the_other_kind_alone_confirms_nothing(make_run: MakeRun) -> None:
    run = shared_run(make_run, confirm="procedure", confirmed=["scratch"])
    assert confirmations(run) == {}
    assert not summarise(run).is_confirmed
    assert agreement(run, summarise(run)) is None


def test_without_sharing_every_confirming_training_counts(make_run: MakeRun) -> None:
    run = make_run(trials=3)
    assert other_confirmations(run) == {}
    assert agreement(run, summarise(run)) is None
    assert confirmation_sentence(run.info) == ""


@pytest.mark.parametrize("named", ["procedure", "scratch", "both"])
def test_members_that_were_confirmed_both_ways_are_compared(make_run: MakeRun, named: Confirm) -> None:
    run = shared_run(make_run, confirm=named, confirmed=["procedure", "scratch"])
    found = agreement(run, summarise(run))
    assert found is not None
    assert [one.member for one in found.members] == [
        trial.id for trial in sorted(summarise(run).searched_front, key=lambda t: procedure_mean(found, t.id))
    ]
    assert -0.4 < found.mean.mean < 0  # the synthetic members err 0.2 more alone
    assert "-0." in agreement_sentence(found, "years")


def procedure_mean(found: object, member: str) -> float:
    return next(one.procedure.mean for one in found.members if one.member == member)  # type: ignore[attr-defined]


def test_differences_are_taken_seed_by_seed_as_one_family() -> None:
    procedure = {"a": confirmed("a", {1: 7.0, 2: 7.2}), "b": confirmed("b", {1: 8.0, 2: None})}
    scratch = {
        "a": confirmed("a", {1: 7.1, 2: 7.1}),
        "b": confirmed("b", {1: 8.4, 2: 8.2}),
        "c": confirmed("c", {1: 1.0}),
    }
    found = compared_ways(procedure, scratch)
    assert found is not None
    first, second = found.members
    assert (first.member, second.member) == ("a", "b")
    assert first.difference == paired_difference(
        ("a alone", {1: 7.1, 2: 7.1}), ("a by the procedure", {1: 7.0, 2: 7.2}), comparisons=2
    )
    assert first.of_means == pytest.approx(0.0)
    assert second.of_means == pytest.approx(8.0 - 8.3)
    assert found.mean.mean == pytest.approx(-0.15)
    assert found.ranking is None
    assert "too few to say" in agreement_ranking_sentence(found)


def test_without_a_common_seed_the_means_alone_are_compared() -> None:
    found = compared_ways({"a": confirmed("a", {1: 7.0})}, {"a": confirmed("a", {2: 7.5})})
    assert found is not None
    assert found.members[0].difference is None
    assert found.members[0].of_means == -0.5
    assert agreement_sentence(found, "years") == (
        "Errors by the whole procedure minus those of the same networks trained alone: -0.50 years on average "
        "over 1 member."
    )


def test_members_without_an_error_of_both_are_no_comparison() -> None:
    assert compared_ways({"a": confirmed("a", {1: None})}, {"a": confirmed("a", {1: 7.0})}) is None
    assert compared_ways({}, {}) is None


def test_the_report_names_the_procedure(make_run: MakeRun) -> None:
    run = shared_run(make_run, confirmed=["procedure"])
    assert "by the whole procedure" in confirmation_sentence(run.info)
