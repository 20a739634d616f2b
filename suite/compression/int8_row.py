"""Export of an int8 trial: its file in the run folder is checked and copied, not made again."""

import dataclasses
import shutil
from pathlib import Path

from suite.commands import command
from suite.compression.quantise import MOST_LOSS
from suite.deployment.export import ModelFile, check_ending, partial_file
from suite.deployment.inference import Model, open_model
from suite.deployment.inference_module import config_json
from suite.deployment.trained_trial import TrainedTrial, int8_file_of, int8_id_of
from suite.deployment.verify import MismatchError, evaluate_model
from suite.errors import RequestError


@dataclasses.dataclass(frozen=True)
class CopiedModel(ModelFile):
    """A copy of the file of an int8 row.

    Attributes:
        source: The file in the run folder.
        mae: Validation MAE of the copy, label units.
    """

    source: Path
    mae: float


def int8_row_of(trained: TrainedTrial) -> TrainedTrial | None:
    """Return the int8 trial that was made from a trial, or the trial itself where it is one.

    None where the run has no int8 file of it.
    """
    if trained.is_int8:
        return trained
    int8_id = int8_id_of(trained.id)
    if not int8_file_of(trained.run.folder, int8_id).is_file():
        return None
    for row in trained.run.trials.to_dict("records"):
        if row["id"] == int8_id and row["status"] == "finished":
            cells = {str(column): cell for column, cell in row.items()}
            return dataclasses.replace(trained, id=int8_id, row=cells)
    return None


def copy_int8(int8: TrainedTrial, path: Path) -> CopiedModel:
    """Copy the file of an int8 trial, and check that it is the file that the trial's row describes.

    Args:
        int8: A trial from ``int8_row_of``.
        path: A .onnx file; an existing file is replaced in one step.

    Raises:
        RequestError: The name has another ending, a package is not installed, the folder cannot be written to, or the
            trial's file is missing or is another one.
        MismatchError: The file's validation MAE is not that of the row; ``path`` is unchanged.
    """
    check_ending(path, ".onnx", "int8")
    source = int8_file_of(int8.run.folder, int8.id)
    again = (
        "write it again with "
        f"'{command('compress', int8.run.folder, '--trial', int8.row['parent'], '--int8')}'"
    )
    if not source.is_file():
        raise RequestError(f"{source}, the file of {int8.id}, is missing; {again}")
    model = open_model(source)
    size, recorded = source.stat().st_size, int(int8.row["bytes"])
    if size != recorded or config_json(model.config) != config_json(int8.config):
        raise RequestError(
            f"{source} is not the file that the row {int8.id} describes ({size:,} bytes, and {recorded:,} in "
            f"the row); delete it and {again}"
        )
    with partial_file(path) as partial:
        shutil.copyfile(source, partial)
        mae = _checked_mae(int8, open_model(partial))
    return CopiedModel(path, size, model.arithmetic, source, mae)


def _checked_mae(int8: TrainedTrial, model: Model) -> float:
    """Return a file's validation MAE.

    Another processor may round differently, but by less than int8 itself may lose.
    """
    val, config = int8.dataset.splits["val"], int8.config
    mae = evaluate_model(model, val).mae
    recorded = float(int8.row[int8.run.info.error_column])
    if not abs(mae - recorded) <= MOST_LOSS * (config.label_high - config.label_low):
        raise MismatchError(
            f"the file of {int8.id} has a validation MAE of {mae:.2f} here, and {recorded:.2f} in its row"
        )
    return mae
