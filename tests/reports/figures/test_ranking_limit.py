"""Ranking's targets as the limit of 1 - CDF: the figure against the suite's own definitions."""

import pytest
import torch

from reports.figures import ranking_limit
from reports.html.page import page
from suite.methods.labels import LabelSet, exceedance, ranking_targets, target_distribution
from tests.support.synthetic_runs import MakeRun

AGES = LabelSet(0.0, 100.0, 1.0)
METHODS = {"method": {"choices": ["mr-l1", "ranking-bce"]}}


def test_the_curves_are_the_exceedance_of_the_label_distribution() -> None:
    data = ranking_limit.collect()
    label = torch.tensor([float(data.label)])
    for deviation, values in data.exceedance:
        above = exceedance(target_distribution(label, torch.tensor([deviation]), AGES))[0]
        assert values == pytest.approx(above[list(data.thresholds)].tolist(), abs=1e-6)


def test_the_targets_are_rankings() -> None:
    data = ranking_limit.collect()
    targets = ranking_targets(torch.tensor([float(data.label)]), AGES)[0]
    assert list(data.targets) == targets[list(data.thresholds)].tolist()


def test_the_smaller_the_deviation_the_nearer_are_the_targets() -> None:
    data = ranking_limit.collect()
    assert [deviation for deviation, _ in data.exceedance] == [4.0, 2.0, 1.0, 0.5]
    apart = [
        sum(abs(value - target) for value, target in zip(values, data.targets, strict=True))
        for _, values in data.exceedance
    ]
    assert apart == sorted(apart, reverse=True)
    assert apart[-1] < 0.25 * apart[0]


def test_the_figure_names_every_curve() -> None:
    drawn = ranking_limit.draw(ranking_limit.collect())
    assert [trace.name for trace in drawn.data] == [
        "deviation 4", "deviation 2", "deviation 1", "deviation 0.5", "Ranking's targets",
    ]  # fmt: skip
    assert drawn.layout.showlegend


def test_a_comparison_of_methods_shows_it(make_points: MakeRun) -> None:
    points = [({"method": "mr-l1"}, (7.0, 7.1)), ({"method": "ranking-bce"}, (6.0, 6.2))]
    html = page(make_points(points, METHODS))
    assert "<h2>What Ranking learns</h2>" in html
    assert "the limit of 1 &minus; CDF" in html
    assert "deviation 0.5" in html


@pytest.mark.parametrize(
    ("points", "vary"),
    [
        ([({"method": "mr-l1"}, (7.0, 7.1)), ({"method": "dex"}, (6.0, 6.2))], METHODS),
        ([({"pooling": "hybrid"}, (7.0, 7.1))], {"pooling": {"choices": ["hybrid"]}}),
    ],
)
def test_other_comparisons_do_not(make_points: MakeRun, points: object, vary: object) -> None:
    assert "What Ranking learns" not in page(make_points(points, vary))
