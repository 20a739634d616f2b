"""``suite manifest``: what starts a search on Kubernetes (KubeRay) or Slurm, as a file."""

import argparse
from pathlib import Path

from suite.cli.remote_run import add_remote_run, remote_run
from suite.cli.subcommands import Subcommands, add_subcommand
from suite.cli.values import non_negative_int, positive_int
from suite.exit_codes import ExitCode
from suite.printable import print_file, print_line


def add_command(subcommands: Subcommands) -> None:
    """Add ``suite manifest`` and its kinds."""
    summary = "write what starts a search on Kubernetes (KubeRay) or Slurm"
    kinds = add_subcommand(subcommands, "manifest", summary).add_subparsers(required=True, metavar="KIND")
    _add_kuberay(kinds)
    _add_slurm(kinds)


def _add_kuberay(kinds: Subcommands) -> None:
    parser = add_subcommand(kinds, "kuberay", "write a RayJob, for kubectl apply", kuberay)
    parser.add_argument("--image", required=True, metavar="I", help="container image with the suite and Ray")
    parser.add_argument(
        "--ray-version", metavar="V", help="Ray's version in the image; default: the version installed here"
    )
    _add_node_options(parser)
    parser.add_argument(
        "--head-cpus", type=positive_int, default=4, metavar="N", help="CPU cores of the head; default 4"
    )
    parser.add_argument(
        "--head-memory",
        type=positive_int,
        default=16,
        metavar="GIB",
        help="memory of the head in GiB; default 16",
    )
    parser.add_argument(
        "--namespace", metavar="NS", help="Kubernetes namespace; default: that of kubectl's context"
    )
    parser.add_argument(
        "--volume-claim",
        metavar="PVC",
        help="persistent volume claim that all pods mount, for --out and --data of the run",
    )
    parser.add_argument(
        "--mount", default="/mnt/suite", metavar="PATH", help="mount path of the claim; default /mnt/suite"
    )
    parser.add_argument(
        "--secret",
        metavar="S",
        help="secret whose keys become environment variables, such as AWS_ACCESS_KEY_ID",
    )
    parser.add_argument(
        "--retries",
        type=non_negative_int,
        default=1,
        metavar="N",
        help="new clusters after one that failed, each of which resumes the run; default 1",
    )
    _add_output(parser)
    add_remote_run(parser)


def _add_slurm(kinds: Subcommands) -> None:
    parser = add_subcommand(kinds, "slurm", "write a script for sbatch", slurm)
    _add_node_options(parser)
    parser.add_argument(
        "--time", default="04:00:00", metavar="T", help="time limit of each start; default 04:00:00"
    )
    parser.add_argument("--partition", metavar="P", help="Slurm partition; default: Slurm's own")
    parser.add_argument("--account", metavar="A", help="Slurm account; default: Slurm's own")
    parser.add_argument(
        "--python",
        default="python",
        metavar="PATH",
        help="Python interpreter with the suite, on every node; default python",
    )
    parser.add_argument(
        "--sbatch",
        action="append",
        default=[],
        metavar="OPTION",
        help="further sbatch option, as --sbatch=--qos=long; repeatable",
    )
    parser.add_argument(
        "--setup",
        action="append",
        default=[],
        metavar="LINE",
        help="shell line to run first, such as 'module load cuda'; repeatable",
    )
    parser.add_argument(
        "--restarts",
        type=non_negative_int,
        default=20,
        metavar="N",
        help="how often the job may requeue itself when its time is up; default 20",
    )
    _add_output(parser)
    add_remote_run(parser)


def _add_node_options(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--name", default="suite", metavar="N", help="name of the job; default suite")
    parser.add_argument(
        "--nodes", type=positive_int, default=1, metavar="N", help="number of nodes that train; default 1"
    )
    parser.add_argument(
        "--cpus", type=positive_int, default=8, metavar="N", help="CPU cores of a node; default 8"
    )
    parser.add_argument(
        "--gpus", type=non_negative_int, default=0, metavar="N", help="GPUs of a node; default 0"
    )
    parser.add_argument(
        "--memory", type=positive_int, default=32, metavar="GIB", help="memory of a node in GiB; default 32"
    )


def _add_output(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "-o", "--output", type=Path, metavar="FILE", help="file to write; default: standard output"
    )


def kuberay(options: argparse.Namespace) -> int:
    """Write a RayJob for one search."""
    from importlib import metadata  # a quarter of the time of `suite --help`

    from suite.cluster.kuberay import Pods, kuberay_manifest

    _check(options.output)

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
    return _write(kuberay_manifest(remote_run(options), pods), options.output)


def slurm(options: argparse.Namespace) -> int:
    """Write an sbatch script for one search."""
    from suite.cluster.slurm import Allocation, sbatch_script

    _check(options.output)

    allocation = Allocation(
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
    return _write(sbatch_script(remote_run(options), allocation), options.output)


def _check(output: Path | None) -> None:
    from suite.files.outputs import check_writable

    if output is not None:
        check_writable(output)


def _write(text: str, output: Path | None) -> ExitCode:
    if output is None:
        print_file(text)
        return ExitCode.DONE
    from suite.files.outputs import write_output

    write_output(output, text)
    print_line(output)
    return ExitCode.DONE
