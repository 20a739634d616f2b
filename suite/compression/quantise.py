"""int8 by ONNX Runtime's static quantisation: 8-bit weights and activations in the ONNX graph.

Weights have a scale for each channel, activations a scale for each layer, calibrated on training images. Batch
normalisation is folded into the weights first. Input normalisation, softmax and expectation stay in float32.
"""

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch

from suite.data.dataset import LabelledImages
from suite.deployment.export import (
    ExportedModel,
    check_ending,
    partial_file,
    partial_folder,
    write_and_verify,
)
from suite.deployment.inference import open_model
from suite.deployment.inference_module import INPUT, InferenceModule
from suite.deployment.verify import MismatchError, evaluate_model, predict_split
from suite.optional_dependencies import need, unlogged
from suite.trial import Metrics, TrialConfig

#: Operations that run in int8; Relu is listed so that it is fused into the layer before it.
OPERATIONS = ("Conv", "Relu", "Gemm", "MaxPool", "GlobalAveragePool", "Add")
#: Operations with weights; single layers of these may stay in float.
LAYERS = ("Conv", "Gemm")
#: Training images that activations are calibrated on.
CALIBRATION_IMAGES = 256
CALIBRATION_BATCH = 64
#: The largest loss of validation MAE, as a share of the label range: 0.1 years for ages 0 to 100.
MOST_LOSS = 1e-3
#: Layers that may stay in float before int8 is given up.
MOST_FLOAT_LAYERS = 3
#: Seconds between two messages on progress while layers are tried one by one.
PROGRESS_SECONDS = 10.0


@dataclass(frozen=True)
class QuantisedModel:
    """A file with fewer bits, and what they cost.

    Attributes:
        exported: The file; for int8 its ``verification`` is that of the float graph that it was made from.
        mae_float: Validation MAE before, label units.
        validation: Validation metrics of the file.
        float_layers: Names of the layers that stayed in float.
    """

    exported: ExportedModel
    mae_float: float
    validation: Metrics
    float_layers: tuple[str, ...]


def export_int8(
    module: InferenceModule,
    config: TrialConfig,
    train: LabelledImages,
    val: LabelledImages,
    path: Path,
    on_stage: Callable[[str], None],
) -> QuantisedModel:
    """Write a network as an int8 ONNX file, and measure the loss of accuracy on validation.

    If the validation MAE grows by more than ``MOST_LOSS`` of the label range, the layers that change the estimates of
    training images most stay in float, one after another.

    Args:
        module: The network.
        config: Its configuration.
        train: Images to calibrate on; validation images are never used for calibration.
        val: Images to measure on, and to verify the float graph on.
        path: A .onnx file; an existing file is replaced in one step.
        on_stage: Called with a sentence when a stage begins.

    Raises:
        RequestError: The name has another ending, a package is not installed, or the folder cannot be written to.
        MismatchError: The float graph differs from PyTorch, or int8 loses too much; ``path`` is unchanged.
    """
    check_ending(path, ".onnx", "int8")
    need("onnxruntime", "int8")
    with partial_file(path) as partial, partial_folder(path) as folder:
        float_path = folder / "float.onnx"
        verification = write_and_verify(module, config, val, float_path)
        attempt = _quantise_within_limit(float_path, train.first(CALIBRATION_IMAGES), val, config, on_stage)
        attempt.path.replace(partial)
    exported = ExportedModel(path, path.stat().st_size, describe_int8(attempt.float_layers), verification)
    return QuantisedModel(exported, attempt.mae_float, attempt.validation, attempt.float_layers)


def describe_int8(float_layers: Sequence[str]) -> str:
    """Return the arithmetic of an int8 file in a few words."""
    kept = f", float32 in {', '.join(float_layers)}" if float_layers else ""
    return f"int8, weights by channel, activations by layer{kept}"


@dataclass(frozen=True)
class _Attempt:
    path: Path
    mae_float: float
    validation: Metrics
    float_layers: tuple[str, ...]


