"""What a panel of the front collects, and that its drawing tells published from measured."""

import math
from collections.abc import Callable

import numpy as np
import pytest

from reports.figures.front_chart import FrontChart, collect, draw
from reports.figures.labels import POSITIONS, place
from reports.figures.panels import panels
from reports.front import non_dominated
from reports.trials import standing
from suite.runs import Run

MakeRun = Callable[..., Run]


def chart_of(run: Run, key: str) -> FrontChart:
    result = standing(run)
    (panel,) = (panel for panel in panels(run.info, result) if panel.key == key)
    return collect(result, run.info, panel)


@pytest.mark.parametrize("key", ["params", "macs", "bytes"])
def test_every_finished_trial_is_shown_once_and_the_others_are_counted(make_run: MakeRun, key: str) -> None:
    run = make_run(trials=40)
    chart = chart_of(run, key)
    finished = run.trials[run.trials["status"] == "finished"]
    shown = {point.id: point for point in (*chart.front, *chart.others)}
    assert len(shown) == len(chart.front) + len(chart.others)
    assert set(shown) == set(finished["id"])
    for row in finished.to_dict("records"):
        assert (shown[row["id"]].x, shown[row["id"]].y) == (row[key], row["val_mae_years"])
    assert chart.diverged + chart.failed == 40 - len(finished) > 0


def test_the_speed_panel_shows_measured_trials_with_their_spread(make_run: MakeRun) -> None:
    run = make_run(trials=20)
    chart = chart_of(run, "speedup")
    timed = run.trials[run.trials["speedup_vs_vgg16"].notna()].set_index("id")
    points = [*chart.front, *chart.others]
    assert {point.id for point in points} == set(timed.index)
    assert chart.without_x == (run.trials["status"] == "finished").sum() - len(timed)
    for point in points:
        assert point.x == timed.loc[point.id, "speedup_vs_vgg16_at_224"]
        assert point.low == timed.loc[point.id, "speedup_vs_vgg16_at_224_low"] < point.x < point.high
        assert f"{timed.loc[point.id, 'latency_ms_per_image_at_224']:.3g}"[:4] in point.hover
    assert chart.panel.title.endswith("at 224 px, batch 4, CPU with 1 thread")


def test_without_a_measurement_at_224_the_speed_panel_has_the_trials_own_resolution(
    make_run: MakeRun,
) -> None:
    run = make_run(trials=4, statuses=["finished"] * 4)
    columns = [column for column in run.trials if "vgg16_at_224" in column or "image_at_224" in column]
    run.trials[columns] = np.nan
    chart = chart_of(run, "speedup")
    assert {p.x for p in (*chart.front, *chart.others)} == set(run.trials["speedup_vs_vgg16"].dropna())
    assert "at 48 px, batch 4" in chart.panel.title


def test_the_speed_axis_tells_the_latency_that_a_speed_up_comes_to(make_run: MakeRun) -> None:
    run = make_run(trials=8)
    (panel,) = (panel for panel in panels(run.info, standing(run)) if panel.key == "speedup")
    vgg16 = 15.47e9 / 4e7  # ms, as the run was made
    assert panel.tick(10.0) == f"10\u00d7<br>\u2248 {vgg16 / 10:.0f} ms"


def test_a_network_with_its_own_stages_is_called_by_its_name(make_run: MakeRun) -> None:
    run = make_run(trials=2, statuses=["finished"] * 2, configs=[{"network": "resnet50", "method": "dex"}])
    chart = chart_of(run, "params")
    hovers = {point.id: point.hover for point in (*chart.front, *chart.others)}
    assert "ResNet-50" in hovers["t000"]
    assert "method dex" in hovers["t000"]
    assert "widths" not in hovers["t000"]
    assert "widths" in hovers["t001"]
    assert chart.tiny == ()


def test_trials_at_different_resolutions_have_no_reference_beside_their_multiply_adds(
    make_run: MakeRun,
) -> None:
    run = make_run(trials=2, statuses=["finished"] * 2, configs=[{"resolution": 32}, {"resolution": 64}])
    chart = chart_of(run, "macs")
    assert chart.panel.title == "multiply-adds at each trial's resolution, 32 to 64 px"
    assert chart.published == chart.guides == ()
    assert chart_of(run, "params").published


def test_the_step_line_joins_what_is_unbeaten_in_the_panel(make_run: MakeRun) -> None:
    chart = chart_of(make_run(trials=40), "macs")
    points = np.array([(point.x, point.y) for point in (*chart.front, *chart.others)])
    expected = points[non_dominated(points)]
    assert sorted(chart.step) == sorted(map(tuple, expected.tolist()))
    assert [y for _, y in chart.step] == sorted((y for _, y in chart.step), reverse=True)


