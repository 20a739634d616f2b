"""The labels of a store as a table with one row per image."""

import os
from collections.abc import Sequence

import numpy as np
import pandas as pd

from suite.data.dataset_reader import ImageRecord
from suite.data.splits import Splits


def packed_labels(
    records: Sequence[ImageRecord], splits: Splits, attributes: Sequence[str], groups: Sequence[str]
) -> pd.DataFrame:
    """Make the table of ``labels.parquet``, whose columns ``suite.data.store`` lists.

    Args:
        records: The packed images, in order.
        splits: The split of each, (records,).
        attributes: The attributes that the set labels.
        groups: The columns of ``ImageRecord.groups``.
    """
    columns: dict[str, object] = {
        "split": splits,
        "subject": [as_text(record.subject) for record in records],
        "source": _sources([record.file for record in records]),
    }
    for attribute in attributes:
        columns[attribute] = np.array([record.labels[attribute] for record in records], dtype=np.float64)
        columns[f"{attribute}_std"] = np.array(
            [record.deviations.get(attribute, np.nan) for record in records], dtype=np.float64
        )
    columns |= {group: [as_text(record.groups.get(group, "")) for record in records] for group in groups}
    return pd.DataFrame(columns)


def as_text(name: str) -> str:
    """A file name as valid UTF-8; bytes that are none are escaped with backslashes."""
    return name.encode("utf-8", "backslashreplace").decode()


def _sources(files: Sequence[str]) -> list[str]:
    """File names without the folder that all share, so that a folder and a zip of a set give equal tables."""
    common = os.path.commonpath([os.path.dirname(f"/{file}") for file in files])
    return [as_text(os.path.relpath(f"/{file}", common)) for file in files]
