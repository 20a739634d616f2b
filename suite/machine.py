"""How many CPUs are ours: of the machine, of this process, of its container. No heavy package here."""

import math
import os
from collections.abc import Iterator
from pathlib import Path, PurePosixPath


def usable_cpus(root: Path = Path("/")) -> int:
    """CPUs that this process may keep busy: the least of its affinity and its cgroups' quotas, at least 1.

    Args:
        root: where ``proc`` and ``sys`` lie.
    """
    allowed = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    return max(1, int(min([allowed, *_quotas(root)])))


def _quotas(root: Path) -> Iterator[float]:
    """CPUs that each cgroup of this process, and each that it lies in, may use; infinite where unlimited."""
    try:
        memberships = (root / "proc/self/cgroup").read_text(encoding="utf-8").splitlines()
    except OSError:  # not Linux
        return
    mounts = root / "sys/fs/cgroup"
    for membership in memberships:
        _, controllers, path = membership.split(":", 2)
        if not controllers:  # version 2; beside version 1 it lies in "unified"
            for group in _with_parents(path, mounts, mounts / "unified"):
                yield _limit(group / "cpu.max")
        elif "cpu" in controllers.split(","):
            for group in _with_parents(path, mounts / controllers, mounts / "cpu"):
                yield _limit(group / "cpu.cfs_quota_us", group / "cpu.cfs_period_us")


def _with_parents(path: str, *mounts: Path) -> Iterator[Path]:
    """The folders of a cgroup and of those above it. A container may see its own as a mount's root."""
    group = PurePosixPath(path.lstrip("/"))
    return (mount / folder for mount in mounts for folder in (group, *group.parents))


def _limit(*files: Path) -> float:
    """Quota over period, as one file (version 2) or two (version 1) say it; infinite where there is none."""
    try:
        quota, period = " ".join(file.read_text(encoding="utf-8") for file in files).split()
        return int(quota) / int(period) if int(quota) > 0 else math.inf  # "max" and -1: unlimited
    except (OSError, ValueError):
        return math.inf
