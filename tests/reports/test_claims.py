"""The paper's claims beside what a run counted and measured."""

import math
from collections.abc import Callable

import pytest

from reports.claims import Finding, findings
from reports.trials import standing
from suite.runs import Run

MakeRun = Callable[..., Run]


def found(run: Run, of: str, quantity: str) -> list[Finding]:
    return [
        finding
        for finding in findings(standing(run), run.info)
        if (finding.claim.of, finding.claim.quantity) == (of, quantity)
    ]


def test_parameter_ratios_are_counted_from_the_references(make_run: MakeRun) -> None:
    run = make_run(trials=2)
    (thin,) = found(run, "thin", "params")
    ratio, tiny = found(run, "tiny", "params")
    assert thin.here.value == pytest.approx(134_674_341 / 3_708_229)
    assert ratio.here.value == pytest.approx(134_674_341 / 934_869)
    assert tiny.here.value == 934_869
    assert tiny.difference == pytest.approx(0.0387, abs=1e-4)
    assert thin.how == "counted exactly"


def test_without_references_nothing_is_claimed_here(make_run: MakeRun) -> None:
    run = make_run(trials=2, references=[])
    (thin,) = found(run, "thin", "params")
    assert math.isnan(thin.here.value)
    assert thin.how == "not counted in this run"


def test_speed_is_measured_on_the_trial_with_the_architecture_at_both_resolutions(
    make_run: MakeRun,
) -> None:
    run = make_run(trials=3, statuses=["finished"] * 3)
    row = run.trials.set_index("id").loc["t000"]
    at_224, at_48 = found(run, "tiny", "speedup_vs_vgg16")
    assert at_224.here.value == row["speedup_vs_vgg16_at_224"]
    assert at_48.here.low == row["speedup_vs_vgg16_low"]
    assert at_224.how == "measured here at 224 px, batch 4, CPU with 1 thread, trial t000"
    assert at_48.how == "measured here at 48 px, batch 4, CPU with 1 thread, trial t000"


def test_a_network_with_its_own_stages_or_pooling_is_not_timed_for_tiny_age_net(make_run: MakeRun) -> None:
    for other in ({"network": "vgg16"}, {"pooling": "average"}):
        run = make_run(trials=1, configs=[other])
        (open_claim,) = found(run, "tiny", "speedup_vs_vgg16")
        assert math.isnan(open_claim.here.value)


def test_without_a_timed_trial_the_speed_claim_stays_open(make_run: MakeRun) -> None:
    run = make_run(trials=3, latency=False)
    for network in ("thin", "tiny"):
        (open_claim,) = found(run, network, "speedup_vs_vgg16")
        assert math.isnan(open_claim.here.value)
        assert "no trial" in open_claim.how
