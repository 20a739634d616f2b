"""The search ``compress`` on a real Ray cluster: trials cut out of a parent, a row for it, resumed."""

import dataclasses
from pathlib import Path

import pytest
import torch

from reports.html.page import write_report
from search_spaces import Choices, SearchSpace, find, load, load_dict
from suite.compression.parent import network_from_parent
from suite.data.dataset import load_dataset
from suite.data.store import LabelRange, Store
from suite.errors import RequestError
from suite.measure.profiling import count_parameters
from suite.networks import build_network
from suite.networks.weights import load_network, save_network
from suite.runs.info import Resources
from suite.runs.tables import config_of, read_run
from suite.search.engine import Search, resume_search, run_search
from suite.search.parents import check_parent, check_same_parent
from suite.search.trial_factory import TrialFactory
from suite.training.fit import fit
from suite.trial import TrialConfig
from tests.search.after_search.test_confirmation import StopsAfter

AGES = LabelRange(0, 100, 1)
CONFIG = TrialConfig(
    widths=(16, 16, 24, 24, 32),
    depths=(1, 1, 1, 1, 1),
    resolution=32,
    epochs=2,
    batch_size=32,
    precision="float32",
)


@pytest.fixture(scope="module")
def parent(store: Store, tmp_path_factory: pytest.TempPathFactory) -> Path:
    training = fit(CONFIG, load_dataset(store, "age", 32))
    list(training)
    file = tmp_path_factory.mktemp("parent") / "t0000.safetensors"
    save_network(training.network, CONFIG, file)
    return file


def space(store: Store, parent: Path, **base: object) -> SearchSpace:
    fields = {name: value for name, value in CONFIG.to_json().items() if name in SearchSpace.model_fields}
    own = {
        "widths": CONFIG.widths,
        "depths": CONFIG.depths,
        "resolution": 32,
        "epochs": 2,
        "batch_size": 32,
        "pruned_from": str(parent),
        "teacher": str(parent),
    }
    return load_dict(
        {
            "name": "compress",
            "data": str(store.folder),
            "objectives": ["val_mae", "params"],
            "trials": 4,
            "base": {**own, **base},
            "vary": {
                "keep": [{"low": 0.25, "high": 1.0}] * 5,
                "importance": {"choices": ["taylor", "magnitude"]},
                "distill_weight": {"low": 0.1, "high": 1.0, "log": True},
            },
            "first": [{"keep": [0.5, 0.5, 0.5, 0.25, 0.25], "importance": "magnitude"}],
            "confirm_seeds": fields.get("confirm_seeds", 1),
            "confirm_epochs": "1x",
            "confirm_neighbours": 0,
            "latency": {"resolution": 32, "batch_size": 1, "rounds": 2},
        }
    )


@pytest.mark.slow
def test_trials_are_cut_out_of_the_parent_and_go_on_after_ctrl_c(
    store: Store, parent: Path, tmp_path: Path
) -> None:
    search = Search(space(store, parent), store, tmp_path / "run", Resources(max_concurrent=1), StopsAfter(2))
    assert run_search(search, "compress.yaml", ["suite", "run"]).status == "interrupted"
    before = read_run(tmp_path / "run").trials.set_index("id")
    info = resume_search(tmp_path / "run", {}, StopsAfter())
    rows = read_run(tmp_path / "run").trials.set_index("id")
    assert info.status == "finished"
    write_report(read_run(tmp_path / "run"), tmp_path / "report.html")
    assert "parent, which the search pruned" in (tmp_path / "report.html").read_text()
    trials = rows[rows.stage == "search"]
    assert len(trials) == 4
    assert set(trials.parent) == {"parent"}
    assert (trials.status == "finished").all()
    assert rows.loc[before.index].val_mae_years.equals(before.val_mae_years)
    own = rows.loc["parent"]
    assert (own.stage, own.params) == ("parent", count_parameters(load_network(parent)[0]))
    first = config_of({"id": "t0000", **rows.loc["t0000"].to_dict()})
    assert (first.widths, first.importance) == ((8, 8, 16, 8, 8), "magnitude")
    for trial_id, row in trials.iterrows():
        network, config, _ = load_network(tmp_path / "run" / "weights" / f"{trial_id}.safetensors")
        assert count_parameters(network) == row.params
        assert config.pruned_from == str(parent.resolve())
        assert 0.1 <= config.distill_weight <= 1
    # What a trial trained from is what its configuration says, and it is the same training again.
    again = fit(
        first,
        load_dataset(store, "age", 32),
        threads=1,
        network=network_from_parent(first, load_dataset(store, "age", 32)),
    )
    assert [epoch.validation.mae for epoch in again][-1] == pytest.approx(
        rows.val_mae_years["t0000"], abs=0.05
    )


