"""The first content of ``run.json``: space, data, reference networks and provenance of a new search."""

import dataclasses
from collections.abc import Mapping, Sequence
from datetime import datetime

from suite.data.dataset import Dataset, load_dataset
from suite.data.store import Store, can_group
from suite.errors import RequestError
from suite.measure.profiling import profile_trial
from suite.methods.labels import label_set_of
from suite.networks import PRESETS
from suite.runs import provenance
from suite.runs.info import CostRange, DataUsed, ReferenceNetwork, RunInfo
from suite.search.bounds import check_bounds
from suite.search.costs import NOUNS
from suite.search.parents import check_backbones, check_parent
from suite.search.session import Search
from suite.search.trial_factory import TrialFactory
from suite.statistics.worst_group import FEWEST_OF_A_GROUP, worst_group
from suite.trial import TrialConfig


def new_run_info(search: Search, search_file: str, command: Sequence[str]) -> RunInfo:
    """Check a search that is about to begin, and return its ``run.json``.

    Args:
        search: What to search, with what and where.
        search_file: The search space's file, as the user named it.
        command: The command line.

    Raises:
        RequestError: Space and data do not agree, or a file of weights is missing.
    """
    space, store, shared = search.space, search.store, search.space.base
    check_backbones(space)
    if "attribute" in space.vary:
        raise RequestError(
            f"{search_file} varies attribute, and errors in years and in points make no common front; "
            "fix attribute under base"
        )
    label_range = store.info.attributes.get(shared.attribute)
    dataset = load_dataset(
        store, shared.attribute, shared.resolution
    )  # refuses an attribute or resolution that the store lacks
    assert label_range is not None
    trials = TrialFactory(space, label_range)
    check_parent(trials)
    check_bounds(trials)
    _check_groups(search, dataset)
    tiny = TrialConfig(
        attribute=shared.attribute,
        resolution=shared.resolution,
        label_low=label_range.low if shared.label_low is None else shared.label_low,
        label_high=label_range.high if shared.label_high is None else shared.label_high,
        label_step=label_range.step if shared.label_step is None else shared.label_step,
    )
    return RunInfo(
        name=space.name,
        status="running",
        command=list(command),
        search=space.to_dict(),
        search_file=search_file,
        attribute=shared.attribute,
        resolution=shared.resolution,
        objectives=list(space.objectives),
        trials_asked=space.trials,
        seed=space.seed,
        max_concurrent=0,  # not known before the cluster is up
        resources=search.resources,
        data=_data_used(store, dataset, shared.train_images),
        references=_references(tiny),
        versions=provenance.versions(),
        git_revision=provenance.git_revision(),
        hardware=provenance.hardware(),
        started=datetime.now().astimezone().isoformat(timespec="seconds"),
        cost_ranges=cost_ranges(trials),
    )


def cost_ranges(trials: TrialFactory) -> Mapping[str, CostRange]:
    """Return what the networks of the space cost, by objective, as far as it can be counted."""
    found = {name: trials.cost_range(name) for name in trials.space.objectives if name in NOUNS}
    return {name: of for name, of in found.items() if of is not None}


def _check_groups(search: Search, dataset: Dataset) -> None:
    """Refuse the error of the worst group as an objective or a bound where the data has no group that counts.

    Raises:
        RequestError: It has none.
    """
    space, store = search.space, search.store
    places = [
        *(["objectives"] if "worst_group_mae" in space.objectives else []),
        *(["bounds"] if space.bounds.worst_group_mae is not None else []),
    ]
    if not places or dataset.splits["val"].groups:
        return
    named = [str(name) for name in store.labels.columns if can_group(str(name))]
    lacks = "names no groups of people"
    if named:
        lacks = f"has no group of {FEWEST_OF_A_GROUP} people or more on validation ({', '.join(named)[:80]})"
    raise RequestError(
        f"worst_group_mae is in {' and '.join(places)}, and {store.folder} {lacks}; leave it out, or pack data with "
        "a column such as gender and more people in each of its groups"
    )


def _data_used(store: Store, dataset: Dataset, train_images: int | None) -> DataUsed:
    train, val = dataset.splits["train"], dataset.splits["val"]
    constant = train.first(train_images).labels.median()
    errors = (val.labels - constant).abs()
    worst = worst_group(errors.double().numpy(), val.groups)
    return DataUsed(
        name=store.info.name,
        folder=str(store.folder),
        fingerprint=store.info.fingerprint,
        side=store.info.side,
        train_images=len(train.first(train_images)),
        train_images_stored=len(train),
        val_images=len(val),
        test_images=len(dataset.splits["test"]),
        origin=store.info.origin,
        protocol=store.info.protocol,
        skipped=store.info.skipped,
        constant_val_mae=float(errors.mean()),
        sampled_fingerprint=store.sampled_fingerprint,
        constant_worst_group_mae=worst.mae if worst else None,
    )


def _references(tiny: TrialConfig) -> list[ReferenceNetwork]:
    """Count VGG-16, ThinAgeNet and TinyAgeNet with the run's bins at the run's resolution."""
    bins = label_set_of(tiny).bins
    thin = dataclasses.replace(tiny, widths=PRESETS["thin"].widths, depths=PRESETS["thin"].depths)
    configs = {"VGG-16": dataclasses.replace(tiny, network="vgg16"), "ThinAgeNet": thin, "TinyAgeNet": tiny}
    profiles = {name: profile_trial(config, bins) for name, config in configs.items()}
    return [ReferenceNetwork(name, **dataclasses.asdict(profile)) for name, profile in profiles.items()]
