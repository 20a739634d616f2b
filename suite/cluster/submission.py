"""Searches as jobs of a running Ray cluster: submit a job, follow its log, stop it.

The dashboard of the head node serves Ray's Jobs API at an ``http://`` address. A cluster with token authentication,
the default of Ray if there is a token, requires the token; it is read from where Ray itself reads it.
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
from suite.printable import print_line, print_log
from suite.search.tune.token import check_token, token_mode

#: The search space of the run in the folder in which the job starts.
SEARCH = "search.yaml"
#: Seconds that a stopped job has to write its results; Ray's default of 3 is too short.
STOP_SECONDS = 120
RECONNECT_SECONDS = 2.0


def connect(address: str) -> Any:
    """Connect to the Jobs API of a cluster, and return Ray's client.

    Raises:
        RequestError: No dashboard answers at the address, or the token is missing or wrong.
    """
    if importlib.util.find_spec("aiohttp") is None:
        raise RequestError(
            "jobs need more of Ray than is installed; install it with pip install 'suite[cluster]'"
        )
    if not address.startswith(("http://", "https://")):
        raise RequestError(
            f"{address!r} is not the address of a dashboard; write it as http://HEAD:8265, the form that "
            "'ray start' prints"
        )
    check_token()
    os.environ.update(token_mode())
    os.environ["RAY_API_SERVER_ADDRESS"] = address  # otherwise RAY_ADDRESS would take precedence
    from ray.job_submission import JobSubmissionClient

    for module in ("dashboard_sdk", "job.sdk"):  # they log every package that they upload
        logging.getLogger(f"ray.dashboard.modules.{module}").setLevel(logging.ERROR)
    with explain_job_errors(address):
        return JobSubmissionClient(address)


@contextmanager
def explain_job_errors(address: str) -> Iterator[None]:
    """Turn the errors of a request to a cluster into one sentence.

    Raises:
        RequestError: The request failed.
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
    """Submit a run, and return the name of the job.

    Raises:
        RequestError: The job would not find the run's files, or the cluster refuses the job.
    """
    if not run.out.startswith("s3://") and not PurePosixPath(run.out).is_absolute():
        raise RequestError(
            f"--out {run.out} of the run would be in the job's own folder, which is deleted when the job ends; "
            "name an absolute path on the cluster's storage, or an s3:// URL"
        )
    if run.packed is not None and not PurePosixPath(run.packed).is_absolute():
        raise RequestError(
            f"data {run.packed} of the run is a path of this machine; put the packed set on the cluster's "
            "storage, and name it by its absolute path there"
        )
    if name is not None and _is_taken(client, address, name):
        raise RequestError(f"{address} already has a job {name}; give this one another --name, or none")
    with tempfile.TemporaryDirectory(prefix="suite-") as folder, explain_job_errors(address):
        environment: dict[str, Any] = {"env_vars": {"RAY_JOB_STOP_WAIT_TIME_S": str(STOP_SECONDS)}}
        if run.search_file is not None:
            shutil.copyfile(run.search_file, Path(folder) / SEARCH)
            environment["working_dir"] = folder
        command = run.command(None if run.search_file is None else SEARCH)
        job: str = client.submit_job(
            entrypoint=shlex.join(["python", "-m", "suite.cli", *command]),
            submission_id=name,
            runtime_env=environment,
            metadata={"suite_out": run.out},
        )
    return job


def follow(client: Any, address: str, job: str) -> int:
    """Print the log of a job until the job ends.

    Ctrl-C stops the printing and not the job.

    Returns:
        The exit code of the job (0, 1 or 2), or 130 after Ctrl-C; 0 if nobody reads the log any more.

    Raises:
        RequestError: The cluster has no such job, or can no longer be reached.
    """
    options = f"--address {shlex.quote(address)}"
    try:
        with explain_job_errors(address):
            client.get_job_status(job)
            printed = asyncio.run(_print_log(client, job))
            ended = client.get_job_info(job)
    except KeyboardInterrupt:
        for line in (
            "",
            "The job continues. Follow it again, or stop it:",
            f"  suite job follow {shlex.quote(job)} {options}",
            f"  suite job stop {shlex.quote(job)} {options}",
        ):
            print_line(line, sys.stderr)
        return ExitCode.INTERRUPTED
    return _code_of(ended, job) if printed else ExitCode.DONE


def stop(client: Any, address: str, job: str) -> int:
    """Stop a job as Ctrl-C would stop the search: what has finished is kept.

    Raises:
        RequestError: The cluster has no such job.
    """
    with explain_job_errors(address):
        stopped: bool = client.stop_job(job)
    if not stopped:
        print_line(f"{job} had already ended")
        return ExitCode.DONE
    print_line(f"{job} is stopping; it has {STOP_SECONDS} s to write its results")
    return ExitCode.DONE


def _is_taken(client: Any, address: str, name: str) -> bool:
    with explain_job_errors(address):
        return any(job.submission_id == name for job in client.list_jobs())


async def _print_log(client: Any, job: str) -> bool:
    """Print the log to the job's end, and return False if its reader has gone before, such as ``head``.

    After a broken connection, continue after what has been printed.
    """
    import aiohttp

    printed = 0
    while True:
        seen = 0
        try:
            async for lines in client.tail_job_logs(job):
                new = lines[max(0, printed - seen) :]
                seen += len(lines)
                printed = max(printed, seen)
                if not print_log(new):
                    return False
        except (aiohttp.ClientError, RuntimeError):
            pass  # the next request tells whether the cluster is still there
        if client.get_job_status(job).is_terminal():
            return True
        await asyncio.sleep(RECONNECT_SECONDS)


def _code_of(ended: Any, job: str) -> int:
    status = str(getattr(ended.status, "value", ended.status))
    if status == "SUCCEEDED":
        return ExitCode.DONE
    code = ended.driver_exit_code
    if status == "STOPPED":
        print_line(f"suite: {job} was stopped; what has finished is kept", sys.stderr)
    elif code is None:
        print_line(f"suite: {job} failed ({_first_line(ended.message or 'no cause given')})", sys.stderr)
    return ExitCode(code) if code in (ExitCode.FAILED, ExitCode.WRONG_REQUEST) else ExitCode.FAILED


def _first_line(error: object) -> str:
    return str(error).strip().split("\n")[0].rstrip(".")
