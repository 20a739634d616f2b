"""The predictions of evaluated networks for single images, in the run folder: ``predictions/ID.parquet``."""

from collections.abc import Mapping
from pathlib import Path

import pandas as pd
from torch import Tensor

from suite.data.store import Split, Store, can_group
from suite.runs.tables import write_prediction_rows
from suite.trial import Attribute

#: The splits that predictions are written for.
PREDICTED_SPLITS: tuple[Split, ...] = ("val", "test")


def write_predictions(
    folder: Path, trial_id: str, store: Store, attribute: Attribute, predictions: Mapping[Split, Tensor]
) -> None:
    """Write the predictions of one training, one row per image, with the columns to group its errors by.

    Args:
        folder: Of the run.
        trial_id: Of the training.
        store: Its data.
        attribute: What is predicted.
        predictions: By split, float (n,) in the order of the split's images, label units.
    """
    table = pd.concat([_rows(store, attribute, split, estimates) for split, estimates in predictions.items()])
    write_prediction_rows(folder, trial_id, table)


def _rows(store: Store, attribute: Attribute, split: Split, estimates: Tensor) -> pd.DataFrame:
    images = store.rows(split)
    labels = store.labels.iloc[images].reset_index(drop=True)
    own = pd.DataFrame(
        {
            "split": split,
            "image": images,  # its row in the store
            "label": labels[attribute].astype("float32"),
            "estimate": estimates.float().numpy(),
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
