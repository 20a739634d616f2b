"""What the command line accepts, and the exit code of the answer."""

import argparse
import os
import subprocess
import sys

import pytest

import suite.cli.data
from suite import __version__
from suite.cli.main import main
from suite.errors import RequestError

HEAVY = ("torch", "ray", "pandas", "optuna", "numpy", "plotly", "rich")
COMMANDS = ("run", "resume", "report", "paper", "profile", "pretrain", "export", "compress", "predict")
COMMANDS += ("data list", "data pack", "data check", "data show")
COMMANDS += ("status", "submit", "job follow", "job stop", "manifest kuberay", "manifest slurm")


def exit_code(*arguments: str) -> object:
    """The exit code, whether it is returned or raised as argparse does."""
    try:
        return main(arguments)
    except SystemExit as end:
        return end.code


def test_help_and_usage_errors_load_no_heavy_package() -> None:
    requests = [["--help"], *([*command.split(), "--help"] for command in COMMANDS), ["run", "--trials", "0"]]
    program = (
        "import sys\n"
        "from suite.cli.main import main\n"
        f"for arguments in {requests!r}:\n"
        "    try:\n"
        "        main(arguments)\n"
        "    except SystemExit:\n"
        "        pass\n"
        f"print('loaded:', [name for name in {HEAVY!r} if name in sys.modules])\n"
    )
    answer = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert answer.stdout.splitlines()[0].startswith("usage: suite")
    assert answer.stdout.splitlines()[-1] == "loaded: []"


def test_help_names_every_command(capsys: pytest.CaptureFixture[str]) -> None:
    assert exit_code("--help") == 0
    text = capsys.readouterr().out
    assert all(f"\n    {command.split()[0]} " in text for command in COMMANDS)


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_has_a_help_page(command: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert exit_code(*command.split(), "--help") == 0
    assert capsys.readouterr().out.startswith(f"usage: suite {command}")


def test_the_version_is_the_packages(capsys: pytest.CaptureFixture[str]) -> None:
    assert exit_code("--version") == 0
    assert capsys.readouterr().out == f"suite {__version__}\n"


@pytest.mark.parametrize(
    ("arguments", "complaint"),
    [
        ("", "COMMAND"),
        ("rnu --search tiny", "invalid choice: 'rnu'"),
        ("run", "--search"),
        ("run --search tiny --nosuch 3", "--nosuch"),
        ("run --search tiny --trials 0", "'0' is not a whole number of at least 1"),
        ("run --search tiny --epochs 1.5", "'1.5' is not a whole number of at least 1"),
        ("run --search tiny --seed one", "'one'"),
        ("compress runs/x --trial t0000 --keep 0.5 --epochs -1", "'-1' is not a whole number of at least 0"),
        ("run --search tiny --max-concurrent -2", "'-2' is not a whole number of at least 1"),
        ("run --search tiny --cpus-per-trial=-1", "'-1' is not a number of at least 0"),
        ("run --search tiny --gpus-per-trial nan", "'nan' is not a number of at least 0"),
        ("resume", "RUN"),
        ("run --search tiny --gpus-per-trial 1.5", "neither a share of one GPU nor a whole number of them"),
        ("run --search tiny --out gs://b/x", "'gs://b/x' is neither a path nor an s3:// URL"),
        ("paper --seconds 0", "'0' is not a number above 0"),
        ("paper --seconds soon", "'soon' is not a number of at least 0"),
        ("profile huge", "invalid choice: 'huge'"),
        ("data", "VERB"),
        ("data pack utkface faces.zip", "-o/--output"),
    ],
)
def test_a_request_that_cannot_be_read_ends_with_2_and_says_what_is_wrong(
    arguments: str, complaint: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert exit_code(*arguments.split()) == 2
    assert complaint in capsys.readouterr().err.splitlines()[-1]


def test_a_wrong_request_is_one_line_and_ends_with_2(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def refuse(options: argparse.Namespace) -> int:
        raise RequestError("there is no such thing; name another")

    monkeypatch.setattr(suite.cli.data, "list_sets", refuse)
    assert exit_code("data", "list") == 2
    assert capsys.readouterr().err == "suite: there is no such thing; name another\n"


def test_ctrl_c_is_one_line_and_ends_with_130(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def interrupt(options: argparse.Namespace) -> int:
        raise KeyboardInterrupt

    monkeypatch.setattr(suite.cli.data, "list_sets", interrupt)
    assert exit_code("data", "list") == 130
    assert capsys.readouterr().err == "suite: interrupted\n"


def test_a_commands_own_exit_code_is_passed_on(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(suite.cli.data, "list_sets", lambda options: 1)
    assert exit_code("data", "list") == 1


def closed_pipe() -> int:
    """The writing end of a pipe that nobody reads."""
    reading, writing = os.pipe()
    os.close(reading)
    return writing


@pytest.mark.parametrize("unbuffered", ["", "1"])
@pytest.mark.parametrize("command", ["data list", "--help", "manifest slurm -- run --out x --search tiny"])
def test_a_reader_that_has_gone_is_no_fault_of_any_command(command: str, unbuffered: str) -> None:
    process = subprocess.run(
        [sys.executable, "-m", "suite.cli", *command.split()],
        env={**os.environ, "PYTHONUNBUFFERED": unbuffered},
        stdout=closed_pipe(),
        stderr=subprocess.PIPE,
        text=True,
        check=False,
    )
    assert (process.returncode, process.stderr) == (0, "")


def test_a_command_ends_as_it_would_although_nobody_reads_its_complaints() -> None:
    process = subprocess.run(
        [sys.executable, "-m", "suite.cli", "status", "nowhere"], stderr=closed_pipe(), check=False
    )
    assert process.returncode == 2


def test_a_full_disk_under_the_output_is_one_sentence() -> None:
    with open("/dev/full", "w") as full:
        process = subprocess.run(
            [sys.executable, "-m", "suite.cli", "data", "list"],
            stdout=full,
            stderr=subprocess.PIPE,
            text=True,
            check=False,
        )
    assert process.returncode == 2
    assert process.stderr == (
        "suite: standard output cannot be written to (No space left on device); send it to another place\n"
    )


def test_closed_streams_are_none_of_the_commands_business() -> None:
    command = f"{sys.executable} -m suite.cli data list >&- 2>&-"
    assert subprocess.run(command, shell=True, check=False).returncode == 0


def test_words_of_the_command_line_are_shown_without_control_characters(
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert exit_code("profile", "tiny", "--\x1b[31m", "a\nsuite: done") == 2
    assert capsys.readouterr().err.splitlines()[-1].endswith("arguments: --\\x1b[31m a\\nsuite: done")
