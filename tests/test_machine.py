"""CPUs by affinity and by the quotas of cgroups, whose files the tests write themselves; device and TF32."""

import os
import subprocess
import sys
from pathlib import Path

import pytest
import torch

from suite.machine import best_device, core_affinity, usable_cpus, without_tf32

V2, V1 = "sys/fs/cgroup/{}/cpu.max", "sys/fs/cgroup/{}/cpu.cfs_{}_us"


@pytest.fixture(autouse=True)
def eight_by_affinity(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "sched_getaffinity", lambda process: set(range(8)), raising=False)


def write(root: Path, memberships: str, files: dict[str, str]) -> Path:
    for name, text in {"proc/self/cgroup": memberships, **files}.items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text(text + "\n")
    return root


def v2(root: Path, path: str, quotas: dict[str, str]) -> Path:
    return write(root, f"0::{path}", {V2.format(folder): quota for folder, quota in quotas.items()})


def v1(root: Path, path: str, controllers: str, quotas: dict[str, tuple[int, int]]) -> Path:
    files: dict[str, str] = {}
    for folder, (quota, period) in quotas.items():
        files |= {V1.format(folder, "quota"): str(quota), V1.format(folder, "period"): str(period)}
    return write(root, f"9:memory:{path}\n4:{controllers}:{path}\n1:name=systemd:{path}", files)


def test_without_cgroups_the_affinity_counts(tmp_path: Path) -> None:
    assert usable_cpus(tmp_path) == 8


def test_a_quota_of_a_container_counts(tmp_path: Path) -> None:
    assert usable_cpus(v2(tmp_path, "/", {".": "300000 100000"})) == 3


def test_an_unlimited_cgroup_leaves_the_affinity(tmp_path: Path) -> None:
    assert usable_cpus(v2(tmp_path, "/", {".": "max 100000"})) == 8


def test_a_quota_above_the_affinity_adds_nothing(tmp_path: Path) -> None:
    assert usable_cpus(v2(tmp_path, "/", {".": "6400000 100000"})) == 8


@pytest.mark.parametrize(("quota", "cpus"), [("250000 100000", 2), ("50000 100000", 1)])
def test_a_part_of_a_cpu_counts_only_where_there_is_no_other(quota: str, cpus: int, tmp_path: Path) -> None:
    assert usable_cpus(v2(tmp_path, "/", {".": quota})) == cpus


def test_the_least_of_a_cgroup_and_those_around_it_counts(tmp_path: Path) -> None:
    assert usable_cpus(v2(tmp_path, "/job/step", {"job": "200000 100000", "job/step": "400000 100000"})) == 2


def test_a_cgroup_that_is_not_ours_does_not_count(tmp_path: Path) -> None:
    assert usable_cpus(v2(tmp_path, "/job", {"other": "100000 100000", "job": "max 100000"})) == 8


@pytest.mark.parametrize("controllers", ["cpu", "cpu,cpuacct"])
def test_a_quota_of_version_1_counts(controllers: str, tmp_path: Path) -> None:
    quotas = {f"{controllers}/job": (400_000, 100_000)}
    assert usable_cpus(v1(tmp_path, "/job", controllers, quotas)) == 4


def test_a_container_that_sees_its_cgroup_as_the_root_is_limited(tmp_path: Path) -> None:
    assert usable_cpus(v1(tmp_path, "/docker/abc", "cpu,cpuacct", {"cpu": (200_000, 100_000)})) == 2


def test_version_1_says_unlimited_with_minus_one(tmp_path: Path) -> None:
    assert usable_cpus(v1(tmp_path, "/job", "cpu", {"cpu/job": (-1, 100_000)})) == 8


def test_next_to_version_1_the_quota_of_version_2_is_found_in_unified(tmp_path: Path) -> None:
    files = {V2.format("unified/job"): "200000 100000"}
    assert usable_cpus(write(tmp_path, "1:cpuset:/\n0::/job", files)) == 2


def test_this_machine_has_at_least_one() -> None:
    assert 1 <= usable_cpus() <= 8


def test_the_affinity_is_the_cores_that_the_system_allows() -> None:
    assert core_affinity() == frozenset(range(8))


@pytest.mark.parametrize(("available", "device"), [(True, "cuda"), (False, "cpu")])
def test_the_device_is_cuda_where_there_is_a_gpu(
    available: bool, device: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(torch.cuda, "is_available", lambda: available)
    assert best_device().type == device


def test_tf32_is_off_inside_for_float32_alone_and_as_before_afterwards(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(torch.backends.cudnn, "allow_tf32", True)
    with without_tf32():
        assert not torch.backends.cudnn.allow_tf32
        assert not torch.backends.cuda.matmul.allow_tf32
    assert torch.backends.cudnn.allow_tf32
    with without_tf32("bf16"):
        assert torch.backends.cudnn.allow_tf32


def test_importing_the_module_does_not_import_torch() -> None:
    script = "import sys, suite.machine; sys.exit('torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", script], check=False).returncode == 0
