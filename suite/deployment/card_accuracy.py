"""The accuracy sections of a model card, measured with the exported file itself."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd

from suite.data.store import Split
from suite.deployment.export import ModelFile
from suite.deployment.inference import Outputs, open_model
from suite.deployment.intervals import central_interval, intervals_of
from suite.deployment.markdown import plain, table
from suite.deployment.trained_trial import TrainedTrial, groups_in, people_in
from suite.deployment.verify import measured, predict_split
from suite.runs.front import confirming_rows, is_of_the_procedure
from suite.runs.image_errors import ImageErrors, read_image_errors
from suite.statistics.clustered import (
    BAND,
    GroupError,
    error_of_group,
    errors_by_band,
    errors_by_name,
)
from suite.statistics.conformal import FEWEST_PEOPLE, SHARE
from suite.statistics.coverage import GroupCoverage, coverage_by_band, coverage_by_name, is_inside
from suite.trial import Attribute

SPLIT_NAME = {"train": "training", "val": "validation", "test": "test"}


@dataclass(frozen=True)
class SplitPredictions:
    """The outputs of a file for a split.

    Attributes:
        split: The split.
        outputs: Outputs in the order of the split's images.
        errors: Absolute errors, float64 (n,), label units.
        intervals: Lower and upper ends of the file's 80 % intervals, float64 (n, 2); None where it gives none.
        calibrated: Whether the file is calibrated.
    """

    split: Split
    outputs: Outputs
    errors: npt.NDArray[np.float64]
    intervals: npt.NDArray[np.float64] | None = None
    calibrated: bool = False


def predict_with_file(trained: TrainedTrial, file: ModelFile, split: Split) -> SplitPredictions:
    """Run a file on a split of the trial's data."""
    part, model = trained.dataset.splits[split], open_model(file.path)
    outputs = predict_split(model, part)
    errors = np.abs(outputs.values.astype(np.float64) - part.labels.numpy().astype(np.float64))
    ends = intervals_of(outputs, model.config, model.calibration)
    return SplitPredictions(split, outputs, errors, ends, model.calibration is not None)


def accuracy_section(trained: TrainedTrial, predictions: Sequence[SplitPredictions]) -> str:
    """Return the section with the metrics of each split; the last one has the coverage of its intervals."""
    unit = trained.run.info.unit
    heads = (
        "split",
        "images",
        f"MAE, {unit}",
        "MAE of one pass",
        f"RMSE, {unit}",
        "Pearson",
        "CS(5)",
        "epsilon-error",
    )
    rows = [_metrics_row(trained, each) for each in predictions]
    test = "" if len(predictions) > 1 else " The run has not read the test split for this trial."
    return (
        "## Accuracy\n\n"
        + table(heads, rows)
        + "\n\nMeasured with this file, each image averaged with its mirror image: two passes, where the times below "
        "and the multiply-adds count one. The MAE of one pass is that of the images as they are. In brackets: the 95 % "
        "interval over the people of the split, which does not cover other seeds or other data. Trials were "
        "chosen by validation, so that their validation error is too optimistic. The best constant has a "
        f"validation MAE of {trained.run.info.data.constant_val_mae:.2f}.{test}"
        + _other_seeds(trained, predictions[-1].split)
        + _coverage(trained, predictions[-1])
    )


def groups_section(trained: TrainedTrial, predictions: SplitPredictions) -> str:
    """Return the section with errors and coverage by band of the label, and by every group that the data names."""
    parts = [f"## By group, on the {SPLIT_NAME[predictions.split]} split"]
    labels = _labels(trained, predictions.split)
    groups = _errors_by_group(predictions.errors, labels, trained.config.attribute)
    held = _coverage_by_group(_inside(trained, predictions), labels, trained.config.attribute)
    for by, found in groups.items():
        heads = [plain(by), "images", f"MAE, {trained.run.info.unit}"]
        rows = [[plain(group.group), f"{group.images:,}", _with_interval(group)] for group in found]
        if by in held:
            heads.append(f"in their {SHARE:.0%} interval")
            rows = [[*row, _share(group)] for row, group in zip(rows, held[by], strict=True)]
        parts.append(table(heads, rows))
    if len(groups) == 1:
        parts.append(
            "The data names no other groups (gender, origin), so that it is not known whether the model is "
            "equally accurate for all."
        )
    return "\n\n".join(parts)


def _metrics_row(trained: TrainedTrial, predictions: SplitPredictions) -> tuple[str, ...]:
    part = trained.dataset.splits[predictions.split]
    metrics = measured(predictions.outputs, part)
    people = people_in(_labels(trained, predictions.split))
    error = error_of_group(predictions.split, predictions.errors, people)
    return (
        SPLIT_NAME[predictions.split],
        f"{error.images:,}",
        _with_interval(error),
        "" if metrics.mae_one_pass is None else f"{metrics.mae_one_pass:.2f}",
        f"{metrics.rmse:.2f}",
        f"{metrics.pearson:.3f}",
        f"{metrics.cs5:.1%}",
        "" if metrics.epsilon_error is None else f"{metrics.epsilon_error:.3f}",
    )


