"""The model card: what a file is, what it was measured to do, and what nobody measured.

Every figure comes from ``run.json``, ``trials.parquet`` or the run's data; accuracy is measured with the
file itself.
"""

import dataclasses
import math
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd
import torch

from suite.data.store import Split
from suite.deployment.export import ModelFile, beside
from suite.deployment.inference import Answers, open_model
from suite.deployment.intervals import central_interval
from suite.deployment.lineage import descent, pruned_parent
from suite.deployment.predict import INTERVAL_SHARE
from suite.deployment.trained_trial import TrainedTrial, finished_row
from suite.deployment.verify import answer_part
from suite.methods import METHODS
from suite.methods.metrics import measure
from suite.statistics.clustered import (
    BAND,
    GroupError,
    error_of_group,
    errors_by_band,
    errors_by_name,
    people_of,
)
from suite.trial import Attribute, TrialConfig

INTENDED: Mapping[Attribute, str] = {
    "age": "Estimates how old a face looks or is said to be, in years.",
    "attractiveness": "Estimates how attractive the raters of the training set found a face, in points "
    "of their scale. Their taste is all that it has learned.",
}

#: Columns of a store's labels that name no group; nor do an attribute and its deviation.
NO_GROUPS = ("split", "subject", "source")


@dataclasses.dataclass(frozen=True)
class Measured:
    """A file's answers for one split, and what they come to."""

    split: Split
    answers: Answers
    errors: npt.NDArray[np.float64]  # float64 (n,), absolute, label units


def write_card(trained: TrainedTrial, file: ModelFile, path: Path) -> None:
    """Write the card of an exported file, as Markdown.

    The test split is shown where the run has judged the trial on it, so that a card never reads it first.

    Raises:
        RequestError: the folder cannot be written to.
    """
    splits: list[Split] = ["val", "test"] if _is_judged(trained) else ["val"]
    measured = [_measure(trained, file, split) for split in splits]
    sections = [
        _what(trained, file),
        _data(trained),
        _training(trained),
        *_descent(trained),
        _accuracy(trained, measured),
        _groups(trained, measured[-1]),
        _speed(trained),
        _use(trained),
    ]
    with beside(path) as partial:
        partial.write_text("\n\n".join(sections) + "\n", encoding="utf-8")


def _is_judged(trained: TrainedTrial) -> bool:
    error = trained.row.get(f"test_mae_{trained.run.info.unit}")
    return error is not None and math.isfinite(error)


def _measure(trained: TrainedTrial, file: ModelFile, split: Split) -> Measured:
    part = trained.dataset.splits[split]
    answers = answer_part(open_model(file.path), part)
    errors = np.abs(answers.values.astype(np.float64) - part.labels.numpy().astype(np.float64))
    return Measured(split, answers, errors)


def _what(trained: TrainedTrial, file: ModelFile) -> str:
    config, row, info = trained.config, trained.row, trained.run.info
    network = config.network
    shape = ""
    if network == "compact":
        shape = f", widths {'-'.join(map(str, config.widths))}, depths {'-'.join(map(str, config.depths))}"
    elif config.pruned_widths:
        shape = f", pruned to widths {'-'.join(map(str, config.pruned_widths))}"
    facts = [
        ("File", f"`{file.path.name}`, {file.bytes:,} bytes"),
        ("Made from", f"trial {trained.id} of the run {info.name}, {info.started}"),
        (
            "Estimates",
            f"{config.attribute} in {info.unit}, {trained.label_set.low:g} to {trained.label_set.high:g}",
        ),
        ("Network", f"{network}{shape}; {int(row['params']):,} parameters"),
        ("Multiply-adds", f"{int(row['macs']):,} an image of {config.resolution} pixels a side"),
        ("Method", f"{config.method} ({METHODS[config.method].summary})"),
        ("Computes in", file.arithmetic),
        ("Takes", f"uint8 RGB images, {config.resolution} x {config.resolution}, any number at a time"),
    ]
    return f"# Model card: {file.path.name}\n\n" + _table(("", ""), facts)


