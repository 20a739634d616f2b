"""Points of several seeds: which trainings belong together, their differences, and how the page says it."""

import dataclasses
import math
import re
from collections.abc import Mapping
from html import unescape
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from reports.figures import points_chart
from reports.html.comparison_section import comparison_section
from reports.html.metrics_table import metrics_table
from reports.html.page import page
from reports.model.difference_text import NO_DIFFERENCE
from reports.model.points import compare, labels
from tests.support.synthetic_runs import MakeRun

THIN = {"widths": (32, 64, 128, 256, 256)}
TINY: Mapping[str, Any] = {}
VGG = {"network": "vgg16-bn"}
Trained = tuple[Mapping[str, Any], int, float | None]  # fields, seed, val MAE; None: it diverged


def seen(html: str) -> str:
    return re.sub(r"\s+", " ", unescape(re.sub(r"<[^>]+>", " ", html)))


METHODS = {"method": {"choices": ["dex", "er", "dldl-v2"]}}
OF_METHODS: list[Trained] = [
    ({"method": method}, seed, level + spread[seed])
    for seed in (0, 1, 2)
    for method, level, spread in (
        ("dex", 5.0, (0.0, 0.3, 0.9)),  # as the baseline, but for a little of either sign
        ("er", 7.0, (0.0, 0.31, 0.88)),
        ("dldl-v2", 5.0, (0.01, 0.29, 0.9)),
    )
]


def test_trainings_that_differ_in_their_seed_alone_are_one_point(make_trainings: MakeRun) -> None:
    comparison = compare(make_trainings(OF_METHODS, METHODS))
    assert comparison is not None
    assert {point.label: dict(point.errors) for point in comparison.points} == {
        "dex": {0: 5.0, 1: 5.3, 2: 5.9},
        "er": {0: 7.0, 1: 7.31, 2: 7.88},
        "dldl-v2": {0: 5.01, 1: 5.29, 2: 5.9},
    }
    assert [point.label for point in comparison.points][-1] == "er"


def test_differences_are_paired_so_that_what_a_seed_does_to_both_falls_out(make_trainings: MakeRun) -> None:
    comparison = compare(make_trainings(OF_METHODS, METHODS))
    assert comparison is not None
    assert (comparison.baseline, comparison.baseline_is_the_best) == ("dldl-v2", False)
    assert not comparison.differences["dex"].seen
    # The seeds spread by 0.9 years, the differences by 0.03: unpaired, 2 years could hardly be seen.
    er = comparison.differences["er"]
    assert er.seen
    assert er.interval.mean == pytest.approx((1.99 + 2.02 + 1.98) / 3)
    assert er.interval.confidence == pytest.approx(0.975)  # one of two


def test_the_section_says_what_can_be_seen_and_what_cannot(make_trainings: MakeRun) -> None:
    words = seen(comparison_section(make_trainings(OF_METHODS, METHODS)))
    assert "Against dldl-v2: er 2.00 years higher." in words
    assert "No difference that this run can see to dldl-v2: dex." in words
    assert words.count(NO_DIFFERENCE) == 1  # in the table's row of dex
    assert "0: 5.01 1: 5.29 2: 5.90" in words


def test_where_methods_are_compared_the_later_benchmark_stands_beside(make_trainings: MakeRun) -> None:
    words = seen(comparison_section(make_trainings(OF_METHODS, METHODS)))
    assert "the differences between the methods are negligible" in words
    assert "UTKFace 4.38 4.39 4.42" in words
    assert "CVPR 2024" in words
    assert "none was measured here" in words


NETWORKS = {"network": {"choices": ["vgg16-bn", "thin", "tiny"]}}
OF_NETWORKS: list[Trained] = [
    (fields, seed, level + 0.1 * seed)
    for seed in (0, 1, 2)
    for fields, level in ((VGG, 6.0), (THIN, 6.1), (TINY, 6.4))
]


def test_the_papers_table_stands_beside_ours_and_says_that_the_data_differ(make_trainings: MakeRun) -> None:
    run = make_trainings(OF_NETWORKS, NETWORKS)
    comparison = compare(run)
    assert comparison is not None
    assert (comparison.baseline, comparison.baseline_is_the_best) == ("VGG-16 with batch norm", False)
    words = seen(comparison_section(run))
    assert "The data differ:" in words
    assert "3.135 years on ChaLearn15 DLDL-v2, no external data; the paper's result table" in words
    assert "134,674,341 worked out from the paper" in words
    assert "VGG-16 with batch norm" in words
    assert "hardly trains from scratch" in words
    assert "6.20 mean of 3 seeds" in words  # of ThinAgeNet: 6.1, 6.2, 6.3
    assert "negligible" not in words  # the benchmark is of methods


