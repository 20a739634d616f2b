"""Which slices are scored: NSGA-II on a problem whose front is known."""

from collections.abc import Mapping, Sequence
from typing import Any

from search_spaces import SearchSpace, Value, load_dict
from suite.search.study.slices import GENERATION, MOST_STALE, Losses, walk

Point = Mapping[str, Value]


def space(**changes: Any) -> SearchSpace:
    return load_dict(
        {
            "name": "shared",
            "data": "faces",
            "objectives": ["val_mae", "params"],
            "trials": 4,
            "vary": {
                "widths": [{"low": 4, "high": 64, "step": 4}] * 5,
                "depths": [{"low": 1, "high": 3}] * 5,
                "learning_rate": {"low": 1e-3, "high": 1e-2},
            },
            "sharing": {},
            **changes,
        }
    )


def losses(point: Point) -> Losses:
    """The first stage's width decides the error; all others only cost."""
    sizes = {name: int(size) for name, size in point.items()}  # type: ignore[arg-type]
    return 10 - sizes["widths[0]"] / 10, float(sum(sizes.values()))


class Recorder:
    """Scores points, and keeps them by generation."""

    def __init__(self) -> None:
        self.generations: list[list[Point]] = []

    def __call__(self, points: Sequence[Point]) -> list[Losses]:
        self.generations.append(list(points))
        return [losses(point) for point in points]


def walked(generations: int, recorder: Recorder, **changes: Any) -> None:
    for _, _ in zip(range(generations), walk(space(**changes), recorder), strict=False):
        pass


def test_a_walk_has_the_ends_first_and_varies_widths_and_depths_only() -> None:
    recorder = Recorder()
    walked(1, recorder)
    first = recorder.generations[0]
    assert len(first) == GENERATION
    assert set(first[0]) == {f"{field}[{stage}]" for field in ("widths", "depths") for stage in range(5)}
    assert list(first[0].values()) == [4] * 5 + [1] * 5
    assert list(first[1].values()) == [64] * 5 + [3] * 5


def test_the_walk_comes_nearer_to_the_front() -> None:
    recorder = Recorder()
    walked(12, recorder)

    def waste(points: Sequence[Point]) -> float:  # what the sizes that do not help cost
        return sum(sum(int(v) for n, v in p.items() if n != "widths[0]") for p in points) / len(points)  # type: ignore[arg-type]

    assert waste(recorder.generations[-1]) < 0.5 * waste(recorder.generations[0])


def test_the_same_losses_give_the_same_walk_so_that_it_can_be_resumed() -> None:
    whole, again = Recorder(), Recorder()
    walked(4, whole)
    walked(4, again)
    assert whole.generations == again.generations
    other = Recorder()
    walked(2, other, seed=1)
    assert other.generations[0] != whole.generations[0]


def test_a_space_that_is_known_whole_ends_the_walk() -> None:
    recorder = Recorder()
    few = {"widths": [{"choices": [4, 8]}] + [{"choices": [4]}] * 4}
    known = list(walk(space(vary=few), recorder))
    assert known[-1] == 2
    assert len(known) == MOST_STALE + 1


def test_slices_out_of_bounds_do_not_end_the_walk() -> None:
    def bounded(points: Sequence[Point]) -> list[Losses]:
        return [losses(point) if point["widths[1]"] == 4 else None for point in points]

    known = [known for _, known in zip(range(3), walk(space(), bounded), strict=False)]
    assert known[0] < known[1] < known[2]
