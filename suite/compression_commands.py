"""What the commands of ``suite.compression`` do; heavy packages are imported where they are needed."""

import argparse
import dataclasses
import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from suite.errors import RequestError

if TYPE_CHECKING:
    from suite.compression.export import Exported
    from suite.compression.offspring import Teaching
    from suite.compression.quantisation import Quantised
    from suite.compression.smaller import Pruning
    from suite.compression.students import Student
    from suite.compression.trained import TrainedTrial

DONE, WORK_FAILED = 0, 1


def export(options: argparse.Namespace) -> int:
    """``suite export``: a trained network as a file, compared with PyTorch before it is kept."""
    from suite.compression.agreement import MismatchError
    from suite.compression.card import write_card
    from suite.compression.export import writer_for

    writer_for(options.output)  # before the data is opened
    if options.card and not options.card.parent.is_dir():
        raise RequestError(
            f"{options.card} cannot be written: its folder is not there; make it, or name another"
        )
    trained = _open_trial(options)
    try:
        exported = _write(options, trained)
    except MismatchError as mismatch:
        print(f"suite: {options.output} was not written: {mismatch}", file=sys.stderr)
        return WORK_FAILED
    if options.card:
        write_card(trained, exported, options.card)
        print(options.card)
    return DONE


def _write(options: argparse.Namespace, trained: "TrainedTrial") -> "Exported":
    """Write the kind of file that is asked for, and say what came of it."""
    from suite.compression.bf16 import export_bf16
    from suite.compression.deployed import Deployed
    from suite.compression.export import export as write
    from suite.compression.quantisation import export_int8

    deployed = Deployed(trained.network, trained.config, trained.label_set)
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
        print(f"{exported.arithmetic}: validation MAE {fewer_bits.mae:.2f} {unit}, {before}")
    return exported


def compress(options: argparse.Namespace) -> int:
    """``suite compress``: prune a trial or teach a student, make it int8; each step a row of the run."""
    from suite.compression.agreement import MismatchError
    from suite.compression.chain import make_int8, prune, teach
    from suite.search.run_folder import locked
    from suite.training import DivergedError

    prunes = options.to is not None or options.keep is not None
    if not prunes and options.student is None and not options.int8:
        raise RequestError("nothing is asked for; give --to, --keep, --student or --int8")
    trained = _open_trial(options)
    with locked(trained.run.folder):
        try:
            if prunes:
                trained = prune(trained, _pruning(options, trained), _stage)
            elif options.student is not None:
                trained = teach(trained, _student(options, trained), _stage)
            if options.int8:
                make_int8(trained, _stage)
        except (MismatchError, DivergedError) as failure:
            print(f"suite: {failure}", file=sys.stderr)
            return WORK_FAILED
    return DONE


def _pruning(options: argparse.Namespace, trained: "TrainedTrial") -> "Pruning":
    from suite.compression.budget import parse_budget
    from suite.compression.smaller import Pruning, check_pruning
    from suite.networks import STAGES

    config, epochs, rate = trained.config, options.epochs, options.learning_rate
    keep = options.keep
    if keep is not None and len(keep) == 1:
        keep *= STAGES
    pruning = Pruning(
        goal=parse_budget(options.to, options.of) if keep is None else keep,
        spread=options.spread if keep is None else "uniform",
        importance=options.importance,
        rounds=options.rounds,
        epochs=config.epochs if epochs is None else epochs,
        learning_rate=config.learning_rate if rate is None else rate,
        teaching=_teaching(options, 0.0),
    )
    check_pruning(pruning, config)
    return pruning


def _student(options: argparse.Namespace, trained: "TrainedTrial") -> "Student":
    from suite.compression.students import Student, architecture_of

    config, epochs, rate = trained.config, options.epochs, options.learning_rate
    network = architecture_of(options.student)
    if epochs == 0:
        raise RequestError("--epochs is 0 and a student starts from scratch; give it 1 or more")
    return Student(
        widths=network.widths,
        depths=network.depths,
        epochs=config.epochs if epochs is None else epochs,
        learning_rate=config.learning_rate if rate is None else rate,
        teaching=_teaching(options, 1.0),
    )


def _teaching(options: argparse.Namespace, weight: float) -> "Teaching":
    """What is asked for, with a weight where none is."""
    from suite.compression.offspring import Teaching

    asked = options.distill_weight
    return Teaching(weight if asked is None else asked, options.temperature)


def predict(options: argparse.Namespace) -> int:
    """``suite predict``: estimates for image files; 1 where a file could not be read."""
    from suite.compression.models import open_model
    from suite.compression.predicting import Refused, image_files, predict_files
    from suite.trial import UNIT

    model, files = open_model(options.model), image_files(options.images)
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
    return code


def _open_trial(options: argparse.Namespace) -> "TrainedTrial":
    from suite.compression.trained import open_trial
    from suite.watching import CountedProgress

    run: Path = options.run
    return open_trial(run.resolve(), options.trial, _stage, CountedProgress("rendering faces"))


def _stage(sentence: str) -> None:
    print(sentence, file=sys.stderr, flush=True)
