"""An sbatch script: a Ray cluster on the nodes of one Slurm job, for the length of one search."""

import re
import shlex
from collections.abc import Sequence
from dataclasses import dataclass
from importlib import resources
from pathlib import PurePosixPath

from suite.cluster.remote_run import RemoteRun
from suite.errors import RequestError

#: Seconds before the end of its time in which a search writes what it has.
NOTICE_SECONDS = 180
#: To shellcheck: what was typed is quoted, so that no shell reads it.
QUOTED = "# shellcheck disable=SC2016"
#: Slurm's forms of a time: minutes, with seconds, with hours, with days.
TIME = re.compile(r"\d+(:\d\d){0,2}|\d+-\d+(:\d\d){0,2}", re.ASCII)
#: Slurm may send the signal so many seconds early.
EARLY_SECONDS = 60
#: What a node has for itself, and a job often for itself as well: the next start would not find it again.
NODES_OWN = ("/tmp", "/var/tmp", "/dev/shm")


@dataclass(frozen=True)
class Allocation:
    """What to ask Slurm for.

    Attributes:
        name: of the job.
        nodes: on each of them a Ray node; the first runs the driver besides.
        cpus, gpus, memory_gib: of each.
        time: most time of one start, in one of Slurm's forms; a search that needs longer queues again.
        python: the interpreter that has the suite, as the nodes see it.
        partition, account: None: Slurm's default.
        directives: further options of sbatch, such as ``--constraint=a100``.
        setup: lines of shell that come first, such as ``module load cuda``.
        restarts: how many times the job may queue again.
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


def sbatch_script(run: RemoteRun, asked: Allocation) -> str:
    """The script for ``sbatch``, from whose folder relative paths of the run count.

    Raises:
        RequestError: a value cannot stand in a script, or the time is none.
    """
    _check(asked)
    _check_lasting(run.out)
    named = [_directive(text) for text in (*_requests(asked), *asked.directives)]
    gpu_request = [f"--gpus-per-node={asked.gpus}"] if asked.gpus else []
    settings = [
        f"python={shlex.quote(asked.python)}",
        f"cpus={asked.cpus}",
        f"gpus={asked.gpus}",
        f"gpu_request=({shlex.join(gpu_request)})",
        f"most_restarts={asked.restarts}",
        f"arguments=({shlex.join(run.command())})",
    ]
    body = resources.files("suite.cluster").joinpath("slurm.sh").read_text(encoding="utf-8")
    return "\n".join(["#!/bin/bash", *named, "", QUOTED, *asked.setup, *settings, "", body])


def _requests(asked: Allocation) -> list[str]:
    optional = {"--partition": asked.partition, "--account": asked.account}
    return [
        f"--job-name={asked.name}",
        f"--nodes={asked.nodes}",
        "--ntasks-per-node=1",
        f"--cpus-per-task={asked.cpus}",
        *([f"--gpus-per-node={asked.gpus}"] if asked.gpus else []),
        f"--mem={asked.memory_gib}G",
        f"--time={asked.time}",
        f"--signal=B:USR1@{NOTICE_SECONDS}",
        "--requeue",
        "--open-mode=append",
        *(f"{option}={value}" for option, value in optional.items() if value is not None),
    ]


def _directive(option: str) -> str:
    """A ``#SBATCH`` line; sbatch reads quotes and backslashes in it much as a shell does, and no ``$``."""
    if not re.fullmatch(r"[\w@%+=:,./-]+", option, re.ASCII):
        escaped = option.replace("\\", "\\\\").replace('"', '\\"')
        option = f'"{escaped}"'
    return f"#SBATCH {option}"


def _check(asked: Allocation) -> None:
    named = {"--name": asked.name, "--python": asked.python, "--partition": asked.partition}
    named |= {"--account": asked.account}
    for option, values in {"--sbatch": asked.directives, "--setup": asked.setup}.items():
        named |= {f"{option} {number}": value for number, value in enumerate(values, 1)}
    for option, value in named.items():
        if value is not None and (not value or not value.isprintable()):
            raise RequestError(
                f"{option} {value!r} is empty or cannot be printed; give it as one line of text"
            )
    for directive in asked.directives:
        if not directive.startswith("-"):
            raise RequestError(
                f"--sbatch {directive!r} is no option of sbatch; write it as --sbatch=--qos=long"
            )
    if not TIME.fullmatch(asked.time):
        raise RequestError(
            f"--time {asked.time!r} is no time for Slurm; write it as 04:00:00, or 1-12 for days"
        )
    least = NOTICE_SECONDS + EARLY_SECONDS
    if 0 < seconds_of(asked.time) <= least:  # 0: no limit
        raise RequestError(
            f"--time {asked.time!r} is over before the search begins, which is told to end {NOTICE_SECONDS} "
            f"s before; give more than {least // 60} minutes"
        )


def seconds_of(time: str) -> int:
    """How long one of Slurm's forms of a time is."""
    days, mark, rest = time.rpartition("-")
    parts = [int(part) for part in rest.split(":")]
    if mark:  # hours come first
        hours, minutes, seconds = [*parts, 0, 0][:3]
    else:  # minutes come first, unless there are three
        hours, minutes, seconds = parts if len(parts) == 3 else [0, *parts, 0][:3]
    return ((int(days or 0) * 24 + hours) * 60 + minutes) * 60 + seconds


def _check_lasting(out: str) -> None:
    if any(PurePosixPath(out).is_relative_to(folder) for folder in NODES_OWN):
        raise RequestError(
            f"--out {out} of the run lies on a node's own disk, where the next start may not find it; name a "
            "folder that all nodes see, or an s3:// URL"
        )
