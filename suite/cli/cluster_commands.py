"""What the commands that concern other machines do."""

import argparse
import dataclasses
import json
import os
import sys
from importlib import metadata
from pathlib import Path

from suite.errors import RequestError

DONE = 0


def manifest_kuberay(options: argparse.Namespace) -> int:
    """``suite manifest kuberay``: a RayJob for one search."""
    from suite.cluster.kuberay import Pods, kuberay_manifest
    from suite.cluster.remote_run import sent_run

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
    return _write(kuberay_manifest(sent_run(options.request, options.asked), pods), options.output)


def manifest_slurm(options: argparse.Namespace) -> int:
    """``suite manifest slurm``: an sbatch script for one search."""
    from suite.cluster.remote_run import sent_run
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
    return _write(sbatch_script(sent_run(options.request, options.asked), asked), options.output)


def status(options: argparse.Namespace) -> int:
    """``suite status``: how a run stands."""
    from suite.runs.status import status_of, told

    found = status_of(options.run)
    print(json.dumps(dataclasses.asdict(found)) if options.json else told(found))
    return DONE


def submit(options: argparse.Namespace) -> int:
    """``suite submit``: a search as a job of a running Ray cluster."""
    from suite.cluster import submission
    from suite.cluster.remote_run import sent_run

    address = _dashboard(options)
    sent = sent_run(options.request, options.asked)
    client = submission.client_of(address)
    job = submission.submit(client, address, sent, options.name)
    print(f"sent as {job} to {address}; its run folder: {sent.out}", flush=True)
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