def test_without_a_known_baseline_the_best_is_one_and_the_section_says_what_that_does(
    make_trainings: MakeRun,
) -> None:
    vary = {"lambda_l1": {"choices": [0.1, 1.0]}, "label_deviation": {"choices": [None, 2.0]}}
    trained = [
        ({"lambda_l1": weight, "label_deviation": deviation}, seed, 5 + weight)
        for weight in (1.0, 0.1)
        for deviation in (None, 2.0)
        for seed in (0, 1)
    ]
    comparison = compare(run := make_trainings(trained, vary, seeds=2))
    assert comparison is not None
    assert comparison.baseline.startswith("lambda_l1 0.1, label_deviation ")
    assert {point.label for point in comparison.points} == {
        "lambda_l1 1, label_deviation by the data",
        "lambda_l1 0.1, label_deviation by the data",
        "lambda_l1 1, label_deviation 2",
        "lambda_l1 0.1, label_deviation 2",
    }
    assert "chosen by the very errors that are compared" in seen(comparison_section(run))


def test_rows_of_one_network_say_which_point_they_are(make_trainings: MakeRun) -> None:
    vary = {"network": {"choices": ["thin"]}, "method": {"choices": ["dex", "dldl"]}}
    trained = [({**THIN, "method": method}, seed, 5.0) for method in ("dex", "dldl") for seed in (0, 1)]
    words = seen(comparison_section(make_trainings(trained, vary, 2)))
    assert "5.00 mean of 2 seeds ThinAgeNet, dex" in words
    assert "5.00 mean of 2 seeds ThinAgeNet, dldl" in words


def test_many_points_without_a_difference_are_counted(make_trainings: MakeRun) -> None:
    weights = [0.0, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7]
    trained = [({"lambda_l1": weight}, seed, 5.0 + seed) for weight in weights for seed in (0, 1)]
    words = seen(comparison_section(make_trainings(trained, {"lambda_l1": {"choices": weights}}, 2)))
    assert "No difference that this run can see between lambda_l1 0 and any of the other 7 points." in words


def test_networks_without_vgg16_are_held_against_tinyagenet(make_trainings: MakeRun) -> None:
    comparison = compare(make_trainings([t for t in OF_NETWORKS if t[0] is not VGG], NETWORKS))
    assert comparison is not None
    assert comparison.baseline == "TinyAgeNet"
    assert set(comparison.differences) == {"ThinAgeNet"}


@pytest.mark.parametrize(
    ("field", "choices", "baseline"),
    [
        ("lambda_l1", [1.0, 0.0, 0.1], "lambda_l1 0"),
        ("pooling", ["average", "hybrid"], "pooling hybrid"),
    ],
)
def test_the_baseline_is_laid_down_though_another_point_is_better(
    field: str, choices: list[Any], baseline: str, make_trainings: MakeRun
) -> None:
    trained = [({field: choice}, seed, 5.0 + n) for n, choice in enumerate(choices) for seed in (0, 1)]
    comparison = compare(make_trainings(trained, {field: {"choices": choices}}, 2))
    assert comparison is not None
    assert (comparison.baseline, comparison.baseline_is_the_best) == (baseline, False)


def test_a_seed_that_diverged_is_counted_and_leaves_its_pair_out(make_trainings: MakeRun) -> None:
    trained = [
        (fields, seed, None if (fields["method"], seed) == ("dex", 1) else mae)
        for fields, seed, mae in OF_METHODS
    ]
    run = make_trainings(trained, METHODS)
    comparison = compare(run)
    assert comparison is not None
    assert comparison.differences["dex"].interval.values == 2
    words = seen(comparison_section(run))
    assert "1 without a result" in words
    assert "(1 seed unpaired, left out)" in words


def test_one_seed_so_far_has_no_interval_and_shows_no_difference(make_trainings: MakeRun) -> None:
    words = seen(comparison_section(make_trainings(OF_METHODS[:3], METHODS)))
    assert "one seed, no interval" in words
    assert "No difference that this run can see to dldl-v2: dex, er." in words


def test_what_never_finished_is_compared_with_nothing(make_trainings: MakeRun) -> None:
    nothing = [(fields, seed, None) for fields, seed, _ in OF_METHODS[:2]]
    run = make_trainings(nothing, METHODS)
    assert "nothing to compare" in seen(comparison_section(run))
    assert "No trial has finished" in seen(page(run))


def test_a_point_without_a_seed_of_the_baseline_is_shown_and_not_paired(make_trainings: MakeRun) -> None:
    trained = [OF_METHODS[2], ({"method": "dex"}, 1, 5.0), ({"method": "er"}, 0, 7.0)]
    comparison = compare(make_trainings(trained, METHODS))
    assert comparison is not None
    assert set(comparison.differences) == {"er"}
    assert len(comparison.points) == 3


def test_the_page_shows_method_and_seed_of_every_trial_and_warns_of_lucky_seeds(
    make_trainings: MakeRun,
) -> None:
    run = make_trainings(OF_METHODS, METHODS)
    html = page(run)
    assert "<h2>Comparison</h2>" in html
    assert labels(run)["t001"] == "er"
    assert 'data-title="method"' in html  # which tells the point
    assert ">seed</button>" in html
    words = seen(html[: html.index("<h2>The request")])
    assert "Each point was trained with 3 seeds" in words
    assert "one training with one seed" not in seen(html)


