"""``suite run``: the search space with its overrides, and a run that is started again."""

import dataclasses
import io
from datetime import datetime
from pathlib import Path
from typing import get_args

import pytest
import yaml

import suite.cli.run
import suite.search.engine
from search_spaces import StoppingRule, load_dict
from suite.cli.main import main, parse
from suite.cli.progress import progress_view
from suite.cli.run import check_same_search, new_location
from suite.data.store import Store
from suite.errors import RequestError
from suite.runs.info import Resources, RunInfo, write_info
from suite.runs.storage.working_folder import WorkingFolder
from suite.search.bounds import within_bounds
from suite.search.engine import Search
from suite.search.trial_factory import TrialFactory
from tests.support.run_folders import SPACE, info_of, write_run


@pytest.mark.parametrize(
    ("changes", "complaint"),
    [
        ("--set attribute=attractiveness", "has no labels for 'attractiveness', only for age"),
        (
            "--max-params 100k",
            "bounds.params is 100,000 and the smallest network of the space has 934,869 param",
        ),
        ("--max-macs 1M", "the smallest network of the space has"),
        ("--out file.txt/run", "cannot be a run folder (Not a directory)"),
    ],
)
def test_a_search_that_cannot_begin_says_so_and_leaves_no_folder(
    changes: str, complaint: str, here: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    before = sorted(here.iterdir())
    assert main(["run", "--search", "small.yaml", "--out", "run", *changes.split()]) == 2
    stage, refusal = capsys.readouterr().err.splitlines()
    assert stage == "checking the data and counting the reference networks"
    assert complaint in refusal
    assert sorted(here.iterdir()) == before


@pytest.mark.parametrize("rule", get_args(StoppingRule))
def test_every_stopping_rule_can_be_chosen(rule: str) -> None:
    assert parse(["run", "--search", "tiny", "--stopping", rule]).stopping == rule


def test_the_options_of_a_run_are_laid_over_the_search_space(
    here: Path, store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    requests: list[tuple[Search, str]] = []

    def note(search: Search, search_file: str, command: object) -> RunInfo:
        requests.append((search, search_file))
        return write_run(search.folder, store.folder)

    monkeypatch.setattr(suite.search.engine, "run_search", note)
    options = "--trials 3 --epochs 5 --seed 7 --set base.batch_size=16 --out run"
    shares = "--max-concurrent 2 --cpus-per-trial 0.5"
    fixed = "--set lambda_l1=0.5 --confirm-seeds 4 --confirm-epochs 2x --confirm-neighbours 0"
    chosen = ["--data", str(store.folder), *options.split(), *fixed.split(), *shares.split()]
    assert main(["run", "--search", "tiny", *chosen]) == 0
    search, file = requests[0]
    space = search.space
    assert (space.name, space.trials, space.seed, space.data) == ("tiny", 3, 7, str(store.folder))
    assert (space.base.epochs, space.base.batch_size, space.base.lambda_l1) == (5, 16, 0.5)
    assert "lambda_l1" not in space.vary
    assert list(space.confirming_seeds) == [8, 9, 10, 11]
    assert (space.confirm_epochs, space.confirm_neighbours) == ("2x", 0)
    assert search.store.info == store.info
    assert search.folder == here / "run"
    assert search.resources == Resources(cpus_per_trial=0.5, max_concurrent=2)
    assert Path(file).name == "tiny.yaml"
    assert load_dict(space.to_dict()) == space


@pytest.fixture
def recorded(here: Path, store: Store, monkeypatch: pytest.MonkeyPatch) -> list[object]:
    """The commands that runs record, without their searches."""
    commands: list[object] = []

    def note(search: Search, search_file: str, command: object) -> RunInfo:
        commands.append(command)
        return write_run(search.folder, store.folder)

    monkeypatch.setattr(suite.search.engine, "run_search", note)
    return commands


def test_a_run_records_the_arguments_that_it_was_given(
    recorded: list[object], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sys.argv", ["pytest", "-q", "tests"])
    arguments = ["run", "--search", "small.yaml", "--out", "run", "--trials", "3"]
    assert main(arguments) == 0
    assert recorded == [["suite", *arguments]]


def test_without_arguments_a_run_records_those_of_the_process(
    recorded: list[object], monkeypatch: pytest.MonkeyPatch
) -> None:
    arguments = ["run", "--search", "small.yaml", "--out", "run"]
    monkeypatch.setattr("sys.argv", ["/usr/bin/suite", *arguments])
    assert main() == 0
    assert recorded == [["suite", *arguments]]


def test_a_run_that_is_started_again_goes_on_with_what_out_holds(
    here: Path, store: Store, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    begun: list[str] = []

    def began(search: Search, *_: object) -> RunInfo:
        begun.append("new")
        return write_run(search.folder, store.folder, run="interrupted")

    def went_on(folder: Path, *_: object) -> RunInfo:
        begun.append("on")
        return write_run(folder, store.folder)

    monkeypatch.setattr(suite.search.engine, "run_search", began)
    monkeypatch.setattr(suite.search.engine, "resume_search", went_on)
    again = ["run", "--search", "small.yaml", "--out", "run", "--or-resume"]
    assert [main(again), main(again)] == [130, 0]
    assert begun == ["new", "on"]
    capsys.readouterr()
    assert main([*again, "--trials", "9"]) == 2
    assert capsys.readouterr().err == (
        "suite: run holds a run of another search; choose another --out, or resume that run with "
        "'suite resume run'\n"
    )


def test_a_grid_that_its_bounds_trimmed_is_the_same_search_when_it_is_started_again(
    here: Path, store: Store
) -> None:
    document = yaml.safe_load(SPACE.format(data=store.folder))
    document |= {"sampler": "grid", "vary": {"widths": {"choices": [[2] * 5, [4] * 5, [64] * 5]}}}
    document |= {"bounds": {"params": 50_000}}
    document.pop("trials", None)
    whole = load_dict(document)
    trimmed, outside = within_bounds(TrialFactory(whole, store.info.attributes["age"]))
    assert (whole.trials, trimmed.trials, outside) == (3, 2, 1)
    info = dataclasses.replace(info_of(store.folder), search=trimmed.to_dict())
    (here / "run").mkdir()
    write_info(here / "run", info)
    at = WorkingFolder(here / "run", "run", progress_view(io.StringIO()))
    check_same_search(at, whole, store)
    wider = whole.model_copy(update={"bounds": whole.bounds.model_copy(update={"params": None})})
    with pytest.raises(RequestError, match="of another search"):
        check_same_search(at, wider, store)


def test_a_grid_whose_bounds_left_points_out_goes_on(
    here: Path, store: Store, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    (here / "grid.yaml").write_text(
        f"name: grid\ndata: {store.folder}\nobjectives: [val_mae, params]\nsampler: grid\n"
        "base: {epochs: 1, resolution: 32}\nbounds: {params: 10k}\n"
        "vary:\n  widths: {choices: [[4, 4, 4, 4, 4], [64, 64, 64, 64, 64]]}\n"
    )

    def began(search: Search, *_: object) -> RunInfo:
        space, outside = within_bounds(TrialFactory(search.space, store.info.attributes["age"]))
        assert outside == 1
        info = write_run(search.folder, store.folder, run="interrupted")
        info = dataclasses.replace(info, search=space.to_dict(), trials_asked=space.trials)
        write_info(search.folder, info)
        return info

    monkeypatch.setattr(suite.search.engine, "run_search", began)
    monkeypatch.setattr(
        suite.search.engine, "resume_search", lambda folder, *_: write_run(folder, store.folder)
    )
    again = ["run", "--search", "grid.yaml", "--out", "run", "--or-resume"]
    assert [main(again), main(again)] == [130, 0], capsys.readouterr().err


def test_without_out_the_run_folder_is_named_by_search_and_time(
    here: Path, store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(
        suite.search.engine, "run_search", lambda search, *_: write_run(search.folder, store.folder)
    )
    assert main(["run", "--search", "small.yaml"]) == 0
    (folder,) = (here / "runs").iterdir()
    assert folder.name.startswith("small-20")
    assert (folder / "report.html").exists()


def test_two_runs_in_one_second_have_folders_of_their_own(
    here: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Still(datetime):
        @classmethod
        def now(cls, tz: object = None) -> "Still":
            return cls(2026, 11, 28, 12, 0, 0)

    monkeypatch.setattr(suite.cli.run, "datetime", Still)
    with new_location("tiny") as first, new_location("tiny") as second, new_location("tiny") as third:
        (first / "run.json").write_text("")
    assert [first.name, second.name, third.name] == [
        "tiny-20261128-120000",
        "tiny-20261128-120000-2",
        "tiny-20261128-120000-3",
    ]
    assert [folder.name for folder in (here / "runs").iterdir()] == [first.name], "an empty one is removed"


def test_a_place_for_runs_that_cannot_be_made_is_one_sentence(here: Path) -> None:
    (here / "runs").write_text("")
    with (
        pytest.raises(
            RequestError, match=r"cannot be a run folder \(File exists\); choose another with --out"
        ),
        new_location("tiny"),
    ):
        pass
