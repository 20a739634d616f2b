"""The curve over one number: which runs have it, where a 0 stands, ticks, and the paper's choice."""

import math
from collections.abc import Sequence
from itertools import pairwise
from typing import Any

import pytest

from reports.figures import curve_chart, style
from reports.figures.curve_chart import CurveChart
from reports.html.page import page
from reports.model.points import compare
from suite.runs.tables import Run
from tests.support.synthetic_runs import MakeRun

LAMBDAS = (0.0, 0.003, 0.01, 0.03, 0.1, 0.3, 1.0)


def vary(field: str) -> dict[str, Any]:
    return {field: {"choices": []}}


def over(field: str, values: Sequence[Any], **fields: Any) -> list[tuple[dict[str, Any], tuple[float, ...]]]:
    return [({field: value, **fields}, (7.0 - n / 10, 7.2 - n / 10)) for n, value in enumerate(values)]


def collected(run: Run) -> CurveChart | None:
    comparison = compare(run)
    assert comparison is not None
    return curve_chart.collect(comparison, run.info)


def test_a_wide_range_is_logarithmic_and_zero_stands_apart(make_points: MakeRun) -> None:
    data = collected(make_points(over("lambda_l1", LAMBDAS), vary("lambda_l1")))
    assert data is not None
    assert data.numbers == LAMBDAS
    assert data.logarithmic
    assert data.zero_apart
    assert data.positions[1:] == pytest.approx([math.log10(number) for number in LAMBDAS[1:]])
    assert data.positions[0] == pytest.approx(math.log10(0.003) - 0.15 * math.log10(1 / 0.003))
    assert curve_chart.ticks(data) == (data.positions, ("0", "0.003", "0.01", "0.03", "0.1", "0.3", "1"))
    lines = [trace for trace in curve_chart.draw(data).data if trace.mode == "lines+markers"]
    assert [len(line.x) for line in lines] == [1, 6]  # none leads to the 0


def test_a_narrow_range_is_linear_and_a_zero_is_a_place_on_it(make_points: MakeRun) -> None:
    data = collected(make_points(over("lambda_l1", (0.0, 0.5, 1.0)), vary("lambda_l1")))
    assert data is not None
    assert data.positions == data.numbers == (0.0, 0.5, 1.0)
    assert not data.logarithmic
    assert not data.zero_apart
    lines = [trace for trace in curve_chart.draw(data).data if trace.mode == "lines+markers"]
    assert [len(line.x) for line in lines if line.x] == [3]


def test_means_have_their_interval_and_seeds_their_dots(make_points: MakeRun) -> None:
    data = collected(make_points(over("label_deviation", (1.0, 2.0, 4.0)), vary("label_deviation")))
    assert data is not None
    assert [mean.mean for mean in data.means] == pytest.approx([7.1, 7.0, 6.9])
    assert data.seeds[0] == {0: 7.0, 1: 7.2}
    drawn = curve_chart.draw(data)
    (line,) = [trace for trace in drawn.data if trace.mode == "lines+markers" and trace.x]
    assert line.error_y.array[0] == pytest.approx(data.means[0].high - data.means[0].mean)
    dots = [trace for trace in drawn.data if trace.mode == "markers"]
    assert [list(trace.y) for trace in dots] == [list(seeds.values()) for seeds in data.seeds]


@pytest.mark.parametrize(
    ("field", "values", "fields", "papers"),
    [
        ("lambda_l1", (0.0, 0.1, 1.0), {"kl_over_bins": "mean"}, 1.0),
        ("lambda_l1", (0.0, 0.1, 1.0), {"kl_over_bins": "sum"}, None),  # there 1 is another weight
        ("lambda_l1", (0.0, 0.1, 0.3), {"kl_over_bins": "mean"}, None),  # not trained
        ("label_deviation", (1.0, 2.0, 4.0), {}, 2.0),
        ("label_step", (1.0, 2.0), {}, 1.0),
        ("learning_rate", (0.001, 0.01), {}, None),
    ],
)
def test_the_papers_choice_is_marked_where_it_was_trained(
    make_points: MakeRun, field: str, values: Sequence[float], fields: dict[str, Any], papers: float | None
) -> None:
    data = collected(make_points(over(field, values, **fields), vary(field)))
    assert data is not None
    assert data.papers == papers
    drawn = curve_chart.draw(data)
    assert [note.text for note in drawn.layout.annotations] == ["the paper's"] * (papers is not None)
    assert [shape.line.color for shape in drawn.layout.shapes] == [style.PUBLISHED] * (papers is not None)


def test_the_mark_at_the_right_edge_has_its_words_on_the_left(make_points: MakeRun) -> None:
    data = collected(make_points(over("lambda_l1", LAMBDAS), vary("lambda_l1")))
    assert data is not None
    (note,) = curve_chart.draw(data).layout.annotations
    assert note.xanchor == "right"
    assert note.x == data.positions[-1]


def test_ticks_that_would_touch_are_left_out(make_points: MakeRun) -> None:
    numbers = tuple(float(number) for number in range(1, 31))
    data = collected(make_points(over("lambda_l1", (0.0, *numbers)), vary("lambda_l1")))
    assert data is not None
    places, labels = curve_chart.ticks(data)
    assert len(labels) < 12
    assert all(b - a >= 0.1 * (data.positions[-1] - data.positions[0]) for a, b in pairwise(places))


@pytest.mark.parametrize(
    ("field", "values"),
    [
        ("method", ("dex", "er")),
        ("label_deviation", (None, 1.0, 2.0)),  # "by the data" has no place on an axis
        ("lambda_l1", (0.0, 1.0)),  # no curve: one number above 0
    ],
)
def test_words_and_single_numbers_keep_the_rows(
    make_points: MakeRun, field: str, values: Sequence[Any]
) -> None:
    run = make_points(over(field, values), vary(field))
    assert collected(run) is None
    assert "Mean validation MAE of each point" in page(run)


def test_the_page_has_the_curve_in_place_of_the_rows(make_points: MakeRun) -> None:
    html = page(make_points(over("lambda_l1", LAMBDAS), vary("lambda_l1")))
    assert 'aria-label="Mean validation MAE over lambda_l1"' in html
    assert "Mean validation MAE of each point" not in html
