"""The paper's tables and choices beside ours: whose row is whose, what is shown, and where nothing is."""

import re
from html import unescape
from typing import Any

import pytest

from reports import formatting
from reports.html.comparison_section import comparison_section
from reports.html.page import page
from reports.html.published_comparison.attractiveness import attractiveness_table, measured
from reports.html.published_comparison.matrix import collect
from reports.html.published_comparison.methods import counterparts
from reports.html.published_comparison.trials import networks_of_trials
from reports.html.search_request import request_section
from reports.html.stackable_tables import stackable
from reports.model.paper_choice import papers_point
from reports.model.points import compare
from reports.model.trials import summarise
from reports.published.numbers import published
from tests.support.synthetic_runs import MakeRun

THIN = {"widths": (32, 64, 128, 256, 256)}
SIX = ("mr-l1", "dex", "ranking-bce", "dldl", "er", "dldl-v2")
METHODS = {"method": {"choices": list(SIX)}}
OF_METHODS = [({"method": method}, (6.0 + n, 6.2 + n)) for n, method in enumerate(SIX)]
LAMBDA = {"lambda_l1": {"choices": [0.0, 0.1, 1.0]}}
OF_LAMBDA = [({"lambda_l1": weight}, (7.0 - weight, 7.3 - weight)) for weight in (0.0, 0.1, 1.0)]
BINS = {"label_step": {"choices": [1.0, 2.0]}, "label_deviation": {"choices": [1.0, 2.0]}}
OF_BINS = [
    ({"label_step": step, "label_deviation": deviation}, (5.0 + step - deviation, 5.2 + step - deviation))
    for step in (2.0, 1.0)
    for deviation in (1.0, 2.0)
]
DASH = formatting.MISSING
HOSTILE = "<img src=x onerror=alert(1)>"


def text(html: str) -> str:
    return re.sub(r"\s+", " ", unescape(re.sub(r"<[^>]+>", " ", html)))


def rows(html: str) -> list[str]:
    return [text(row).strip() for row in re.findall(r"<tr>.*?</tr>", html)]


def row(html: str, start: str) -> str:
    (found,) = [line for line in rows(html) if line.startswith(start)]
    return found


# --- methods ----------------------------------------------------------------------------------------


def test_published_methods_are_paired_with_the_suites(make_points: MakeRun) -> None:
    comparison = compare(make_points(OF_METHODS, METHODS))
    assert comparison is not None
    paired = {
        (method.name, method.network, method.external): [
            point.label for point in counterparts(method, comparison)
        ]
        for method in published().methods.rows
    }
    assert paired == {
        ("Human", "", False): [],
        ("OR-CNN (2016)", "", False): ["ranking-bce"],
        ("DEX (2018)", "", False): ["dex"],
        ("DEX (2018)", "", True): ["dex"],
        ("DLDL (2017)", "", False): ["dldl"],
        ("Ranking (2017)", "", False): ["ranking-bce"],
        ("LDAE (2017)", "", True): [],
        ("DLDL-v2", "tiny", False): ["dldl-v2"],
        ("DLDL-v2", "thin", False): [],  # all of this run are TinyAgeNet
    }


def test_either_loss_of_ranking_stands_beside_ranking(make_points: MakeRun) -> None:
    points = [({"method": method}, (6.0, 6.2)) for method in ("ranking-bce", "ranking-mse")]
    html = comparison_section(make_points(points, METHODS))
    assert row(html, "Ranking (2017)").endswith(
        "2.96 6.10 mean of 2 seeds ranking-bce 6.10 mean of 2 seeds ranking-mse"
    )
    assert "Not in that table" not in text(html)


def test_the_papers_age_table_has_our_means_in_a_column(make_points: MakeRun) -> None:
    html = comparison_section(make_points(OF_METHODS, METHODS))
    shown = row(html, "DLDL (2017)")
    assert (
        shown == f"DLDL (2017) no external data 3.51 epsilon-error 0.31 {DASH} 2.42 9.10 mean of 2 seeds dldl"
    )
    assert (
        row(html, "LDAE") == f"LDAE (2017) with external data {DASH} {DASH} epsilon-error 0.241 2.35 {DASH}"
    )
    assert "3.427 epsilon-error 0.301 3.765 epsilon-error 0.291 2.291 11.10" in row(html, "DLDL-v2, Tiny")
    assert row(html, "DLDL-v2, Thin").endswith(f"1.969 {DASH}")
    seen = text(html)
    assert "Data, network and training differ" in seen
    assert "Not in that table: mr-l1, er." in seen
    assert "CVPR 2024" in seen  # the later benchmark is still there


