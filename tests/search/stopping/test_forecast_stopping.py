"""What stops a trial by its forecast."""

from suite.search.stopping.forecast_stopping import ForecastRule, ForecastStopping

EPOCHS = 5
RULE = ForecastRule(("params",), EPOCHS, (2, 3, 4), chance=0.05, unit="years")


def losses(error: float, params: float) -> dict[str, float]:
    return {"val_mae": error, "params": params, "macs": 1.0, "bytes": 1.0}


def with_ended(rule: ForecastRule = RULE, count: int = 12) -> ForecastStopping:
    """Trials of 1,000 parameters and more, whose errors fall by a tenth per epoch, with small differences."""
    prospects = ForecastStopping(rule)
    for i in range(count):
        for epoch in range(1, EPOCHS + 1):
            wobble = 1 + 0.002 * ((i * 7 + epoch * 3) % 5)
            error = (10 + i % 4) * 0.9**epoch * wobble
            prospects.why_stop(f"t{i:04d}", epoch, losses(error, 1000.0 * 1.5**i))
    return prospects


def test_a_trial_without_prospects_is_stopped_and_told_why() -> None:
    cause = with_ended().why_stop("new", 2, losses(30.0, 2000.0))
    assert cause is not None
    assert cause.startswith("forecast at epoch 2 to end at 22.1 years,")
    assert "with a chance of less than 0.5% to be better than t0000 (5." in cause
    assert cause.endswith("), which costs no more")


def test_a_trial_that_may_yet_be_the_best_of_its_size_goes_on() -> None:
    assert with_ended().why_stop("new", 2, losses(8.15, 2000.0)) is None


def test_the_smallest_network_goes_on_whatever_its_error() -> None:
    assert with_ended().why_stop("new", 2, losses(30.0, 999.0)) is None


def test_before_the_grace_is_over_and_after_the_last_epoch_nothing_is_stopped() -> None:
    prospects = with_ended()
    assert prospects.why_stop("new", 1, losses(90.0, 2000.0)) is None
    assert prospects.why_stop("new", EPOCHS, losses(90.0, 2000.0)) is None


def test_with_too_few_to_learn_from_nothing_is_stopped() -> None:
    assert with_ended(count=5).why_stop("new", 2, losses(30.0, 2000.0)) is None


def test_only_trials_that_ended_are_rivals() -> None:
    prospects = with_ended()
    for epoch in range(1, EPOCHS):  # much the best, and stopped or under way
        prospects.why_stop("other", epoch, losses(0.1, 1000.0))
    assert prospects.why_stop("new", 2, losses(8.15, 2000.0)) is None


def test_without_a_cost_the_best_of_all_is_the_rival() -> None:
    prospects = with_ended(ForecastRule((), EPOCHS, (2,), 0.05, "points"))
    cause = prospects.why_stop("new", 2, losses(12.0, 1.0))
    assert cause is not None
    assert cause.endswith("the best so far")
    assert "points" in cause