def test_with_speed_the_step_line_rises_because_faster_is_better(make_run: MakeRun) -> None:
    chart = chart_of(make_run(trials=40), "speedup")
    assert [y for _, y in chart.step] == sorted(y for _, y in chart.step)
    assert max(x for x, _ in chart.step) == max(point.x for point in chart.front)


def test_published_marks_are_at_exact_sizes_with_the_errors_of_real_faces(
    make_run: MakeRun,
) -> None:
    run = make_run(trials=3)
    marks = {(mark.key, mark.x, mark.y) for mark in chart_of(run, "params").published}
    assert marks == {
        ("vgg16", 134_674_341, 5.369),
        ("vgg16", 134_674_341, 3.252),
        ("thin", 3_708_229, 3.135),
        ("tiny", 934_869, 3.427),
    }
    macs = {mark.key: mark.x for mark in chart_of(run, "macs").published}
    by_name = {network.name: network.macs for network in run.info.references}
    assert macs == {"vgg16": by_name["VGG-16"], "thin": by_name["ThinAgeNet"], "tiny": by_name["TinyAgeNet"]}
    speeds = {mark.key: mark.x for mark in chart_of(run, "speedup").published}
    assert speeds == {"vgg16": 1.0, "thin": 2.6, "tiny": 5.5}


def test_attractiveness_quotes_its_own_data_set(make_run: MakeRun) -> None:
    run = make_run(trials=3, attribute="attractiveness")
    chart = chart_of(run, "params")
    assert {(mark.key, mark.y) for mark in chart.published} == {("thin", 0.174), ("tiny", 0.183)}
    assert chart.published_title == "SCUT-FBP5500"
    assert ("VGG-16", 134_674_341.0) in chart.guides


def test_drawn_marks_are_hollow_in_a_group_and_on_an_axis_of_their_own(make_run: MakeRun) -> None:
    figure = draw(chart_of(make_run(trials=10), "bytes"))
    (published,) = (trace for trace in figure.data if trace.legendgroup == "published")
    assert published.name == "published, not measured here"
    assert published.marker.symbol == "diamond-open"
    assert published.yaxis == "y2"
    assert all(trace.yaxis in (None, "y") for trace in figure.data if trace is not published)
    assert any("published, not measured here" in note.text for note in figure.layout.annotations)
    assert figure.layout.xaxis.type == "log"


def test_best_knee_and_smallest_are_always_labelled(make_run: MakeRun) -> None:
    run = make_run(trials=50)
    chart = chart_of(run, "params")
    (front,) = (trace for trace in draw(chart).data if trace.name == "on the front")
    assert set(chart.must_label) <= set(front.text)
    assert {text for text in front.meta["few"] if text} == set(chart.must_label)


def test_an_outlier_is_drawn_at_the_edge_and_does_not_squash_the_axis(make_run: MakeRun) -> None:
    run = make_run(trials=30, statuses=["finished"] * 30)
    size = run.trials["params"].astype(float)
    worst = int(size.argmax())
    run.trials.loc[worst, "val_mae_years"] = 500.0
    figure = draw(chart_of(run, "params"))
    assert figure.layout.yaxis.range[1] < 50
    (others,) = (trace for trace in figure.data if trace.name == "dominated trials")
    assert "triangle-up-open" in others.marker.symbol
    assert any("500.00 years" in text for text in others.hovertext)


@pytest.mark.parametrize("trials", [0, 1])
def test_a_panel_with_nothing_or_one_trial_can_be_drawn(make_run: MakeRun, trials: int) -> None:
    run = make_run(trials=trials, latency=False)
    for panel in panels(run.info, standing(run)):
        figure = draw(collect(standing(run), run.info, panel))
        low, high = figure.layout.xaxis.range
        assert math.isfinite(low)
        assert low < high


def test_without_references_the_panel_still_stands(make_run: MakeRun) -> None:
    run = make_run(trials=5, references=[])
    chart = chart_of(run, "macs")
    assert chart.published == chart.guides == ()
    draw(chart)


def test_labels_overlap_neither_each_other_nor_points() -> None:
    apart = place([(0, 0), (300, 300)], ["t001", "t002"], [], must=0)
    assert None not in apart
    crowd = [(5.0 * i, 0.0) for i in range(40)]
    placed = place(crowd, [f"t{i:03d}" for i in range(40)], [], must=1)
    assert placed[0] is not None
    assert 0 < sum(position is not None for position in placed) < 40


def test_a_label_avoids_the_point_beside_it() -> None:
    (position,) = place([(0, 0)], ["t001"], [(14, 13), (10, 13)], must=1)
    assert position is not None
    assert position in set(POSITIONS) - {"top right"}
