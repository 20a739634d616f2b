"""Bounds on networks: what is refused, what is left out, and what the sampler learns of them; no Ray."""

import itertools
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from optuna.trial import TrialState
from ray.tune.search import Searcher

from search_spaces import SearchSpace, find, grid_trials, load, load_dict
from suite.data.store import LabelRange
from suite.errors import RequestError
from suite.measure.profiling import profile_trial
from suite.methods.labels import label_set_of
from suite.runs.front import front_rows
from suite.runs.ledger import RunLedger
from suite.search.bounds import MOST_IN_A_ROW, check_bounds, describe_exhausted, within_bounds
from suite.search.costs import cost, describe_excesses, relative_excesses
from suite.search.study.proposals import StudyProposals
from suite.search.study.results import count_out_of_bounds, tell_missing, trial_id
from suite.search.study.study import ask, open_study
from suite.search.trial_factory import TrialFactory
from suite.search.tune.file_server import DriverFiles
from suite.search.tune.messages import TrialReport
from suite.search.tune.searcher import TrialEnvironment, TrialSearcher
from suite.trial import EpochResult, Metrics, Profile, TrialConfig, WorstGroup


def trials_of(given: SearchSpace) -> TrialFactory:
    return TrialFactory(given, LabelRange(0, 100, 1))


def space(**changes: Any) -> SearchSpace:
    fields: dict[str, Any] = {
        "name": "bounded",
        "data": "faces",
        "objectives": ["val_mae", "params"],
        "trials": 12,
        "base": {"epochs": 1, "resolution": 32},
        "vary": {
            "widths": [{"low": 4, "high": 64, "step": 4}] * 5,
            "depths": {"choices": [[1, 1, 1, 1, 1], [2, 2, 3, 3, 3]]},
            "learning_rate": {"low": 1e-4, "high": 1e-2, "log": True},
        },
    }
    return load_dict({**fields, **changes})


@pytest.mark.parametrize("changes", [{}, {"network": "vgg16-bn"}, {"method": "mr-l1", "pooling": "average"}])
def test_a_cost_is_the_one_of_the_profile(changes: Mapping[str, Any]) -> None:
    config = TrialConfig(**{"widths": (4, 8, 8, 16, 16), "resolution": 32, **changes})
    profile = profile_trial(config, 101)
    assert [cost(config, 101, name) for name in ("params", "macs", "bytes")] == [
        profile.params,
        profile.macs,
        profile.bytes,
    ]