def test_the_chart_has_the_points_in_the_order_of_the_number_that_varied(make_trainings: MakeRun) -> None:
    trained = [({"lambda_l1": weight}, seed, 5 - weight) for weight in (1.0, 0.03, 0.3) for seed in (0, 1)]
    run = make_trainings(
        [*trained, ({"lambda_l1": 3.0}, 0, None)], {"lambda_l1": {"choices": [1.0, 0.03, 0.3]}}, 2
    )
    comparison = compare(run)
    assert comparison is not None
    chart = points_chart.collect(comparison, run.info)
    assert chart.labels == ("lambda_l1 0.03", "lambda_l1 0.3", "lambda_l1 1")
    assert [mean.mean for mean in chart.means] == pytest.approx([4.97, 4.7, 4.0])
    assert chart.seeds[2] == {0: 4.0, 1: 4.0}


def test_the_chart_has_words_in_the_order_of_their_error(make_trainings: MakeRun) -> None:
    comparison = compare(run := make_trainings(OF_METHODS, METHODS))
    assert comparison is not None
    chart = points_chart.collect(comparison, run.info)
    assert chart.labels == tuple(point.label for point in comparison.points)
    drawn = points_chart.draw(chart)
    assert drawn.data[-1].error_x.array[0] == pytest.approx(chart.means[0].high - chart.means[0].mean)


def test_a_run_of_one_seed_has_no_such_section(make_run: MakeRun) -> None:
    run = make_run(trials=4)
    assert compare(run) is None
    assert labels(run) == {}
    html = page(run)
    assert "<h2>Comparison</h2>" not in html
    assert ">seed</button>" not in html


def test_hostile_words_stay_text(make_trainings: MakeRun) -> None:
    trained: list[Trained] = [({"backbone": "<img src=x>"}, seed, 5.0 + seed) for seed in (0, 1)]
    trained += [({"backbone": None}, seed, 6.0 + 2 * seed) for seed in (0, 1)]
    html = comparison_section(
        make_trainings(trained, {"backbone": {"choices": ["<img src=x>", None]}}, seeds=2)
    )
    assert "<img" not in html
    assert "&lt;img src=x&gt;" in html


def test_a_mean_of_a_point_is_of_its_finished_seeds(make_trainings: MakeRun) -> None:
    comparison = compare(make_trainings(OF_METHODS, METHODS))
    assert comparison is not None
    assert math.isclose(comparison.points[-1].mean, (7.0 + 7.31 + 7.88) / 3)


def test_all_metrics_of_a_split_that_was_read_stand_in_one_table(
    make_trainings: MakeRun, tmp_path: Path
) -> None:
    run = make_trainings(OF_METHODS, METHODS)
    section = seen(comparison_section(run))
    assert "The test split has not been read." in section
    assert "er validation 7.40 \u00b1 1.11 9.62 \u00b1 1.44 0.900" in section
    trials = run.trials.assign(test_mae_years=run.trials["val_mae_years"] + 0.5, test_epsilon_error=0.25)
    section = seen(comparison_section(dataclasses.replace(run, trials=trials)))
    assert "er test 7.90 \u00b1 1.11" in section
    assert "0.250 \u00b1 0.000" in section
    assert "nothing was chosen by it" in section


def test_scores_within_whole_points_are_left_out_for_attractiveness(make_trainings: MakeRun) -> None:
    run = make_trainings(OF_METHODS, METHODS)
    comparison = compare(run)
    assert comparison is not None
    assert "CS(3)" in metrics_table(comparison, run.info)
    assert "CS(3)" not in metrics_table(comparison, dataclasses.replace(run.info, attribute="attractiveness"))


def test_what_was_made_from_a_point_is_in_the_table_without_one(make_trainings: MakeRun) -> None:
    run = make_trainings(OF_METHODS, {"pooling": {"choices": ["hybrid"]}, **METHODS})
    made = {**run.trials.iloc[0].to_dict(), "id": "t000-p1", "stage": "pruned", "parent": "t000"}
    pruned = dataclasses.replace(run, trials=pd.concat([run.trials, pd.DataFrame([made])], ignore_index=True))
    assert "t000-p1" in seen(page(pruned))


def test_a_point_has_a_column_only_where_no_other_column_tells_it(make_trainings: MakeRun) -> None:
    assert 'data-title="point"' not in page(make_trainings(OF_METHODS, METHODS))
    both = {"pooling": {"choices": ["hybrid"]}, **METHODS}
    assert 'data-title="point"' in page(make_trainings(OF_METHODS, both))


def test_points_of_data_that_names_groups_have_the_error_of_the_worst_one(make_trainings: MakeRun) -> None:
    run = make_trainings(OF_METHODS, METHODS)
    trials = run.trials.assign(
        val_worst_group="gender female", val_worst_group_people=30.0, val_worst_group_mae_years=6.25
    )
    comparison = compare(dataclasses.replace(run, trials=trials))
    assert comparison is not None
    assert comparison.points[0].measured["val_worst_group_mae_years"] == {0: 6.25, 1: 6.25, 2: 6.25}
    assert "MAE of the worst group" in (table := seen(metrics_table(comparison, run.info)))
    assert "6.25" in table
