"""What ``suite report`` prints of a run that shares weights."""

import dataclasses

from reports.text.sharing_report import sharing_lines
from tests.support.shared_runs import shared_run
from tests.support.synthetic_runs import MakeRun


def test_it_has_the_numbers_of_the_page(make_run: MakeRun) -> None:
    lines = sharing_lines(shared_run(make_run, confirmed=["procedure", "scratch"]))
    assert lines[0].startswith(
        "Elastic training elastic: 10 epochs of 4 networks a step, 40 epochs of networks"
    )
    assert lines[1] == "2 further elastic trainings of the confirmation: 80 epochs of networks trained."
    assert lines[2].startswith("60 slices scored, ")
    assert "Kendall's tau-b of 0." in lines[3]
    assert lines[4].startswith("Hypervolume of the slices as they are: 0.")
    assert lines[5].startswith("Hypervolume of the search's front: 0.")
    assert "after 88 epochs of networks trained and " in lines[5]
    assert lines[6].startswith("The front is confirmed with 2 seeds by the whole procedure")
    assert lines[7].startswith("Errors by the whole procedure minus those")
    assert "Kendall's tau-b" in lines[8] or "too few to say" in lines[8]
    assert not any("\u00a0" in line for line in lines)


def test_a_run_without_sharing_has_no_lines(make_run: MakeRun) -> None:
    assert sharing_lines(make_run(trials=3)) == []


def test_a_run_that_has_only_begun_has_few(make_run: MakeRun) -> None:
    run = shared_run(make_run, slices=0)
    lines = sharing_lines(dataclasses.replace(run, trials=run.trials.iloc[:0]))
    assert lines[0].startswith("There is no scored.parquet yet")
    assert lines[1].startswith("Too few to say")
    assert len(lines) == 2