def test_an_excess_is_relative_and_told_in_words() -> None:
    config = TrialConfig()
    assert relative_excesses(config, {"params": 934_869}) == {"params": 0.0}
    assert relative_excesses(config, {"params": 934_869 // 2})["params"] == pytest.approx(1.0, abs=1e-5)
    assert describe_excesses(config, {"params": 500_000, "bytes": 10**9}) == (
        "934,869 parameters, at most 500,000 allowed"
    )


def test_a_configuration_that_is_not_a_network_is_left_for_its_trial_to_report() -> None:
    assert relative_excesses(TrialConfig(label_step=0.3), {"params": 1}) == {}


@settings(max_examples=20)
@given(st.data())
def test_no_network_of_a_space_costs_less_than_the_least(data: st.DataObject) -> None:
    widths = st.sampled_from([4, 8, 16])
    staged = data.draw(st.booleans())
    choices = data.draw(st.lists(st.tuples(*[widths] * 5).map(list), min_size=1, max_size=3, unique_by=tuple))
    small = space(
        vary={
            "widths": [{"low": 4, "high": 8, "step": 4}] * 5 if staged else {"choices": choices},
            "depths": {"choices": [[2, 1, 1, 1, 1], [1, 2, 1, 1, 1]]},
            "pooling": {"choices": ["hybrid", "average"]},
            "method": {"choices": ["mr-l1", "coral", "dex"]},
            "label_step": {"choices": [1.0, 4.0]},
        }
    )
    listed = [
        [varied.low, varied.high] if hasattr(varied, "low") else varied.values  # type: ignore[union-attr]
        for varied in small.dimensions().values()
    ]
    every = list(itertools.product(*listed))
    for name in ("params", "bytes"):
        costs = []
        for values in every if not staged else every[:: max(1, len(every) // 50)]:
            config = trials_of(small).config(dict(zip(small.dimensions(), values, strict=True)))
            bins = label_set_of(config).bins
            costs.append(cost(config, bins, name))
        least = trials_of(small).least_cost(name)
        assert least <= min(costs)
        assert staged or least == min(costs)
        found = trials_of(small).cost_range(name)
        assert found is not None
        assert found.least == least
        assert found.greatest >= max(costs)
        assert staged or found.greatest == max(costs)


def test_the_costs_of_a_space_do_not_depend_on_its_bounds() -> None:
    free, bounded = trials_of(space()), trials_of(space(bounds={"params": 20_000, "macs": 10**9}))
    for name in ("params", "macs", "bytes"):
        assert bounded.cost_range(name) == free.cost_range(name)
    widest = free.config(
        {f"widths[{s}]": 64 for s in range(5)} | {"depths": (2, 2, 3, 3, 3), "learning_rate": 1e-3}
    )
    found = free.cost_range("macs")
    assert found is not None
    assert found.greatest == cost(widest, 101, "macs")


def test_a_network_that_is_too_large_to_be_run_has_parameters_and_no_multiply_adds() -> None:
    huge = {"widths": [{"low": 4, "high": 4096, "step": 4}] * 5, "depths": {"choices": [[32] * 5]}}
    factory = trials_of(space(vary=huge))
    assert factory.cost_range("macs") is None
    params = factory.cost_range("params")
    assert params is not None
    assert params.greatest > 10**10


def test_a_bound_that_the_smallest_network_cannot_keep_is_refused() -> None:
    for name, noun in (("params", "parameters"), ("macs", "multiply-adds"), ("bytes", "bytes")):
        least = trials_of(space()).least_cost(name)
        check_bounds(trials_of(space(bounds={name: least})))
        with pytest.raises(RequestError, match=rf"the smallest network of the space has {least:,} {noun}"):
            check_bounds(trials_of(space(bounds={name: least - 1})))


def test_a_first_point_out_of_bounds_is_refused_and_one_that_may_be_inside_is_not() -> None:
    large = {"widths": [64] * 5, "depths": [1] * 5}
    with pytest.raises(
        RequestError, match=r"first\[1\] has 1\d\d,\d\d\d parameters and bounds.params is 100,000"
    ):
        check_bounds(trials_of(space(first=[{"widths": [4] * 5}, large], bounds={"params": "100k"})))
    # Of the depths that the sampler has yet to choose, some satisfy the bound.
    check_bounds(trials_of(space(first=[{"widths": [32] * 5}], bounds={"params": "100k"})))


def test_the_shipped_search_takes_the_bound_of_its_first_point() -> None:
    check_bounds(trials_of(load(find("tiny"), overrides=["bounds.params=1M"])))
    with pytest.raises(RequestError, match=r"first\[0\] has 934,869 parameters"):
        check_bounds(trials_of(load(find("tiny"), overrides=["bounds.params=900k"])))


def grid(**changes: Any) -> SearchSpace:
    return space(
        sampler="grid",
        seeds=2,
        vary={"network": {"choices": ["thin", "tiny", "micro"]}},
        **{"bounds": {"params": "1M"}, **changes},
    )


def without_trials(given: SearchSpace) -> SearchSpace:
    fields = given.to_dict()
    del fields["trials"]
    return load_dict(fields)


def test_a_grid_leaves_out_what_is_out_of_bounds_and_says_how_many(tmp_path: Path) -> None:
    whole = without_trials(grid(trials=1))
    trimmed, outside = within_bounds(trials_of(whole))
    assert (whole.trials, trimmed.trials, outside) == (6, 4, 2)
    study = open_study(trimmed, tmp_path, concurrent=1, fits=trials_of(trimmed).fits)
    asked = [trial.system_attrs["fixed_params"] for trial in study.get_trials()]
    assert [(point["network"], point["seed"]) for point in asked] == [
        ("tiny", 0), ("micro", 0), ("tiny", 1), ("micro", 1),
    ]  # fmt: skip
    # Opened again, as for a resumption, it has the same and no more.
    again = open_study(load_dict(trimmed.to_dict()), tmp_path, concurrent=1, fits=trials_of(trimmed).fits)
    assert len(again.get_trials()) == 4


def test_a_grid_cut_off_is_cut_off_among_what_is_inside() -> None:
    trimmed, outside = within_bounds(trials_of(grid(trials=3)))
    assert (trimmed.trials, outside) == (3, 2)
    assert len(list(grid_trials(trimmed))) == 6


def test_a_grid_of_which_nothing_is_inside_is_refused() -> None:
    # Each bound has a network that satisfies it, and none satisfies both.
    both = space(
        sampler="grid",
        vary={"widths": {"choices": [[64, 4, 4, 4, 4], [4, 4, 4, 4, 64]]}},
        trials=2,
        bounds={"params": 10**9},
    )
    first, second = grid_trials(both)
    costs = {
        name: [cost(trials_of(both).config(trial.values), 101, name) for trial in (first, second)]
        for name in ("params", "macs")
    }
    assert costs["params"][0] < costs["params"][1]
    assert costs["macs"][0] > costs["macs"][1]
    tight = both.model_copy(
        update={"bounds": both.bounds.model_copy(update={name: min(costs[name]) for name in costs})}
    )
    check_bounds(trials_of(tight))
    with pytest.raises(
        RequestError, match=r"no point of the grid is within bounds\.params .* and bounds\.macs"
    ):
        within_bounds(trials_of(tight))


class Search:
    """A search in which every trial ends at once, with an error that falls with the network's size."""

    def __init__(self, given: SearchSpace, folder: Path) -> None:
        folder.mkdir(exist_ok=True)
        self.space, self.folder = given, folder
        self.study = open_study(given, folder, concurrent=1)
        self.ledger = RunLedger(folder)
        self.proposals = StudyProposals(self.study, trials_of(given))
        environment = TrialEnvironment(DriverFiles("", "", str(folder)), threads=1, device="cpu")
        self.searcher = TrialSearcher(self.proposals, self.ledger, environment, on_change=lambda *_: None)

    def train(self, trials: int) -> None:
        for number in range(trials):
            suggested = self.searcher.suggest(str(number))
            if suggested == Searcher.FINISHED:
                return
            assert isinstance(suggested, dict)
            self.searcher.on_trial_complete(str(number), {"report": self._trained(suggested["request"])})

    def _trained(self, request: Any) -> TrialReport:
        params = cost(request.config, 101, "params")
        profile = Profile(params, macs=1, macs_at_224=1, bytes=4 * params)
        error = 5.0 + 1e5 / profile.params
        worst = WorstGroup("gender male", 1.5 * error, 30)
        metrics = Metrics(error, error, 0.9, 0.3, 0.5, 0.8, None, worst_group=worst)
        epoch = EpochResult(1, 1.0, 1.0, 1.0, 1e-3, 1.0, 1.0, metrics)
        return TrialReport(request.id, True, "finished", "", profile, "float32", epoch, 0.0, 1.0)


BOUND = 30_000  # about one in eight of the networks that are drawn at random is inside


def test_what_is_out_of_bounds_is_not_trained_and_not_counted(tmp_path: Path) -> None:
    search = Search(space(bounds={"params": BOUND}, sampler="random"), tmp_path)
    search.train(6)
    assert len(search.ledger.rows) == 6
    assert all(row["params"] <= BOUND for row in search.ledger.rows)
    outside = count_out_of_bounds(search.study)
    assert outside > 0
    assert len(search.study.get_trials()) == 6 + outside


def test_the_study_has_the_table_and_beside_it_only_what_breaks_its_constraints(tmp_path: Path) -> None:
    search = Search(space(bounds={"params": BOUND}), tmp_path)
    search.train(6)
    rows = {row["id"]: [row["val_mae_years"], row["params"]] for row in search.ledger.rows}
    feasible = {}
    for trial in search.study.get_trials():
        assert trial.state == TrialState.COMPLETE
        if trial.constraints["params"] <= 0:
            feasible[trial_id(trial.number)] = trial.values
        else:
            assert trial.user_attrs["status"] == "out-of-bounds"
            assert trial.user_attrs["cause"].endswith("parameters, at most 30,000 allowed")
    assert feasible == rows
    assert {trial_id(trial.number) for trial in search.study.best_trials} <= set(rows)


@pytest.mark.parametrize("sampler", ["tpe", "nsga2"])
def test_the_sampler_learns_the_bounds(sampler: str, tmp_path: Path) -> None:
    """Over two seeds it proposes less out of bounds than random draws do, for as many trials."""
    outside = {}
    for word in (sampler, "random"):
        outside[word] = 0
        for seed in range(2):
            given = space(bounds={"params": BOUND}, sampler=word, seed=seed, trials=15)
            search = Search(given, tmp_path / f"{word}{seed}")
            search.train(15)
            outside[word] += count_out_of_bounds(search.study)
    assert outside[sampler] < outside["random"] / 2


BOUND_ON_ERROR = (
    10.0  # years; about half of the networks that are drawn at random err less for their worst group
)


def test_a_network_that_errs_too_much_for_its_worst_group_is_trained_counted_and_told_to_the_sampler(
    tmp_path: Path,
) -> None:
    """Its error is known only after the training: it is in the table and in the study, and on no front."""
    objectives = ["val_mae", "worst_group_mae"]
    given = space(bounds={"worst_group_mae": BOUND_ON_ERROR}, objectives=objectives, sampler="random")
    search = Search(given, tmp_path)
    search.train(6)
    rows = {row["id"]: row for row in search.ledger.rows}
    over = {name for name, row in rows.items() if row["val_worst_group_mae_years"] > BOUND_ON_ERROR}
    assert 0 < len(over) < 6
    told = {trial_id(t.number): t for t in search.study.get_trials()}
    assert {name for name, trial in told.items() if trial.constraints["worst_group_mae"] > 0} == over
    for name, row in rows.items():
        assert told[name].values == [row["val_mae_years"], row["val_worst_group_mae_years"]]
        assert row["val_worst_group"] == "gender male"
    assert count_out_of_bounds(search.study) == 0
    assert [row["trials_known"] for row in search.ledger.rows] == list(range(6))
    assert not over & {trial_id(trial.number) for trial in search.study.best_trials}
    most = {"val_worst_group_mae_years": BOUND_ON_ERROR}
    members = front_rows(search.ledger.rows, given.objectives, "val_mae_years", most)
    assert {row["id"] for row in members} == {trial_id(trial.number) for trial in search.study.best_trials}
    assert (
        front_rows(search.ledger.rows, given.objectives, "val_mae_years", {"val_worst_group_mae_years": 1})
        == []
    )


def test_a_repeat_of_such_a_network_is_told_the_same(tmp_path: Path) -> None:
    few = {"lambda_l1": {"choices": [0.0, 0.1]}}
    search = Search(space(bounds={"worst_group_mae": 1.0}, vary=few, sampler="random", trials=3), tmp_path)
    search.train(3)
    told = search.study.get_trials()
    assert len(told) > len(search.ledger.rows) == 2
    assert all(trial.constraints["worst_group_mae"] > 0 for trial in told if trial.values)


def test_known_results_do_not_count_what_was_not_trained(tmp_path: Path) -> None:
    search = Search(space(bounds={"params": BOUND}, sampler="random"), tmp_path)
    search.train(5)
    assert [row["trials_known"] for row in search.ledger.rows] == [0, 1, 2, 3, 4]


def test_a_search_that_finds_nothing_inside_gives_up(tmp_path: Path) -> None:
    least = trials_of(space()).least_cost("params")
    search = Search(space(bounds={"params": least}, sampler="random"), tmp_path)
    search.train(3)
    assert search.proposals.exhausted
    assert count_out_of_bounds(search.study) == MOST_IN_A_ROW


@pytest.mark.parametrize("sampler", ["tpe", "random"])
def test_a_small_space_is_trained_whole_and_nothing_of_it_twice(sampler: str, tmp_path: Path) -> None:
    few = {"lambda_l1": {"choices": [0.0, 0.1, 1.0]}, "learning_rate": {"choices": [0.001, 0.003]}}
    search = Search(space(vary=few, sampler=sampler), tmp_path)
    search.train(12)
    assert len({(row["lambda_l1"], row["learning_rate"]) for row in search.ledger.rows}) == 6
    assert len(search.ledger.rows) == 6
    assert search.proposals.exhausted
    assert describe_exhausted(search.space, 6, search.proposals.repeats_in_a_row) == (
        "300 suggestions in a row were of configurations trained before, so the search ended with 6 of 12 "
        "trials; widen the space, or ask for fewer"
    )


def test_an_interruption_between_suggestion_and_verdict_loses_nothing(tmp_path: Path) -> None:
    given = space(bounds={"params": BOUND}, sampler="random")
    search = Search(given, tmp_path)
    search.train(2)
    cut_off = ask(search.study, given)  # and the driver is killed
    again = Search(given, tmp_path)
    tell_missing(again.study, again.ledger.rows)
    again.train(2)
    assert len(again.ledger.rows) == 4
    assert {trial.state for trial in again.study.trials} == {TrialState.COMPLETE}
    assert again.study.trials[cut_off.number].params == cut_off.params
    assert all(t.params != cut_off.params for t in again.study.trials if t.number != cut_off.number)
