"""Jobs on a local head node with token authentication."""

import os
import secrets
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import pytest

from suite.cli.main import build_parser, main
from suite.cli.overrides import overrides
from suite.cluster import submission
from suite.cluster.remote_run import remote_run
from suite.data.store import Store
from suite.errors import RequestError
from suite.runs.tables import read_run
from tests.support.drivers import SPACE

REPOSITORY = Path(__file__).parents[2]


@pytest.mark.parametrize(
    ("request_made", "complaint"),
    [
        (
            "submit --address head:8265 -- run --search tiny --out /a",
            "'head:8265' is not the address of a dashboard",
        ),
        ("submit -- run --search tiny", "the run has no --out"),
        ("submit -- run --search nosuch --out /a", '"nosuch" is neither'),
        ("submit --address http://127.0.0.1:9 -- run --search tiny --out /a", "no Ray dashboard answers at"),
        ("job follow some --address http://127.0.0.1:9", "no Ray dashboard answers at"),
    ],
)
def test_a_run_that_cannot_be_submitted_is_refused_in_one_sentence(
    request_made: str, complaint: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    pytest.importorskip("aiohttp", reason="jobs need ray[default] (pip install 'suite[cluster]')")
    monkeypatch.setenv("RAY_API_SERVER_ADDRESS", "")  # and what is set is restored afterwards
    assert main(request_made.split()) == 2
    said = capsys.readouterr()
    assert (said.out, len(said.err.splitlines())) == ("", 1)
    assert complaint in said.err


@pytest.mark.parametrize(
    "command", ["submit", "submit --", "manifest slurm", "manifest kuberay --image i --"]
)
def test_a_missing_run_is_reported(command: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit, match="2"):
        main(command.split())
    assert "nothing is sent; write the run behind --" in capsys.readouterr().err


@pytest.mark.parametrize("named", [["--data", "packed"], ["--set", "data=packed"]])
def test_data_that_the_cluster_cannot_see_is_refused(named: list[str]) -> None:
    request_made = ["run", "--search", "tiny", "--out", "/runs/a", *named]
    run = remote_run(
        request_made,
        search="tiny",
        out="/runs/a",
        address=None,
        settings=overrides(build_parser().parse_args(request_made)),
    )
    with pytest.raises(RequestError, match="data packed of the run is a path of this machine"):
        submission.submit(None, "http://head:8265", run, None)


def test_without_rays_client_the_optional_dependency_is_named(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    assert main(["submit", "--", "run", "--search", "tiny", "--out", "/a"]) == 2
    assert "pip install 'suite[cluster]'" in capsys.readouterr().err


class LoggedJob:
    """A client of a cluster with one job, which has written a log and may still run."""

    def __init__(self, log: Sequence[str], status: str) -> None:
        self._log, self.status, self.driver_exit_code = log, status, 0

    async def tail_job_logs(self, job: str) -> AsyncIterator[str]:
        for piece in self._log:
            yield piece

    def get_job_status(self, job: str) -> "LoggedJob":
        return self

    def is_terminal(self) -> bool:
        return self.status != "RUNNING"

    def get_job_info(self, job: str) -> "LoggedJob":
        return self


def test_a_log_keeps_its_lines_and_loses_its_control_characters(capsys: pytest.CaptureFixture[str]) -> None:
    pytest.importorskip("aiohttp")
    job = LoggedJob(["epoch 1\nt0000\x1b]52;c;", "aGk=\x07 ended\n"], "SUCCEEDED")
    assert submission.follow(job, "http://head:8265", "some") == 0
    assert capsys.readouterr().out == "epoch 1\nt0000\\x1b]52;c;aGk=\\x07 ended\n"


def test_a_job_is_not_followed_when_nobody_reads_its_log(monkeypatch: pytest.MonkeyPatch) -> None:
    """As behind ``| head -3``; the job itself goes on."""
    pytest.importorskip("aiohttp")
    monkeypatch.setattr(submission, "print_log", lambda text: False)
    assert submission.follow(LoggedJob(["epoch 1\n"], "RUNNING"), "http://head:8265", "some") == 0


@dataclass(frozen=True)
class Head:
    """A head node, and how a terminal on another machine sees it."""

    address: str  # of its dashboard
    client_address: str  # of Ray's client server
    token: str
    folder: Path

    def suite(self, *arguments: str, token: str | None = None) -> subprocess.Popen[str]:
        """A ``suite`` command with a token, by default the right one; "" for none."""
        environment = {name: value for name, value in os.environ.items() if not name.startswith("RAY_")}
        environment |= {"RAY_AUTH_MODE": "token", "HOME": str(self.folder), "PYTHONPATH": str(REPOSITORY)}
        if chosen := self.token if token is None else token:
            environment["RAY_AUTH_TOKEN"] = chosen
        return subprocess.Popen(
            [sys.executable, "-m", "suite.cli", *arguments],
            cwd=self.folder,
            env=environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
        )

    def answer(self, *arguments: str, token: str | None = None) -> tuple[int, str, str]:
        """Exit code, output and errors of a command that ends by itself."""
        process = self.suite(*arguments, token=token)
        out, err = process.communicate(timeout=400)
        return process.returncode, out, err


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


@pytest.fixture(scope="module")
def head(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Head]:
    """``ray start --head`` with a dashboard and a token, in a folder of its own."""
    pytest.importorskip(
        "aiohttp_cors", reason="a dashboard needs ray[default] (pip install 'suite[cluster]')"
    )
    folder = tmp_path_factory.mktemp("head")
    token, ports = secrets.token_hex(32), [free_port() for _ in range(4)]
    environment = {name: value for name, value in os.environ.items() if not name.startswith("RAY_")}
    environment |= {
        "RAY_AUTH_MODE": "token",
        "RAY_AUTH_TOKEN": token,
        "RAY_USAGE_STATS_ENABLED": "0",
        "HOME": str(folder),
        "PYTHONPATH": str(REPOSITORY),
        "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}",
        "SUITE_CACHE": str(folder / "cache"),
    }
    ray = [sys.executable, "-m", "ray.scripts.scripts", "start", "--head", "--block", "--num-cpus=2"]
    ray += [f"--port={ports[0]}", f"--dashboard-port={ports[1]}", f"--dashboard-agent-listen-port={ports[2]}"]
    # Sockets have short names: a folder of pytest's is too deep for them.
    session = Path("/tmp") / f"suite-head-{os.getpid()}"
    with (folder / "ray.log").open("w") as log:
        process = subprocess.Popen(
            [
                *ray,
                "--node-ip-address=127.0.0.1",
                f"--ray-client-server-port={ports[3]}",
                f"--temp-dir={session}",
            ],
            env=environment,
            stdout=log,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
    try:
        made = Head(f"http://127.0.0.1:{ports[1]}", f"ray://127.0.0.1:{ports[3]}", token, folder)
        patience_ends = time.monotonic() + 180
        while made.answer("job", "follow", "nosuch", "--address", made.address)[2].find("does not take") < 0:
            assert process.poll() is None, (folder / "ray.log").read_text()
            assert time.monotonic() < patience_ends, (folder / "ray.log").read_text()
            time.sleep(1)
        yield made
    finally:
        process.terminate()
        try:
            process.wait(timeout=60)
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)
        shutil.rmtree(session, ignore_errors=True)


@pytest.fixture
def space(head: Head, store: Store) -> str:
    """A search space of the person's own, which the cluster does not have."""
    (head.folder / "my space.yaml").write_text(
        SPACE.format(data=store.folder).replace("trials: 7", "trials: 3")
    )
    return "my space.yaml"


@pytest.mark.slow
@pytest.mark.timeout(900)
def test_a_submitted_search_is_followed_to_its_end_and_continues_when_submitted_again(
    head: Head, space: str
) -> None:
    out = head.folder / "runs" / "a b"
    request_made = ["--", "run", "--search", space, "--out", str(out)]
    code, said, errors = head.answer("submit", "--address", head.address, "--name", "first", *request_made)
    assert code == 0, (said, errors)
    assert said.startswith(f"sent as first to {head.address}; its run folder: {out}\n")
    assert "3 trials in " in said
    assert f"Report: {out}/report.html" in said
    run = read_run(out)
    assert (run.info.status, len(run.trials), run.info.resources.address) == ("finished", 3, "auto")
    code, again, _ = head.answer("submit", "--address", head.address, *request_made)
    assert (code, "3 trials in " in again) == (0, True)
    assert list(read_run(out).trials["started"]) == list(run.trials["started"])
    code, followed, _ = head.answer("job", "follow", "first", "--address", head.address)
    assert code == 0
    assert said.endswith(followed)


@pytest.mark.slow
@pytest.mark.timeout(600)
def test_the_exit_code_is_the_jobs(head: Head, space: str, store: Store) -> None:
    gone = ["run", "--search", space, "--data", "/nosuch", "--out", str(head.folder / "runs" / "gone")]
    code, said, _ = head.answer("submit", "--address", head.address, "--", *gone)
    assert code == 2
    assert 'data is "/nosuch"' in said
    none = [
        "run",
        "--search",
        space,
        "--set",
        "learning_rate=1e30",
        "--out",
        str(head.folder / "runs" / "none"),
    ]
    code, said, _ = head.answer("submit", "--address", head.address, "--", *none)
    assert (code, "no trial finished" in said) == (1, True)
    relative = ["run", "--search", space, "--out", "runs/here"]
    code, _, refused = head.answer("submit", "--address", head.address, "--", *relative)
    assert (code, "deleted when the job ends" in refused) == (2, True)
    code, _, refused = head.answer(
        "submit", "--address", head.address, "--name", "twice", "--no-follow", "--", *gone
    )
    assert code == 0
    code, _, refused = head.answer(
        "submit", "--address", head.address, "--name", "twice", "--no-follow", "--", *gone
    )
    assert (code, len(refused.splitlines())) == (2, 1), refused


@pytest.mark.slow
@pytest.mark.timeout(300)
@pytest.mark.parametrize(("token", "complaint"), [("", "token"), ("ab" * 32, "refuses the token")])
def test_a_wrong_or_missing_token_is_refused_in_one_sentence(head: Head, token: str, complaint: str) -> None:
    request_made = ["run", "--search", "tiny", "--out", "/nosuch/a"]
    code, said, errors = head.answer("submit", "--address", head.address, "--", *request_made, token=token)
    assert (code, said, len(errors.splitlines())) == (2, "", 1), errors
    assert complaint in errors
    assert "RAY_AUTH_TOKEN" in errors


@pytest.mark.slow
@pytest.mark.timeout(900)
def test_ctrl_c_stops_the_log_and_stop_stops_the_job(head: Head, space: str) -> None:
    out = head.folder / "runs" / "stopped"
    request_made = ["run", "--search", space, "--trials", "50", "--out", str(out)]
    following = head.suite("submit", "--address", head.address, "--name", "long", "--", *request_made)
    assert following.stdout is not None
    while " done, " not in (line := following.stdout.readline()):
        assert line, following.communicate()
    following.send_signal(signal.SIGINT)
    _, errors = following.communicate(timeout=60)
    assert following.returncode == 130
    assert f"  suite job stop long --address {head.address}" in errors
    assert read_run(out).info.status == "running"
    code, said, _ = head.answer("job", "stop", "long", "--address", head.address)
    assert (code, said.startswith("long is stopping")) == (0, True)
    code, said, errors = head.answer("job", "follow", "long", "--address", head.address)
    assert (code, "long was stopped; what has finished is kept" in errors) == (1, True)
    assert "Interrupted; everything that had finished is in" in said
    assert read_run(out).info.status == "interrupted"


@pytest.mark.slow
@pytest.mark.timeout(900)
def test_a_driver_outside_the_cluster_searches_and_continues_after_ctrl_c(head: Head, space: str) -> None:
    where = ["--address", head.client_address]
    driver = head.suite(
        "run",
        "--search",
        space,
        "--trials",
        "6",
        "--confirm-seeds",
        "2",
        "--confirm-epochs",
        "1x",
        "--out",
        "by",
        *where,
    )
    assert driver.stderr is not None
    said_so_far = [driver.stderr.readline()]
    while " 2 of " not in said_so_far[-1]:
        assert said_so_far[-1], said_so_far
        said_so_far.append(driver.stderr.readline())
    driver.send_signal(signal.SIGINT)
    _, errors = driver.communicate(timeout=120)
    assert driver.returncode == 130, errors
    code, said, errors = head.answer("resume", "by")
    assert code == 0, (said, errors)
    run = read_run(head.folder / "by")
    assert run.info.resources.address == head.client_address
    assert (run.trials["status"] == "finished").all()
    assert (run.trials["stage"] == "search").sum() == 6
    assert (run.trials["stage"] == "confirm").sum() % 2 == 0
    weights = {path.stem for path in (head.folder / "by" / "weights").glob("*.safetensors")}
    assert set(run.trials["id"]) <= weights


@pytest.mark.slow
@pytest.mark.timeout(300)
def test_a_driver_without_the_token_is_refused_in_one_sentence(head: Head, space: str) -> None:
    where = ["--address", head.client_address, "--out", "refused"]
    code, said, errors = head.answer("run", "--search", space, *where, token="ab" * 32)
    assert code == 2, (said, errors)
    assert "Traceback" not in errors
    assert not (head.folder / "refused").exists()
