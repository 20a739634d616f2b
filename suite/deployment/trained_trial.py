"""A finished trial with all that belongs to it: network, row of the table, data."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from torch import nn

from suite.data.dataset import Dataset, load_dataset
from suite.data.run_data import data_of_run
from suite.data.store import Store
from suite.errors import RequestError
from suite.methods.labels import LabelSet
from suite.networks.weights import load_network
from suite.runs.tables import Run, read_run
from suite.trial import TrialConfig


@dataclass(frozen=True)
class TrainedTrial:
    """One trial of a run, ready to be used."""

    run: Run
    id: str
    row: Mapping[str, Any]  # of trials.parquet
    network: nn.Module
    config: TrialConfig
    label_set: LabelSet
    store: Store
    dataset: Dataset  # at the trial's resolution

    @property
    def weights(self) -> Path:
        """The file of the network."""
        return weights_of(self.run.folder, self.id)

    @property
    def is_int8(self) -> bool:
        """It is the row of an int8 file, and ``network`` is that which the file was made from."""
        return bool(self.row["stage"] == "int8")


def open_trial(
    folder: Path,
    trial_id: str,
    on_stage: Callable[[str], None],
    on_progress: Callable[[int, int], None],
    *,
    int8: bool = False,
) -> TrainedTrial:
    """Open a finished trial.

    Args:
        folder: of the run.
        trial_id: as in ``trials.parquet``.
        on_stage: told in a sentence what takes long.
        on_progress: told (done, of) meanwhile.
        int8: the row of an int8 file will do.

    Raises:
        RequestError: there is no such trial, it did not finish, or its weights or its data have gone.
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
    store = data_of_run(folder, run.info, on_stage, on_progress)
    dataset = load_dataset(store, config.attribute, config.resolution)
    return TrainedTrial(run, trial_id, row, network, config, label_set, store, dataset)


def weights_of(folder: Path, trial_id: str) -> Path:
    """The file of a trial's network in a run folder."""
    return folder / "weights" / f"{trial_id}.safetensors"


def int8_id_of(trial_id: str) -> str:
    """The id of the row of a trial's int8 file."""
    return f"{trial_id}-int8"


def int8_file_of(folder: Path, int8_id: str) -> Path:
    """The file of such a row in a run folder."""
    return folder / "weights" / f"{int8_id}.onnx"


def finished_row(run: Run, trial_id: str) -> Mapping[str, Any]:
    """The row of a trial that finished.

    Raises:
        RequestError: there is none; the best by validation are named instead.
    """
    rows = {str(row["id"]): row for row in run.trials.to_dict("records")}
    if trial_id in rows and rows[trial_id]["status"] == "finished":
        return {str(column): cell for column, cell in rows[trial_id].items()}
    why = f"ended as {rows[trial_id]['status']}" if trial_id in rows else "is none of its trials"
    finished = [row for row in rows.values() if row["status"] == "finished"]
    best = sorted(finished, key=lambda row: row[run.info.error_column])[:3]
    mend = (
        f"the best by validation are {', '.join(str(row['id']) for row in best)}" if best else "none finished"
    )
    raise RequestError(f"{trial_id} of {run.folder} {why}; {mend}")