def _data(trained: TrainedTrial) -> str:
    data = trained.run.info.data
    return (
        f"## Data\n\n{data.name}: {data.train_images:,} images to train, {data.val_images:,} to validate, "
        f"{data.test_images:,} to test; fingerprint `{data.fingerprint[:16]}`.\n\n"
        f"{_sentence(data.origin)} {_sentence(data.protocol)}"
    )


def _training(trained: TrainedTrial) -> str:
    config, row = trained.config, _trained_row(trained)
    taught = ""
    if config.distill_weight:
        teacher = row["parent"] if isinstance(row.get("parent"), str) else "a trained network"
        taught = (
            f", taught by {teacher} beside the labels (weight {config.distill_weight:g}, temperature "
            f"{config.temperature:g})"
        )
    return (
        f"## Training\n\n{config.epochs} epochs from {_beginning(row, config)}, {config.optimizer}, learning "
        f"rate {config.learning_rate:.3g}, batches of {config.batch_size}, {config.augmentation} "
        f"augmentation, seed {config.seed}{taught}. One training; another seed gives another network."
    )


def _trained_row(trained: TrainedTrial) -> Mapping[str, Any]:
    """The row of the training; that of an int8 file is its parent's."""
    return finished_row(trained.run, trained.row["parent"]) if trained.is_int8 else trained.row


def _beginning(row: Mapping[str, Any], config: TrialConfig) -> str:
    """What a training started from."""
    if (parent := pruned_parent(row)) is not None:
        return f"the channels of {parent} that were kept"
    return "weights of another training" if config.backbone else "random weights"


def _descent(trained: TrainedTrial) -> Sequence[str]:
    """What the network was made from, if it was made from another."""
    steps = descent(trained)
    if len(steps) == 1:
        return ()
    heads = ("network", "made", "epochs", "parameters", f"validation MAE, {trained.run.info.unit}")
    rows = [(s.id, s.how, str(s.epochs), f"{s.params:,}", f"{s.error:.2f}") for s in steps]
    return (f"## What it was made from\n\n{_table(heads, rows)}",)


def _accuracy(trained: TrainedTrial, measured: Sequence[Measured]) -> str:
    unit, rows = trained.run.info.unit, []
    for one in measured:
        part = trained.dataset.splits[one.split]
        metrics = measure(torch.from_numpy(one.answers.values), part.labels, part.deviations)
        error = error_of_group(one.split, one.errors, _people(_labels(trained, one.split)))
        epsilon = "" if metrics.epsilon_error is None else f"{metrics.epsilon_error:.3f}"
        rows.append(
            (
                {"val": "validation", "test": "test"}[one.split],
                f"{error.images:,}",
                _with_interval(error),
                f"{metrics.rmse:.2f}",
                f"{metrics.pearson:.3f}",
                f"{metrics.cs5:.1%}",
                epsilon,
            )
        )
    heads = ("split", "images", f"MAE, {unit}", f"RMSE, {unit}", "Pearson", "CS(5)", "epsilon-error")
    test = "" if len(measured) > 1 else " The run has not read the test split for this trial."
    return (
        "## Accuracy\n\n"
        + _table(heads, rows)
        + "\n\nMeasured with this file, each image averaged with its mirror image. In brackets a 95 % "
        "interval over the people of the split; it knows nothing of other seeds and other data. Trials were "
        "chosen by validation, which flatters it. The best constant has a validation MAE of "
        f"{trained.run.info.data.constant_val_mae:.2f}.{test}" + _coverage(trained, measured[-1])
    )


def _coverage(trained: TrainedTrial, one: Measured) -> str:
    shares = one.answers.distributions
    if shares is None:
        return "\n\nIts method gives no distribution, so that there is no interval around an estimate."
    labels = trained.dataset.splits[one.split].labels.numpy()
    unit = trained.run.info.unit
    ends = central_interval(shares, trained.label_set.low, trained.label_set.high, INTERVAL_SHARE)
    inside = float(((labels >= ends[:, 0]) & (labels <= ends[:, 1])).mean())
    return (
        f"\n\nThe {INTERVAL_SHARE:.0%} interval of its distribution holds {inside:.0%} of the labels of "
        f"this split, and is {float((ends[:, 1] - ends[:, 0]).mean()):.1f} {unit} wide on average."
    )


