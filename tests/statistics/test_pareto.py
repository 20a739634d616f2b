"""The front against brute force, the hypervolume against Optuna's, the knee against its rule."""

import subprocess
import sys

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from optuna._hypervolume import compute_hypervolume

from suite.statistics.pareto import Losses, hypervolume, hypervolume_share, knee, non_dominated

# Few distinct values, so that ties and duplicates are common.
COARSE = st.integers(0, 5).map(float)
ODD = st.sampled_from([np.nan, np.inf, -np.inf])
FINE = st.floats(0.001, 1000.0)


def point_sets(
    values: st.SearchStrategy[float], objectives: tuple[int, int] = (1, 4)
) -> st.SearchStrategy[Losses]:
    shapes = st.tuples(st.integers(0, 14), st.integers(*objectives))
    return shapes.flatmap(lambda shape: hnp.arrays(np.float64, shape, elements=values))


def by_definition(losses: Losses) -> list[bool]:
    """Every pair compared."""

    def beaten(i: int) -> bool:
        return any(
            (bool((other <= losses[i]).all()) and bool((other < losses[i]).any()))
            or (j < i and bool((other == losses[i]).all()))
            for j, other in enumerate(losses)
        )

    return [not np.isnan(row).any() and not beaten(i) for i, row in enumerate(losses)]


@given(point_sets(COARSE) | point_sets(FINE) | point_sets(COARSE | ODD))
def test_the_front_is_what_pairwise_comparison_says(losses: Losses) -> None:
    assert non_dominated(losses).tolist() == by_definition(losses)


def test_of_equal_rows_only_the_first_is_on_the_front() -> None:
    losses = np.array([[3.0, 3.0], [1.0, 2.0], [1.0, 2.0], [2.0, 1.0]])
    assert non_dominated(losses).tolist() == [False, True, False, True]


def test_a_row_with_nan_is_never_on_the_front_and_hides_nobody() -> None:
    losses = np.array([[np.nan, 0.0], [1.0, 1.0], [0.0, np.nan]])
    assert non_dominated(losses).tolist() == [False, True, False]


@pytest.mark.parametrize("objectives", [2, 3])
def test_a_front_of_thousands_of_points_is_all_of_them(objectives: int) -> None:
    directions = np.abs(np.random.default_rng(0).normal(size=(2000, objectives)))
    sphere = 1 - directions / np.linalg.norm(directions, axis=1, keepdims=True)
    assert non_dominated(sphere).all()
    assert hypervolume(sphere, np.ones(objectives)) > 0.5


@given(point_sets(COARSE, (2, 4)) | point_sets(FINE, (2, 4)))
def test_hypervolume_agrees_with_optuna(losses: Losses) -> None:
    reference = np.full(losses.shape[1], 700.0)
    below = losses[(losses < reference).all(axis=1)]
    theirs = compute_hypervolume(below, reference) if len(below) else 0.0
    assert hypervolume(losses, reference) == pytest.approx(theirs, rel=1e-9)


@given(point_sets(COARSE, (2, 3)))
def test_hypervolume_ignores_order_and_dominated_rows(losses: Losses) -> None:
    reference = np.full(losses.shape[1], 6.0)
    front = losses[non_dominated(losses)]
    assert hypervolume(losses[::-1], reference) == pytest.approx(hypervolume(front, reference))


def test_hypervolume_by_hand() -> None:
    assert hypervolume(np.array([[1.0, 2.0], [2.0, 1.0]]), [3.0, 3.0]) == 3.0
    assert hypervolume(np.array([[0.0, 0.0, 1.0], [1.0, 1.0, 0.0]]), [2.0, 2.0, 2.0]) == 5.0
    assert hypervolume(np.array([[3.0, 0.0], [np.nan, 0.0]]), [3.0, 3.0]) == 0.0


def test_a_reference_of_another_dimension_is_refused() -> None:
    with pytest.raises(ValueError, match="must be 3 numbers"):
        hypervolume(np.ones((2, 3)), [1.0, 1.0])


