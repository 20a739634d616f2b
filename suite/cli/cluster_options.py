"""The options of the commands that concern other machines. Nothing heavy is imported here."""

import argparse
from pathlib import Path
from typing import Protocol

from suite.cli.values import count, count_or_none, run_place

ROOM = "suite.cli.cluster_commands"
REQUEST = "-- run --search NAME ... as 'suite run' takes it"


class AddsCommand(Protocol):
    """Adds a command to the command line and returns its parser."""

    def __call__(self, name: str, function: str, summary: str, room: str) -> argparse.ArgumentParser:
        """``function`` of the module ``room`` is what the command does."""


def cluster_commands(command: AddsCommand) -> None:
    """Add ``status``, ``submit``, ``job`` and ``manifest``."""
    status = command("status", "status", "how a run stands, from any machine that sees its folder", ROOM)
    status.add_argument("run", type=run_place, metavar="RUN", help="run folder, or its s3:// URL")
    status.add_argument("--json", action="store_true", help="one JSON object")
    submit = command("submit", "submit", "send a search to a Ray cluster as a job, and follow its log", ROOM)
    submit.add_argument("--name", metavar="ID", help="of the job; default: one that Ray makes up")
    submit.add_argument("--no-follow", action="store_true", help="return when the job is sent")
    _address(submit)
    submit.add_argument("request", nargs=argparse.REMAINDER, metavar="-- run ...", help=REQUEST)
    job = command("job", "job", "follow or stop a job that 'suite submit' sent", ROOM)
    verbs = job.add_subparsers(required=True, metavar="VERB")
    for verb, summary in {
        "follow": "print the log until it ends",
        "stop": "end it; what finished is kept",
    }.items():
        added = verbs.add_parser(verb, help=summary)
        added.set_defaults(command=f"job_{verb}")
        added.add_argument("job", metavar="ID", help="name of the job")
        _address(added)
    manifest = command(
        "manifest", "manifest", "write what starts a search on Kubernetes (KubeRay) or Slurm", ROOM
    )
    kinds = manifest.add_subparsers(required=True, metavar="KIND")
    kuberay = kinds.add_parser("kuberay", help="a RayJob, for kubectl apply")
    kuberay.set_defaults(command="manifest_kuberay")
    _kuberay_options(kuberay)
    slurm = kinds.add_parser("slurm", help="a script for sbatch")
    slurm.set_defaults(command="manifest_slurm")
    _slurm_options(slurm)


def _address(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--address",
        metavar="URL",
        help="the head's dashboard; default: $RAY_API_SERVER_ADDRESS, else http://127.0.0.1:8265",
    )


def _kuberay_options(kuberay: argparse.ArgumentParser) -> None:
    kuberay.add_argument("--image", required=True, metavar="I", help="image with the suite and Ray in it")
    kuberay.add_argument("--ray-version", metavar="V", help="of the image; default: the one installed here")
    _node_options(kuberay)
    kuberay.add_argument("--head-cpus", type=count, default=4, metavar="N", help="of the head; default 4")
    kuberay.add_argument(
        "--head-memory", type=count, default=16, metavar="GIB", help="of the head, GiB; default 16"
    )
    kuberay.add_argument("--namespace", metavar="NS", help="default: the current one")
    kuberay.add_argument(
        "--volume-claim", metavar="PVC", help="a claim that all pods mount, for --out and --data of the run"
    )
    kuberay.add_argument("--mount", default="/mnt/suite", metavar="PATH", help="where; default /mnt/suite")
    kuberay.add_argument(
        "--secret", metavar="S", help="a secret whose keys become environment variables, as AWS_ACCESS_KEY_ID"
    )
    kuberay.add_argument(
        "--retries",
        type=count_or_none,
        default=1,
        metavar="N",
        help="clusters to start after one that failed, each going on with the run; default 1",
    )
    _output_and_request(kuberay)


def _slurm_options(slurm: argparse.ArgumentParser) -> None:
    _node_options(slurm)
    slurm.add_argument(
        "--time", default="04:00:00", metavar="T", help="most time of one start; default 04:00:00"
    )
    slurm.add_argument("--partition", metavar="P", help="default: Slurm's own")
    slurm.add_argument("--account", metavar="A", help="default: Slurm's own")
    slurm.add_argument(
        "--python", default="python", metavar="PATH", help="interpreter that has the suite, on every node"
    )
    slurm.add_argument(
        "--sbatch", action="append", default=[], metavar="OPTION", help="as --sbatch=--qos=long; repeatable"
    )
    slurm.add_argument(
        "--setup",
        action="append",
        default=[],
        metavar="LINE",
        help="shell to run first, as 'module load cuda'; repeatable",
    )
    slurm.add_argument(
        "--restarts",
        type=count_or_none,
        default=20,
        metavar="N",
        help="how often the job may queue again when its time is over; default 20",
    )
    _output_and_request(slurm)


def _node_options(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--name", default="suite", metavar="N", help="of the job; default suite")
    parser.add_argument("--nodes", type=count, default=1, metavar="N", help="that train; default 1")
    parser.add_argument("--cpus", type=count, default=8, metavar="N", help="of a node; default 8")
    parser.add_argument("--gpus", type=count_or_none, default=0, metavar="N", help="of a node; default 0")
    parser.add_argument("--memory", type=count, default=32, metavar="GIB", help="of a node, GiB; default 32")


def _output_and_request(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("-o", "--output", type=Path, metavar="FILE", help="default: standard output")
    parser.add_argument("request", nargs=argparse.REMAINDER, metavar="-- run ...", help=REQUEST)
