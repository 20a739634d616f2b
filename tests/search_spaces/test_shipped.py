"""The searches that ship: that each asks what its name says, can be trained, and fits its time."""

from functools import cache
from typing import get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st

from search_spaces import Choices, find, grid_trials, load, shipped
from suite.data.store import LabelRange
from suite.measure.profiling import profile_trial
from suite.methods.labels import label_set_of
from suite.search.study.parameters import config_at
from suite.search.trial_factory import TrialFactory
from suite.trial import MethodName, Network, TrialConfig

FACES, UTKFACE = LabelRange(0, 100, 1), LabelRange(0, 116, 1)
GRIDS = [name for name in shipped() if load(find(name)).sampler == "grid"]

#: Images that one core of an AVX2 processor trains in a second, of TinyAgeNet at 40 pixels. Others cost
#: what their multiply-adds say.
PACE = 300


@cache
def macs_of(network: Network, widths: tuple[int, ...], depths: tuple[int, ...], resolution: int) -> int:
    config = TrialConfig(network=network, widths=widths, depths=depths, resolution=resolution)
    return profile_trial(config, 101).macs


def macs(config: TrialConfig) -> int:
    """Multiply-adds of an image; output layer and pooling make no difference that matters here."""
    return macs_of(config.network, config.widths, config.depths, config.resolution)


def configs(name: str, ages: LabelRange = FACES) -> list[TrialConfig]:
    space = load(find(name))
    return [config_at(TrialFactory(space, ages), {**t.values, "seed": t.seed}) for t in grid_trials(space)]


def test_the_papers_searches_ship() -> None:
    paper = {"paper", "methods", "lambda", "bins", "pooling", "thin", "attractiveness", "tiny"}
    assert paper <= set(shipped())
    assert set(GRIDS) == {"paper", "methods", "lambda", "bins", "pooling"}


def test_every_point_of_a_grid_has_the_same_seeds() -> None:
    for name in GRIDS:
        seeds: dict[str, list[int]] = {}
        for config in configs(name):
            fields = {key: value for key, value in config.to_json().items() if key != "seed"}
            seeds.setdefault(str(fields), []).append(config.seed)
        assert len(seeds) > 1
        assert set(map(tuple, seeds.values())) == {tuple(range(load(find(name)).seeds))}
        assert len(next(iter(seeds.values()))) >= 3


def test_the_papers_networks_are_trained_under_one_recipe() -> None:
    trained = {(c.network, c.widths if c.network == "compact" else ()) for c in configs("paper")}
    tiny, thin = (16, 32, 64, 128, 128), (32, 64, 128, 256, 256)
    assert trained == {("vgg16-bn", ()), ("compact", thin), ("compact", tiny)}


def test_the_papers_six_methods_are_compared() -> None:
    varied = load(find("methods")).vary["method"]
    assert isinstance(varied, Choices)
    assert (
        set(varied.values)
        == {"mr-l1", "dex", "ranking-bce", "dldl", "er", "dldl-v2"}
        <= set(get_args(MethodName))
    )


@pytest.mark.parametrize("ages", [FACES, UTKFACE])
def test_every_trial_of_a_grid_has_a_whole_number_of_bins(ages: LabelRange) -> None:
    for name in GRIDS:
        for config in configs(name, ages):
            assert label_set_of(config).bins >= 26


def test_the_label_range_of_attractiveness_is_the_datas_own() -> None:
    base = load(find("attractiveness")).base
    assert base.attribute == "attractiveness"
    assert (base.label_low, base.label_high, base.label_step) == (None, None, None)


@pytest.mark.parametrize("name", GRIDS)
def test_a_grid_fits_its_time_on_two_cores(name: str) -> None:
    unit = macs(TrialConfig(resolution=40))
    seconds = sum(
        macs(config) / unit * (config.train_images or 0) * config.epochs / PACE for config in configs(name)
    )
    assert 0 < seconds / 2 / 60 <= (60 if name == "paper" else 30)


def test_tiny_stays_a_matter_of_minutes() -> None:
    assert list(load(find("tiny")).confirming_seeds) == []


@pytest.mark.parametrize("name", ["thin", "attractiveness"])
def test_other_searches_confirm_with_three_seeds_for_four_times_as_long(name: str) -> None:
    space = load(find(name))
    assert list(space.confirming_seeds) == [1, 2, 3]
    assert space.confirm_epochs == "4x"


@given(st.integers(0, 2**32 - 1), st.integers(2, 100))
def test_no_confirming_seed_is_one_of_the_search(seed: int, count: int) -> None:
    space = load(find("tiny"), overrides=[f"seed={seed}", f"confirm_seeds={count}"])
    assert len(set(space.confirming_seeds)) == count
    assert seed not in space.confirming_seeds
