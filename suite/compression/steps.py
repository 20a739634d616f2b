"""The steps from a trained trial to the file that ships, each a row of the run with its parent.

A step that has its row is not done again, and a training that was interrupted goes on from its checkpoint
(``suite.compression.resumable_fit``), so that the same command goes on where it was interrupted.
"""

import dataclasses
import json
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from suite.compression.budget import Budget
from suite.compression.derived_trial import DerivedTrial
from suite.compression.distil import Student, train_student
from suite.compression.prune import Pruning, make_smaller
from suite.compression.quantise import Quantised, export_int8
from suite.compression.relative_latency import share_of_time
from suite.compression.resumable_fit import OnEpoch, remove_checkpoint
from suite.deployment.inference_module import InferenceModule
from suite.deployment.trained_trial import TrainedTrial, finished_row, int8_file_of, int8_id_of, weights_of
from suite.errors import RequestError
from suite.measure.profiling import profile_trial
from suite.networks.weights import load_network, save_network
from suite.runs.ledger import RunLedger
from suite.runs.tables import Run, read_run
from suite.training.fit import DivergedError
from suite.trial import EpochResult, TrialResult

Say = Callable[[str], None]


def prune(trained: TrainedTrial, pruning: Pruning, say: Say) -> TrainedTrial:
    """The pruned trial, from its row where it has one.

    Args:
        trained: the trial to prune.
        pruning: checked.
        say: told in a sentence what is done, and what came of it.

    Raises:
        RequestError: the run still searches, or the goal cannot be reached.
        DivergedError: the training after a cut diverged; no row is written.
    """
    asked = _Asked(pruning.id_for(trained.id), "pruning", dataclasses.asdict(pruning))
    pruned = _step(trained, asked, lambda tell: make_smaller(trained, pruning, tell, say), say)
    if isinstance(pruning.goal, Budget) and pruning.goal.quantity == "latency":
        say(f"{pruned.id} takes {share_of_time(trained.config, pruned.config, trained.label_set.bins)}")
    return pruned


def teach(trained: TrainedTrial, student: Student, say: Say) -> TrainedTrial:
    """The trial's student, from its row where it has one.

    Args:
        trained: the teacher.
        student: what is to be trained.
        say: told in a sentence what is done, and what came of it.

    Raises:
        RequestError: the run still searches, or there is nothing to distil.
        DivergedError: the training diverged; no row is written.
    """
    asked = _Asked(student.id_for(trained.id), "student", dataclasses.asdict(student))
    return _step(trained, asked, lambda tell: train_student(trained, student, tell, say), say)


@dataclass(frozen=True)
class _Asked:
    """A step's request as it is kept beside the weights, in ``ID.KIND.json``."""

    id: str
    kind: str
    fields: Mapping[str, Any]


def _step(
    trained: TrainedTrial, asked: _Asked, make: Callable[[OnEpoch], DerivedTrial], say: Say
) -> TrainedTrial:
    folder, trial_id = trained.run.folder, asked.id
    check_finished(trained.run)
    path, ledger = weights_of(folder, trial_id), RunLedger(folder)
    if _has(ledger, trial_id) and path.exists():
        say(f"{trial_id} is there already")
    else:
        try:
            made = make(_teller(trained, say))
        except DivergedError:  # so it would again
            remove_checkpoint(folder, trial_id)
            raise
        save_network(made.network, made.result.config, path)
        text = json.dumps({"parent": trained.id, **asked.fields}, indent=2)
        (folder / "weights" / f"{trial_id}.{asked.kind}.json").write_text(text + "\n", encoding="utf-8")
        ledger.begin_trial(trial_id, made.epochs, trained.config.attribute)
        ledger.add_trial(made.result)
    remove_checkpoint(folder, trial_id)
    run = read_run(folder)
    row = finished_row(run, trial_id)
    network, config, _ = load_network(path)
    error = run.info.error_column
    say(
        f"{trial_id}: {row['params']:,} parameters, validation MAE {row[error]:.2f} {run.info.unit} "
        f"({trained.id}: {trained.row['params']:,}, {trained.row[error]:.2f})"
    )
    return dataclasses.replace(trained, run=run, id=trial_id, row=row, network=network, config=config)


def make_int8(trained: TrainedTrial, say: Say) -> None:
    """Write a trial's int8 file, ``weights/ID-int8.onnx``, and its row, where they are not there yet.

    Raises:
        RequestError: the run still searches, or a package is missing.
        MismatchError: int8 loses too much; neither row nor file is written.
    """
    trial_id, ledger = int8_id_of(trained.id), RunLedger(trained.run.folder)
    check_finished(trained.run)
    path = int8_file_of(trained.run.folder, trial_id)
    if _has(ledger, trial_id) and path.exists():
        say(f"{trial_id} is there already: {path}")
        return
    began, splits = time.perf_counter(), trained.dataset.splits
    deployed = InferenceModule(trained.network, trained.config, trained.label_set)
    quantised = export_int8(deployed, trained.config, splits["train"], splits["val"], path, say)
    ledger.add_trial(_int8_result(trained, quantised, trial_id, time.perf_counter() - began))
    say(
        f"{trial_id}: {quantised.exported.bytes:,} bytes, validation MAE {quantised.validation.mae:.2f} "
        f"{trained.run.info.unit} ({quantised.mae_float:.2f} before), {quantised.exported.arithmetic}: {path}"
    )


def check_finished(run: Run) -> None:
    """Raises:
    RequestError: the run still searches: rows of compressions would stand among those of its trials.
    """
    if run.info.status != "finished":
        raise RequestError(
            f"{run.folder} is {run.info.status}; end its search with 'suite resume {run.folder}' first"
        )


def _int8_result(trained: TrainedTrial, quantised: Quantised, trial_id: str, seconds: float) -> TrialResult:
    profile = profile_trial(trained.config, trained.label_set.bins)
    return TrialResult(
        id=trial_id,
        stage="int8",
        config=trained.config,
        status="finished",
        cause="",
        profile=dataclasses.replace(profile, bytes=quantised.exported.bytes),
        validation=quantised.validation,
        epochs_run=0,
        seconds=seconds,
        precision="int8",
        trials_known=0,
        started=trained.run.info.seconds,
        parent=trained.id,
    )


def _has(ledger: RunLedger, trial_id: str) -> bool:
    return any(row["id"] == trial_id and row["status"] == "finished" for row in ledger.rows)


def _teller(trained: TrainedTrial, say: Say) -> Callable[[EpochResult, int], None]:
    began, told = time.monotonic(), 0  # those that another process trained are not told

    def tell(epoch: EpochResult, of: int) -> None:
        nonlocal told
        told += 1
        left = (time.monotonic() - began) / told * (of - epoch.epoch)
        error = f"{epoch.validation.mae:.2f} {trained.run.info.unit}"
        say(f"epoch {epoch.epoch} of {of}: validation MAE {error}, about {left:.0f} s left")

    return tell
