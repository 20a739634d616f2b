"""A finished trial with what belongs to it: its network, its row and the data of its run."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd
from torch import nn

from suite.data.dataset import Dataset, load_dataset
from suite.data.run_data import data_of_run
from suite.data.store import Store, can_group
from suite.errors import RequestError
from suite.methods.labels import LabelSet
from suite.networks.weights import load_network
from suite.runs.tables import Run, read_run
from suite.statistics.clustered import people_of
from suite.trial import TrialConfig


@dataclass(frozen=True)
class TrainedTrial:
    """A trial of a run, ready to be exported or compressed.

    Attributes:
        run: The run.
        id: Id of the trial.
        row: Its row of ``trials.parquet``, by column.
        network: Its network; of an int8 trial, the float network that the file was made from.
        config: Its configuration.
        label_set: Its label set.
        store: The data of the run.
        dataset: The data at the trial's resolution.
    """

    run: Run
    id: str
    row: Mapping[str, Any]
    network: nn.Module
    config: TrialConfig
    label_set: LabelSet
    store: Store
    dataset: Dataset

    @property
    def weights(self) -> Path:
        """The file of its network."""
        return weights_of(self.run.folder, self.id)

    @property
    def is_int8(self) -> bool:
        """Whether it is the row of an int8 file."""
        return bool(self.row["stage"] == "int8")


def open_trial(
    folder: Path,
    trial_id: str,
    on_stage: Callable[[str], None],
    on_progress: Callable[[int, int], None],
    *,
    int8: bool = False,
    data: str | None = None,
) -> TrainedTrial:
    """Open a finished trial.

    Args:
        folder: The run folder.
        trial_id: Id of the trial in ``trials.parquet``.
        on_stage: Called with a sentence before what takes long.
        on_progress: Called with (done, in all) meanwhile.
        int8: Whether the row of an int8 file is allowed.
        data: Where the data of the run is now; None: where it was.

    Raises:
        RequestError: There is no such trial, it did not finish, or its weights or its data are missing.
    """
    run = read_run(folder)
    row = finished_row(run, trial_id)
    if row["stage"] == "int8" and not int8:
        raise RequestError(
            f"{trial_id} is int8 already, and its file is {int8_file_of(folder, trial_id)}; name "
            f"{row['parent']}, which it was made from"
        )
    trained_id = row["parent"] if row["stage"] == "int8" else trial_id
    network, config, label_set = load_network(weights_of(folder, trained_id))
    store = data_of_run(folder, run.info, on_stage, on_progress, data)
    dataset = load_dataset(store, config.attribute, config.resolution)
    return TrainedTrial(run, trial_id, row, network, config, label_set, store, dataset)


def weights_of(folder: Path, trial_id: str) -> Path:
    """Return the file of a trial's network in a run folder."""
    return folder / "weights" / f"{trial_id}.safetensors"


def int8_id_of(trial_id: str) -> str:
    """Return the id of the int8 trial that is made from a trial."""
    return f"{trial_id}-int8"


def int8_file_of(folder: Path, int8_id: str) -> Path:
    """Return the file of an int8 trial in a run folder."""
    return folder / "weights" / f"{int8_id}.onnx"


def finished_row(run: Run, trial_id: str) -> Mapping[str, Any]:
    """Return the row of a finished trial, by column.

    Raises:
        RequestError: There is none; the message names the best trials by validation.
    """
    rows = {str(row["id"]): row for row in run.trials.to_dict("records")}
    if trial_id in rows and rows[trial_id]["status"] == "finished":
        return {str(column): cell for column, cell in rows[trial_id].items()}
    why = f"ended as {rows[trial_id]['status']}" if trial_id in rows else "is not one of its trials"
    finished = [row for row in rows.values() if row["status"] == "finished"]
    best = sorted(finished, key=lambda row: row[run.info.error_column])[:3]
    fix = (
        f"the best by validation are {', '.join(str(row['id']) for row in best)}" if best else "none finished"
    )
    raise RequestError(f"{trial_id} of {run.folder} {why}; {fix}")


def people_in(labels: pd.DataFrame) -> npt.NDArray[np.str_]:
    """Return who is pictured in each image, str (n,); an image without a name is of a person of its own.

    Args:
        labels: Rows of a store's labels; without the column ``subject`` no image has a name.
    """
    if "subject" not in labels:
        return people_of(np.full(len(labels), ""))
    return people_of(_names(labels["subject"]))


def groups_in(labels: pd.DataFrame) -> dict[str, npt.NDArray[np.str_]]:
    """Return the group of each image, str (n,), by column that names groups of people; empty where it is in none.

    Args:
        labels: Rows of a store's labels.
    """
    return {str(name): _names(labels[name]) for name in labels.columns if can_group(str(name))}


def _names(column: "pd.Series[Any]") -> npt.NDArray[np.str_]:
    return column.fillna("").astype(str).to_numpy(dtype=np.str_)
