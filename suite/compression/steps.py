"""The steps of ``suite compress``, from a trained trial to the file that ships: each is a row of the run with a parent.

A step whose row exists is not done again, and an interrupted training continues from its checkpoint
(``suite.compression.resumable_fit``), so that repeating a command continues where it was interrupted.
"""

import dataclasses
import json
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from suite.commands import command
from suite.compression.budget import Budget
from suite.compression.derived_trial import DerivedTrial
from suite.compression.distil import Distillation, distil_from_scratch
from suite.compression.prune_and_finetune import Pruning, prune_and_finetune
from suite.compression.quantise import QuantisedModel, export_int8
from suite.compression.relative_latency import describe_relative_latency
from suite.compression.resumable_fit import OnEpoch, remove_checkpoint
from suite.deployment.calibration_fit import calibration_of
from suite.deployment.inference_module import InferenceModule
from suite.deployment.trained_trial import TrainedTrial, finished_row, int8_file_of, int8_id_of, weights_of
from suite.durations import duration
from suite.errors import RequestError
from suite.files.atomic import write_atomically
from suite.measure.profiling import profile_trial
from suite.networks.weights import load_network, save_network
from suite.runs.ledger import RunLedger
from suite.runs.tables import Run, read_run
from suite.training.fit import DivergedError
from suite.trial import EpochResult, TrialResult

#: Called with a sentence on what is done, or on its outcome.
OnStage = Callable[[str], None]


def prune(trained: TrainedTrial, pruning: Pruning, on_stage: OnStage) -> TrainedTrial:
    """Prune a trial and train it on; a trial that exists already is loaded.

    Args:
        trained: The trial to prune.
        pruning: A request that ``check_pruning`` accepted.
        on_stage: Called with a sentence on what is done, and on its outcome.

    Raises:
        RequestError: The run's search has not finished, or the goal cannot be reached.
        DivergedError: The training after a cut diverged; no row is written.
    """
    request = _StepRequest(pruning.id_for(trained.id), "pruning", dataclasses.asdict(pruning))
    pruned = _derive(
        trained, request, lambda on_epoch: prune_and_finetune(trained, pruning, on_epoch, on_stage), on_stage
    )
    if isinstance(pruning.goal, Budget) and pruning.goal.quantity == "latency":
        share = describe_relative_latency(trained.config, pruned.config, trained.label_set.bins)
        on_stage(f"{pruned.id} takes {share}")
    return pruned


def distil(trained: TrainedTrial, distillation: Distillation, on_stage: OnStage) -> TrainedTrial:
    """Train a smaller network with a trial as its teacher; a trial that exists already is loaded.

    Args:
        trained: The teacher.
        distillation: The network to train.
        on_stage: Called with a sentence on what is done, and on its outcome.

    Raises:
        RequestError: The run's search has not finished, or the teacher's method has no distribution to distil.
        DivergedError: The training diverged; no row is written.
    """
    request = _StepRequest(distillation.id_for(trained.id), "student", dataclasses.asdict(distillation))
    return _derive(
        trained,
        request,
        lambda on_epoch: distil_from_scratch(trained, distillation, on_epoch, on_stage),
        on_stage,
    )


@dataclass(frozen=True)
class _StepRequest:
    """The request of a step, in the form of the file ``weights/ID.KIND.json``."""

    id: str
    kind: str
    fields: Mapping[str, Any]


def _derive(
    trained: TrainedTrial,
    request: _StepRequest,
    make: Callable[[OnEpoch], DerivedTrial],
    on_stage: OnStage,
) -> TrainedTrial:
    """Make a derived trial and write its weights, request, epochs and row; or load it where it exists."""
    folder, trial_id = trained.run.folder, request.id
    check_finished(trained.run)
    path, ledger = weights_of(folder, trial_id), RunLedger(folder)
    if _has_finished(ledger, trial_id) and path.exists():
        on_stage(f"{trial_id} is there already")
    else:
        try:
            derived = make(_epoch_messages(trained, on_stage))
        except DivergedError:  # it would diverge again
            remove_checkpoint(folder, trial_id)
            raise
        save_network(derived.network, derived.result.config, path)
        text = json.dumps({"parent": trained.id, **request.fields}, indent=2)
        write_atomically(folder / "weights" / f"{trial_id}.{request.kind}.json", text + "\n", durable=True)
        ledger.begin_trial(trial_id, derived.epochs, trained.config.attribute)
        ledger.add_trial(derived.result)
    remove_checkpoint(folder, trial_id)
    run = read_run(folder)
    row = finished_row(run, trial_id)
    network, config, _ = load_network(path)
    error = run.info.error_column
    on_stage(
        f"{trial_id}: {row['params']:,} parameters, validation MAE {row[error]:.2f} {run.info.unit} "
        f"({trained.id}: {trained.row['params']:,}, {trained.row[error]:.2f})"
    )
    return dataclasses.replace(trained, run=run, id=trial_id, row=row, network=network, config=config)


def make_int8(trained: TrainedTrial, on_stage: OnStage) -> None:
    """Write the int8 file of a trial, ``weights/ID-int8.onnx``, and its row, unless they exist already.

    Raises:
        RequestError: The run's search has not finished, or a package is not installed.
        MismatchError: int8 loses too much; neither row nor file is written.
    """
    trial_id, ledger = int8_id_of(trained.id), RunLedger(trained.run.folder)
    check_finished(trained.run)
    path = int8_file_of(trained.run.folder, trial_id)
    if _has_finished(ledger, trial_id) and path.exists():
        on_stage(f"{trial_id} is there already: {path}")
        return
    began, splits = time.perf_counter(), trained.dataset.splits
    module = InferenceModule(trained.network, trained.config, trained.label_set, calibration_of(trained))
    quantised = export_int8(module, trained.config, splits["train"], splits["val"], path, on_stage)
    ledger.add_trial(_int8_result(trained, quantised, trial_id, time.perf_counter() - began))
    on_stage(
        f"{trial_id}: {quantised.exported.bytes:,} bytes, validation MAE {quantised.validation.mae:.2f} "
        f"{trained.run.info.unit} ({quantised.mae_float:.2f} before), {quantised.exported.arithmetic}: {path}"
    )


def check_finished(run: Run) -> None:
    """Refuse a run whose search has not finished: its new trials would mix with rows of compression.

    Raises:
        RequestError: The search has not finished.
    """
    if run.info.status != "finished":
        raise RequestError(
            f"{run.folder} is {run.info.status}; end its search with '{command('resume', run.folder)}' first"
        )


def _int8_result(
    trained: TrainedTrial, quantised: QuantisedModel, trial_id: str, seconds: float
) -> TrialResult:
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


def _has_finished(ledger: RunLedger, trial_id: str) -> bool:
    return any(row["id"] == trial_id and row["status"] == "finished" for row in ledger.rows)


def _epoch_messages(trained: TrainedTrial, on_stage: OnStage) -> OnEpoch:
    """Return what reports each epoch with an estimate of the time left, from the epochs of this process."""
    began, trained_here = time.monotonic(), 0

    def on_epoch(epoch: EpochResult, epochs_in_all: int) -> None:
        nonlocal trained_here
        trained_here += 1
        left = (time.monotonic() - began) / trained_here * (epochs_in_all - epoch.epoch)
        error = f"{epoch.validation.mae:.2f} {trained.run.info.unit}"
        on_stage(
            f"epoch {epoch.epoch} of {epochs_in_all}: validation MAE {error}, about {duration(left)} left"
        )

    return on_epoch
