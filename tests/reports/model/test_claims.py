"""The paper's claims beside what a run counted and measured."""

import math

import pytest

from reports.model.claims import Finding, exact, findings, rounds_to
from reports.model.trials import summarise
from reports.published.numbers import published
from suite.runs.tables import Run
from suite.statistics.spread import Spread
from tests.support.synthetic_runs import MakeRun


def found(run: Run, of: str, quantity: str) -> list[Finding]:
    return [
        finding
        for finding in findings(summarise(run), run.info)
        if (finding.claim.of, finding.claim.quantity) == (of, quantity)
    ]


def test_parameter_ratios_are_counted_from_the_references(make_run: MakeRun) -> None:
    run = make_run(trials=2)
    (thin,) = found(run, "thin", "params")
    tiny, ratio = found(run, "tiny", "params")
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
    at_224, at_48 = found(run, "tiny", "speedup")
    assert at_224.here.value == row["speedup_vs_vgg16_at_224"]
    assert at_48.here.low == row["speedup_vs_vgg16_low"]
    assert at_224.how == "measured here at 224 px, batch 4, CPU with 1 thread, trial t000"
    assert at_48.how == "measured here at 48 px, batch 4, CPU with 1 thread, trial t000"


def test_a_network_with_its_own_stages_or_pooling_is_not_timed_for_tiny_age_net(make_run: MakeRun) -> None:
    for other in ({"network": "vgg16"}, {"pooling": "average"}):
        run = make_run(trials=1, configs=[other])
        (open_claim,) = found(run, "tiny", "speedup")
        assert math.isnan(open_claim.here.value)


def test_without_a_timed_trial_the_speed_claim_stays_open(make_run: MakeRun) -> None:
    run = make_run(trials=3, latency=False)
    open_claims = [claim for network in ("thin", "tiny") for claim in found(run, network, "speedup")]
    assert [claim.claim.value for claim in open_claims] == [3, 2.6, 5.5]
    assert all(math.isnan(claim.here.value) and "no trial" in claim.how for claim in open_claims)


def test_claims_on_attractiveness_are_for_runs_on_attractiveness(make_run: MakeRun) -> None:
    def compared_with(attribute: str) -> list[str]:
        run = make_run(trials=2, attribute=attribute)
        return [finding.claim.over for finding in findings(summarise(run), run.info)]

    assert "resnet50" not in compared_with("age")
    assert compared_with("attractiveness").count("resnet50") == 2


def test_a_speed_up_over_resnet_is_not_taken_for_one_over_vgg(make_run: MakeRun) -> None:
    run = make_run(trials=3, attribute="attractiveness", statuses=["finished"] * 3)
    run.trials.at[0, "widths"] = [32, 64, 128, 256, 256]  # a ThinAgeNet that was timed beside VGG-16
    over_vgg, *_, over_resnet = found(run, "thin", "speedup")
    assert math.isfinite(over_vgg.here.value)
    assert over_resnet.claim.over == "resnet50"
    assert math.isnan(over_resnet.here.value)


@pytest.mark.parametrize(
    ("value", "printed", "same"),
    [
        (36.3177, 36.0, True),
        (36.3177, 36.32, True),
        (36.3177, 36.31, False),
        (934_869, 0.9e6, True),
        (3_754_812, 3.8e6, True),
        (3_739_476, 3.8e6, False),
        (15_466_607_104, 15.47e9, True),
        (6.39, 6, True),
        (6.51, 6, False),
        (144.06, 144, True),
        (math.nan, 2.6, False),
    ],
)
def test_a_number_is_held_against_the_digits_that_were_printed(
    value: float, printed: float, same: bool
) -> None:
    assert rounds_to(value, printed) is same


@pytest.mark.parametrize(
    ("here", "verdict"),
    [
        (Spread(2.62, 2.61, 2.64), "yes"),
        (Spread(2.62, 2.2, 3.1), "within spread"),  # a spread that also holds other numbers decides nothing
        (Spread(2.56, 2.3, 2.58), "within spread"),
        (Spread(2.9, 2.5, 3.2), "within spread"),
        (Spread(2.9, 2.7, 3.2), "no"),
        (exact(2.64), "yes"),
        (exact(2.9), "no"),
        (exact(math.nan), "open"),
    ],
)
def test_a_claim_comes_out_by_its_digits_or_within_the_spread_or_not(here: Spread, verdict: str) -> None:
    claim = next(claim for claim in published().claims if (claim.of, claim.value) == ("thin", 2.6))
    assert Finding(claim, published().networks["thin"], here, "").verdict == verdict
