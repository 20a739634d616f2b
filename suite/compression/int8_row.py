"""The int8 file that a row of the run tells of, copied out of the run as it is instead of made anew."""

import dataclasses
import shutil
from pathlib import Path

from suite.compression.quantise import MOST_LOSS
from suite.deployment.export import ModelFile, check_ending, partial_file
from suite.deployment.inference import Model, open_model
from suite.deployment.inference_module import config_json
from suite.deployment.trained_trial import TrainedTrial, int8_file_of, int8_id_of
from suite.deployment.verify import MismatchError, evaluate_model
from suite.errors import RequestError


@dataclasses.dataclass(frozen=True)
class CopiedModel(ModelFile):
    """A copy of a row's file."""

    source: Path
    mae: float  # of the copy on validation, label units


def int8_row_of(trained: TrainedTrial) -> TrainedTrial | None:
    """The int8 row of a trial, or the trial where it is one itself; None where the run has no such file."""
    if trained.is_int8:
        return trained
    int8_id = int8_id_of(trained.id)
    if not int8_file_of(trained.run.folder, int8_id).is_file():
        return None
    for row in trained.run.trials.to_dict("records"):
        if row["id"] == int8_id and row["status"] == "finished":
            told = {str(column): cell for column, cell in row.items()}
            return dataclasses.replace(trained, id=int8_id, row=told)
    return None


def copy_int8(row: TrainedTrial, path: Path) -> CopiedModel:
    """Copy the file of an int8 row, and see that it is what the row tells of.

    Args:
        row: of ``int8_row_of``.
        path: .onnx; a file that is there is replaced in one step.

    Raises:
        RequestError: another ending, a missing package, a place that cannot be written to, or the row's file
            has gone or is another.
        MismatchError: it does not estimate as well or as badly as the row says; ``path`` is as it was.
    """
    check_ending(path, ".onnx", "int8")
    source = int8_file_of(row.run.folder, row.id)
    again = f"write it again with 'suite compress {row.run.folder} --trial {row.row['parent']} --int8'"
    if not source.is_file():
        raise RequestError(f"{source}, the file of {row.id}, has gone; {again}")
    model = open_model(source)
    size, told = source.stat().st_size, int(row.row["bytes"])
    if size != told or config_json(model.config) != config_json(row.config):
        raise RequestError(
            f"{source} is not the file that the row {row.id} tells of ({size:,} bytes, and {told:,} by the "
            f"row); delete it and {again}"
        )
    with partial_file(path) as partial:
        shutil.copyfile(source, partial)
        mae = _checked_mae(row, open_model(partial))
    return CopiedModel(path, size, model.arithmetic, source, mae)


def _checked_mae(row: TrainedTrial, model: Model) -> float:
    """Another processor may round otherwise; more than int8 may lose is another file."""
    val, config = row.dataset.splits["val"], row.config
    mae = evaluate_model(model, val).mae
    told = float(row.row[row.run.info.error_column])
    if not abs(mae - told) <= MOST_LOSS * (config.label_high - config.label_low):
        raise MismatchError(
            f"the file of {row.id} has a validation MAE of {mae:.2f} here, and {told:.2f} by its row"
        )
    return mae
