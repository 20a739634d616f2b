"""Grids: what they hold and in which order, and what is refused of them."""

from pathlib import Path

import pytest

from search_spaces import SearchSpace, SearchSpaceError, grid_trials, load, load_dict

GRID = """\
name: small
data: faces
objectives: [val_mae]
sampler: grid
seed: 5
seeds: 2
vary:
  method: {choices: [dex, dldl-v2]}
  batch_size: {low: 16, high: 48, step: 16}
base: {resolution: 40}
"""


def grid(tmp_path: Path, old: str = "", new: str = "", overrides: tuple[str, ...] = ()) -> SearchSpace:
    """The small grid with one piece of text replaced."""
    path = tmp_path / "space.yaml"
    path.write_text(GRID.replace(old, new) if old else GRID, encoding="utf-8")
    return load(path, overrides=overrides)


def test_every_combination_with_every_seed_in_the_order_that_one_counts_in(tmp_path: Path) -> None:
    trials = [(t.seed, t.values["method"], t.values["batch_size"]) for t in grid_trials(grid(tmp_path))]
    assert trials == [
        (seed, method, images) for seed in (5, 6) for method in ("dex", "dldl-v2") for images in (16, 32, 48)
    ]


def test_the_number_of_trials_is_that_of_the_grid_unless_fewer_are_asked_for(tmp_path: Path) -> None:
    assert grid(tmp_path).trials == 12
    assert grid(tmp_path, overrides=("seeds=3",)).trials == 18
    assert grid(tmp_path, overrides=("trials=7",)).trials == 7


def test_whole_networks_and_stages_are_dimensions_like_others() -> None:
    space = load_dict(
        {
            "name": "a",
            "data": "faces",
            "objectives": ["val_mae", "params"],
            "sampler": "grid",
            "vary": {
                "widths": [{"low": 4, "high": 8, "step": 4}] + [{"choices": [8]}] * 4,
                "depths": {"choices": [[1, 1, 1, 1, 1], [2, 2, 3, 3, 3]]},
            },
        }
    )
    fields = [space.trial_fields(trial.values) for trial in grid_trials(space)]
    assert [(f["widths"], f["depths"]) for f in fields] == [
        ((4, 8, 8, 8, 8), (1, 1, 1, 1, 1)),
        ((4, 8, 8, 8, 8), (2, 2, 3, 3, 3)),
        ((8, 8, 8, 8, 8), (1, 1, 1, 1, 1)),
        ((8, 8, 8, 8, 8), (2, 2, 3, 3, 3)),
    ]


def test_a_grid_survives_json(tmp_path: Path) -> None:
    space = grid(tmp_path)
    again = load_dict(space.to_dict())
    assert again == space
    assert list(grid_trials(again)) == list(grid_trials(space))


def test_a_grid_with_seeds_confirms_nothing_and_one_without_does(tmp_path: Path) -> None:
    assert list(grid(tmp_path).confirming_seeds) == []
    assert list(grid(tmp_path, overrides=("seeds=1",)).confirming_seeds) == [6, 7, 8]


FAULTS = {
    "a range without an end of values": (
        "batch_size: {low: 16, high: 48, step: 16}",
        "lambda_l1: {low: 0.1, high: 1}",
        r"space.yaml:9: vary.lambda_l1 is a range of numbers and sampler is grid, which tries every value; "
        r"list the values as \{choices: \[...\]\}",
    ),
    "more trials than there are": (
        "seeds: 2",
        "trials: 7",
        r"space.yaml:6: trials is 7 and the grid has 6 \(6 combinations with 1 seed each\); lower trials or "
        "leave it out",
    ),
    "points before the grid": (
        "seeds: 2",
        "first: [{method: dex}]",
        "space.yaml:6: first is given and sampler is grid, which has an order of its own; leave first out",
    ),
    "a confirmation of what nothing is chosen of": (
        "seed: 5",
        "confirm_seeds: 3",
        "space.yaml:5: confirm_seeds is 3 and seeds is 2; a grid with seeds trains every point with several "
        "and chooses none to confirm, so leave confirm_seeds out",
    ),
    "seeds for a sampler": (
        "sampler: grid",
        "trials: 4",
        "space.yaml:6: seeds is 2 and sampler is tpe; only sampler grid trains a point with several seeds, "
        "so leave seeds out",
    ),
    "no seed at all": ("seeds: 2", "seeds: 0", "space.yaml:6: seeds is 0; it must be at least 1"),
    "a sampler without trials": ("sampler: grid", "sampler: tpe", "space.yaml:1: trials is missing"),
    "a grid that no run could finish": (
        "{low: 16, high: 48, step: 16}",
        "{low: 1, high: 64}\n  epochs: {low: 1, high: 100000}",
        r"space.yaml:7: the grid has 25,600,000 trials \(12,800,000 combinations with 2 seeds each\); a run "
        "has at most 1,000,000, so set trials",
    ),
}


@pytest.mark.parametrize("fault", FAULTS)
def test_a_fault_is_named_with_its_line(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, fault: str) -> None:
    monkeypatch.chdir(tmp_path)
    old, new, message = FAULTS[fault]
    assert GRID.count(old) == 1
    with pytest.raises(SearchSpaceError, match=f"^{message}$"):
        grid(tmp_path, old, new)
