"""What a search space may say of early stopping and of bounds."""

import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any, get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st

from search_spaces import Bounds, SearchSpaceError, Stopping, StoppingRule, find, load, load_dict
from search_spaces.quantities import counted
from search_spaces.settings import RULES_WITH_OPTION


def fields(**changes: Any) -> dict[str, Any]:
    return {
        "name": "small",
        "data": "faces",
        "objectives": ["val_mae", "params"],
        "trials": 4,
        "base": {"epochs": 12},
        "vary": {"learning_rate": {"choices": [1e-3, 1e-2]}},
        **changes,
    }


def tiny(*overrides: str) -> Any:
    return load(find("tiny"), overrides=overrides)


def test_without_a_word_nothing_is_stopped_or_bounded() -> None:
    space = tiny()
    assert space.stopping == Stopping()
    assert space.stopping.rule == "none"
    assert space.bounds.on_costs() == {}


@pytest.mark.parametrize("rule", get_args(StoppingRule))
def test_stopping_and_bounds_come_back_from_json(rule: str) -> None:
    own = {"chance": 0.1} if rule == "forecast" else {"reduction_factor": 4}
    stopping = {"rule": rule, "rungs": [2, 5], **own}
    space = load_dict(fields(stopping=stopping, bounds={"params": "0.9M", "bytes": "4 MB"}))
    assert space.bounds == Bounds(params=900_000, bytes=4_000_000)
    assert load_dict(space.to_dict()) == space


def test_the_error_of_the_worst_group_is_an_objective_and_a_bound_but_not_a_cost() -> None:
    space = load_dict(
        fields(
            objectives=["val_mae", "worst_group_mae", "params"], bounds={"worst_group_mae": 7, "params": "1M"}
        )
    )
    assert space.bounds.worst_group_mae == 7.0
    assert space.bounds.on_costs() == {"params": 1_000_000}
    assert load_dict(space.to_dict()) == space


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"bounds": {"worst_group_mae": 0}}, "bounds.worst_group_mae is 0; it must be above 0"),
        (
            {"objectives": ["val_mae", "worst_group_mae"], "stopping": {"rule": "forecast"}},
            "only the error over all is forecast; set stopping.rule to front, or leave worst_group_mae out",
        ),
        (
            {
                "objectives": ["val_mae", "worst_group_mae"],
                "sharing": {},
                "vary": {"widths": [{"low": 4, "high": 8, "step": 4}] * 5},
            },
            "slices are scored by their error over all; leave worst_group_mae out, or leave out sharing",
        ),
    ],
)
def test_what_cannot_go_with_the_worst_group_is_refused(changes: dict[str, Any], sentence: str) -> None:
    with pytest.raises(SearchSpaceError, match=re.escape(sentence)):
        load_dict(fields(**changes))


@pytest.mark.parametrize(
    ("written", "count"),
    [
        ("900000", 900_000),
        ("900_000", 900_000),
        ("900k", 900_000),
        ("1M", 1_000_000),
        ("50m", 50_000_000),
        ("0.934869M", 934_869),
        ("1.5G", 1_500_000_000),
        ("3.8MB", 3_800_000),
        ("4 kB", 4_000),
        (".5M", 500_000),
        (12, 12),
        (1e6, 1_000_000),
    ],
)
def test_counts_are_read_as_people_write_them(written: Any, count: int) -> None:
    assert counted(written) == count


@given(st.integers(1, 10**12))
def test_a_plain_count_is_itself(count: int) -> None:
    assert counted(str(count)) == count
    assert counted(f"{count}k") == 1000 * count