def test_the_knee_lies_farthest_below_the_line_between_the_extremes() -> None:
    # On logarithmic axes: (0, 1), (1/4, 1/4), (1/2, 1/5)..., (1, 0).
    losses = np.array([[1.0, 1e4], [10.0, 10.0], [100.0, 10**0.9], [1e4, 1.0], [9999.0, 9999.0]])
    assert knee(losses) == 1


def test_a_second_cost_that_follows_the_first_does_not_move_the_knee() -> None:
    error = 10 ** np.array([0.0, 0.3, 0.85, 1.0])
    params = 10 ** np.array([1.0, 0.5, 0.05, 0.0])  # weighed twice, it would choose the third row
    alone = knee(np.column_stack([error, params]))
    assert knee(np.column_stack([error, params, params * 100])) == alone == 1


@given(point_sets(FINE, (2, 3)).filter(len))
def test_the_knee_is_on_the_front_and_does_not_change_with_the_units(losses: Losses) -> None:
    index = knee(losses)
    assert non_dominated(losses)[index]
    assert knee(losses * np.array([8.0, 0.25, 1024.0])[: losses.shape[1]]) == index


def test_the_knee_of_nothing_is_an_error() -> None:
    with pytest.raises(ValueError, match="at least one row"):
        knee(np.array([[np.nan, 1.0]]))


def test_the_front_needs_numpy_alone() -> None:
    heavy = "{'pandas', 'plotly', 'reports', 'torch', 'ray', 'optuna'}"
    script = f"import suite.statistics.pareto, sys; print(*{heavy} & set(sys.modules))"
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == ""


boxed = hnp.arrays(np.float64, st.tuples(st.integers(0, 8), st.just(3)), elements=st.floats(0.5, 90.0))
LEAST, CORNER, LOGARITHMIC = np.array([0.0, 1.0, 2.0]), np.array([50.0, 64.0, 80.0]), [False, True, True]


@given(boxed, st.floats(0.5, 90.0), st.floats(0.01, 1000.0))
def test_the_share_of_a_box_grows_with_points_and_does_not_depend_on_units(
    losses: Losses, extra: float, factor: float
) -> None:
    share = hypervolume_share(losses, LEAST, CORNER, LOGARITHMIC)
    assert 0 <= share <= 1
    more = np.vstack([losses, [extra, extra, extra]])
    assert hypervolume_share(more, LEAST, CORNER, LOGARITHMIC) >= share - 1e-12
    scaled = hypervolume_share(losses * factor, LEAST * factor, CORNER * factor, LOGARITHMIC)
    assert scaled == pytest.approx(share, abs=1e-9)
    plain = hypervolume_share(losses, LEAST, CORNER, [False] * 3)
    width = np.prod(CORNER - LEAST)
    assert plain == pytest.approx(hypervolume(np.maximum(losses, LEAST), CORNER) / width)


def test_the_share_of_a_box_is_one_at_its_best_corner_and_counts_equal_factors_alike() -> None:
    least, corner = np.array([0.0, 1.0]), np.array([1.0, 16.0])
    for point, share in (([0.0, 1.0], 1.0), ([0.0, 0.1], 1.0), ([0.0, 4.0], 0.5), ([0.5, 2.0], 0.375)):
        found = hypervolume_share(np.array([point]), least, corner, [False, True])
        assert found == pytest.approx(share)
    assert hypervolume_share(np.array([[0.5, 16.0], [1.0, 1.0]]), least, corner, [False, True]) == 0


@pytest.mark.parametrize(
    ("least", "corner"), [([0.0, 0.0], [1.0, 2.0]), ([0.0, 2.0], [1.0, 2.0]), ([0.0], [1.0])]
)
def test_a_box_without_volume_is_refused(least: list[float], corner: list[float]) -> None:
    with pytest.raises(ValueError, match="box"):
        hypervolume_share(np.ones((1, 2)), least, corner, [False, True])
