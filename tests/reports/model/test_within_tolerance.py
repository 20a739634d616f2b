"""The cheapest network within a tolerance of the best."""

import dataclasses

import numpy as np
import pytest

from reports.html.answer import answer
from reports.model.trials import summarise
from reports.model.within_tolerance import TOLERANCE, verdict
from suite.runs.tables import Run
from tests.support.synthetic_runs import MakeRun, confirmed_run


def with_errors(run: Run, means: dict[str, float], noise: float) -> Run:
    """The run with other confirmed errors: a mean per member, an effect per seed, and noise."""
    rng = np.random.default_rng(0)
    trials = run.trials.copy()
    for row in trials.index[trials["stage"] == "confirm"]:
        mean, seed = means[trials.loc[row, "parent"]], int(trials.loc[row, "seed"])
        trials.loc[row, "status"] = "finished"
        trials.loc[row, run.info.error_column] = mean + 0.5 * seed + float(rng.normal(0, noise))
    return dataclasses.replace(run, trials=trials)


def test_the_smallest_network_near_the_best_is_chosen_although_a_larger_one_errs_less(
    make_run: MakeRun,
) -> None:
    means = {"t000": 8.2, "t001": 7.9, "t002": 7.2, "t003": 7.1}
    run = with_errors(confirmed_run(make_run), means, noise=0.01)
    found = verdict(summarise(run), "years")
    assert found is not None
    assert found.choice is not None
    assert found.choice.id == "t002"
    assert 0.1 < found.against["t002"].high < TOLERANCE["years"] < found.against["t001"].high
    html = answer(run.info, summarise(run), found)
    assert "within 0.3 years of the best with 95 % confidence is <b>t002</b>, at most 0.1" in html
    assert "The most accurate of 5 finished trials is <b>t003</b>" in html


def test_a_noisy_run_names_no_winner_and_says_what_it_could_have_seen(make_run: MakeRun) -> None:
    means = {"t000": 7.4, "t001": 7.3, "t002": 7.2, "t003": 7.1}
    run = with_errors(confirmed_run(make_run), means, noise=0.6)
    found = verdict(summarise(run), "years")
    assert found is not None
    assert found.choice is None
    assert found.comparison.detectable > TOLERANCE["years"]
    html = answer(run.info, summarise(run), found)
    assert "This run cannot tell which network to ship" in html
    assert f"It could have seen differences from {found.comparison.detectable:.2f}\u00a0years up" in html


def test_a_wide_tolerance_leads_to_the_smallest_network(make_run: MakeRun) -> None:
    summary = summarise(confirmed_run(make_run))
    found = verdict(summary, "years", 5.0)
    assert found is not None
    assert found.choice is summary.smallest


@pytest.mark.parametrize("trials", [0, 3])
def test_a_run_that_confirmed_nothing_has_no_verdict(make_run: MakeRun, trials: int) -> None:
    assert verdict(summarise(make_run(trials=trials)), "years") is None
