"""What the commands of ``suite.compression`` do; heavy packages are imported where they are needed."""

import argparse
import dataclasses
import json
import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from suite.errors import RequestError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from suite.compression.derived_trial import Teaching
    from suite.compression.distil import Student
    from suite.compression.prune import Pruning
    from suite.compression.quantise import Quantised
    from suite.deployment.export import Exported, ModelFile
    from suite.deployment.inference import Model
    from suite.deployment.trained_trial import TrainedTrial

DONE, WORK_FAILED, INTERRUPTED = 0, 1, 130


def export(options: argparse.Namespace) -> int:
    """``suite export``: a trained network as a file, compared with PyTorch before it is kept."""
    from suite.deployment.export import check_ending, check_place, writer_for
    from suite.deployment.model_card import write_card
    from suite.deployment.verify import MismatchError

    # Before the data is opened, which may take a minute.
    writer_for(options.output)
    for asked, ending, kind in ((options.int8, ".onnx", "int8"), (options.bf16, ".safetensors", "bf16")):
        if asked:
            check_ending(options.output, ending, kind)
    for place in filter(None, (options.output, options.card)):
        check_place(place)
    if options.card and options.card.resolve() == options.output.resolve():
        raise RequestError(f"{options.card} cannot be the card and the network; name two files")
    trained = _open_trial(options, int8=True)
    try:
        trained, written = _write(options, trained)
    except MismatchError as mismatch:
        print(f"suite: {options.output} was not written: {mismatch}", file=sys.stderr)
        return WORK_FAILED
    if options.card:
        write_card(trained, written, options.card)
        print(options.card)
    return DONE


def _write(options: argparse.Namespace, trained: "TrainedTrial") -> "tuple[TrainedTrial, ModelFile]":
    """Write the kind of file that is asked for, and say what came of it. Returns its row and the file."""
    from suite.compression.int8_row import copy_int8, int8_row_of

    if trained.is_int8 and options.bf16:
        raise RequestError(f"{trained.id} is int8; name {trained.row['parent']}, which it was made from")
    if (trained.is_int8 or options.int8) and (row := int8_row_of(trained)) is not None:
        copied = copy_int8(row, options.output)
        mae = f"{copied.mae:.2f} {trained.run.info.unit}"
        print(f"{copied.path}: {copied.bytes:,} bytes, a copy of {copied.source}, the file of {row.id}")
        print(f"{copied.arithmetic}: validation MAE {mae}")
        return row, copied
    return trained, _write_anew(options, trained)


def _write_anew(options: argparse.Namespace, trained: "TrainedTrial") -> "Exported":
    from suite.compression.bf16 import export_bf16
    from suite.compression.quantise import export_int8
    from suite.deployment.export import export as write
    from suite.deployment.inference_module import InferenceModule

    deployed = InferenceModule(trained.network, trained.config, trained.label_set)
    train, val = trained.dataset.splits["train"], trained.dataset.splits["val"]
    fewer_bits: Quantised | None = None
    if options.int8:
        fewer_bits = export_int8(deployed, trained.config, train, val, options.output, _stage)
    elif options.bf16:
        fewer_bits = export_bf16(deployed, trained.config, val, options.output)
    exported = fewer_bits.exported if fewer_bits else write(deployed, trained.config, val, options.output)
    agreement, unit = exported.agreement, trained.run.info.unit
    print(
        f"{exported.path}: {exported.bytes:,} bytes; as PyTorch on {agreement.images} validation images in "
        f"{agreement.batches} batches (largest difference {agreement.value_difference:.2g} {unit})"
        + (" before it became int8" if options.int8 else "")
    )
    if fewer_bits:
        before = f"{fewer_bits.mae_float:.2f} before"
        print(f"{exported.arithmetic}: validation MAE {fewer_bits.validation.mae:.2f} {unit}, {before}")
    return exported


def compress(options: argparse.Namespace) -> int:
    """``suite compress``: prune a trial or teach a student, make it int8; each step a row of the run."""
    from suite.deployment.verify import MismatchError
    from suite.runs.folder import explain_write_errors, lock_run_folder
    from suite.training.fit import DivergedError

    _check_asked(options)
    trained = _open_trial(options)
    folder = trained.run.folder
    with lock_run_folder(folder), explain_write_errors(folder, "the same command again"):
        try:
            _carry_out(options, trained)
        except MismatchError as mismatch:
            print(f"suite: {mismatch}", file=sys.stderr)
            return WORK_FAILED
        except DivergedError as diverged:
            print(f"suite: {diverged}; lower --learning-rate", file=sys.stderr)
            return WORK_FAILED
        except KeyboardInterrupt:
            print(
                "suite: interrupted; what had ended is kept, and the same command goes on from there",
                file=sys.stderr,
            )
            return INTERRUPTED
    return DONE


def _carry_out(options: argparse.Namespace, trained: "TrainedTrial") -> None:
    from suite.compression.steps import make_int8, prune, teach

    if _prunes(options):
        trained = prune(trained, _pruning(options, trained), _stage)
    elif options.student is not None:
        trained = teach(trained, _student(options, trained), _stage)
    if options.int8:
        make_int8(trained, _stage)


def _prunes(options: argparse.Namespace) -> bool:
    return options.to is not None or options.keep is not None


