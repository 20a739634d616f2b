"""``suite report``: where it is written, and what it refuses."""

import dataclasses
import errno
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from reports.html.page import write_page
from suite.cli.main import main
from suite.data.store import Store
from suite.runs.info import write_info
from tests.support.run_folders import info_of, write_run
from tests.support.shared_runs import shared_run
from tests.support.synthetic_runs import confirmed_run, synthetic_run


@pytest.mark.parametrize("output", ["nosuch/report.html", "empty"])
def test_a_report_that_cannot_be_written_is_one_sentence(
    output: str, here: Path, store: Store, capsys: pytest.CaptureFixture[str]
) -> None:
    write_run(here / "run", store.folder)
    before = sorted(here.iterdir())
    assert main(["report", "run", "-o", output]) == 2
    assert sorted(here.iterdir()) == before
    assert capsys.readouterr().err.startswith(f"suite: {output} cannot be written (")


@pytest.mark.parametrize("seconds", ["1e300", "inf", "0", "nan"])
def test_a_pause_that_no_clock_has_is_a_wrong_request(
    seconds: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as ended:
        main(["report", "run", "--follow", seconds])
    assert ended.value.code == 2
    assert seconds in capsys.readouterr().err


@pytest.mark.parametrize("tolerance", ["0", "-1", "inf", "nan", "wide"])
def test_a_tolerance_that_is_no_distance_is_a_wrong_request(
    tolerance: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as ended:
        main(["report", "run", f"--tolerance={tolerance}"])
    assert ended.value.code == 2
    assert f"'{tolerance}' is not a number" in capsys.readouterr().err


def test_a_tolerance_goes_with_one_run(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["report", "run", "other", "--tolerance", "0.5"]) == 2
    assert (
        capsys.readouterr().err == "suite: --tolerance goes with one run; leave it out to compare several\n"
    )


def test_the_reader_says_how_far_from_the_best_a_network_may_be(tmp_path: Path) -> None:
    run = confirmed_run(lambda **changes: synthetic_run(tmp_path, **changes))
    run.trials.to_parquet(tmp_path / "trials.parquet", index=False)
    assert main(["report", str(tmp_path), "--tolerance", "1"]) == 0
    html = (tmp_path / "report.html").read_text(encoding="utf-8")
    assert "may be the best and within 1 year of it" in html


def test_a_tolerance_that_changes_nothing_is_said_to(
    here: Path, store: Store, capsys: pytest.CaptureFixture[str]
) -> None:
    write_run(here / "run", store.folder)
    assert main(["report", "run", "--tolerance", "1"]) == 0
    said = capsys.readouterr()
    assert said.out == "run/report.html\n"
    assert said.err.startswith("--tolerance has no effect: no network of this run is confirmed")


def test_a_report_is_written_where_it_is_asked_for(
    here: Path, store: Store, capsys: pytest.CaptureFixture[str]
) -> None:
    write_run(here / "run", store.folder)
    assert main(["report", "run", "-o", "mine.html"]) == 0
    assert capsys.readouterr().out == "mine.html\n"
    assert "<html" in (here / "mine.html").read_text(encoding="utf-8")
    assert not (here / "run" / "report.html").exists()


def test_a_run_that_shares_weights_has_its_numbers_printed(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    run = shared_run(lambda **options: synthetic_run(tmp_path, **options), confirmed=["procedure"])
    run.trials.to_parquet(tmp_path / "trials.parquet", index=False)
    assert main(["report", str(tmp_path)]) == 0
    path, *lines = capsys.readouterr().out.splitlines()
    assert path == str(tmp_path / "report.html")
    assert any("Kendall's tau-b of" in line for line in lines)
    assert "Weight sharing" in (tmp_path / "report.html").read_text(encoding="utf-8")


def test_a_damaged_table_of_slices_leaves_the_report_with_a_note(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    run = shared_run(lambda **options: synthetic_run(tmp_path, **options))
    run.trials.to_parquet(tmp_path / "trials.parquet", index=False)
    (tmp_path / "scored.parquet").write_bytes(b"PAR1" + bytes(400))
    assert main(["report", str(tmp_path)]) == 0
    assert "scored.parquet cannot be read (" in capsys.readouterr().out


def test_a_run_of_another_schema_version_is_refused(
    here: Path, store: Store, capsys: pytest.CaptureFixture[str]
) -> None:
    write_info(here / "empty", dataclasses.replace(info_of(store.folder), schema_version=99))
    assert main(["report", "empty"]) == 2
    assert "has schema version 99" in capsys.readouterr().err


def test_a_full_disk_leaves_no_part_of_a_report_and_keeps_the_one_before(
    here: Path, store: Store, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    write_run(here / "run", store.folder)
    (here / "run" / "report.html").write_text("before")
    files = sorted(here.rglob("*"))

    def no_room(path: Path, content: bytes) -> int:
        with path.open("wb") as file:
            file.write(content[: len(content) // 2])
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(Path, "write_bytes", no_room)
    assert main(["report", "run"]) == 2
    assert "run/report.html cannot be written (No space left" in capsys.readouterr().err
    assert sorted(here.rglob("*")) == files
    assert (here / "run" / "report.html").read_text() == "before"


def test_two_reports_of_one_run_at_once_do_not_disturb_each_other(here: Path, store: Store) -> None:
    write_run(here / "run", store.folder)
    with ThreadPoolExecutor(4) as threads:
        ended = list(threads.map(lambda _: write_page("<html>" + "x" * 100_000, here / "r.html"), range(40)))
    assert ended == [None] * 40
    assert [file.name for file in here.glob("*r.html*")] == ["r.html"]


def test_a_report_shows_paths_only_where_they_are_asked_for(here: Path, store: Store) -> None:
    write_run(here / "run", store.folder)
    assert main(["report", "run", "-o", "shared.html"]) == 0
    assert main(["report", "run", "-o", "own.html", "--full-provenance"]) == 0
    assert str(store.folder) not in (here / "shared.html").read_text(encoding="utf-8")
    assert str(store.folder) in (here / "own.html").read_text(encoding="utf-8")
