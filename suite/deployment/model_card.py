"""The model card of an exported file: what it is, how it was trained, how accurate and fast it is, what is not known.

Every figure comes from ``run.json``, ``trials.parquet`` or the run's data. Accuracy is measured with the file itself
(``suite.deployment.card_accuracy``).
"""

import math
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from suite.data.store import Split
from suite.deployment.card_accuracy import accuracy_section, groups_section, predict_with_file
from suite.deployment.card_threshold import threshold_section
from suite.deployment.export import ModelFile, partial_file
from suite.deployment.markdown import code, plain, table
from suite.deployment.trained_trial import TrainedTrial, finished_row
from suite.methods import METHODS
from suite.runs.lineage import elastic_parent, lineage, pruning_parent
from suite.statistics.age_threshold import USUAL, AgeThreshold
from suite.trial import Attribute, TrialConfig

INTENDED_USE: Mapping[Attribute, str] = {
    "age": "Estimates how old a face looks or is said to be, in years.",
    "attractiveness": "Estimates how attractive the raters of the training set found a face, in points "
    "of their scale. It has learned their taste and nothing else.",
}


def write_card(trained: TrainedTrial, file: ModelFile, path: Path, threshold: AgeThreshold = USUAL) -> None:
    """Write the card of an exported file, as Markdown.

    The test split is used only where the run has tested the trial on it, so that a card is never the first to read it.

    Args:
        trained: The trial.
        file: The exported file.
        path: Of the card.
        threshold: The age that is asked for, and the challenge age; of a network that estimates ages.

    Raises:
        RequestError: The folder cannot be written to.
    """
    splits: list[Split] = ["val", "test"] if _was_tested(trained) else ["val"]
    predictions = [predict_with_file(trained, file, split) for split in splits]
    sections = [
        _title_section(trained, file),
        _data_section(trained),
        _training_section(trained),
        *_lineage_section(trained),
        accuracy_section(trained, predictions),
        groups_section(trained, predictions[-1]),
        *filter(None, (threshold_section(trained, predictions[-1], threshold),)),
        speed_section(trained),
        _use_section(trained),
    ]
    with partial_file(path) as partial:
        partial.write_text("\n\n".join(sections) + "\n", encoding="utf-8")


def _was_tested(trained: TrainedTrial) -> bool:
    error = trained.row.get(f"test_mae_{trained.run.info.unit}")
    return error is not None and math.isfinite(error)


def _title_section(trained: TrainedTrial, file: ModelFile) -> str:
    config, row, info = trained.config, trained.row, trained.run.info
    network = config.network
    shape = ""
    if network == "compact":
        shape = f", widths {'-'.join(map(str, config.widths))}, depths {'-'.join(map(str, config.depths))}"
    elif config.pruned_widths:
        shape = f", pruned to widths {'-'.join(map(str, config.pruned_widths))}"
    facts = [
        ("File", f"{code(file.path.name)}, {file.bytes:,} bytes"),
        ("Made from", f"trial {plain(trained.id)} of the run {plain(info.name)}, {plain(info.started)}"),
        (
            "Estimates",
            f"{config.attribute} in {info.unit}, {trained.label_set.low:g} to {trained.label_set.high:g}",
        ),
        ("Network", f"{network}{shape}; {int(row['params']):,} parameters"),
        ("Multiply-adds", f"{int(row['macs']):,} for an image of {config.resolution} pixels a side"),
        ("Method", f"{config.method} ({METHODS[config.method].summary})"),
        ("Computes in", plain(file.arithmetic)),
        ("Takes", f"uint8 RGB images, {config.resolution} x {config.resolution}, any number at a time"),
    ]
    return f"# Model card: {plain(file.path.name)}\n\n" + table(("", ""), facts)


def _data_section(trained: TrainedTrial) -> str:
    data = trained.run.info.data
    return (
        f"## Data\n\n{plain(data.name)}: {data.train_images:,} images to train, {data.val_images:,} to validate, "
        f"{data.test_images:,} to test; fingerprint {code(data.fingerprint[:16])}.\n\n"
        f"{plain(_sentence(data.origin))} {plain(_sentence(data.protocol))}"
    )


