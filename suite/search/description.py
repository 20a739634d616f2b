"""What a search says of itself before it begins: space, data, reference networks, provenance."""

import dataclasses
from collections.abc import Sequence
from datetime import datetime
from pathlib import Path

from search_spaces import Choices, SearchSpace
from suite.data.dataset import Dataset, load_dataset
from suite.data.store import Store
from suite.errors import RequestError
from suite.measure.profiling import profile_trial
from suite.methods.labels import label_set_of
from suite.networks import PRESETS
from suite.runs import provenance
from suite.runs.info import DataUsed, ReferenceNetwork, Resources, RunInfo
from suite.search.bounds import check_bounds
from suite.search.parents import check_parent
from suite.training.weight_files import pin_weight_files, read_state
from suite.trial import TrialConfig


def describe(
    space: SearchSpace, store: Store, resources: Resources, search_file: str, command: Sequence[str]
) -> RunInfo:
    """What ``run.json`` says of a search that is about to begin.

    Raises:
        RequestError: space and data do not agree, or a backbone is not there.
    """
    shared = space.base
    check_backbones(space)
    if "attribute" in space.vary:
        raise RequestError(
            f"{search_file} varies attribute, and errors in years and in points make no common front; "
            "fix attribute under base"
        )
    label_range = store.info.attributes.get(shared.attribute)
    dataset = load_dataset(store, shared.attribute, shared.resolution)  # says what is wrong, if it is
    assert label_range is not None
    check_parent(space, label_range)
    check_bounds(space, label_range)
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
        max_concurrent=0,  # not known before the cluster is
        resources=resources,
        data=_data_used(store, dataset, shared.train_images),
        references=_references(tiny),
        versions=provenance.versions(),
        git_revision=provenance.git_revision(),
        hardware=provenance.hardware(),
        started=datetime.now().astimezone().isoformat(timespec="seconds"),
    )


def check_backbones(space: SearchSpace) -> None:
    """Refuse a backbone that is not there, or cannot be read, before anything starts."""
    varied = space.vary.get("backbone")
    for file in varied.values if isinstance(varied, Choices) else (space.base.backbone,):
        if file is not None:
            pin_weight_files(TrialConfig(backbone=str(file)))
            read_state(Path(str(file)))


def _data_used(store: Store, dataset: Dataset, train_images: int | None) -> DataUsed:
    train, val = dataset.splits["train"], dataset.splits["val"]
    constant = train.first(train_images).labels.median()
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
        constant_val_mae=float((val.labels - constant).abs().mean()),
    )


def _references(tiny: TrialConfig) -> list[ReferenceNetwork]:
    """VGG-16, ThinAgeNet and TinyAgeNet counted with the run's bins at the run's resolution."""
    bins = label_set_of(tiny).bins
    thin = dataclasses.replace(tiny, widths=PRESETS["thin"].widths, depths=PRESETS["thin"].depths)
    configs = {"VGG-16": dataclasses.replace(tiny, network="vgg16"), "ThinAgeNet": thin, "TinyAgeNet": tiny}
    profiles = {name: profile_trial(config, bins) for name, config in configs.items()}
    return [ReferenceNetwork(name, **dataclasses.asdict(profile)) for name, profile in profiles.items()]
