"""The predictions of evaluated networks for single images, in the run folder: ``predictions/ID.parquet``."""

from collections.abc import Mapping
from pathlib import Path

import numpy as np
import pandas as pd

from suite.data.store import Split, Store, can_group
from suite.deployment.calibration_fit import fit_on_predictions
from suite.runs.tables import write_prediction_rows
from suite.statistics.conformal import intervals
from suite.training.evaluation import Predictions
from suite.trial import Attribute, TrialConfig

#: The splits that predictions are written for.
PREDICTED_SPLITS: tuple[Split, ...] = ("val", "test")


def write_predictions(
    folder: Path, trial_id: str, store: Store, config: TrialConfig, predictions: Mapping[Split, Predictions]
) -> None:
    """Write the predictions of one training, one row per image, with the columns to group its errors by.

    The intervals are calibrated on the validation rows, exactly as an export of the training calibrates its file.

    Args:
        folder: Of the run.
        trial_id: Of the training.
        store: Its data.
        config: Of the training.
        predictions: By split, in the order of the split's images; validation is one of them.
    """
    parts = [_rows(store, config.attribute, split, predicted) for split, predicted in predictions.items()]
    write_prediction_rows(folder, trial_id, _with_intervals(pd.concat(parts, ignore_index=True), config))


def _with_intervals(table: pd.DataFrame, config: TrialConfig) -> pd.DataFrame:
    """Fill in the ends of the intervals, which stay empty where nothing can be calibrated."""
    calibration = fit_on_predictions(table, config)
    if calibration is None:
        return table
    deviations = table["deviation"].to_numpy(np.float64)
    ends = intervals(calibration, table["estimate"].to_numpy(np.float64), deviations)
    low, high = ends.astype(np.float32).T
    return table.assign(interval_low=low, interval_high=high)


def _rows(store: Store, attribute: Attribute, split: Split, predicted: Predictions) -> pd.DataFrame:
    images = store.rows(split)
    labels = store.labels.iloc[images].reset_index(drop=True)
    own = pd.DataFrame(
        {
            "split": split,
            "image": images,  # its row in the store
            "label": labels[attribute].astype("float32"),
            "estimate": predicted.estimates.float().numpy(),
            "deviation": np.float32(np.nan) if predicted.deviations is None else predicted.deviations.numpy(),
            "interval_low": np.float32(np.nan),
            "interval_high": np.float32(np.nan),
            "person": _people(labels, images.tolist()),
        }
    )
    return own.join(labels[[name for name in labels if can_group(str(name))]], rsuffix=" of the data")


def _people(labels: pd.DataFrame, images: list[int]) -> list[str]:
    """Return who is pictured; an image without a name counts as a person of its own."""
    if "subject" not in labels:
        return [f"image {image}" for image in images]
    subjects = labels["subject"].fillna("").astype(str)
    return [subject or f"image {image}" for subject, image in zip(subjects, images, strict=True)]