def _training_section(trained: TrainedTrial) -> str:
    config, row = trained.config, _trained_row(trained)
    taught = ""
    if config.distill_weight:
        teacher = plain(row["parent"]) if isinstance(row.get("parent"), str) else "a trained network"
        taught = (
            f", taught by {teacher} beside the labels (weight {config.distill_weight:g}, temperature "
            f"{config.temperature:g})"
        )
    return (
        f"## Training\n\n{config.epochs} epochs from {_initial_weights(row, config)}, {config.optimizer}, "
        f"learning rate {config.learning_rate:.3g}, batches of {config.batch_size}, {config.augmentation} "
        f"augmentation, seed {config.seed}{taught}. One training; another seed gives another network."
    )


def _trained_row(trained: TrainedTrial) -> Mapping[str, Any]:
    """Return the row of the training; for an int8 file, that of its parent."""
    return finished_row(trained.run, trained.row["parent"]) if trained.is_int8 else trained.row


def _initial_weights(row: Mapping[str, Any], config: TrialConfig) -> str:
    if (parent := pruning_parent(row)) is not None:
        return f"the channels of {plain(parent)} that were kept"
    if (elastic := elastic_parent(row)) is not None:
        return f"its slice of the elastic network {plain(elastic)}"
    return "weights of another training" if config.backbone else "random weights"


def _lineage_section(trained: TrainedTrial) -> Sequence[str]:
    """Return the section on what the network was made from; none where it was trained from scratch."""
    info = trained.run.info
    rows = {str(row["id"]): row for row in trained.run.trials.to_dict("records")}
    steps = lineage(rows, trained.id, info.error_column)
    if len(steps) == 1:
        return ()
    heads = ("network", "made", "epochs", "parameters", f"validation MAE, {info.unit}")
    cells = [
        (plain(step.id), plain(step.how), str(step.epochs), f"{step.params:,}", f"{step.error:.2f}")
        for step in steps
    ]
    return (f"## What it was made from\n\n{table(heads, cells)}",)


def speed_section(trained: TrainedTrial) -> str:
    """Return the section on the measured times, each beside VGG-16 with its interval where the row has one."""
    row, how = trained.row, trained.run.info.latency
    rows = []
    for suffix, size in (("", f"{trained.config.resolution}"), ("_at_224", "224")):
        latency, ratio, low, high = (
            _number(row, name)
            for name in (
                f"latency_ms_per_image{suffix}",
                f"speedup_vs_vgg16{suffix}",
                f"speedup_vs_vgg16{suffix}_low",
                f"speedup_vs_vgg16{suffix}_high",
            )
        )
        if math.isfinite(latency) and math.isfinite(ratio):
            interval = f" ({low:.1f} to {high:.1f})" if math.isfinite(low) and math.isfinite(high) else ""
            rows.append((size, f"{latency:.2f}", f"{ratio:.1f}{interval}"))
    if not rows:
        return "## Speed\n\nThe run did not time this trial."
    heads = ("pixels a side", "ms per image", "times as fast as VGG-16")
    return (
        "## Speed\n\n"
        + table(heads, rows)
        + f"\n\nMeasured with the trained network in PyTorch, float32, before it was exported: "
        f"{plain(how.get('device', 'unknown device'))} "
        f"({plain(trained.run.info.hardware.get('processor', 'unknown'))}), "
        f"{plain(how.get('threads', '?'))} threads, batches of {plain(how.get('batch_size', '?'))}."
    )


def _number(row: Mapping[str, Any], column: str) -> float:
    """Return a cell as float, NaN where it is empty or the row has no such column."""
    cell = row.get(column)
    return math.nan if cell is None else float(cell)


def _use_section(trained: TrainedTrial) -> str:
    data, labels = trained.run.info.data, trained.label_set
    return (
        f"## Intended use and limits\n\n{INTENDED_USE[trained.config.attribute]}\n\n"
        f"- It does not find faces. Images must be cropped and turned as those of the set {plain(data.name)} were.\n"
        f"- It was trained and measured on the set {plain(data.name)} only; on other cameras, ages and people "
        "nothing was measured here.\n"
        "- It gives an estimate for every image, even one without a face, and never below "
        f"{labels.low:g} or above {labels.high:g}.\n"
        "- It is made for research into small networks. Nothing here shows that it is fit for decisions about "
        "a person."
    )


def _sentence(text: str) -> str:
    return text if not text or text.endswith(".") else f"{text[0].upper()}{text[1:]}."
