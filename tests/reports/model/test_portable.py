"""What a report says of the place where a run was made: names, and nothing that tells where somebody lives."""

import dataclasses
import json
import re

import pytest

from reports.html.page import page
from reports.html.page_of_runs import page_of_runs
from reports.model.portable import portable, portable_location
from suite.runs.info import Resources
from suite.runs.tables import Run
from tests.support.synthetic_runs import MakeRun

PRIVATE = ("jdoe", "/home", "/scratch", "10.1.2.3", "bucket-of-jdoe", "secret place")


@pytest.fixture
def at_home(make_run: MakeRun) -> Run:
    run = make_run(trials=4, statuses=["finished", "finished", "failed", "diverged"])
    info = run.info
    changed = dataclasses.replace(
        info,
        command=[
            *(
                "suite",
                "run",
                "--search",
                "/home/jdoe/spaces/mine.yaml",
                "--data",
                "/home/jdoe/secret place/faces",
            ),
            *("--out=s3://bucket-of-jdoe/runs/a", "--out", "/scratch/jdoe/run", "--address", "10.1.2.3:6379"),
            *("--set", "base.backbone=/home/jdoe/vgg.pth", "--parent", "/home/jdoe/runs/a:t0000"),
        ],
        search_file="/home/jdoe/spaces/mine.yaml",
        search={
            **info.search,
            "data": "/home/jdoe/secret place/faces",
            "base": {"backbone": "~/jdoe/vgg.pth", "teacher": "s3://bucket-of-jdoe/x/t.safetensors"},
            "vary": {"backbone": {"choices": ["/home/jdoe/a.pth", "/home/jdoe/b.pth"]}},
        },
        data=dataclasses.replace(
            info.data, folder="/home/jdoe/secret place/faces", origin="from /home/jdoe/x"
        ),
        resources=Resources(address="10.1.2.3:6379"),
    )
    trials = run.trials.assign(
        backbone="/home/jdoe/vgg.pth",
        cause=[
            "",
            "FileNotFoundError: '/home/jdoe/secret place/faces/images.npy'",
            "OSError: /scratch/jdoe/run/weights/t0 is gone (/home/jdoe/x)",
            "see s3://bucket-of-jdoe/x",
        ],
    )
    return dataclasses.replace(run, info=changed, trials=trials)


def own(html: str) -> str:
    """The page without the library that it contains."""
    return re.sub(r"<script>.*?</script>", "", html, flags=re.DOTALL)


def test_a_report_shows_no_path_and_no_address(at_home: Run) -> None:
    for location in (None, "s3://bucket-of-jdoe/runs/a?endpoint_override=10.1.2.3:9", "/home/jdoe/runs/a"):
        html = own(page(at_home, location=location))
        assert [word for word in PRIVATE if word in html] == []
        assert at_home.folder.as_posix() not in html
    several = own(page_of_runs([at_home, at_home]))
    assert [word for word in PRIVATE if word in several] == []


ANNA = "/home/Anna Smith/w.safetensors"


@pytest.mark.parametrize(
    ("cause", "shown"),
    [
        (f"RequestError: {ANNA} is gone", "RequestError: w.safetensors is gone"),
        ("OSError: /home/Anna Smith/other/x.npy is gone", "OSError: x.npy is gone"),
        ("OSError: '/mnt/Anna Smith/my files/x.npy' is gone", "OSError: 'x.npy' is gone"),
        ("OSError: /srv/of anna/run/weights/t0 is gone", "OSError: t0 is gone"),
        ("no answer from 10.0.0.5:6379, [fe80::1]:80", "no answer from (address), (address)"),
        ("no answer from anna@head.example.org:22 or head:6379", "no answer from (address) or (address)"),
        (
            "ValueError: epoch:12, trainer.py:1203, 2.13.0, 12:30",
            "ValueError: epoch:12, trainer.py:1203, 2.13.0, 12:30",
        ),
    ],
)
def test_a_sentence_tells_neither_the_home_nor_a_host(make_run: MakeRun, cause: str, shown: str) -> None:
    run = make_run(trials=2)
    run = dataclasses.replace(
        run,
        info=dataclasses.replace(run.info, command=["suite", "run", "--set", "data=/srv/of anna/run"]),
        trials=run.trials.assign(cause=cause, teacher=ANNA),
    )
    read = portable(run).trials.iloc[0]
    assert (read["cause"], read["teacher"]) == (shown, "w.safetensors")


def test_an_abbreviated_option_is_left_out_as_its_whole_name_is(make_run: MakeRun) -> None:
    run = make_run(trials=2)
    private = ["--addr", "10.0.0.5:6379", "--addres=head:1", "--ou", "x", "-oy", "-o", "z"]
    info = dataclasses.replace(run.info, command=["suite", "run", *private, "--or-resume", "--seed", "3"])
    command = portable(dataclasses.replace(run, info=info)).info.command
    assert command == ["suite", "run", "--or-resume", "--seed", "3"]


def test_a_report_of_several_runs_for_oneself_shows_everything(at_home: Run) -> None:
    html = own(page_of_runs([at_home, at_home], full_provenance=True))
    for part in ("/home/jdoe/spaces/mine.yaml", "--address 10.1.2.3:6379", at_home.folder.as_posix()):
        assert part in html


def test_a_report_keeps_what_provenance_needs(at_home: Run) -> None:
    html = own(page(at_home))
    for part in ("mine.yaml", "vgg.pth", "faces", at_home.info.data.fingerprint, at_home.info.git_revision):
        assert part in html
    assert "--full-provenance" in html


def test_a_report_for_oneself_shows_everything(at_home: Run) -> None:
    html = own(page(at_home, full_provenance=True, location="/home/jdoe/runs/a"))
    for part in ("/home/jdoe/spaces/mine.yaml", "--address 10.1.2.3:6379", "/home/jdoe/runs/a"):
        assert part in html
    assert "--full-provenance" not in html


def test_relative_paths_and_ordinary_text_stay(make_run: MakeRun) -> None:
    run = make_run(trials=3)
    assert json.dumps(dataclasses.asdict(portable(run).info)) == json.dumps(dataclasses.asdict(run.info))
    for text in ("runs/tiny", "a run", "1/2 and 3 / 4", "and/or"):
        assert portable_location(text) == text


@pytest.mark.timeout(20)
def test_a_long_word_is_read_once(at_home: Run) -> None:
    info = dataclasses.replace(at_home.info, ended_early="a" * 300_000)
    assert portable(dataclasses.replace(at_home, info=info)).info.ended_early == "a" * 300_000
