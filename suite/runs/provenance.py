"""What is needed to trust and repeat a run: versions, source revision, hardware."""

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
    """Versions of Python, of the suite and of the packages that decide its results."""
    found = {"python": platform.python_version()}
    for package in ("suite", *PACKAGES):
        try:
            found[package] = metadata.version(package)
        except metadata.PackageNotFoundError:
            found[package] = "not installed"
    return found


def git_revision() -> str:
    """Revision of the suite's own checkout, with "+changes" behind it where files differ; else empty."""
    folder = Path(__file__).resolve().parent.parent.parent
    if not (folder / ".git").exists():
        return ""

    def git(*words: str) -> str:
        answer = subprocess.run(["git", "-C", folder, *words], capture_output=True, text=True, check=False)
        return answer.stdout.strip()

    try:
        revision = git("rev-parse", "HEAD")
        return revision + ("+changes" if revision and git("status", "--porcelain") else "")
    except OSError:  # no git here
        return ""


def hardware() -> Mapping[str, str | int | float]:
    """Processor, usable cores, memory and GPUs of this machine."""
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
    """The name of this machine's processor."""
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    except OSError:
        return platform.processor() or platform.machine()
    names = [line.split(":", 1)[1].strip() for line in lines if line.startswith("model name")]
    return names[0] if names else platform.machine()
