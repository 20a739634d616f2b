"""Wait until a Ray cluster has its nodes: ``python -m suite.cluster.waiting --nodes N``.

The sbatch script of ``suite manifest slurm`` runs it. The address of the cluster is read from ``RAY_ADDRESS``.
"""

import argparse
import logging
import socket
import sys
import time

from suite.exit_codes import ExitCode
from suite.printable import print_line

POLL_SECONDS = 1.0


def wait_for_nodes(address: str, nodes: int, seconds: float) -> int:
    """Wait until a cluster has enough nodes.

    Args:
        address: The cluster's address, as HOST:PORT.
        nodes: How many nodes to wait for.
        seconds: How long to wait at most.

    Returns:
        How many nodes are alive then.

    Raises:
        ConnectionError: Nothing listens at the address within the time.
    """
    ends = time.monotonic() + seconds
    host, _, port = address.rpartition(":")
    while True:  # Ray itself would log pages of errors about an address at which nothing listens yet
        try:
            socket.create_connection((host, int(port)), timeout=10).close()
            break
        except OSError:
            if time.monotonic() > ends:
                raise ConnectionError(address) from None
            time.sleep(POLL_SECONDS)
    import ray

    ray.init(address=address, log_to_driver=False, logging_level=logging.ERROR)
    try:
        while True:
            alive = sum(node["Alive"] for node in ray.nodes())  # type: ignore[no-untyped-call]
            if alive >= nodes or time.monotonic() > ends:
                return int(alive)
            time.sleep(POLL_SECONDS)
    finally:
        ray.shutdown()


def main() -> int:
    """Return exit code 0 if the nodes joined in time; otherwise print a sentence and return 1."""
    import os

    parser = argparse.ArgumentParser()
    parser.add_argument("--nodes", type=int, required=True)
    parser.add_argument("--timeout", type=float, default=600.0, help="seconds; default 600")
    options = parser.parse_args()
    address = os.environ["RAY_ADDRESS"]
    try:
        alive = wait_for_nodes(address, options.nodes, options.timeout)
    except ConnectionError:
        print_line(f"suite: no Ray cluster started at {address} within {options.timeout:g} s", sys.stderr)
        return ExitCode.FAILED
    if alive < options.nodes:
        print_line(
            f"suite: {alive} of {options.nodes} nodes joined {address} within {options.timeout:g} s",
            sys.stderr,
        )
        return ExitCode.FAILED
    return ExitCode.DONE


if __name__ == "__main__":
    sys.exit(main())