@pytest.mark.parametrize(
    ("overrides", "sentence"),
    [
        (['bounds.params="1X"'], 'bounds.params is "1X"; it must be a count such as 900000, 900k, 1M or 4MB'),
        (["bounds.params=many"], 'bounds.params is "many"; it must be a count'),
        (["bounds.params=-3"], "bounds.params is -3; it must be at least 1"),
        (["bounds.params=0"], "bounds.params is 0; it must be at least 1"),
        (['bounds.macs=""'], "it must be a count"),
        (["bounds.parms=1M"], 'allowed are params, macs, bytes, worst_group_mae; did you mean "params"?'),
        (["bounds=1M"], "bounds is \"1M\"; it must be a mapping"),
        (["stopping=front"], 'stopping is "front"; it must be a mapping'),
        (["stopping.rule=fronts"], "'front', 'forecast', 'error' or 'none'; did you mean \"front\"?"),
        (["stopping.rule=front", "stopping.chance=0.1"], "chance does not apply to rule front; leave it"),
        (["stopping.rule=forecast", "stopping.reduction_factor=2"], "reduction_factor does not apply to rule"),
        (["stopping.grace=1"], "stopping.grace is unknown; allowed are rule, grace_epochs, reduction_factor"),
        (["stopping.reduction_factor=1"], "stopping.reduction_factor is 1; it must be at least 2"),
        (["stopping.grace_epochs=0"], "stopping.grace_epochs is 0; it must be at least 1"),
        (["stopping.rungs=[3, 2]"], "stopping.rungs must ascend, each epoch once"),
        (["stopping.rungs=[]"], "stopping.rungs has 0 entries; it must have at least 1"),
        (
            ["stopping.rungs=[2]", "stopping.grace_epochs=1"],
            "stopping.rungs and grace_epochs are both given, and each defines the rungs; leave one out",
        ),
        (
            ["stopping.rule=front", "epochs=2"],
            "its first rung is after epoch 2 of 2, where nothing is left to stop; lower stopping.grace",
        ),
        (["stopping.rule=error", "stopping.rungs=[2, 6]"], "stopping.rungs has 6 and base.epochs is 6"),
        (["stopping.rule=front", "vary.epochs={low: 4, high: 8}"], "and epochs varies"),
        (["stopping.rule=front", "objectives=[params]"], "objectives lack val_mae"),
    ],
)  # fmt: skip
def test_what_cannot_be_is_one_sentence(overrides: Sequence[str], sentence: str) -> None:
    with pytest.raises(SearchSpaceError) as refused:
        tiny(*overrides)
    assert sentence in str(refused.value)
    assert "\n" not in str(refused.value)


@pytest.mark.parametrize("rule", [rule for rule in get_args(StoppingRule) if rule != "none"])
@pytest.mark.parametrize(("option", "value"), [("reduction_factor", 2), ("chance", 0.1)])
def test_a_rule_takes_its_own_options_and_refuses_those_of_other_rules(
    rule: str, option: str, value: float
) -> None:
    overrides = [f"stopping.rule={rule}", f"stopping.{option}={value}"]
    if rule in RULES_WITH_OPTION[option]:
        assert getattr(tiny(*overrides).stopping, option) == value
    else:
        with pytest.raises(SearchSpaceError, match=f"{option} does not apply to rule {rule}; leave it out"):
            tiny(*overrides)


@pytest.mark.parametrize("name", ["paper", "methods", "lambda", "bins", "pooling"])
def test_a_comparison_is_not_stopped(name: str) -> None:
    with pytest.raises(SearchSpaceError, match="sampler is grid, which compares whole trainings"):
        load(find(name), overrides=["stopping.rule=front"])
    assert load(find(name), overrides=["stopping.rule=none"]).stopping.rule == "none"


def test_a_fault_has_its_line(tmp_path: Path) -> None:
    file = tmp_path / "space.yaml"
    text = "name: a\ndata: faces\nobjectives: [val_mae]\ntrials: 2\nvary: {flip: {choices: [true, false]}}\n"
    file.write_text(text + "stopping:\n  rule: front\n  reduction_factor: 1\n")
    with pytest.raises(SearchSpaceError, match=r"space\.yaml:8: stopping\.reduction_factor is 1"):
        load(file)


@given(st.integers(1, 40), st.integers(2, 5), st.integers(1, 200))
def test_rungs_lie_below_the_last_epoch_and_grow_by_the_factor(grace: int, factor: int, epochs: int) -> None:
    rungs = Stopping(rule="front", grace_epochs=grace, reduction_factor=factor).rungs_below(epochs)
    assert all(rung < epochs for rung in rungs)
    assert rungs == tuple(grace * factor**k for k in range(len(rungs)))
    assert grace * factor ** len(rungs) >= epochs