def _other_seeds(trained: TrainedTrial, split: Split) -> str:
    """Return a sentence on the error of the same network trained with other seeds; empty where it was not."""
    found = _confirming(trained, split)
    if found is None or len(found.trainings) < 2 or not (mean := found.mean()).has_interval:
        return ""
    trials = trained.run.trials
    own, theirs = (
        int(trials.loc[trials["id"] == name, "epochs"].iloc[0]) for name in (trained.id, found.trainings[0])
    )
    length = f" for {theirs} epochs, where this file has {own}," if theirs != own else ""
    return (
        f" Trained {mean.trainings} times{length} with other seeds, the same network has an MAE of {mean.mean:.2f} "
        f"({mean.low:.2f} to {mean.high:.2f}) on the {SPLIT_NAME[split]} split; this interval is over seeds and people."
    )


def _confirming(trained: TrainedTrial, split: Split) -> ImageErrors | None:
    """Return the errors of the trainings that confirm the trial, or the one that it confirms; None without any.

    Trainings of another length, or of another procedure, than the run's confirm nothing.
    """
    info, trials = trained.run.info, trained.run.trials
    if split == "train" or "parent" not in trials:
        return None
    member = trained.row["parent"] if trained.row["stage"] == "confirm" else trained.id
    of_member = trials[(trials["id"] == member) | (trials["parent"] == member)].to_dict("records")
    rows = [
        row
        for row in confirming_rows(
            [{str(name): cell for name, cell in row.items()} for row in of_member], info
        )
        if row["status"] == "finished" and is_of_the_procedure(row, info)
    ]
    return read_image_errors(trained.run.folder, [str(row["id"]) for row in rows], split)


def _coverage(trained: TrainedTrial, predictions: SplitPredictions) -> str:
    """Return a paragraph on how many labels the predicted intervals hold."""
    inside, ends = _inside(trained, predictions), predictions.intervals
    if inside is None or ends is None:
        return (
            "\n\nIts method gives no distribution and the file is not calibrated, so that there is no interval "
            "around an estimate."
        )
    unit, of = trained.run.info.unit, f"of the labels of the {SPLIT_NAME[predictions.split]} split"
    width = float(np.median(ends[:, 1] - ends[:, 0]))
    if not predictions.calibrated:
        return (
            f"\n\nThe file is not calibrated. The {SHARE:.0%} interval of its distribution holds {inside.mean():.0%} "
            f"{of}, and is {width:.1f} {unit} wide in the median."
        )
    fitted = ", on which it was fitted" if predictions.split == "val" else ""
    return (
        f"\n\nThe {SHARE:.0%} interval, calibrated on validation, holds {inside.mean():.0%} {of}{fitted}, and is "
        f"{width:.1f} {unit} wide in the median.{_uncalibrated(trained, predictions)}"
    )


def _uncalibrated(trained: TrainedTrial, predictions: SplitPredictions) -> str:
    """Return a sentence on the interval that the distribution would give by itself; empty where there is none."""
    if predictions.outputs.distributions is None:
        return ""
    labels, config = trained.dataset.splits[predictions.split].labels.double().numpy(), trained.config
    ends = central_interval(predictions.outputs.distributions, config.label_low, config.label_high)
    return (
        f" Uncalibrated, that of its distribution would hold {is_inside(labels, *ends.T).mean():.0%} and be "
        f"{float(np.median(ends[:, 1] - ends[:, 0])):.1f} wide."
    )


def _inside(trained: TrainedTrial, predictions: SplitPredictions) -> npt.NDArray[np.float64] | None:
    """Return whether each label is in its interval, float64 (n,); None where the file gives no intervals."""
    if predictions.intervals is None:
        return None
    labels = trained.dataset.splits[predictions.split].labels.double().numpy()
    return is_inside(labels, *predictions.intervals.T)


def _coverage_by_group(
    inside: npt.NDArray[np.float64] | None, labels: pd.DataFrame, attribute: Attribute
) -> dict[str, list[GroupCoverage]]:
    """Return the coverage of the groups of ``_errors_by_group``; empty where there are no intervals."""
    if inside is None:
        return {}
    people = people_in(labels)
    bands = coverage_by_band(inside, people, labels[attribute].to_numpy(np.float64), BAND[attribute])
    return {attribute: bands} | {
        column: coverage_by_name(inside, people, names) for column, names in groups_in(labels).items()
    }


def _share(coverage: GroupCoverage) -> str:
    if math.isnan(coverage.share):
        return f"too few to say (fewer than {FEWEST_PEOPLE} people)"
    return f"{coverage.share:.0%}"


def _errors_by_group(
    errors: npt.NDArray[np.float64], labels: pd.DataFrame, attribute: Attribute
) -> dict[str, list[GroupError]]:
    """Return errors by band of the label, and by every column of the labels that names groups (gender, race)."""
    people = people_in(labels)
    bands = errors_by_band(errors, people, labels[attribute].to_numpy(np.float64), BAND[attribute])
    by_column = {column: errors_by_name(errors, people, names) for column, names in groups_in(labels).items()}
    return {attribute: bands} | {column: groups for column, groups in by_column.items() if groups}


def _labels(trained: TrainedTrial, split: Split) -> pd.DataFrame:
    return trained.store.labels.iloc[trained.store.rows(split)].reset_index(drop=True)


def _with_interval(error: GroupError) -> str:
    if math.isnan(error.low):
        return f"{error.mae:.2f} (too few people for an interval)"
    return f"{error.mae:.2f} ({error.low:.2f} to {error.high:.2f})"
