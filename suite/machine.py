"""The CPUs and the device that this process may use, and how a device computes in float32.

Importing this module does not import torch; the functions that need it do.
"""

import math
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    import torch


def best_device() -> "torch.device":
    """CUDA where there is a GPU, else the CPU."""
    import torch

    return torch.device("cuda" if torch.cuda.is_available() else "cpu")


@contextmanager
def without_tf32(precision: Literal["bf16", "float32"] = "float32") -> Iterator[None]:
    """Switch TF32 off inside the context where ``precision`` is "float32", for backward passes too.

    CUDA otherwise rounds the inputs of a convolution to TF32, which has 10 bits of mantissa instead of 23.
    """
    if precision != "float32":
        yield
        return
    import torch

    convolutions, products = torch.backends.cudnn, torch.backends.cuda.matmul
    before = convolutions.allow_tf32, products.allow_tf32
    convolutions.allow_tf32 = products.allow_tf32 = False
    try:
        yield
    finally:
        convolutions.allow_tf32, products.allow_tf32 = before


def core_affinity() -> frozenset[int]:
    """Return the numbers of the cores that this process may run on, from 0."""
    if hasattr(os, "sched_getaffinity"):
        return frozenset(os.sched_getaffinity(0))
    return frozenset(range(os.cpu_count() or 1))


def usable_cpus(root: Path = Path("/")) -> int:
    """Return how many CPUs this process may keep busy, at least 1.

    This is the smaller of the number of cores in its affinity and the quotas of its cgroups.

    Args:
        root: The folder that holds ``proc`` and ``sys``.
    """
    return max(1, int(min([len(core_affinity()), *_quotas(root)])))


def _quotas(root: Path) -> Iterator[float]:
    """Yield the CPUs that each cgroup of this process and each of its parents may use; infinity if unlimited."""
    try:
        memberships = (root / "proc/self/cgroup").read_text(encoding="utf-8").splitlines()
    except OSError:  # not Linux
        return
    mounts = root / "sys/fs/cgroup"
    for membership in memberships:
        _, controllers, path = membership.split(":", 2)
        if not controllers:  # version 2; next to version 1 it is mounted at "unified"
            for group in _with_parents(path, mounts, mounts / "unified"):
                yield _limit(group / "cpu.max")
        elif "cpu" in controllers.split(","):
            for group in _with_parents(path, mounts / controllers, mounts / "cpu"):
                yield _limit(group / "cpu.cfs_quota_us", group / "cpu.cfs_period_us")


def _with_parents(path: str, *mounts: Path) -> Iterator[Path]:
    """Yield the folders of a cgroup and of its parents. A container may see its own cgroup as a mount's root."""
    group = PurePosixPath(path.lstrip("/"))
    return (mount / folder for mount in mounts for folder in (group, *group.parents))


def _limit(*files: Path) -> float:
    """Return quota / period, from one file (version 2) or two (version 1); infinity where there is none."""
    try:
        quota, period = " ".join(file.read_text(encoding="utf-8") for file in files).split()
        return int(quota) / int(period) if int(quota) > 0 else math.inf  # "max" and -1: unlimited
    except (OSError, ValueError):
        return math.inf