def _quantise_within_limit(
    float_path: Path,
    calibration: LabelledImages,
    val: LabelledImages,
    config: TrialConfig,
    on_stage: Callable[[str], None],
) -> _Attempt:
    before = evaluate_model(open_model(float_path), val).mae
    most = MOST_LOSS * (config.label_high - config.label_low)
    int8_path = float_path.with_name("int8.onnx")
    on_stage(f"calibrating on {len(calibration)} training images")
    quantise(float_path, int8_path, calibration, {"nodes_to_exclude": []}, describe_int8(()))
    after = evaluate_model(open_model(int8_path), val)
    kept: tuple[str, ...] = ()
    ranked: list[str] = []
    while not after.mae - before <= most:
        loss = f"int8 has a validation MAE of {after.mae:.2f} instead of {before:.2f}"
        if not ranked:
            on_stage(f"{loss}; looking for the layers that cause it")
            ranked = layers_by_damage(float_path, calibration, on_stage)
        if len(kept) == min(MOST_FLOAT_LAYERS, len(ranked)):
            raise MismatchError(f"{loss}, though {', '.join(kept)} stayed in float")
        kept = tuple(ranked[: len(kept) + 1])
        quantise(float_path, int8_path, calibration, {"nodes_to_exclude": [*kept]}, describe_int8(kept))
        after = evaluate_model(open_model(int8_path), val)
    return _Attempt(int8_path, before, after, kept)


def layers_by_damage(
    float_path: Path, calibration: LabelledImages, on_stage: Callable[[str], None]
) -> list[str]:
    """Return the names of the layers, the most damaging first.

    The damage of a layer is how much it alone in int8 changes the estimates of training images.

    Args:
        float_path: The float graph.
        calibration: The training images.
        on_stage: Called with the progress every ``PROGRESS_SECONDS``.
    """
    expected = predict_split(open_model(float_path), calibration).values
    onnx = need("onnx", "int8")
    layers = [node.name for node in onnx.load(float_path).graph.node if node.op_type in LAYERS]
    attempt, damage = float_path.with_name("layer.onnx"), {}
    began = reported = time.monotonic()
    for done, layer in enumerate(layers):
        if done and (now := time.monotonic()) - reported > PROGRESS_SECONDS:
            reported, left = now, (now - began) / done * (len(layers) - done)
            on_stage(f"tried {done} of {len(layers)} layers, about {left:.0f} s left")
        quantise(float_path, attempt, calibration, {"nodes_to_quantize": [layer]}, "")
        change = predict_split(open_model(attempt), calibration).values - expected
        damage[layer] = float(np.abs(change).mean())
    return sorted(layers, key=lambda layer: -damage[layer])


def quantise(
    float_path: Path,
    int8_path: Path,
    calibration: LabelledImages,
    nodes: Mapping[str, list[str]],
    arithmetic: str,
) -> None:
    """Write a float graph in int8.

    Args:
        float_path: The float graph.
        int8_path: The file to write.
        calibration: Images that activations are calibrated on.
        nodes: ``nodes_to_quantize`` or ``nodes_to_exclude``, by the names of the graph's nodes; every other or these
            nodes stay in float.
        arithmetic: The arithmetic in words, for the file's metadata.
    """
    quantization: Any = need("onnxruntime.quantization", "int8")
    onnx = need("onnx", "int8")
    with unlogged():  # it advises shape inference and folding, which the graph has had already
        quantization.quantize_static(
            str(float_path),
            str(int8_path),
            _CalibrationBatches(calibration),
            quant_format=quantization.QuantFormat.QDQ,
            op_types_to_quantize=[*OPERATIONS],
            per_channel=True,
            activation_type=quantization.QuantType.QInt8,
            weight_type=quantization.QuantType.QInt8,
            # Logits enter the softmax in float32.
            extra_options={"OpTypesToExcludeOutputQuantization": ["Gemm"]},
            **nodes,
        )
    model = onnx.load(int8_path)
    metadata = {entry.key: entry.value for entry in model.metadata_props if not entry.key.startswith("onnx.")}
    onnx.helper.set_model_props(model, {**metadata, "arithmetic": arithmetic})
    onnx.save(model, int8_path)


class _CalibrationBatches:
    """Images in the form of ONNX Runtime's ``CalibrationDataReader``."""

    def __init__(self, part: LabelledImages) -> None:
        self._batches = (part.images[rows].numpy() for rows in torch.split(part.rows, CALIBRATION_BATCH))

    def get_next(self) -> dict[str, Any] | None:
        """Return the next batch, or None at the end."""
        batch = next(self._batches, None)
        return None if batch is None else {INPUT: np.ascontiguousarray(batch)}

    def __iter__(self) -> Iterator[dict[str, Any]]:
        return iter(self.get_next, None)
