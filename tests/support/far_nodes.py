"""Nodes of a Ray cluster on this machine that see none of the folders of the driver."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import psutil
import pytest
from ray.cluster_utils import Cluster


@dataclass(frozen=True)
class FarNode:
    """A node with folders of its own in place of some of the driver's."""

    process: "subprocess.Popen[bytes]"

    @classmethod
    def joined_to(cls, cluster: Cluster, hidden: Sequence[Path], cache: Path, cpus: int = 1) -> "FarNode":
        """Start a node and wait until it has joined; the test is skipped where a process cannot have own folders.

        Args:
            cluster: What it joins.
            hidden: The folders that it sees empty.
            cache: Its folder for what it fetches.
            cpus: The cores that it offers.
        """
        hide = " && ".join(f"mount -t tmpfs none {folder}" for folder in hidden)
        unshared = ["unshare", "--mount"] if os.geteuid() == 0 else ["unshare", "--map-root-user", "--mount"]
        if subprocess.run([*unshared, "sh", "-c", hide], capture_output=True, check=False).returncode:
            pytest.skip("this machine gives a process no folders of its own (unshare --mount)")
        before = count_alive(cluster)
        start = f"{sys.executable} -m ray.scripts.scripts start --address={cluster.address} --num-cpus={cpus} --block"
        node = cls(
            subprocess.Popen(
                [*unshared, "sh", "-c", f"{hide} && exec {start}"],
                env={**os.environ, "SUITE_CACHE": str(cache)},
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
            )
        )
        patience_ends = time.monotonic() + 120
        while count_alive(cluster) <= before:
            assert time.monotonic() < patience_ends, "the node did not join"
            time.sleep(0.2)
        return node

    def leave(self) -> None:
        """Leave the cluster in good order."""
        self.process.terminate()
        self.process.wait(timeout=30)

    @property
    def is_training(self) -> bool:
        """Whether a worker of Ray Train runs on this node."""
        processes = psutil.Process(self.process.pid).children(recursive=True)
        return any("RayTrainWorker" in " ".join(process.cmdline()) for process in processes)

    def kill(self) -> None:
        """Kill every process of the node at once, as a machine that loses its power."""
        own = psutil.Process(self.process.pid)
        for process in (own, *own.children(recursive=True)):
            process.send_signal(signal.SIGKILL)
        self.process.wait(timeout=30)


def count_alive(cluster: Cluster) -> int:
    """Count the nodes of a cluster, whoever started them."""
    return sum(node["Alive"] for node in cluster.global_state.node_table())
