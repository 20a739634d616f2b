"""The accuracy sections of a model card, measured with the exported file itself."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd
import torch

from suite.data.store import Split, can_group
from suite.deployment.export import ModelFile
from suite.deployment.inference import Outputs, open_model
from suite.deployment.intervals import central_interval
from suite.deployment.markdown import plain, table
from suite.deployment.predict import INTERVAL_SHARE
from suite.deployment.trained_trial import TrainedTrial
from suite.deployment.verify import predict_split
from suite.methods.metrics import measure
from suite.statistics.clustered import (
    BAND,
    GroupError,
    error_of_group,
    errors_by_band,
    errors_by_name,
    people_of,
)
from suite.trial import Attribute

SPLIT_NAME = {"train": "training", "val": "validation", "test": "test"}


@dataclass(frozen=True)
class SplitPredictions:
    """The outputs of a file for a split.

    Attributes:
        split: The split.
        outputs: Outputs in the order of the split's images.
        errors: Absolute errors, float64 (n,), label units.
    """

    split: Split
    outputs: Outputs
    errors: npt.NDArray[np.float64]


def predict_with_file(trained: TrainedTrial, file: ModelFile, split: Split) -> SplitPredictions:
    """Run a file on a split of the trial's data."""
    part = trained.dataset.splits[split]
    outputs = predict_split(open_model(file.path), part)
    errors = np.abs(outputs.values.astype(np.float64) - part.labels.numpy().astype(np.float64))
    return SplitPredictions(split, outputs, errors)


def accuracy_section(trained: TrainedTrial, predictions: Sequence[SplitPredictions]) -> str:
    """Return the section with the metrics of each split; the last one has the coverage of its intervals."""
    unit = trained.run.info.unit
    heads = ("split", "images", f"MAE, {unit}", f"RMSE, {unit}", "Pearson", "CS(5)", "epsilon-error")
    rows = [_metrics_row(trained, each) for each in predictions]
    test = "" if len(predictions) > 1 else " The run has not read the test split for this trial."
    return (
        "## Accuracy\n\n"
        + table(heads, rows)
        + "\n\nMeasured with this file, each image averaged with its mirror image. In brackets: the 95 % "
        "interval over the people of the split, which does not cover other seeds or other data. Trials were "
        "chosen by validation, so that their validation error is too optimistic. The best constant has a "
        f"validation MAE of {trained.run.info.data.constant_val_mae:.2f}.{test}"
        + _coverage(trained, predictions[-1])
    )


def groups_section(trained: TrainedTrial, predictions: SplitPredictions) -> str:
    """Return the section with the errors by band of the label, and by every group that the data names."""
    parts = [f"## By group, on the {SPLIT_NAME[predictions.split]} split"]
    labels = _labels(trained, predictions.split)
    groups = _errors_by_group(predictions.errors, labels, trained.config.attribute)
    for by, found in groups.items():
        rows = [(plain(group.group), f"{group.images:,}", _with_interval(group)) for group in found]
        parts.append(table((plain(by), "images", f"MAE, {trained.run.info.unit}"), rows))
    if len(groups) == 1:
        parts.append(
            "The data names no other groups (gender, origin), so that it is not known whether the model is "
            "equally accurate for all."
        )
    return "\n\n".join(parts)


def _metrics_row(trained: TrainedTrial, predictions: SplitPredictions) -> tuple[str, ...]:
    part = trained.dataset.splits[predictions.split]
    metrics = measure(torch.from_numpy(predictions.outputs.values), part.labels, part.deviations)
    people = _people(_labels(trained, predictions.split))
    error = error_of_group(predictions.split, predictions.errors, people)
    return (
        SPLIT_NAME[predictions.split],
        f"{error.images:,}",
        _with_interval(error),
        f"{metrics.rmse:.2f}",
        f"{metrics.pearson:.3f}",
        f"{metrics.cs5:.1%}",
        "" if metrics.epsilon_error is None else f"{metrics.epsilon_error:.3f}",
    )


def _coverage(trained: TrainedTrial, predictions: SplitPredictions) -> str:
    """Return a paragraph on how many labels the predicted intervals hold."""
    distributions = predictions.outputs.distributions
    if distributions is None:
        return "\n\nIts method gives no distribution, so that there is no interval around an estimate."
    labels = trained.dataset.splits[predictions.split].labels.numpy()
    unit = trained.run.info.unit
    ends = central_interval(distributions, trained.label_set.low, trained.label_set.high, INTERVAL_SHARE)
    inside = float(((labels >= ends[:, 0]) & (labels <= ends[:, 1])).mean())
    return (
        f"\n\nThe {INTERVAL_SHARE:.0%} interval of its distribution holds {inside:.0%} of the labels of "
        f"this split, and is {float((ends[:, 1] - ends[:, 0]).mean()):.1f} {unit} wide on average."
    )


def _errors_by_group(
    errors: npt.NDArray[np.float64], labels: pd.DataFrame, attribute: Attribute
) -> dict[str, list[GroupError]]:
    """Return errors by band of the label, and by every column of the labels that names groups (gender, race)."""
    people = _people(labels)
    bands = errors_by_band(errors, people, labels[attribute].to_numpy(np.float64), BAND[attribute])
    by_column = {
        str(column): errors_by_name(errors, people, _names(labels[column]))
        for column in labels.columns
        if can_group(str(column))
    }
    return {attribute: bands} | {column: groups for column, groups in by_column.items() if groups}


def _labels(trained: TrainedTrial, split: Split) -> pd.DataFrame:
    return trained.store.labels.iloc[trained.store.rows(split)].reset_index(drop=True)


def _people(labels: pd.DataFrame) -> npt.NDArray[np.str_]:
    return people_of(_names(labels["subject"]))


def _names(column: "pd.Series[Any]") -> npt.NDArray[np.str_]:
    return column.fillna("").astype(str).to_numpy(dtype=np.str_)


def _with_interval(error: GroupError) -> str:
    if math.isnan(error.low):
        return f"{error.mae:.2f} (one person, no interval)"
    return f"{error.mae:.2f} ({error.low:.2f} to {error.high:.2f})"
