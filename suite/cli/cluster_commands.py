"""What the commands that concern other machines do."""

import argparse
import dataclasses
import json
import os
import shlex
import sys
from importlib import metadata
from pathlib import Path
from typing import TYPE_CHECKING

from suite.cli.overrides import overrides
from suite.durations import duration
from suite.errors import RequestError

if TYPE_CHECKING:
    from suite.cluster.remote_run import RemoteRun
    from suite.runs.status import RunStatus

DONE = 0


def manifest_kuberay(options: argparse.Namespace) -> int:
    """``suite manifest kuberay``: a RayJob for one search."""
    from suite.cluster.kuberay import Pods, kuberay_manifest

    pods = Pods(
        name=options.name,
        image=options.image,
        ray_version=options.ray_version or metadata.version("ray"),
        nodes=options.nodes,
        cpus=options.cpus,
        gpus=options.gpus,
        memory_gib=options.memory,
        head_cpus=options.head_cpus,
        head_memory_gib=options.head_memory,
        namespace=options.namespace,
        volume_claim=options.volume_claim,
        mount=options.mount,
        secret=options.secret,
        retries=options.retries,
    )
    return _write(kuberay_manifest(_remote_run(options), pods), options.output)


def manifest_slurm(options: argparse.Namespace) -> int:
    """``suite manifest slurm``: an sbatch script for one search."""
    from suite.cluster.slurm import Allocation, sbatch_script

    asked = Allocation(
        name=options.name,
        nodes=options.nodes,
        cpus=options.cpus,
        gpus=options.gpus,
        memory_gib=options.memory,
        time=options.time,
        python=options.python,
        partition=options.partition,
        account=options.account,
        directives=tuple(options.sbatch),
        setup=tuple(options.setup),
        restarts=options.restarts,
    )
    return _write(sbatch_script(_remote_run(options), asked), options.output)


def status(options: argparse.Namespace) -> int:
    """``suite status``: how a run stands."""
    from suite.runs.status import status_of

    found = status_of(options.run)
    print(json.dumps(dataclasses.asdict(found)) if options.json else _describe_status(found))
    return DONE


def submit(options: argparse.Namespace) -> int:
    """``suite submit``: a search as a job of a running Ray cluster."""
    from suite.cluster import submission

    address = _dashboard(options)
    run = _remote_run(options)
    client = submission.client_of(address)
    job = submission.submit(client, address, run, options.name)
    print(f"sent as {job} to {address}; its run folder: {run.out}", flush=True)
    return DONE if options.no_follow else submission.follow(client, address, job)


def job_follow(options: argparse.Namespace) -> int:
    """``suite job follow``: the log of a job, to its end."""
    from suite.cluster import submission

    address = _dashboard(options)
    return submission.follow(submission.client_of(address), address, options.job)


def job_stop(options: argparse.Namespace) -> int:
    """``suite job stop``: end a job."""
    from suite.cluster import submission

    address = _dashboard(options)
    return submission.stop(submission.client_of(address), address, options.job)


def _remote_run(options: argparse.Namespace) -> "RemoteRun":
    """Check the run that is written behind ``--``."""
    from suite.cluster.remote_run import check_command, remote_run

    requested = options.asked
    check_command(options.request[0])
    return remote_run(
        options.request,
        search=requested.search,
        out=requested.out,
        address=requested.address,
        settings=overrides(requested),
    )


def _describe_status(status: "RunStatus") -> str:
    """Describe the status of a run in a few lines."""
    counts = ", ".join(f"{count} {name}" for name, count in sorted(status.trials.items()))
    best = "-" if status.best_mae is None else f"{status.best_mae:.2f} {status.unit}"
    ended = f"{sum(status.trials.values())} of {status.trials_asked} trials ended"
    lines = [
        f"{status.name}, {status.status}, begun {status.started}",
        ended + (f": {counts}" if counts else ""),
        *([f"confirming the front: {status.confirming} trainings ended"] if status.confirming else []),
        f"best validation MAE {best}, front {status.front}, {duration(status.seconds)} of work",
    ]
    if status.seconds_left is not None:
        lines.append(f"about {duration(status.seconds_left)} of training left")
    if status.status in ("interrupted", "killed", "failed"):
        lines.append(f"go on with: suite resume {shlex.quote(status.run)}")
    return "\n".join(lines)


def _dashboard(options: argparse.Namespace) -> str:
    return str(options.address or os.environ.get("RAY_API_SERVER_ADDRESS") or "http://127.0.0.1:8265")


def _write(text: str, output: Path | None) -> int:
    if output is None:
        sys.stdout.write(text)
        return DONE
    try:
        output.write_text(text, encoding="utf-8")
    except OSError as error:
        raise RequestError(
            f"{output} cannot be written ({error.strerror}); name a file in a folder that exists"
        ) from None
    print(output)
    return DONE
