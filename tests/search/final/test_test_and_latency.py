"""Which trials are timed beside VGG-16 when the search is over."""

import dataclasses
from typing import Any

from suite.runs.tables import trial_row
from suite.search.final.test_and_latency import named_networks, to_judge
from suite.trial import Status, TrialConfig, TrialResult

TINY = TrialConfig()


def row(number: int, config: TrialConfig, status: Status = "finished") -> dict[str, Any]:
    result = TrialResult(
        id=f"t{number:04d}",
        stage="search",
        config=config,
        status=status,
        cause="",
        profile=None,
        validation=None,
        epochs_run=1,
        seconds=1.0,
        precision="float32",
        trials_known=0,
        started=0.0,
    )
    return trial_row(result)


def test_the_papers_network_is_timed_once_though_others_dominate_it() -> None:
    other = row(0, dataclasses.replace(TINY, widths=(4, 8, 16, 16, 16)))
    rows = [other, row(1, TINY), row(2, dataclasses.replace(TINY, learning_rate=0.01))]
    assert [found["id"] for found in named_networks(rows, [other])] == ["t0001"]


def test_a_network_that_the_front_shows_is_not_timed_twice() -> None:
    rows = [row(0, TINY), row(1, TINY)]
    assert named_networks(rows, rows[:1]) == []


def test_a_trial_without_a_result_and_a_reference_are_not_compact_networks_of_the_paper() -> None:
    rows = [row(0, TINY, "diverged"), row(1, dataclasses.replace(TINY, network="vgg16"))]
    assert named_networks(rows, []) == []


def test_a_search_reads_the_test_split_for_its_front_alone() -> None:
    rows = [row(0, TINY), row(1, TINY), row(2, TINY)]
    assert to_judge(rows, rows[:1], seeds=1, confirm_seeds=1) == rows[:1]


def test_a_comparison_over_seeds_reads_it_for_every_training_that_finished() -> None:
    rows = [row(0, TINY), row(1, TINY, "diverged"), row(2, TINY)]
    assert [judged["id"] for judged in to_judge(rows, rows[:1], seeds=3, confirm_seeds=1)] == [
        "t0000",
        "t0002",
    ]


def test_what_was_made_from_a_trial_is_no_training_of_the_comparison() -> None:
    rows = [row(0, TINY), {**row(1, TINY), "stage": "pruned"}, {**row(2, TINY), "stage": "int8"}]
    assert to_judge(rows, rows[:1], seeds=3, confirm_seeds=1) == rows[:1]


def test_what_was_judged_before_an_interruption_is_not_judged_again() -> None:
    before, unread = row(0, TINY) | {"test_mae_years": 7.0}, row(1, TINY) | {"test_mae_years": None}
    assert to_judge([before, unread], [before, unread], seeds=1, confirm_seeds=1) == [unread]


def test_where_the_front_was_trained_again_those_trainings_are_judged_and_no_others() -> None:
    member = row(0, TINY)
    again = [{**row(0, TINY, status), "id": f"t0000-s{seed}", "stage": "confirm", "parent": "t0000"}
             for seed, status in ((1, "finished"), (2, "diverged"))]  # fmt: skip
    judged = to_judge([member, *again], [member], seeds=1, confirm_seeds=2)
    assert [found["id"] for found in judged] == ["t0000-s1"]
