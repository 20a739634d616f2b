"""Pruning to a share of the latency, measured in paired rounds."""

import dataclasses
from pathlib import Path

import pytest

from suite.cli.main import main
from suite.compression import relative_latency
from suite.measure.latency import PairedTimes
from suite.networks.weights import save_network
from suite.trial import TrialConfig
from tests.compression.test_steps import add_trial, rows_of
from tests.support.trained_runs import CONFIG, lively


def test_a_share_of_the_time_is_found_by_timing_candidates(
    run: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Here time is proportional to channels: three quarters of the time are three quarters of the channels."""
    timed: list[int] = []

    def times(whole: TrialConfig, cut: TrialConfig, bins: int, rounds: int) -> PairedTimes:
        timed.append(sum(cut.widths))
        seconds = {"whole": (sum(whole.widths) / 1e5,) * rounds, "cut": (sum(cut.widths) / 1e5,) * rounds}
        return PairedTimes(seconds, 1, whole.resolution, 0.25)

    monkeypatch.setattr(relative_latency, "time_pair", times)
    config = dataclasses.replace(CONFIG, widths=(32, 32, 64, 64, 64))
    save_network(lively(config), config, run / "weights" / "t0003.safetensors")
    add_trial(run, "t0000", "t0003", config)
    options = ["compress", str(run), "--trial", "t0003", "--of", "latency", "--epochs", "0", "--to"]
    assert main([*options, "0.75"]) == 0
    assert list(rows_of(run).widths.iloc[-1]) == [24, 24, 48, 48, 48]
    assert len(set(timed)) <= 8  # of 129 candidates
    output = capsys.readouterr().err
    assert "takes 0.75 of the time (0.75 to 0.75): one image of 32 pixels, eager PyTorch" in output
    assert "while other programs took 25% of the processor" in output
    assert main([*options, "0.01"]) == 2
    assert "has 0.16, above the 0.01 that were asked for" in capsys.readouterr().err
    assert main([*options, "2"]) == 2
    assert "'2' is not a share of the trial's time" in capsys.readouterr().err


def test_a_network_with_far_fewer_channels_is_measured_to_be_faster() -> None:
    wide = dataclasses.replace(CONFIG, widths=(256, 256, 256, 256, 256))
    timed = relative_latency.PairedLatency(wide, 101)
    assert timed(wide.widths) == 1
    assert 0 < timed((8, 8, 8, 8, 8)) < 0.7
    assert timed((8, 8, 8, 8, 8)) == timed((8, 8, 8, 8, 8))  # measured once
