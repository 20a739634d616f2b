"""A network of ``suite.networks`` as an ONNX graph.

The order of the layers comes from torch.fx; ``LAYERS`` and ``READINGS`` have an entry for each kind of
layer and of prediction that the networks and methods here are made of. PyTorch's own exporters are not
used: one is deprecated, the other needs two more packages and leaves tens of kilobytes of notes in a file
that should have one megabyte. What is written here is compared with PyTorch before it is kept
(``suite.deployment.verify``).
"""

import operator
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from torch import fx, nn
from torch.fx.passes.shape_prop import ShapeProp

from suite.deployment.inference_module import DISTRIBUTION, INPUT, VALUE, fold_batch_norm
from suite.methods import METHODS
from suite.methods.label_distributions import estimate
from suite.methods.labels import LabelSet
from suite.methods.ranking import ranked_label
from suite.methods.regression import mapped_label
from suite.optional_dependencies import need
from suite.training.inputs import CHANNEL_MEAN, CHANNEL_STD
from suite.trial import TrialConfig

#: Read by ONNX Runtime from 1.12 (2022) on.
OPSET, IR_VERSION = 17, 8
BATCH = "batch"  # the dimension that a client chooses


class UnknownLayerError(ValueError):
    """The network has a layer that has no entry in ``LAYERS``."""


class Graph:
    """Nodes and constants, as they are added."""

    def __init__(self) -> None:
        self._helper: Any = need("onnx", "An ONNX export").helper
        self._numpy: Any = need("onnx.numpy_helper", "An ONNX export")
        self.nodes: list[Any] = []
        self.constants: list[Any] = []

    def constant(self, name: str, values: npt.ArrayLike, kind: type[np.generic] = np.float32) -> str:
        """Keep numbers under a name."""
        self.constants.append(self._numpy.from_array(np.ascontiguousarray(values, kind), name))
        return name

    def add(self, operation: str, inputs: Sequence[str], name: str, **attributes: object) -> str:
        """Append a node with one output, which is named as the node is."""
        self.nodes.append(self._helper.make_node(operation, [*inputs], [name], name=name, **attributes))
        return name


Emit = Callable[[Graph, Any, str, str, torch.Size], str]


def onnx_model(
    network: nn.Module, config: TrialConfig, label_set: LabelSet, metadata: Mapping[str, str]
) -> Any:
    """The network with normalisation before and prediction after it, as an ``onnx.ModelProto``.

    Args:
        network: trained; it stays as it is, and batch normalisation is folded into the graph.
        config: its own; the resolution is fixed in the graph, the size of a batch is not.
        label_set: its own.
        metadata: kept in the file.

    Raises:
        RequestError: onnx is not installed.
        UnknownLayerError: the network has a layer that ``LAYERS`` does not know.
    """
    onnx, graph = need("onnx", "An ONNX export"), Graph()
    images = _normalisation(graph, config.resolution)
    outputs = _layers(graph, fold_batch_norm(network), images, config.resolution)
    method = METHODS[config.method]
    READINGS[method.decode](graph, outputs, label_set)
    described = [onnx.helper.make_tensor_value_info(VALUE, onnx.TensorProto.FLOAT, [BATCH])]
    if method.distribution:
        shape = [BATCH, label_set.bins]
        described.append(onnx.helper.make_tensor_value_info(DISTRIBUTION, onnx.TensorProto.FLOAT, shape))
    side = config.resolution
    pixels = onnx.helper.make_tensor_value_info(INPUT, onnx.TensorProto.UINT8, [BATCH, side, side, 3])
    body = onnx.helper.make_graph(graph.nodes, "suite", [pixels], described, graph.constants)
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


def _normalisation(graph: Graph, side: int) -> str:
    """``suite.training.inputs.normalised``.

    A row of pixels is one axis while it is computed: over an axis of three colours ONNX Runtime computes
    three numbers at a time, which takes as long as a layer of TinyAgeNet.
    """
    mean = graph.constant("mean", np.tile(np.array(CHANNEL_MEAN) * 255, side))
    scale = graph.constant("scale", np.tile(1 / (np.array(CHANNEL_STD) * 255), side))
    rows = graph.constant("row_shape", [0, side, 3 * side], np.int64)  # 0: the batch as it is
    pixels = graph.constant("pixel_shape", [0, side, side, 3], np.int64)
    numbers = graph.add("Cast", [graph.add("Reshape", [INPUT, rows], "rows")], "numbers", to=1)
    centred = graph.add("Sub", [numbers, mean], "centred")
    scaled = graph.add("Mul", [centred, scale], "scaled")
    images = graph.add("Reshape", [scaled, pixels], "images_normalised")
    return graph.add("Transpose", [images], "normalised", perm=[0, 3, 1, 2])