def test_the_age_table_is_of_methods_and_of_age(make_points: MakeRun) -> None:
    assert "The paper's table" not in text(comparison_section(make_points(OF_LAMBDA, LAMBDA)))
    beauty = make_points(OF_METHODS, METHODS, attribute="attractiveness")
    assert "OR-CNN" not in comparison_section(beauty)


# --- lambda -----------------------------------------------------------------------------------------


def test_the_two_losses_stand_beside_our_lambdas(make_points: MakeRun) -> None:
    html = comparison_section(make_points(OF_LAMBDA, LAMBDA))
    assert row(html, "ThinAgeNet, KL + L1") == f"ThinAgeNet, KL + L1 0.174 0.231 0.942 {DASH}"
    assert row(html, "TinyAgeNet, KL 0") == (
        "TinyAgeNet, KL 0.193 0.253 0.933 7.15 mean of 2 seeds lambda_l1 0"
    )
    assert row(html, "TinyAgeNet, KL + L1").endswith("0.183 0.242 0.937 6.15 mean of 2 seeds lambda_l1 1")
    seen = text(html)
    assert "Here, lambda_l1 1 against lambda_l1 0: lower MAE (-1.00 years, 97.5 % interval" in seen
    assert (
        "The paper sets lambda_l1 to 1, beside a KL averaged over bins (the authors' released code)." in seen
    )
    assert "Here it gives 6.15 years (mean of 2 seeds), the lowest mean of this run" in seen
    assert "the next is lambda_l1 0.1" in seen
    assert "publish no errors" not in seen  # two lambdas are published


def test_a_summed_kl_has_another_lambda(make_points: MakeRun) -> None:
    summed = [({**fields, "kl_over_bins": "sum"}, errors) for fields, errors in OF_LAMBDA]
    html = comparison_section(make_points(summed, LAMBDA))
    assert row(html, "TinyAgeNet, KL + L1").endswith(f"0.937 {DASH}")
    assert "Here, " not in text(html)
    assert "No training with that choice has finished here." in text(html)


def test_the_losses_are_not_shown_where_more_than_lambda_varied(make_points: MakeRun) -> None:
    both = [({**fields, "learning_rate": 0.01}, errors) for fields, errors in OF_LAMBDA]
    run = make_points(both, {**LAMBDA, "learning_rate": {"choices": [0.01]}})
    assert "KL alone" not in comparison_section(run)


# --- bins and pooling -------------------------------------------------------------------------------


def test_two_fields_of_numbers_make_a_matrix(make_points: MakeRun) -> None:
    run = make_points(OF_BINS, BINS)
    comparison = compare(run)
    assert comparison is not None
    matrix = collect(comparison, run.info)
    assert matrix is not None
    assert (matrix.rows, matrix.columns) == ((1.0, 2.0), (1.0, 2.0))
    assert matrix.points[2.0, 1.0].mean == pytest.approx(6.1)
    assert matrix.papers == matrix.best == "label_step 1, label_deviation 2"
    html = comparison_section(run)
    (shown,) = [line for line in rows(html) if line.startswith("label_step 1 ")]
    assert shown == ("label_step 1 5.10 3.83 to 6.37 4.10 2.83 to 5.37 lowest mean the paper's choice")
    seen = text(html)
    assert "publish no errors for different values of label_step and label_deviation , only" in seen
    assert "The paper sets label_step to 1, in years" in seen


def test_a_combination_that_was_not_trained_is_a_dash(make_points: MakeRun) -> None:
    html = comparison_section(make_points(OF_BINS[:3], BINS))
    assert row(html, "label_step 1 ").endswith(DASH)
    assert "the paper's choice" not in row(html, "label_step 1 ")


