"""The commands as typed: what they answer, and one sentence with exit code 2 for a wrong request."""

import dataclasses
import errno
import io
import json
import shlex
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import yaml
from PIL import Image

import suite.search.engine
from search_spaces import load_dict
from suite.cli import commands
from suite.cli.main import main
from suite.cli.progress import watcher_for
from suite.data.store import Store, open_store
from suite.errors import RequestError
from suite.runs.info import DataUsed, Resources, RunInfo, RunStatus, write_info
from suite.runs.ledger import RunLedger
from suite.runs.storage.workplace import Workplace
from suite.search.bounds import within_bounds
from suite.search.engine import Search
from suite.search.trial_factory import TrialFactory
from suite.trial import Metrics, Profile, Status, TrialConfig, TrialResult

SPACE = """\
name: small
data: {data}
objectives: [val_mae, params]
trials: 4
base: {{epochs: 2, resolution: 32}}
vary:
  learning_rate: {{low: 1.0e-3, high: 1.0e-2, log: true}}
"""


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, store: Store) -> Path:
    """The current folder: a search space, a file, an empty folder and a taken one."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "small.yaml").write_text(SPACE.format(data=store.folder))
    (tmp_path / "file.txt").write_text("not a folder\n")
    (tmp_path / "empty").mkdir()
    (tmp_path / "taken").mkdir()
    (tmp_path / "taken" / "notes.txt").write_text("mine\n")
    return tmp_path


def info_of(data: Path, status: RunStatus = "finished") -> RunInfo:
    return RunInfo(
        name="small",
        status=status,
        command=["suite", "run"],
        search=load_dict(yaml.safe_load(SPACE.format(data=data))).to_dict(),
        search_file="small.yaml",
        attribute="age",
        resolution=32,
        objectives=["val_mae", "params"],
        trials_asked=2,
        seed=0,
        max_concurrent=1,
        data=DataUsed("stripes", str(data), "ab" * 32, 32, 160, 160, 40, 40, "made", "in order", 0, 25.0),
        references=[],
        versions={},
        git_revision="",
        hardware={},
        started="2026-11-23T22:10:00+00:00",
        seconds=75.0,
    )


def write_run(
    folder: Path, data: Path, *, run: RunStatus = "finished", trial: Status = "finished"
) -> RunInfo:
    """A run folder with two trials that ended so."""
    info = info_of(data, run)
    folder.mkdir(parents=True, exist_ok=True)
    write_info(folder, info)
    ledger = RunLedger(folder)
    for trial_id in ("t0000", "t0001"):
        ledger.add_trial(dataclasses.replace(ended_trial(trial), id=trial_id))
    return info


def ended_trial(trial: Status = "finished") -> TrialResult:
    """A trial that ended so."""
    return TrialResult(
        id="",
        stage="search",
        config=TrialConfig(),
        status=trial,
        cause="" if trial == "finished" else "the loss became NaN",
        profile=Profile(1000, 2000, 3000, 4000),
        validation=Metrics(6.5, 8.0, 0.9, 0.3, 0.5, 0.8, None) if trial == "finished" else None,
        epochs_run=1,
        seconds=2.0,
        precision="float32",
        trials_known=0,
        started=0.5,
    )


@pytest.mark.usefixtures("here")
@pytest.mark.parametrize(
    ("request_made", "complaint"),
    [
        ("run --search nosuch", '"nosuch" is neither a search space that ships'),
        ("run --search empty", "this is a folder"),
        ("run --search tiny --data nosuch", 'data is "nosuch"; it must be faces, or a folder that'),
        ("run --search tiny --data empty", "a folder without a store.json"),
        ("run --search small.yaml --seed -1", "seed is -1; it must be at least 0"),
        ("run --search small.yaml --set trails=3", 'did you mean "trials"?'),
        ("run --search small.yaml --set trials", "a setting has the form key=value"),
        ("run --search small.yaml --set base.batch_size=0", "base.batch_size is 0; it must be at least 1"),
        ("run --search small.yaml --set vary.learning_rate.low=1", "low must not be above high"),
        ("run --search small.yaml --max-params 1X", 'bounds.params is "1X"; it must be a count such as'),
        ("run --search small.yaml --max-bytes 0", 'bounds.bytes is "0"; it must be at least 1'),
        ("run --search small.yaml --stopping front", "lower stopping.grace_epochs, or raise base.epochs"),
        ("run --search paper --stopping error", "sampler is grid, which compares whole trainings"),
        ("run --search small.yaml --out taken", "taken is not empty; choose another --out"),
        ("run --search small.yaml --out file.txt", "file.txt cannot be a run folder (Not a directory)"),
        ("resume nosuch", "nosuch is no run folder"),
        ("resume empty", "empty is no run folder"),
        ("resume file.txt", "file.txt is no run folder"),
        ("report empty", "empty is no run folder"),
        ("profile tiny --resolution 16", "a resolution of 16 pixels is below 32"),
        ("data pack nosuch file.txt -o packed", "'nosuch' is no set that can be packed; there are: utkface"),
        ("data pack utkface nosuch -o packed", "nosuch does not exist"),
        ("data pack utkface file.txt -o packed", "file.txt is neither a folder nor a readable zip or tar"),
        ("data pack agedb empty -o packed", "empty is not AgeDB as its owner distributes it: looked for"),
        ("data pack agedb empty -o new/packed", "https://ibug.doc.ic.ac.uk/resources/agedb/"),
        ("data pack manifest empty -o packed", "empty has 0 tables; a manifest is one CSV or parquet file"),
        ("data pack agedb empty -o packed --attribute age", "--attribute goes with a manifest"),
        ("data pack utkface empty -o packed", "empty has no image named as UTKFace names them"),
        ("data show nosuch -o sheet.png", "nosuch holds no packed data"),
    ],
)
def test_a_wrong_request_is_one_sentence_and_ends_with_2(
    request_made: str, complaint: str, here: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    before = sorted(here.iterdir())
    assert main(request_made.split()) == 2
    said = capsys.readouterr()
    assert said.out == ""
    assert len(said.err.splitlines()) == 1
    assert said.err.startswith("suite: ")
    assert complaint in said.err
    assert sorted(here.iterdir()) == before  # nothing is left behind


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


@pytest.mark.parametrize("output", ["nosuch/report.html", "empty"])
def test_a_report_that_cannot_be_written_is_one_sentence(
    output: str, here: Path, store: Store, capsys: pytest.CaptureFixture[str]
) -> None:
    write_run(here / "run", store.folder)
    before = sorted(here.iterdir())
    assert main(["report", "run", "-o", output]) == 2
    assert sorted(here.iterdir()) == before
    assert capsys.readouterr().err.startswith(f"suite: {output} cannot be written (")


def test_the_options_of_a_run_are_laid_over_the_search_space(
    here: Path, store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[tuple[Search, str]] = []

    def note(search: Search, search_file: str, command: object) -> RunInfo:
        asked.append((search, search_file))
        return write_run(search.folder, store.folder)

    monkeypatch.setattr(suite.search.engine, "run_search", note)
    options = "--trials 3 --epochs 5 --seed 7 --set base.batch_size=16 --out run"
    shares = "--max-concurrent 2 --cpus-per-trial 0.5"
    fixed = "--set lambda_l1=0.5 --confirm-seeds 4"
    chosen = ["--data", str(store.folder), *options.split(), *fixed.split(), *shares.split()]
    assert main(["run", "--search", "tiny", *chosen]) == 0
    search, file = asked[0]
    space = search.space
    assert (space.name, space.trials, space.seed, space.data) == ("tiny", 3, 7, str(store.folder))
    assert (space.base.epochs, space.base.batch_size, space.base.lambda_l1) == (5, 16, 0.5)
    assert "lambda_l1" not in space.vary
    assert list(space.confirming_seeds) == [8, 9, 10, 11]
    assert search.store.info == store.info
    assert search.folder == here / "run"
    assert search.resources == Resources(cpus_per_trial=0.5, max_concurrent=2)
    assert Path(file).name == "tiny.yaml"
    assert load_dict(space.to_dict()) == space


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
        "suite: run holds a run of another search than the one asked for; choose another --out, or go on "
        "with it by 'suite resume run'\n"
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
    at = Workplace(here / "run", "run", watcher_for(io.StringIO()))
    commands._check_same_search(at, whole, store)
    wider = whole.model_copy(update={"bounds": whole.bounds.model_copy(update={"params": None})})
    with pytest.raises(RequestError, match="of another search"):
        commands._check_same_search(at, wider, store)


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


def test_what_was_compressed_is_no_trial_of_the_search(
    here: Path, store: Store, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    info = write_run(here / "run", store.folder)
    RunLedger(here / "run").add_trial(
        dataclasses.replace(ended_trial(), id="t0000-p1", stage="pruned", parent="t0000")
    )
    assert resumed(monkeypatch, here / "run", info) == 0
    assert capsys.readouterr().out.startswith("2 trials in ")


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


def resumed(monkeypatch: pytest.MonkeyPatch, folder: Path, info: RunInfo) -> int:
    """The exit code of ``suite resume`` for a search that comes to this end."""
    monkeypatch.setattr(suite.search.engine, "resume_search", lambda *_: info)
    return main(["resume", str(folder)])


def test_a_search_that_ended_says_where_its_report_is(
    here: Path, store: Store, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    info = write_run(here / "run", store.folder)
    assert resumed(monkeypatch, Path("run"), info) == 0
    assert capsys.readouterr().out == "2 trials in 1 min 15 s. Report: run/report.html\n"
    assert "<html" in (here / "run" / "report.html").read_text(encoding="utf-8")


def test_trainings_that_confirm_are_counted_apart(
    here: Path, store: Store, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    info = write_run(here / "run", store.folder)
    ledger = RunLedger(here / "run")
    again = TrialResult(
        "t0000-s1", "confirm", TrialConfig(seed=1), "failed", "why", None, None, 0, 1.0, "", 0, 1.0, "t0000"
    )
    ledger.add_trial(again)
    assert resumed(monkeypatch, Path("run"), info) == 0
    assert "2 trials and 1 confirming training in 1 min 15 s." in capsys.readouterr().out


def test_an_interrupted_search_prints_the_command_that_goes_on(
    here: Path, store: Store, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    info = write_run(here / "run", store.folder, run="interrupted")
    assert resumed(monkeypatch, Path("run"), info) == 130
    assert capsys.readouterr().out.splitlines()[-1] == "  suite resume run"
    assert (here / "run" / "report.html").exists()


def test_the_printed_command_can_be_pasted_whatever_the_folder_is_called(
    here: Path, store: Store, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    info = write_run(here / "a run's", store.folder, run="interrupted")
    assert resumed(monkeypatch, Path("a run's"), info) == 130
    assert shlex.split(capsys.readouterr().out.splitlines()[-1]) == ["suite", "resume", "a run's"]


@pytest.mark.parametrize(
    ("options", "changes"),
    [
        ("", {}),
        ("--cpus-per-trial 0.5 --gpus-per-trial 0", {"cpus_per_trial": 0.5, "gpus_per_trial": 0.0}),
        ("--max-concurrent 2 --address local", {"max_concurrent": 2, "address": "local"}),
    ],
)
def test_only_the_resources_that_are_named_change_when_a_run_is_resumed(
    options: str, changes: dict[str, object], here: Path, store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    info = write_run(here / "run", store.folder)
    asked: list[tuple[Path, object]] = []

    def note(folder: Path, changes: object, watcher: object, confirm_seeds: int | None) -> RunInfo:
        asked.append((folder, changes))
        assert confirm_seeds is None
        return info

    monkeypatch.setattr(suite.search.engine, "resume_search", note)
    assert main(["resume", "run", *options.split()]) == 0
    assert asked == [(here / "run", changes)]


def test_a_run_may_be_resumed_with_more_confirming_seeds(
    here: Path, store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    info, asked = write_run(here / "run", store.folder), []

    def note(*arguments: object) -> RunInfo:
        asked.append(arguments[-1])
        return info

    monkeypatch.setattr(suite.search.engine, "resume_search", note)
    assert main(["resume", "run", "--confirm-seeds", "5"]) == 0
    assert asked == [5]


def test_a_report_without_room_is_one_sentence(
    here: Path, store: Store, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    info = write_run(here / "run", store.folder)

    def no_room(*_: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr("reports.html.page.write_report", no_room)
    assert resumed(monkeypatch, Path("run"), info) == 2
    assert capsys.readouterr().err == (
        "suite: run/report.html cannot be written (No space left on device); all else is kept: make room, "
        "then 'suite report run'\n"
    )


def test_a_search_without_a_finished_trial_has_failed(
    here: Path, store: Store, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    info = write_run(here / "run", store.folder, trial="diverged")
    assert resumed(monkeypatch, Path("run"), info) == 1
    assert capsys.readouterr().err == "suite: no trial finished; run/report.html says why\n"


def test_a_run_whose_data_is_gone_is_not_resumed(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    write_run(here / "run", here / "gone", run="interrupted")
    assert main(["resume", "run"]) == 2
    assert "gone holds no packed data" in capsys.readouterr().err


def test_a_report_is_written_where_it_is_asked_for(
    here: Path, store: Store, capsys: pytest.CaptureFixture[str]
) -> None:
    write_run(here / "run", store.folder)
    assert main(["report", "run", "-o", "mine.html"]) == 0
    assert capsys.readouterr().out == "mine.html\n"
    assert "<html" in (here / "mine.html").read_text(encoding="utf-8")
    assert not (here / "run" / "report.html").exists()


def test_the_profile_of_tiny_is_the_papers(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["profile", "tiny", "--json"]) == 0
    found: dict[str, Any] = json.loads(capsys.readouterr().out)
    assert (found["network"], found["params"], found["macs"]) == ("tiny", 934_869, found["macs_at_224"])
    assert main(["profile", "tiny", "--resolution", "64"]) == 0
    shown = capsys.readouterr().out
    assert "tiny at 64 pixels, 101 bins" in shown
    assert "934,869" in shown


def test_the_list_names_the_embedded_set_and_those_that_can_be_packed(
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert main(["data", "list"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert [line.split()[0] for line in lines] == [
        *("faces", "utkface", "lap2015", "lap2016", "appa-real", "appa-real-real", "morph", "afad", "agedb"),
        *("cacd2000", "fgnet", "scut-fbp", "scut-fbp5500", "manifest"),
    ]
    assert max(map(len, lines)) < 120


def test_a_packed_set_can_be_shown(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    photos = here / "UTKFace"
    photos.mkdir()
    for age in range(1, 31):
        pixels = np.full((40, 40, 3), 6 * age, np.uint8)
        Image.fromarray(pixels).save(
            photos / f"{age}_0_0_20170116174525{age:03d}.jpg.chip.jpg", format="JPEG"
        )
    (photos / "31_0_0_20170116174525031.jpg.chip.jpg").write_bytes(b"no image")
    pack = ["data", "pack", "utkface", "UTKFace", "-o", "packed", "--size", "32", "--workers", "1"]
    assert main(pack) == 2
    refused = capsys.readouterr().err
    assert (
        "1 of 31 images of UTKFace are missing, damaged or without required data, more than the 0.01"
        in refused
    )
    assert main([*pack, *shlex.split(refused.split("or add ")[1].split(" (")[0])]) == 0
    said = capsys.readouterr().out
    assert said.startswith("30 images of 32 pixels in ")
    assert "1 skipped, see " in said
    assert main(["data", "show", "packed", "-o", "sheet.png", "--columns", "5", "--rows", "2"]) == 0
    assert capsys.readouterr().out == "sheet.png\n"
    assert Image.open(here / "sheet.png").size[0] > 5 * 32


def test_a_manifest_is_packed_by_its_protocol(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    rows = ["path,value,subject"]
    for n in range(30):
        Image.new("RGB", (40, 40), (6 * n, 9, 9)).save(here / f"{n}.png")
        rows.append(f"{n}.png,{1 + n / 10},person {n // 3}")
    (here / "faces.csv").write_text("\n".join(rows))
    pack = (
        "data pack manifest faces.csv --size 32 --workers 1 --overwrite -o packed --attribute attractiveness"
    )
    assert main(pack.split()) == 0
    assert "nobody is in two splits" in capsys.readouterr().out
    tested = set()
    for fold in "123":
        assert (
            main([*pack.split(), "--protocol", "folds", "--folds", "3", "--fold", fold, "--seed", "7"]) == 0
        )
        assert f"Fold {fold} of 3 folds by person (seed 7) is the test split" in capsys.readouterr().out
        store = open_store(here / "packed")
        tested |= set(store.labels["source"][store.rows("test")])
    assert len(tested) == 30
    assert main([*pack.split(), "--protocol", "official"]) == 2
    assert "manifest has no official split (none)" in capsys.readouterr().err


def test_a_run_of_another_schema_version_is_refused(
    here: Path, store: Store, capsys: pytest.CaptureFixture[str]
) -> None:
    write_info(here / "empty", dataclasses.replace(info_of(store.folder), schema_version=99))
    assert main(["report", "empty"]) == 2
    assert "has schema version 99" in capsys.readouterr().err
