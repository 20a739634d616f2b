"""An sbatch script: a Ray cluster on the nodes of one Slurm job, for the length of one search."""

import re
import shlex
from collections.abc import Sequence
from dataclasses import dataclass
from importlib import resources
from pathlib import PurePosixPath

from suite.cluster.remote_run import RemoteRun
from suite.errors import RequestError

#: Seconds before its time limit at which a search is signalled to write its results.
NOTICE_SECONDS = 180
#: For shellcheck: what the user typed is quoted, so that no shell expands it.
QUOTED = "# shellcheck disable=SC2016"
#: Slurm's forms of a time limit: minutes, optionally with seconds, hours, or days.
TIME = re.compile(r"\d+(:\d\d){0,2}|\d+-\d+(:\d\d){0,2}", re.ASCII)
#: Slurm may send the signal this many seconds early.
EARLY_SECONDS = 60
#: Folders that are a node's own, and often a job's own: the next start would not find them again.
NODES_OWN = ("/tmp", "/var/tmp", "/dev/shm")


@dataclass(frozen=True)
class Allocation:
    """What to request from Slurm.

    Attributes:
        name: The name of the job.
        nodes: How many nodes; each runs a Ray node, and the first the driver as well.
        cpus: Cores of each node.
        gpus: GPUs of each node.
        memory_gib: Memory of each node, in GiB.
        time: The time limit of one start, in one of Slurm's forms; a search that needs longer is requeued.
        python: The interpreter that has suite, as a path on the nodes.
        partition: The partition; None for Slurm's default.
        account: The account; None for Slurm's default.
        directives: Further options of sbatch, such as ``--constraint=a100``.
        setup: Shell commands that run first, such as ``module load cuda``.
        restarts: How many times the job may be requeued.
    """

    name: str
    nodes: int
    cpus: int
    gpus: int
    memory_gib: int
    time: str
    python: str
    partition: str | None
    account: str | None
    directives: Sequence[str]
    setup: Sequence[str]
    restarts: int


def sbatch_script(run: RemoteRun, allocation: Allocation) -> str:
    """Return the script for ``sbatch``; relative paths of the run start from the folder in which sbatch is run.

    Raises:
        RequestError: A value cannot be written in a script, or the time limit is not valid.
    """
    _check(allocation)
    _check_is_kept(run.out)
    named = [_directive(text) for text in (*_requests(allocation), *allocation.directives)]
    gpu_request = [f"--gpus-per-node={allocation.gpus}"] if allocation.gpus else []
    settings = [
        f"python={shlex.quote(allocation.python)}",
        f"cpus={allocation.cpus}",
        f"gpus={allocation.gpus}",
        f"gpu_request=({shlex.join(gpu_request)})",
        f"most_restarts={allocation.restarts}",
        f"arguments=({shlex.join(run.command())})",
    ]
    body = resources.files("suite.cluster").joinpath("slurm.sh").read_text(encoding="utf-8")
    return "\n".join(["#!/bin/bash", *named, "", QUOTED, *allocation.setup, *settings, "", body])


def _requests(allocation: Allocation) -> list[str]:
    optional = {"--partition": allocation.partition, "--account": allocation.account}
    return [
        f"--job-name={allocation.name}",
        f"--nodes={allocation.nodes}",
        "--ntasks-per-node=1",
        f"--cpus-per-task={allocation.cpus}",
        *([f"--gpus-per-node={allocation.gpus}"] if allocation.gpus else []),
        f"--mem={allocation.memory_gib}G",
        f"--time={allocation.time}",
        f"--signal=B:USR1@{NOTICE_SECONDS}",
        "--requeue",
        "--open-mode=append",
        *(f"{option}={value}" for option, value in optional.items() if value is not None),
    ]


def _directive(option: str) -> str:
    """Return a ``#SBATCH`` line. Like a shell, sbatch reads quotes and backslashes in it, but it expands no ``$``."""
    if not re.fullmatch(r"[\w@%+=:,./-]+", option, re.ASCII):
        escaped = option.replace("\\", "\\\\").replace('"', '\\"')
        option = f'"{escaped}"'
    return f"#SBATCH {option}"


def _check(allocation: Allocation) -> None:
    named = {"--name": allocation.name, "--python": allocation.python, "--partition": allocation.partition}
    named |= {"--account": allocation.account}
    for option, values in {"--sbatch": allocation.directives, "--setup": allocation.setup}.items():
        named |= {f"{option} {number}": value for number, value in enumerate(values, 1)}
    for option, value in named.items():
        if value is not None and (not value or not value.isprintable()):
            raise RequestError(
                f"{option} {value!r} is empty or cannot be printed; give it as one line of text"
            )
    for directive in allocation.directives:
        if not directive.startswith("-"):
            raise RequestError(
                f"--sbatch {directive!r} is not an option of sbatch; write it like --sbatch=--qos=long"
            )
    if not TIME.fullmatch(allocation.time):
        raise RequestError(
            f"--time {allocation.time!r} is not a time limit of Slurm; write it like "
            "04:00:00, or 1-12 for one day and 12 hours"
        )
    least = NOTICE_SECONDS + EARLY_SECONDS
    if 0 < seconds_of(allocation.time) <= least:  # 0: no limit
        raise RequestError(
            f"--time {allocation.time!r} ends before the search begins, because the search is signalled to stop "
            f"{NOTICE_SECONDS} s earlier; give more than {least // 60} minutes"
        )


def seconds_of(time: str) -> int:
    """Convert a time limit in one of Slurm's forms to seconds."""
    days, mark, rest = time.rpartition("-")
    parts = [int(part) for part in rest.split(":")]
    if mark:  # hours come first
        hours, minutes, seconds = [*parts, 0, 0][:3]
    else:  # minutes come first, unless there are three
        hours, minutes, seconds = parts if len(parts) == 3 else [0, *parts, 0][:3]
    return ((int(days or 0) * 24 + hours) * 60 + minutes) * 60 + seconds


def _check_is_kept(out: str) -> None:
    if any(PurePosixPath(out).is_relative_to(folder) for folder in NODES_OWN):
        raise RequestError(
            f"--out {out} of the run is on a node's own disk, where the next start may not find it; name a "
            "folder that all nodes see, or an s3:// URL"
        )
