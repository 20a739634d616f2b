import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

pytestmark = [pytest.mark.slow, pytest.mark.timeout(600)]

BENCHMARKS = Path(__file__).resolve().parents[2] / "benchmarks"


def measured(name: str, *arguments: str, folder: Path) -> dict[str, Any]:
    """What a benchmark writes as JSON."""
    out = folder / "numbers.json"
    command = [sys.executable, str(BENCHMARKS / name), "--json", str(out), *arguments]
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    numbers: dict[str, Any] = json.loads(out.read_text())
    return numbers


def test_the_overhead_is_all_the_time_but_rays_own_start_and_end(tmp_path: Path) -> None:
    found = measured("ray_overhead.py", "--trials", "4", "--cores", "1", folder=tmp_path)
    assert found["trials"] == 4
    assert found["seconds_a_trial"] == pytest.approx(found["all_trials"] / 4)
    parts = ("first_trial", "further_trials", "tune_end")
    assert sum(found[part] for part in parts) == pytest.approx(found["all_trials"])
    assert all(found[part] > 0 for part in parts)
    assert found["ray_start"] > 0


def test_feeding_forms_each_ratio_in_its_own_round(tmp_path: Path) -> None:
    found = measured("feeding.py", "--sides", "64", "--images", "64", "--rounds", "3", folder=tmp_path)
    assert [row["what"] for row in found["ratios"]] == ["64 px, files of 200 px", "64 px, files of 64 px"]
    for row in found["ratios"]:
        assert 0 < row["low"] <= row["median"] <= row["high"]
        assert row["ours"] > 0
        assert row["theirs"] > 0


def test_training_is_compared_with_and_without_augmentation(tmp_path: Path) -> None:
    found = measured("feeding.py", "--training", "--images", "64", "--rounds", "1", folder=tmp_path)
    plain, paper = found["ratios"]
    assert plain["theirs"] == paper["theirs"]
    for row in (plain, paper):
        assert row["median"] == pytest.approx(row["ours"] / row["theirs"])


def test_each_strategy_is_replayed_within_what_the_grid_has(tmp_path: Path) -> None:
    found = measured("strategies.py", "--seeds", "2", "--epochs", "180", folder=tmp_path)
    assert len({(row["sampler"], row["rule"]) for row in found}) == 3 * 7
    for row in found:
        shares = [row["shares"][epochs] for epochs in ("22", "45", "90", "180")]
        assert all(0 <= share <= 1 for some in shares for share in some)
        assert all(early <= late for early, late in zip(shares[0], shares[-1], strict=True))
        assert (row["stopped"] > 0) == (not row["rule"].startswith("none"))


def test_two_trials_share_one_copy_of_the_images(tmp_path: Path) -> None:
    found = measured("shared_data.py", "--trials", "2", "--resolution", "32", folder=tmp_path)
    assert found["copies"] == pytest.approx(1, abs=0.1)
    assert found["rss"] == pytest.approx(2 * found["file"], rel=0.1)


def test_the_memory_of_a_process_counts_though_its_parent_is_gone(tmp_path: Path) -> None:
    hold = (
        "import time; held = bytearray(300 * 2**20); held[::4096] = b'x' * len(held[::4096]); time.sleep(4)"
    )
    leave = f"import subprocess, sys; subprocess.Popen([sys.executable, '-c', {hold!r}])"
    program = (
        f"import subprocess, sys, time; subprocess.run([sys.executable, '-c', {leave!r}]); time.sleep(5)"
    )
    found = measured("search_memory.py", sys.executable, "-c", program, folder=tmp_path)
    assert found["exit_code"] == 0
    assert 300 / 1024 <= found["gib"] < 1
    assert found["processes"] >= 2
    assert found["samples"] >= 2