@pytest.mark.parametrize(
    ("points", "vary"),
    [
        (OF_LAMBDA, LAMBDA),
        ([({"label_step": 1.0, "label_deviation": None}, (5.0, 5.1))], BINS),
        ([({"method": "dex", "label_step": 1.0}, (5.0, 5.1))], {"method": {}, "label_step": {}}),
    ],
)
def test_other_runs_have_no_matrix(make_points: MakeRun, points: Any, vary: Any) -> None:
    run = make_points(points, vary)
    comparison = compare(run)
    assert comparison is not None
    assert collect(comparison, run.info) is None
    assert "The lowest mean is marked" not in comparison_section(run)


def test_the_papers_step_is_another_for_attractiveness(make_points: MakeRun) -> None:
    points = [({"label_step": step}, (0.3 + step, 0.31 + step)) for step in (0.1, 1.0)]
    run = make_points(points, {"label_step": {}}, attribute="attractiveness")
    comparison = compare(run)
    assert comparison is not None
    chosen = papers_point(comparison, run.info)
    assert chosen is not None
    assert chosen.label == "label_step 0.1"


def test_pooling_says_the_papers_choice_and_what_came_out(make_points: MakeRun) -> None:
    points = [({"pooling": "hybrid"}, (6.0, 6.2)), ({"pooling": "average"}, (5.8, 6.1))]
    seen = text(comparison_section(make_points(points, {"pooling": {"choices": ["hybrid", "average"]}})))
    assert "The paper sets pooling to hybrid, max pooling and then average pooling" in seen
    assert (
        "Here it gives 6.10 years (mean of 2 seeds); the lowest mean of this run is pooling average with "
        "5.95 years (mean of 2 seeds)."
    ) in seen
    assert "publish no errors for different values of pooling , only" in seen


def test_fields_that_the_paper_chose_nothing_of_are_left_alone(make_points: MakeRun) -> None:
    points = [({"batch_size": 32}, (6.0, 6.2)), ({"batch_size": 64}, (5.8, 6.1))]
    seen = text(comparison_section(make_points(points, {"batch_size": {"choices": [32, 64]}})))
    assert "The paper's choice" not in seen


# --- runs of one seed -------------------------------------------------------------------------------


def test_a_run_of_one_seed_has_the_papers_networks_beside_its_trials(make_run: MakeRun) -> None:
    run = make_run(trials=4, statuses=["finished"] * 4, configs=[{}, THIN | {"depths": (2, 2, 3, 3, 3)}])
    html = networks_of_trials(run.info, summarise(run))
    tiny, thin = (run.trials.set_index("id")["val_mae_years"][id_] for id_ in ("t000", "t001"))
    assert row(html, "TinyAgeNet").endswith(f"{tiny:.2f} t000, one seed")
    assert row(html, "ThinAgeNet").endswith(f"{thin:.2f} t001, one seed")
    assert "3.427 years on ChaLearn15" in row(html, "TinyAgeNet")
    assert len(rows(html)) == 3  # the heads, and these two
    assert stackable(html) in page(run)


def test_many_trials_of_a_network_are_a_span(make_run: MakeRun) -> None:
    same = {"widths": (16, 32, 64, 128, 128), "depths": (2, 2, 3, 3, 3)}
    run = make_run(trials=4, statuses=["finished"] * 4, configs=[same] * 4)
    errors = run.trials["val_mae_years"]
    html = networks_of_trials(run.info, summarise(run))
    assert row(html, "TinyAgeNet").endswith(
        f"{errors.min():.2f} to {errors.max():.2f} 4 trials, one seed each"
    )


def test_without_the_papers_networks_or_a_result_there_is_no_table(make_run: MakeRun) -> None:
    other = make_run(trials=2, configs=[{"widths": (8, 8, 8, 8, 8)}] * 2, statuses=["finished"] * 2)
    assert networks_of_trials(other.info, summarise(other)) == ""
    lost = make_run(trials=1, statuses=["diverged"])
    assert networks_of_trials(lost.info, summarise(lost)) == ""


def test_a_comparison_over_seeds_shows_networks_once(make_points: MakeRun) -> None:
    run = make_points([({}, (6.0, 6.1)), (THIN, (5.0, 5.1))], {"network": {}})
    assert networks_of_trials(run.info, summarise(run)) == ""
    assert page(run).count("Published beside measured here") == 1


