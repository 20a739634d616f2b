"""ONNX operators for the layers of ``suite.networks`` and the predictions of ``suite.methods``.

To export a new kind of layer, add a row to ``LAYERS``; for a new kind of prediction, add a row to ``PREDICTIONS``.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from torch import nn

from suite.deployment.inference_module import DISTRIBUTION, VALUE
from suite.methods.label_distributions import estimate
from suite.methods.labels import LabelSet
from suite.methods.ranking import ranked_label
from suite.methods.regression import mapped_label
from suite.optional_dependencies import need


class GraphBuilder:
    """The nodes and constants of an ONNX graph, in the order in which they are added.

    Raises:
        RequestError: onnx is not installed.
    """

    def __init__(self) -> None:
        self._helper: Any = need("onnx", "An ONNX export").helper
        self._numpy: Any = need("onnx.numpy_helper", "An ONNX export")
        self.nodes: list[Any] = []
        self.constants: list[Any] = []

    def constant(self, name: str, values: npt.ArrayLike, dtype: type[np.generic] = np.float32) -> str:
        """Add a constant and return its name."""
        self.constants.append(self._numpy.from_array(np.ascontiguousarray(values, dtype), name))
        return name

    def add(self, operation: str, inputs: Sequence[str], name: str, **attributes: object) -> str:
        """Add a node with one output of the same name, and return the name."""
        self.nodes.append(self._helper.make_node(operation, [*inputs], [name], name=name, **attributes))
        return name


#: Adds a layer to a graph: builder, layer, name of the input, name of the output, shape of the input.
AddLayer = Callable[[GraphBuilder, Any, str, str, torch.Size], str]
#: Adds a prediction to a graph, which ends in the node ``VALUE``: builder, name of the logits, label set.
AddPrediction = Callable[[GraphBuilder, str, LabelSet], None]


def _convolution(graph: GraphBuilder, layer: nn.Conv2d, source: str, name: str, shape: torch.Size) -> str:
    inputs = [source, graph.constant(f"{name}.weight", layer.weight.detach().numpy())]
    if layer.bias is not None:
        inputs.append(graph.constant(f"{name}.bias", layer.bias.detach().numpy()))
    pads = [*layer.padding, *layer.padding]
    return graph.add(
        "Conv", inputs, name, kernel_shape=[*layer.kernel_size], strides=[*layer.stride], pads=pads
    )


def _linear(graph: GraphBuilder, layer: nn.Linear, source: str, name: str, shape: torch.Size) -> str:
    inputs = [source, graph.constant(f"{name}.weight", layer.weight.detach().numpy())]
    if layer.bias is not None:
        inputs.append(graph.constant(f"{name}.bias", layer.bias.detach().numpy()))
    return graph.add("Gemm", inputs, name, transB=1)


def _max_pooling(graph: GraphBuilder, layer: nn.MaxPool2d, source: str, name: str, shape: torch.Size) -> str:
    window = {
        "kernel_shape": [layer.kernel_size] * 2,
        "strides": [layer.stride] * 2,
        "pads": [layer.padding] * 4,
    }
    return graph.add("MaxPool", [source], name, **window)


def _average_pooling(
    graph: GraphBuilder, layer: nn.AdaptiveAvgPool2d, source: str, name: str, shape: torch.Size
) -> str:
    """Pool to one pixel, or to several by multiplying with a matrix of averages on both sides."""
    if layer.output_size == 1:
        return graph.add("GlobalAveragePool", [source], name)
    assert isinstance(layer.output_size, int)
    averages = nn.functional.adaptive_avg_pool1d(torch.eye(shape[-1]), layer.output_size).T.numpy()
    left = graph.constant(f"{name}.rows", averages)
    right = graph.constant(f"{name}.columns", averages.T)
    return graph.add("MatMul", [graph.add("MatMul", [left, source], f"{name}.down"), right], name)


def _relu(graph: GraphBuilder, layer: nn.ReLU, source: str, name: str, shape: torch.Size) -> str:
    return graph.add("Relu", [source], name)


def _identity(graph: GraphBuilder, layer: nn.Module, source: str, name: str, shape: torch.Size) -> str:
    return source


LAYERS: Mapping[type[nn.Module], AddLayer] = {
    nn.Conv2d: _convolution,
    nn.Linear: _linear,
    nn.ReLU: _relu,
    nn.MaxPool2d: _max_pooling,
    nn.AdaptiveAvgPool2d: _average_pooling,
    nn.Identity: _identity,
    nn.Dropout: _identity,
}


def _expectation(graph: GraphBuilder, logits: str, label_set: LabelSet) -> None:
    shares = graph.add("Softmax", [logits], DISTRIBUTION, axis=1)
    graph.add("MatMul", [shares, graph.constant("labels", label_set.values.numpy())], VALUE)


def _threshold_count(graph: GraphBuilder, logits: str, label_set: LabelSet) -> None:
    above = graph.add("Greater", [logits, graph.constant("threshold", 0.0)], "above")
    numbers = graph.add("Cast", [above], "above_as_numbers", to=1)
    axes = graph.constant("axes", [1], np.int64)
    count = graph.add("ReduceSum", [numbers, axes], "count", keepdims=0)
    steps = graph.add("Mul", [count, graph.constant("step", label_set.step)], "steps")
    graph.add("Add", [steps, graph.constant("low", label_set.low)], VALUE)


def _scaled_tanh(graph: GraphBuilder, logits: str, label_set: LabelSet) -> None:
    axes = graph.constant("axes", [1], np.int64)
    squashed = graph.add("Tanh", [graph.add("Squeeze", [logits, axes], "output")], "squashed")
    half = graph.constant("half", (label_set.high - label_set.low) / 2)
    middle = graph.constant("middle", (label_set.high + label_set.low) / 2)
    graph.add("Add", [graph.add("Mul", [squashed, half], "off_middle"), middle], VALUE)


#: By the ``decode`` of a method of ``suite.methods.METHODS``.
PREDICTIONS: Mapping[Callable[..., Any], AddPrediction] = {
    estimate: _expectation,
    ranked_label: _threshold_count,
    mapped_label: _scaled_tanh,
}
