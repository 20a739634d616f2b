"""Sweeps as jobs of a running Ray cluster: send one, follow its log, stop it.

The head's dashboard answers at an ``http://`` address (Ray's Jobs API). A cluster with token authentication,
which Ray starts by default where there is a token, asks for it; it is looked for where Ray itself looks.
"""

import asyncio
import importlib.util
import logging
import os
import shlex
import shutil
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path, PurePosixPath
from typing import Any

from suite.cluster.remote_run import RemoteRun
from suite.errors import RequestError
from suite.exit_codes import ExitCode
from suite.search.tune.token import token_mode

#: The search space of the run in the folder that the job begins in.
SEARCH = "search.yaml"
#: Seconds in which a job that is stopped writes what it has; Ray's own 3 are too few.
STOP_SECONDS = 120
RECONNECT_SECONDS = 2.0


def client_of(address: str) -> Any:
    """Ray's client for the jobs of a cluster.

    Raises:
        RequestError: nobody answers at the address, or the token is missing or wrong.
    """
    if importlib.util.find_spec("aiohttp") is None:
        raise RequestError("jobs need more of Ray than is installed; pip install 'suite[cluster]'")
    if not address.startswith(("http://", "https://")):
        raise RequestError(
            f"{address!r} is no address of a dashboard; write it as http://HEAD:8265, as 'ray start' "
            "prints it"
        )
    os.environ.update(token_mode())
    os.environ["RAY_API_SERVER_ADDRESS"] = address  # else RAY_ADDRESS goes before what was asked for
    from ray.job_submission import JobSubmissionClient

    for module in ("dashboard_sdk", "job.sdk"):  # they tell of every package that they pack
        logging.getLogger(f"ray.dashboard.modules.{module}").setLevel(logging.ERROR)
    with jobs_asked(address):
        return JobSubmissionClient(address)


@contextmanager
def jobs_asked(address: str) -> Iterator[None]:
    """What goes wrong with a request to a cluster inside is one sentence.

    Raises:
        RequestError: something did.
    """
    import requests
    from ray.exceptions import AuthenticationError

    try:
        yield
    except AuthenticationError as error:
        fault = "lacks a token" if "required" in str(error).split("\n")[0] else "refuses the token"
        raise RequestError(
            f"{address} {fault}; set RAY_AUTH_TOKEN, or RAY_AUTH_TOKEN_PATH to a file with it, to the "
            "token that 'ray get-auth-token' prints on the head"
        ) from None
    except (ConnectionError, requests.exceptions.RequestException):
        raise RequestError(
            f"no Ray dashboard answers at {address}; start the head with 'ray start --head' and Ray's "
            "dashboard (pip install 'ray[default]'), or name its address with --address"
        ) from None
    except RuntimeError as error:
        raise RequestError(f"{address} does not take the request ({_first_line(error)})") from None


def submit(client: Any, address: str, run: RemoteRun, name: str | None) -> str:
    """Send a run and return the job's name.

    Raises:
        RequestError: the run's files would not be where the job looks, or the cluster does not take it.
    """
    if not run.out.startswith("s3://") and not PurePosixPath(run.out).is_absolute():
        raise RequestError(
            f"--out {run.out} of the run would lie in the job's own folder, which goes when it ends; name "
            "an absolute path on the cluster's storage, or an s3:// URL"
        )
    if run.packed is not None and not PurePosixPath(run.packed).is_absolute():
        raise RequestError(
            f"data {run.packed} of the run is a path of this machine; put the packed set on the cluster's "
            "storage, and name it by its absolute path there"
        )
    if name is not None and _is_taken(client, address, name):
        raise RequestError(f"{address} has a job {name} already; give this one another --name, or none")
    with tempfile.TemporaryDirectory(prefix="suite-") as folder, jobs_asked(address):
        environment: dict[str, Any] = {"env_vars": {"RAY_JOB_STOP_WAIT_TIME_S": str(STOP_SECONDS)}}
        if run.search_file is not None:
            shutil.copyfile(run.search_file, Path(folder) / SEARCH)
            environment["working_dir"] = folder
        command = run.command(None if run.search_file is None else SEARCH)
        sent_as: str = client.submit_job(
            entrypoint=shlex.join(["python", "-m", "suite.cli", *command]),
            submission_id=name,
            runtime_env=environment,
            metadata={"suite_out": run.out},
        )
    return sent_as


def follow(client: Any, address: str, job: str) -> int:
    """Print the log of a job until it ends; the exit code is the job's own: 0, 1 or 2.

    Ctrl-C ends the following and not the job; the exit code is then 130.

    Raises:
        RequestError: the cluster has no such job, or went away.
    """
    again = f"--address {shlex.quote(address)}"
    try:
        with jobs_asked(address):
            client.get_job_status(job)
            asyncio.run(_print_log(client, job))
            ended = client.get_job_info(job)
    except KeyboardInterrupt:
        print(
            f"\nThe job goes on. Follow it again, or stop it:\n"
            f"  suite job follow {shlex.quote(job)} {again}\n  suite job stop {shlex.quote(job)} {again}",
            file=sys.stderr,
        )
        return ExitCode.INTERRUPTED
    return _code_of(ended, job)


def stop(client: Any, address: str, job: str) -> int:
    """Have a job end as by Ctrl-C: what had finished is kept.

    Raises:
        RequestError: the cluster has no such job.
    """
    with jobs_asked(address):
        stopped: bool = client.stop_job(job)
    if not stopped:
        print(f"{job} had ended before")
        return ExitCode.DONE
    print(f"{job} is asked to stop; it has {STOP_SECONDS} s to write what it has")
    return ExitCode.DONE


def _is_taken(client: Any, address: str, name: str) -> bool:
    with jobs_asked(address):
        return any(job.submission_id == name for job in client.list_jobs())


async def _print_log(client: Any, job: str) -> None:
    """The log to the job's end; where the connection breaks, it goes on after what was printed."""
    import aiohttp

    printed = 0
    while True:
        seen = 0
        try:
            async for lines in client.tail_job_logs(job):
                new = lines[max(0, printed - seen) :]
                seen += len(lines)
                printed = max(printed, seen)
                sys.stdout.write(new)
                sys.stdout.flush()
        except (aiohttp.ClientError, RuntimeError):
            pass  # whether the cluster is still there, the next question tells
        if client.get_job_status(job).is_terminal():
            return
        await asyncio.sleep(RECONNECT_SECONDS)


def _code_of(ended: Any, job: str) -> int:
    status = str(getattr(ended.status, "value", ended.status))
    if status == "SUCCEEDED":
        return ExitCode.DONE
    code = ended.driver_exit_code
    if status == "STOPPED":
        print(f"suite: {job} was stopped; what had finished is kept", file=sys.stderr)
    elif code is None:
        print(f"suite: {job} failed ({_first_line(ended.message or 'no cause given')})", file=sys.stderr)
    return ExitCode(code) if code in (ExitCode.FAILED, ExitCode.WRONG_REQUEST) else ExitCode.FAILED


def _first_line(error: object) -> str:
    return str(error).strip().split("\n")[0].rstrip(".")