# --- attractiveness ---------------------------------------------------------------------------------


def test_attractiveness_has_the_published_losses_and_our_networks(make_run: MakeRun) -> None:
    run = make_run(
        trials=3, statuses=["finished"] * 3, attribute="attractiveness", configs=[{"lambda_l1": 0.5}]
    )
    result = summarise(run)
    html = attractiveness_table(run, result)
    assert row(html, "ThinAgeNet, KL 0") == ("ThinAgeNet, KL 0.182 0.240 0.941 SCUT-FBP5500, mean of 5 folds")
    mae, tested = run.trials["val_mae_points"][0], run.trials["test_mae_points"][0]
    (ours,) = [line for line in rows(html) if "t000, one seed" in line]
    assert ours.replace(", the front's best", "") == (
        f"TinyAgeNet KL + 0.5 L1; t000, one seed {mae:.3f} test {tested:.3f} {1.3 * mae:.3f} 0.900 "
        "faces, validation and test"
    )
    best = min(result.front, key=lambda trial: trial.val_mae)
    (shown,) = [one for one in measured(run, result) if best.id in one.ids]
    assert shown.name.endswith("the front's best")
    assert shown.validation[0] == pytest.approx(best.val_mae)
    assert "The data differ" in text(html)
    assert stackable(html) in page(run)


def test_seeds_of_one_training_are_one_row(make_points: MakeRun) -> None:
    points = [({}, (0.30, 0.40)), ({"widths": (8, 8, 8, 8, 8)}, (0.6, 0.7))]
    run = make_points(points, {"widths": {}}, attribute="attractiveness")
    (only,) = measured(run, summarise(run))
    assert only.ids == ("t000", "t001")
    assert only.validation == pytest.approx((0.35, 1.3 * 0.35, 0.9))
    html = attractiveness_table(run, summarise(run))
    assert "mean of 2 seeds 0.350 0.455 0.900 faces, validation" in row(html, "TinyAgeNet, the front's best")
    assert "test" not in row(html, "TinyAgeNet, the front's best")


def test_without_a_result_attractiveness_has_the_published_rows_alone(make_run: MakeRun) -> None:
    run = make_run(trials=1, statuses=["failed"], attribute="attractiveness")
    assert len(rows(attractiveness_table(run, summarise(run)))) == 5
    assert "Measured here" not in attractiveness_table(run, summarise(run))


def test_age_has_no_table_of_attractiveness(make_run: MakeRun) -> None:
    run = make_run(trials=2)
    assert attractiveness_table(run, summarise(run)) == ""
    assert "SCUT-FBP5500, mean of" not in page(run)


# --- everywhere -------------------------------------------------------------------------------------


def test_a_grid_says_that_nothing_is_drawn_by_results(make_run: MakeRun) -> None:
    run = make_run(trials=3)
    assert "every combination" not in request_section(run.info, summarise(run))
    run.info.search["sampler"] = "grid"
    assert "every combination is trained, as far as trials were asked for, and none is drawn by results" in (
        text(request_section(run.info, summarise(run)))
    )


@pytest.mark.parametrize(("points", "vary"), [(OF_METHODS, METHODS), (OF_LAMBDA, LAMBDA)])
def test_hostile_names_stay_text_beside_the_paper(make_points: MakeRun, points: Any, vary: Any) -> None:
    run = make_points(points, vary)
    object.__setattr__(run.info.data, "name", HOSTILE)
    hostile = [({"backbone": HOSTILE, **fields}, errors) for fields, errors in points]
    also = make_points(hostile, {**vary, "backbone": {}})
    for html in (comparison_section(run), comparison_section(also)):
        assert "<img" not in html
        assert "&lt;img" in html


def test_hostile_ids_stay_text_beside_the_networks(make_run: MakeRun) -> None:
    for attribute in ("age", "attractiveness"):
        run = make_run(trials=1, attribute=attribute)
        run.trials["id"] = run.trials["id"] + HOSTILE
        html = networks_of_trials(run.info, summarise(run)) + attractiveness_table(run, summarise(run))
        assert "<img" not in html
        assert "&lt;img" in html