def _groups(trained: TrainedTrial, one: Measured) -> str:
    split = {"val": "validation", "test": "test"}[one.split]
    parts = [f"## By group, on the {split} split"]
    groups = _errors_by_group(one.errors, _labels(trained, one.split), trained.config.attribute)
    for by, found in groups.items():
        rows = [(group.group, f"{group.images:,}", _with_interval(group)) for group in found]
        parts.append(_table((by, "images", f"MAE, {trained.run.info.unit}"), rows))
    if len(groups) == 1:
        parts.append(
            "The data names no other groups (gender, origin): whether it errs alike for all is not known."
        )
    return "\n\n".join(parts)


def _errors_by_group(
    errors: npt.NDArray[np.float64], labels: pd.DataFrame, attribute: Attribute
) -> dict[str, list[GroupError]]:
    """Return errors by band of the label, and by every column of the labels that names groups (gender, race)."""
    people = _people(labels)
    bands = errors_by_band(errors, people, labels[attribute].to_numpy(np.float64), BAND[attribute])
    by_column = {
        str(column): errors_by_name(errors, people, _names(labels[column]))
        for column in labels.columns
        if column not in NO_GROUPS and str(column).removesuffix("_std") not in BAND
    }
    return {attribute: bands} | {column: groups for column, groups in by_column.items() if groups}


def _people(labels: pd.DataFrame) -> npt.NDArray[np.str_]:
    return people_of(_names(labels["subject"]))


def _names(column: "pd.Series[Any]") -> npt.NDArray[np.str_]:
    return column.fillna("").astype(str).to_numpy(dtype=np.str_)


def _with_interval(error: GroupError) -> str:
    if math.isnan(error.low):
        return f"{error.mae:.2f} (one person, no interval)"
    return f"{error.mae:.2f} ({error.low:.2f} to {error.high:.2f})"


def _speed(trained: TrainedTrial) -> str:
    row, how = trained.row, trained.run.info.latency
    rows = []
    for suffix, size in (("", f"{trained.config.resolution}"), ("_at_224", "224")):
        taken, ratio = row.get(f"latency_ms_per_image{suffix}"), row.get(f"speedup_vs_vgg16{suffix}")
        if taken is not None and ratio is not None and math.isfinite(taken):
            spread = (
                f"{row[f'speedup_vs_vgg16{suffix}_low']:.1f} to {row[f'speedup_vs_vgg16{suffix}_high']:.1f}"
            )
            rows.append((size, f"{taken:.2f}", f"{ratio:.1f} ({spread})"))
    if not rows:
        return "## Speed\n\nThe run did not time this trial."
    heads = ("pixels a side", "ms an image", "times as fast as VGG-16")
    return (
        "## Speed\n\n"
        + _table(heads, rows)
        + f"\n\nOf the trained network in PyTorch, float32, before it was exported: "
        f"{how.get('device', 'unknown device')} ({trained.run.info.hardware.get('processor', 'unknown')}), "
        f"{how.get('threads', '?')} threads, batches of {how.get('batch_size', '?')}."
    )


def _use(trained: TrainedTrial) -> str:
    data, labels = trained.run.info.data, trained.label_set
    return (
        f"## Intended use and limits\n\n{INTENDED[trained.config.attribute]}\n\n"
        f"- It finds no faces. Images must be cropped and turned as those of the set {data.name} were.\n"
        f"- It was trained and measured on the set {data.name} only; on other cameras, ages and people "
        "nothing was measured here.\n"
        f"- It answers every image, one without a face too, and never below {labels.low:g} or above "
        f"{labels.high:g}.\n"
        "- It is made for research into small networks. Nothing here shows it fit to decide about a person."
    )


def _labels(trained: TrainedTrial, split: Split) -> pd.DataFrame:
    return trained.store.labels.iloc[trained.store.rows(split)].reset_index(drop=True)


def _sentence(text: str) -> str:
    return text if not text or text.endswith(".") else f"{text[0].upper()}{text[1:]}."


def _table(heads: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    lines = [heads, ["---"] * len(heads), *rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)