def _layers(graph: Graph, network: nn.Module, images: str, side: int) -> str:
    traced = fx.symbolic_trace(network)
    ShapeProp(traced).propagate(torch.zeros(1, 3, side, side))
    names: dict[fx.Node, str] = {}
    answer = ""
    for node in traced.graph.nodes:
        given = [names[argument] for argument in node.args if isinstance(argument, fx.Node)]
        match node.op:
            case "placeholder":
                names[node] = images
            case "call_module":
                module = traced.get_submodule(node.target)
                if type(module) not in LAYERS:
                    raise UnknownLayerError(
                        f"no ONNX operation for {type(module).__name__} at {node.target}; give it an entry "
                        "in LAYERS of suite/deployment/onnx_graph.py"
                    )
                shape = node.args[0].meta["tensor_meta"].shape
                names[node] = LAYERS[type(module)](graph, module, given[0], node.target, shape)
            case "get_attr":
                values = operator.attrgetter(node.target)(traced)
                names[node] = graph.constant(node.target, values.detach().numpy())
            case "call_method" if node.target == "flatten":
                names[node] = graph.add("Flatten", given, node.name, axis=1)
            case "call_function" if node.target is operator.add:
                names[node] = graph.add("Add", given, node.name)
            case "output":
                answer = given[0]
            case _:
                raise UnknownLayerError(f"no ONNX operation for {node.op} {node.target} of the network")
    return answer


def _convolution(graph: Graph, layer: nn.Conv2d, given: str, name: str, shape: torch.Size) -> str:
    inputs = [given, graph.constant(f"{name}.weight", layer.weight.detach().numpy())]
    if layer.bias is not None:
        inputs.append(graph.constant(f"{name}.bias", layer.bias.detach().numpy()))
    pads = [*layer.padding, *layer.padding]
    return graph.add(
        "Conv", inputs, name, kernel_shape=[*layer.kernel_size], strides=[*layer.stride], pads=pads
    )


def _linear(graph: Graph, layer: nn.Linear, given: str, name: str, shape: torch.Size) -> str:
    inputs = [given, graph.constant(f"{name}.weight", layer.weight.detach().numpy())]
    if layer.bias is not None:
        inputs.append(graph.constant(f"{name}.bias", layer.bias.detach().numpy()))
    return graph.add("Gemm", inputs, name, transB=1)


def _max_pooling(graph: Graph, layer: nn.MaxPool2d, given: str, name: str, shape: torch.Size) -> str:
    window = {
        "kernel_shape": [layer.kernel_size] * 2,
        "strides": [layer.stride] * 2,
        "pads": [layer.padding] * 4,
    }
    return graph.add("MaxPool", [given], name, **window)


def _average_pooling(
    graph: Graph, layer: nn.AdaptiveAvgPool2d, given: str, name: str, shape: torch.Size
) -> str:
    """To one pixel, or to so many by a product with the matrix of averages on either side."""
    if layer.output_size == 1:
        return graph.add("GlobalAveragePool", [given], name)
    assert isinstance(layer.output_size, int)
    averages = nn.functional.adaptive_avg_pool1d(torch.eye(shape[-1]), layer.output_size).T.numpy()
    left = graph.constant(f"{name}.rows", averages)
    right = graph.constant(f"{name}.columns", averages.T)
    return graph.add("MatMul", [graph.add("MatMul", [left, given], f"{name}.down"), right], name)


def _relu(graph: Graph, layer: nn.ReLU, given: str, name: str, shape: torch.Size) -> str:
    return graph.add("Relu", [given], name)


def _nothing(graph: Graph, layer: nn.Module, given: str, name: str, shape: torch.Size) -> str:
    return given


LAYERS: Mapping[type[nn.Module], Emit] = {
    nn.Conv2d: _convolution,
    nn.Linear: _linear,
    nn.ReLU: _relu,
    nn.MaxPool2d: _max_pooling,
    nn.AdaptiveAvgPool2d: _average_pooling,
    nn.Identity: _nothing,
    nn.Dropout: _nothing,
}


def _expectation(graph: Graph, outputs: str, label_set: LabelSet) -> None:
    shares = graph.add("Softmax", [outputs], DISTRIBUTION, axis=1)
    graph.add("MatMul", [shares, graph.constant("labels", label_set.values.numpy())], VALUE)


def _count(graph: Graph, outputs: str, label_set: LabelSet) -> None:
    above = graph.add("Greater", [outputs, graph.constant("threshold", 0.0)], "above")
    numbers = graph.add("Cast", [above], "above_as_numbers", to=1)
    axes = graph.constant("axes", [1], np.int64)
    count = graph.add("ReduceSum", [numbers, axes], "count", keepdims=0)
    steps = graph.add("Mul", [count, graph.constant("step", label_set.step)], "steps")
    graph.add("Add", [steps, graph.constant("low", label_set.low)], VALUE)


def _mapped(graph: Graph, outputs: str, label_set: LabelSet) -> None:
    axes = graph.constant("axes", [1], np.int64)
    squashed = graph.add("Tanh", [graph.add("Squeeze", [outputs, axes], "output")], "squashed")
    half = graph.constant("half", (label_set.high - label_set.low) / 2)
    middle = graph.constant("middle", (label_set.high + label_set.low) / 2)
    graph.add("Add", [graph.add("Mul", [squashed, half], "off_middle"), middle], VALUE)


#: How each kind of prediction of ``METHODS`` is written; it ends in the node ``VALUE``.
READINGS: Mapping[Callable[..., Any], Callable[[Graph, str, LabelSet], None]] = {
    estimate: _expectation,
    ranked_label: _count,
    mapped_label: _mapped,
}
