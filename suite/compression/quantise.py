"""int8: the ONNX graph with 8-bit weights and activations, by ONNX Runtime's static quantisation.

Weights are scaled by channel, activations by layer from what training images make of them; batch
normalisation was folded into the weights before. Normalisation, softmax and expectation stay in float32.
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

#: What runs in int8; Relu is named so that it melts into the layer before it.
OPERATIONS = ("Conv", "Relu", "Gemm", "MaxPool", "GlobalAveragePool", "Add")
#: Layers with weights, of which single ones may stay in float.
LAYERS = ("Conv", "Gemm")
#: Training images that say how large activations become.
CALIBRATION_IMAGES = 256
CALIBRATION_BATCH = 64
#: What the validation error may lose, as a share of the label range: 0.1 years of 0 to 100.
MOST_LOSS = 1e-3
#: Layers that may stay in float before int8 is given up.
MOST_FLOAT_LAYERS = 3
#: While layers are tried, one by one, so often it is said how many are done.
TELL_SECONDS = 10.0


@dataclass(frozen=True)
class QuantisedModel:
    """An int8 file that was written."""

    exported: ExportedModel  # its ``verification`` is that of the float graph that it was made from
    mae_float: float  # on validation before, label units
    validation: Metrics  # of the file
    float_layers: tuple[str, ...]  # those that stayed in float


def export_int8(
    module: InferenceModule,
    config: TrialConfig,
    train: LabelledImages,
    val: LabelledImages,
    path: Path,
    on_stage: Callable[[str], None],
) -> QuantisedModel:
    """Write a network as an int8 ONNX file, and measure on validation what that costs.

    Where the error grows by more than ``MOST_LOSS`` of the label range, the layers that disturb the
    estimates of training images most stay in float, one after another.

    Args:
        module: the network.
        config: its own.
        train: images to calibrate on; validation images are never used for that.
        val: images to measure on, and to compare the float graph on.
        path: .onnx; a file that is there is replaced in one step.
        on_stage: told in a sentence what is done.

    Raises:
        RequestError: another ending, a missing package, or a folder that cannot be written to.
        MismatchError: the float graph is not as PyTorch, or int8 loses too much; ``path`` is as it was.
    """
    check_ending(path, ".onnx", "int8")
    need("onnxruntime", "int8")
    with partial_file(path) as partial, partial_folder(path) as folder:
        plain = folder / "float.onnx"
        verification = write_and_verify(module, config, val, plain)
        part = train.first(CALIBRATION_IMAGES)
        found = _within_limit(plain, part, val, config, on_stage)
        found.path.replace(partial)
    exported = ExportedModel(path, path.stat().st_size, describe_int8(found.float_layers), verification)
    return QuantisedModel(exported, found.mae_float, found.validation, found.float_layers)


def describe_int8(float_layers: Sequence[str]) -> str:
    """How an int8 file computes, in a few words."""
    kept = f", float32 in {', '.join(float_layers)}" if float_layers else ""
    return f"int8, weights by channel, activations by layer{kept}"


@dataclass(frozen=True)
class _Attempt:
    path: Path
    mae_float: float
    validation: Metrics
    float_layers: tuple[str, ...]


def _within_limit(
    plain: Path,
    calibration: LabelledImages,
    val: LabelledImages,
    config: TrialConfig,
    on_stage: Callable[[str], None],
) -> _Attempt:
    before = evaluate_model(open_model(plain), val).mae
    most = MOST_LOSS * (config.label_high - config.label_low)
    attempt = plain.with_name("int8.onnx")
    on_stage(f"calibrating on {len(calibration)} training images")
    quantise(plain, attempt, calibration, {"nodes_to_exclude": []}, describe_int8(()))
    after = evaluate_model(open_model(attempt), val)
    kept: tuple[str, ...] = ()
    worst: list[str] = []
    while not after.mae - before <= most:
        lost = f"int8 has a validation MAE of {after.mae:.2f} instead of {before:.2f}"
        if not worst:
            on_stage(f"{lost}; looking for the layers at fault")
            worst = layers_by_damage(plain, calibration, on_stage)
        if len(kept) == min(MOST_FLOAT_LAYERS, len(worst)):
            raise MismatchError(f"{lost}, though {', '.join(kept)} stayed in float")
        kept = tuple(worst[: len(kept) + 1])
        quantise(plain, attempt, calibration, {"nodes_to_exclude": [*kept]}, describe_int8(kept))
        after = evaluate_model(open_model(attempt), val)
    return _Attempt(attempt, before, after, kept)


def layers_by_damage(plain: Path, calibration: LabelledImages, on_stage: Callable[[str], None]) -> list[str]:
    """The layers in order of how much each alone in int8 moves the estimates of training images.

    Args:
        plain: the float graph.
        calibration: the images.
        on_stage: told now and then how many are done, where it takes long.
    """
    expected = predict_split(open_model(plain), calibration).values
    onnx = need("onnx", "int8")
    layers = [node.name for node in onnx.load(plain).graph.node if node.op_type in LAYERS]
    attempt, damage = plain.with_name("layer.onnx"), {}
    began = told = time.monotonic()
    for done, layer in enumerate(layers):
        if done and (now := time.monotonic()) - told > TELL_SECONDS:
            told, left = now, (now - began) / done * (len(layers) - done)
            on_stage(f"tried {done} of {len(layers)} layers, about {left:.0f} s left")
        quantise(plain, attempt, calibration, {"nodes_to_quantize": [layer]}, "")
        moved = predict_split(open_model(attempt), calibration).values - expected
        damage[layer] = float(np.abs(moved).mean())
    return sorted(layers, key=lambda layer: -damage[layer])


def quantise(
    plain: Path, out: Path, calibration: LabelledImages, chosen: Mapping[str, list[str]], arithmetic: str
) -> None:
    """Write a float graph in int8; a layer that is not chosen, or that is excluded, stays in float.

    Args:
        plain: the float graph.
        out: the file to write.
        calibration: images that say how large activations become.
        chosen: ``nodes_to_quantize`` or ``nodes_to_exclude``, by the names of the graph's nodes.
        arithmetic: told in the metadata.
    """
    quantization: Any = need("onnxruntime.quantization", "int8")
    onnx = need("onnx", "int8")
    with unlogged():  # it advises a step of preparation, folding and shapes, that has been taken here
        quantization.quantize_static(
            str(plain),
            str(out),
            _Batches(calibration),
            quant_format=quantization.QuantFormat.QDQ,
            op_types_to_quantize=[*OPERATIONS],
            per_channel=True,
            activation_type=quantization.QuantType.QInt8,
            weight_type=quantization.QuantType.QInt8,
            # The outputs go into the softmax as they are.
            extra_options={"OpTypesToExcludeOutputQuantization": ["Gemm"]},
            **chosen,
        )
    model = onnx.load(out)
    told = {entry.key: entry.value for entry in model.metadata_props if not entry.key.startswith("onnx.")}
    onnx.helper.set_model_props(model, {**told, "arithmetic": arithmetic})
    onnx.save(model, out)


class _Batches:
    """Images in the form in which ONNX Runtime asks for them (its ``CalibrationDataReader``)."""

    def __init__(self, part: LabelledImages) -> None:
        self._batches = (part.images[rows].numpy() for rows in torch.split(part.rows, CALIBRATION_BATCH))

    def get_next(self) -> dict[str, Any] | None:
        """The next batch, or None at the end."""
        batch = next(self._batches, None)
        return None if batch is None else {INPUT: np.ascontiguousarray(batch)}

    def __iter__(self) -> Iterator[dict[str, Any]]:
        return iter(self.get_next, None)
