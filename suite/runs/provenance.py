"""What is needed to trust and to repeat a run: versions, source revision and hardware."""

import platform
import subprocess
from collections.abc import Mapping
from importlib import metadata
from pathlib import Path

from suite.machine import usable_cpus

#: Packages whose version can change a result or the way it is reported.
PACKAGES = (
    "torch",
    "numpy",
    "pandas",
    "ray",
    "optuna",
    "fvcore",
    "plotly",
    "safetensors",
    "pillow",
    "opencv-python-headless",
)


def versions() -> dict[str, str]:
    """Return the versions of Python, of suite and of the packages that can change its results."""
    found = {"python": platform.python_version()}
    for package in ("suite", *PACKAGES):
        try:
            found[package] = metadata.version(package)
        except metadata.PackageNotFoundError:
            found[package] = "not installed"
    return found


def git_revision() -> str:
    """Return the git revision of the checkout that suite runs from.

    "+changes" is appended if files differ from the revision. Outside a git checkout, the revision is empty.
    """
    folder = Path(__file__).resolve().parent.parent.parent
    if not (folder / ".git").exists():
        return ""

    def git(*words: str) -> str:
        answer = subprocess.run(["git", "-C", folder, *words], capture_output=True, text=True, check=False)
        return answer.stdout.strip()

    try:
        revision = git("rev-parse", "HEAD")
        return revision + ("+changes" if revision and git("status", "--porcelain") else "")
    except OSError:  # git is not installed
        return ""


def hardware() -> Mapping[str, str | int | float]:
    """Return the processor, usable cores, memory in GiB and GPUs of this machine."""
    import psutil
    import torch

    gpus = [torch.cuda.get_device_name(i) for i in range(torch.cuda.device_count())]
    return {
        "system": platform.platform(),
        "processor": processor(),
        "cpus": usable_cpus(),
        "memory_gib": round(psutil.virtual_memory().total / 2**30, 1),
        "gpus": ", ".join(gpus) or "none",
    }


def processor() -> str:
    """Return the name of this machine's processor."""
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    except OSError:
        return platform.processor() or platform.machine()
    names = [line.split(":", 1)[1].strip() for line in lines if line.startswith("model name")]
    return names[0] if names else platform.machine()
