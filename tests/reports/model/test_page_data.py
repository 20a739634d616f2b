"""What the page's scripts draw from."""

from reports.model.page_data import page_data
from reports.model.trials import summarise
from tests.support.synthetic_runs import MakeRun


def test_fingerprints_of_files_are_no_part_of_the_recipe(make_run: MakeRun) -> None:
    fields = {
        "pruned_from_sha256": "ab",
        "backbone_sha256": "cd",
        "teacher_sha256": "ef",
        "teacher": "t.safetensors",
    }
    run = make_run(trials=2, configs=[fields])
    recipe = page_data(run, summarise(run), (), {}, None, "runs/x")["recipe"]
    shown = {**recipe["same"], **recipe["varied"]}
    assert "teacher" in shown
    assert [name for name in shown if name.endswith("_sha256")] == []
