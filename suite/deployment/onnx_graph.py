"""The ONNX graph of a network of ``suite.networks``.

torch.fx gives the order of the layers; ``suite.deployment.onnx_operators`` has the operators of each. PyTorch's own
exporters are not used: one is deprecated, the other needs two more packages and adds tens of kilobytes of notes to a
file of about one megabyte. A graph is verified against PyTorch before it is kept (``suite.deployment.verify``).
"""

import operator
from collections.abc import Mapping
from typing import Any

import numpy as np
import torch
from torch import fx, nn
from torch.fx.passes.shape_prop import ShapeProp

from suite.deployment.inference_module import DISTRIBUTION, INPUT, VALUE, fold_batch_norm
from suite.deployment.onnx_operators import LAYERS, PREDICTIONS, GraphBuilder
from suite.methods import METHODS
from suite.methods.labels import LabelSet
from suite.optional_dependencies import need
from suite.training.inputs import CHANNEL_MEAN, CHANNEL_STD
from suite.trial import TrialConfig

#: ONNX Runtime reads these from version 1.12 (2022) on.
OPSET, IR_VERSION = 17, 8
#: Name of the dimension whose size a client chooses.
BATCH = "batch"


class UnknownLayerError(ValueError):
    """The network has a layer without an entry in ``suite.deployment.onnx_operators.LAYERS``."""


def onnx_model(
    network: nn.Module, config: TrialConfig, label_set: LabelSet, metadata: Mapping[str, str]
) -> Any:
    """Return a network with input normalisation and prediction, as an ``onnx.ModelProto``.

    Args:
        network: A trained network; it is not changed, and its batch normalisation is folded in the graph.
        config: Its configuration. The graph fixes the resolution, and leaves the size of a batch open.
        label_set: Its label set.
        metadata: Metadata of the file.

    Raises:
        RequestError: onnx is not installed.
        UnknownLayerError: The network has a layer without an entry in ``LAYERS``.
    """
    onnx, graph = need("onnx", "An ONNX export"), GraphBuilder()
    images = _add_normalisation(graph, config.resolution)
    logits = _add_layers(graph, fold_batch_norm(network), images, config.resolution)
    method = METHODS[config.method]
    PREDICTIONS[method.decode](graph, logits, label_set)
    outputs = [onnx.helper.make_tensor_value_info(VALUE, onnx.TensorProto.FLOAT, [BATCH])]
    if method.distribution:
        shape = [BATCH, label_set.bins]
        outputs.append(onnx.helper.make_tensor_value_info(DISTRIBUTION, onnx.TensorProto.FLOAT, shape))
    side = config.resolution
    pixels = onnx.helper.make_tensor_value_info(INPUT, onnx.TensorProto.UINT8, [BATCH, side, side, 3])
    body = onnx.helper.make_graph(graph.nodes, "suite", [pixels], outputs, graph.constants)
    model = onnx.helper.make_model(
        body,
        opset_imports=[onnx.helper.make_opsetid("", OPSET)],
        ir_version=IR_VERSION,
        producer_name="suite",
        producer_version=metadata.get("suite_version", ""),
    )
    onnx.helper.set_model_props(model, dict(metadata))
    onnx.checker.check_model(model, full_check=True)
    return model


def _add_normalisation(graph: GraphBuilder, side: int) -> str:
    """Add ``suite.training.inputs.normalised``.

    A row of pixels is one axis during the arithmetic: over an axis of three colours ONNX Runtime computes three numbers
    at a time, which takes as long as a layer of TinyAgeNet.
    """
    mean = graph.constant("mean", np.tile(np.array(CHANNEL_MEAN) * 255, side))
    scale = graph.constant("scale", np.tile(1 / (np.array(CHANNEL_STD) * 255), side))
    rows = graph.constant("row_shape", [0, side, 3 * side], np.int64)  # 0 keeps the size of the batch
    pixels = graph.constant("pixel_shape", [0, side, side, 3], np.int64)
    numbers = graph.add("Cast", [graph.add("Reshape", [INPUT, rows], "rows")], "numbers", to=1)
    centred = graph.add("Sub", [numbers, mean], "centred")
    scaled = graph.add("Mul", [centred, scale], "scaled")
    images = graph.add("Reshape", [scaled, pixels], "images_normalised")
    return graph.add("Transpose", [images], "normalised", perm=[0, 3, 1, 2])


def _add_layers(graph: GraphBuilder, network: nn.Module, images: str, side: int) -> str:
    """Add the layers of a network, and return the name of its output."""
    traced = fx.symbolic_trace(network)
    ShapeProp(traced).propagate(torch.zeros(1, 3, side, side))
    names: dict[fx.Node, str] = {}
    for node in traced.graph.nodes:
        inputs = [names[argument] for argument in node.args if isinstance(argument, fx.Node)]
        match node.op:
            case "placeholder":
                names[node] = images
            case "call_module":
                module = traced.get_submodule(node.target)
                if type(module) not in LAYERS:
                    raise UnknownLayerError(
                        f"no ONNX operator for {type(module).__name__} at {node.target}; give it an entry in "
                        "LAYERS of suite/deployment/onnx_operators.py"
                    )
                shape = node.args[0].meta["tensor_meta"].shape
                names[node] = LAYERS[type(module)](graph, module, inputs[0], node.target, shape)
            case "get_attr":
                values = operator.attrgetter(node.target)(traced)
                names[node] = graph.constant(node.target, values.detach().numpy())
            case "call_method" if node.target == "flatten":
                names[node] = graph.add("Flatten", inputs, node.name, axis=1)
            case "call_function" if node.target is operator.add:
                names[node] = graph.add("Add", inputs, node.name)
            case "output":
                return inputs[0]
            case _:
                raise UnknownLayerError(f"no ONNX operator for {node.op} {node.target} of the network")
    raise UnknownLayerError("the traced network has no output")