@pytest.mark.slow
def test_a_search_does_not_go_on_from_another_parent(store: Store, parent: Path, tmp_path: Path) -> None:
    file, folder = tmp_path / "parent.safetensors", tmp_path / "run"
    network, config, _ = load_network(parent)
    save_network(network, config, file)
    searched = space(store, file)
    search = Search(searched, store, folder, Resources(max_concurrent=1), StopsAfter(1))
    assert run_search(search, "compress.yaml", ["suite", "run"]).status == "interrupted"
    rows = read_run(folder).trials
    assert sorted(rows.stage) == ["parent", "search"]
    check_same_parent(searched, rows.to_dict("records"))
    save_network(build_network(config, 101), config, file)
    with pytest.raises(RequestError, match="another file than when parent was made; put the old one back"):
        resume_search(folder, {}, StopsAfter())
    assert read_run(folder).trials.equals(rows)
    for row in rows.to_dict("records"):  # the parent's alone tells, too, where no trial has ended
        with pytest.raises(RequestError, match=f"another file than when {row['id']} was made"):
            check_same_parent(searched, [row])


def test_a_trial_starts_as_its_parent_where_all_is_kept(store: Store, parent: Path) -> None:
    dataset = load_dataset(store, "age", 32)
    config = dataclasses.replace(CONFIG, pruned_from=str(parent))
    network, images = network_from_parent(config, dataset), torch.randn(2, 3, 32, 32)
    assert network is not None
    assert torch.allclose(network(images), load_network(parent)[0](images), atol=1e-6)
    assert network_from_parent(CONFIG, dataset) is None
    for field, value, complaint in (
        ("widths", (64, 16, 24, 24, 32), "set widths that are no larger"),
        ("depths", (2, 1, 1, 1, 1), "has depths"),
        ("method", "coral", "has method dldl-v2 and the trial coral"),
    ):
        with pytest.raises(RequestError, match=complaint):
            network_from_parent(dataclasses.replace(config, **{field: value}), dataset)  # type: ignore[arg-type]


def test_a_search_from_a_parent_is_refused_without_one_or_with_another_kind(
    store: Store, parent: Path
) -> None:
    with pytest.raises(RequestError, match="uses distillation but names no teacher; add --parent RUN:ID"):
        check_parent(TrialFactory(load(find("compress")), AGES))
    check_parent(TrialFactory(space(store, parent), AGES))
    with pytest.raises(RequestError, match="has depths"):
        check_parent(TrialFactory(space(store, parent, depths=[2] * 5), AGES))
    with pytest.raises(RequestError, match=r"pruned_from .*gone\.safetensors cannot be read"):
        check_parent(
            TrialFactory(space(store, parent, pruned_from=str(parent.with_name("gone.safetensors"))), AGES)
        )


def test_a_teacher_or_an_importance_that_no_trial_could_use_is_refused_before_any_begins(
    store: Store, parent: Path, tmp_path: Path
) -> None:
    other = dataclasses.replace(CONFIG, label_high=90.0)
    teacher = tmp_path / "other.safetensors"
    save_network(build_network(other, 91), other, teacher)
    with pytest.raises(RequestError, match=r"other\.safetensors was trained with label_high 90\.0"):
        check_parent(TrialFactory(space(store, parent, teacher=str(teacher)), AGES))

    vgg = dataclasses.replace(CONFIG, network="vgg16", pruned_widths=(16, 16, 24, 24, 32, 32, 32))
    cut_from = tmp_path / "vgg.safetensors"
    save_network(build_network(vgg, 101), vgg, cut_from)
    of_vgg = space(store, cut_from, network="vgg16", pruned_widths=vgg.pruned_widths)
    check_parent(TrialFactory(of_vgg, AGES))
    some = of_vgg.model_copy(
        update={"vary": {**of_vgg.vary, "importance": Choices(values=("taylor", "bn-scale"))}}
    )
    with pytest.raises(RequestError, match="which bn-scale cannot score"):
        check_parent(TrialFactory(some, AGES))
