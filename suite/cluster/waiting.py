"""Wait until a Ray cluster has its nodes: ``python -m suite.cluster.waiting --nodes N``.

The sbatch script of ``suite manifest slurm`` calls it; ``RAY_ADDRESS`` says where the cluster is.
"""

import argparse
import logging
import socket
import sys
import time

from suite.exit_codes import ExitCode

POLL_SECONDS = 1.0


def wait_for_nodes(address: str, nodes: int, seconds: float) -> int:
    """Wait until so many nodes are alive, or the time is over; how many there are then.

    Raises:
        ConnectionError: nothing listens at the address within the time.
    """
    ends = time.monotonic() + seconds
    host, _, port = address.rpartition(":")
    while True:  # Ray itself would write pages about an address where nobody listens yet
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
    """Exit code 0 where the nodes are there in time, else 1 and a sentence."""
    import os

    parser = argparse.ArgumentParser()
    parser.add_argument("--nodes", type=int, required=True)
    parser.add_argument("--timeout", type=float, default=600.0, help="seconds; default 600")
    options = parser.parse_args()
    address = os.environ["RAY_ADDRESS"]
    try:
        alive = wait_for_nodes(address, options.nodes, options.timeout)
    except ConnectionError:
        print(f"suite: no Ray cluster came up at {address} in {options.timeout:g} s", file=sys.stderr)
        return ExitCode.FAILED
    if alive < options.nodes:
        print(
            f"suite: {alive} of {options.nodes} nodes joined {address} in {options.timeout:g} s",
            file=sys.stderr,
        )
        return ExitCode.FAILED
    return ExitCode.DONE


if __name__ == "__main__":
    sys.exit(main())
