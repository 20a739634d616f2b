"""A paired difference in words: its direction, its interval, and that none can be seen."""

from reports.model.difference_text import NO_DIFFERENCE, difference_sentence
from suite.statistics.paired import paired_difference


def test_a_difference_inside_of_the_noise_is_called_that() -> None:
    first = {0: 5.10, 1: 5.30, 2: 5.20}
    second = {0: 5.15, 1: 5.20, 2: 5.28}
    difference = paired_difference(("DLDL", first), ("DLDL-v2", second))
    text = difference_sentence(difference, "MAE", "years")
    assert NO_DIFFERENCE == "no difference that this run can see"
    assert text.startswith("DLDL-v2 against DLDL: no difference that this run can see in MAE (+0.01 years, ")
    assert "95 % interval -0.23 to +0.25, 3 paired seeds)" in text


def test_a_difference_that_is_seen_names_its_direction() -> None:
    first = {0: 5.10, 1: 5.30, 2: 5.20}
    lower = {seed: value - 0.5 - 0.001 * seed for seed, value in first.items()}
    text = difference_sentence(paired_difference(("DEX", first), ("ER", lower)), "MAE", "years")
    assert text == "ER against DEX: lower MAE (-0.50 years, 95 % interval -0.50 to -0.50, 3 paired seeds)."
    reverse = paired_difference(("ER", lower), ("DEX", first))
    assert "higher MAE" in difference_sentence(reverse, "MAE", "years")


def test_seeds_that_only_one_side_has_are_counted() -> None:
    difference = paired_difference(("a", {0: 5.0, 1: 5.2, 2: 99.0}), ("b", {0: 5.1, 1: 5.25, 7: -99.0}))
    assert "2 paired seeds, 2 unpaired left out" in difference_sentence(difference, "MAE", "years")


def test_one_seed_has_no_interval_in_words() -> None:
    difference = paired_difference(("a", {3: 5.0}), ("b", {3: 1.0}))
    assert difference_sentence(difference, "MAE", "points") == (
        "b against a: no difference that this run can see in MAE "
        "(-4.000 points, one paired seed, so no interval)."
    )
