"""Which trials the test split is read for when the search is over."""

from typing import Any

from suite.runs.tables import trial_row
from suite.search.after_search.evaluation import to_evaluate
from suite.trial import Status, TrialConfig
from tests.support.runs import trial_result

TINY = TrialConfig()


def row(number: int, config: TrialConfig, status: Status = "finished") -> dict[str, Any]:
    return trial_row(trial_result(f"t{number:04d}", status, config=config))


def test_a_search_reads_the_test_split_for_its_front_alone() -> None:
    rows = [row(0, TINY), row(1, TINY), row(2, TINY)]
    assert to_evaluate(rows, rows[:1], seeds=1, confirm_seeds=1) == rows[:1]


def test_a_comparison_over_seeds_reads_it_for_every_training_that_finished() -> None:
    rows = [row(0, TINY), row(1, TINY, "diverged"), row(2, TINY)]
    assert [evaluated["id"] for evaluated in to_evaluate(rows, rows[:1], seeds=3, confirm_seeds=1)] == [
        "t0000",
        "t0002",
    ]


def test_what_was_made_from_a_trial_is_not_a_training_of_the_comparison() -> None:
    rows = [row(0, TINY), {**row(1, TINY), "stage": "pruned"}, {**row(2, TINY), "stage": "int8"}]
    assert to_evaluate(rows, rows[:1], seeds=3, confirm_seeds=1) == rows[:1]


def test_what_was_evaluated_before_an_interruption_is_not_evaluated_again() -> None:
    before, unread = row(0, TINY) | {"test_mae_years": 7.0}, row(1, TINY) | {"test_mae_years": None}
    assert to_evaluate([before, unread], [before, unread], seeds=1, confirm_seeds=1) == [unread]


def test_where_the_front_was_trained_again_those_trainings_are_evaluated_and_no_others() -> None:
    member = row(0, TINY)
    again = [{**row(0, TINY, status), "id": f"t0000-s{seed}", "stage": "confirm", "parent": "t0000"}
             for seed, status in ((1, "finished"), (2, "diverged"))]  # fmt: skip
    evaluated = to_evaluate([member, *again], [member], seeds=1, confirm_seeds=2)
    assert [found["id"] for found in evaluated] == ["t0000-s1"]
