"""Export with weights in bf16, which halves the size of the file. The network still computes in float32."""

import copy
from collections.abc import Mapping
from pathlib import Path

from torch import Tensor

from suite.compression.quantise import MOST_LOSS, QuantisedModel
from suite.data.dataset import LabelledImages
from suite.deployment.export import ExportedModel, check_ending, partial_file
from suite.deployment.inference import Model, open_model, torch_runner
from suite.deployment.inference_module import InferenceModule, model_metadata
from suite.deployment.verify import MismatchError, evaluate_model, verify
from suite.networks.weights import save_tensors
from suite.trial import TrialConfig

ARITHMETIC = "float32, weights rounded to bf16"


def export_bf16(
    module: InferenceModule, config: TrialConfig, val: LabelledImages, path: Path
) -> QuantisedModel:
    """Write a network as safetensors with bf16 weights, and measure the loss of accuracy on validation.

    Args:
        module: The network; it is not changed.
        config: Its configuration.
        val: The validation images to measure on.
        path: A .safetensors file; an existing file is replaced in one step.

    Raises:
        RequestError: The name has another ending, or the folder cannot be written to.
        MismatchError: The validation MAE grows by more than ``MOST_LOSS`` of the label range; ``path`` is unchanged.
    """
    check_ending(path, ".safetensors", "bf16")
    state = rounded(module.network.state_dict())
    network = copy.deepcopy(module.network)
    network.load_state_dict(state)
    with partial_file(path) as partial:
        save_tensors(state, partial, {**model_metadata(config, module.calibration), "arithmetic": ARITHMETIC})
        written = open_model(partial)
        verification = verify(written, InferenceModule(network, config, module.label_set), val)
        before = evaluate_model(Model(config, torch_runner(module)), val).mae
        after = evaluate_model(written, val)
        if not after.mae - before <= MOST_LOSS * (config.label_high - config.label_low):
            raise MismatchError(
                f"with bf16 weights the validation MAE is {after.mae:.2f} instead of {before:.2f}"
            )
    return QuantisedModel(
        ExportedModel(path, path.stat().st_size, ARITHMETIC, verification), before, after, ()
    )


def rounded(state: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """Return a state with its weights in bf16.

    Vectors (biases, batch normalisation) stay in float32: they are few.
    """
    return {
        name: tensor.bfloat16() if tensor.is_floating_point() and tensor.dim() > 1 else tensor
        for name, tensor in state.items()
    }