#: Options of ``suite compress`` that say something about others only, by the fields of those.
BELONGS_TO = {
    "of": ("to",),
    "spread": ("to",),
    "importance": ("to", "keep"),
    "rounds": ("to", "keep"),
    "epochs": ("to", "keep", "student"),
    "learning_rate": ("to", "keep", "student"),
    "distill_weight": ("to", "keep", "student"),
    "temperature": ("to", "keep", "student"),
}


def _check_asked(options: argparse.Namespace) -> None:
    """Raises:
    RequestError: nothing is asked for, or what is said is of something that is not or is nothing; a package
        is missing.
    """
    from suite.compression.budget import parse_budget
    from suite.compression.distil import architecture_of
    from suite.optional_dependencies import need

    for name, others in BELONGS_TO.items():
        if getattr(options, name) is not None and all(getattr(options, other) is None for other in others):
            said = f"--{name.replace('_', '-')}"
            raise RequestError(
                f"{said} is nothing without {' or '.join(f'--{other}' for other in others)}; give one, or "
                f"leave {said} out"
            )
    if not _prunes(options) and options.student is None and not options.int8:
        raise RequestError("nothing is asked for; give --to, --keep, --student or --int8")
    if options.to is not None:
        parse_budget(options.to, options.of or "params")
    if options.student is not None:
        architecture_of(options.student)
    weight = _teaching(options, 0.0 if options.student is None else 1.0).weight
    if options.temperature is not None and weight == 0:
        raise RequestError(
            "--temperature softens what is learned from the trial, which is nothing here; give "
            "--distill-weight above 0, or leave --temperature out"
        )
    if _prunes(options):
        need("torch_pruning", "Pruning")
    if options.int8:
        for package in ("onnx", "onnxruntime"):
            need(package, "int8")


def _pruning(options: argparse.Namespace, trained: "TrainedTrial") -> "Pruning":
    from suite.compression.budget import parse_budget
    from suite.compression.prune import Pruning, check_pruning
    from suite.networks import STAGES

    config, epochs, rate = trained.config, options.epochs, options.learning_rate
    keep = options.keep
    if keep is not None and len(keep) == 1:
        keep *= STAGES
    pruning = Pruning(
        goal=parse_budget(options.to, options.of or "params") if keep is None else keep,
        spread=options.spread or "uniform",
        importance=options.importance or "taylor",
        rounds=options.rounds or 1,
        epochs=config.epochs if epochs is None else epochs,
        learning_rate=config.learning_rate if rate is None else rate,
        teaching=_teaching(options, 0.0),
    )
    check_pruning(pruning, config)
    return pruning


def _student(options: argparse.Namespace, trained: "TrainedTrial") -> "Student":
    from suite.compression.distil import Student, architecture_of

    config, epochs, rate = trained.config, options.epochs, options.learning_rate
    network = architecture_of(options.student)
    epochs = config.epochs if epochs is None else epochs
    if epochs == 0:  # of a trial that was cut and not trained on, too
        raise RequestError(
            "a student starts from scratch and would have 0 epochs; give it 1 or more, --epochs N"
        )
    return Student(
        widths=network.widths,
        depths=network.depths,
        epochs=epochs,
        learning_rate=config.learning_rate if rate is None else rate,
        teaching=_teaching(options, 1.0),
    )


def _teaching(options: argparse.Namespace, weight: float) -> "Teaching":
    """What is asked for, with a weight where none is."""
    from suite.compression.derived_trial import Teaching

    weight = weight if options.distill_weight is None else options.distill_weight
    return Teaching(weight) if options.temperature is None else Teaching(weight, options.temperature)


def predict(options: argparse.Namespace) -> int:
    """``suite predict``: estimates for image files; 1 where a file could not be read."""
    from suite.deployment.inference import open_model
    from suite.deployment.predict import image_files

    model, files = open_model(options.model), image_files(options.images)
    try:
        return _tell(options, model, files)
    except BrokenPipeError:  # nobody reads on, as behind '| head'
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return DONE


def _tell(options: argparse.Namespace, model: "Model", files: "Sequence[Path]") -> int:
    from suite.deployment.predict import Refused, predict_files
    from suite.trial import UNIT

    unit, code = UNIT[model.config.attribute], DONE
    digits = 1 if model.config.label_step >= 1 else 2
    for outcome in predict_files(model, files, batch=options.batch_size, mirrored=options.mirror):
        if isinstance(outcome, Refused):
            print(f"suite: {outcome.file} is left out: {outcome.reason}", file=sys.stderr)
            code = WORK_FAILED
        elif options.json:
            print(json.dumps({**dataclasses.asdict(outcome), "unit": unit}))
        else:
            ends = (
                ""
                if outcome.low is None
                else f"  80 %: {outcome.low:.{digits}f} to {outcome.high:.{digits}f}"
            )
            print(f"{outcome.file}  {outcome.value:.{digits}f} {unit}{ends}")
    sys.stdout.flush()
    return code


def _open_trial(options: argparse.Namespace, *, int8: bool = False) -> "TrainedTrial":
    from suite.cli.progress import CountedProgress
    from suite.deployment.trained_trial import open_trial

    run: Path = options.run
    progress = CountedProgress("rendering faces")
    return open_trial(run.resolve(), options.trial, _stage, progress, int8=int8)


def _stage(sentence: str) -> None:
    print(sentence, file=sys.stderr, flush=True)
