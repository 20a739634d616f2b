"""A trained network as a client calls it: pixels in, the estimate out."""

import copy
import json
from collections.abc import Mapping

from torch import Tensor, nn
from torch.nn.utils.fusion import fuse_conv_bn_eval

from suite import __version__
from suite.methods import METHODS
from suite.methods.labels import LabelSet, label_set_of
from suite.networks.weights import CONFIG_KEY
from suite.training.inputs import CHANNEL_MEAN, CHANNEL_STD, normalised
from suite.training.weight_files import WEIGHT_FIELDS
from suite.trial import UNIT, TrialConfig

#: The names that an export gives to what goes in and what comes out.
INPUT = "images"
VALUE, DISTRIBUTION = "value", "distribution"


class InferenceModule(nn.Module):
    """Normalisation, network and prediction in one; no mirror image is taken.

    Args:
        network: trained, of ``suite.networks``; evaluated, never trained, in here.
        config: its own.
        label_set: its own.
    """

    def __init__(self, network: nn.Module, config: TrialConfig, label_set: LabelSet) -> None:
        super().__init__()
        self.network = network.eval()
        self._method = METHODS[config.method]
        self.label_set = label_set
        _ = label_set.values  # kept from here on: torch.export, which comes later, would leave a fake tensor

    @property
    def output_names(self) -> tuple[str, ...]:
        """What ``forward`` gives, in order."""
        return (VALUE, DISTRIBUTION) if self._method.distribution else (VALUE,)

    def forward(self, images: Tensor) -> tuple[Tensor, ...]:
        """Estimates, float32 (batch,) in label units, and where the method has one the distribution.

        Args:
            images: uint8 (batch, side, side, 3), RGB.

        Returns:
            One tensor, or two: the second is float32 (batch, bins), each row summing to 1.
        """
        return self.read(self.network(normalised(images)))

    def read(self, outputs: Tensor) -> tuple[Tensor, ...]:
        """The same of what the network's output layer gave."""
        value = self._method.decode(outputs, self.label_set)
        if self._method.distribution is None:
            return (value,)
        return value, self._method.distribution(outputs)


def folded(network: nn.Module) -> nn.Module:
    """A copy, for evaluation, with batch normalisation multiplied into the convolution before it."""
    copied = copy.deepcopy(network).eval()
    for sequence in [module for module in copied.modules() if isinstance(module, nn.Sequential)]:
        for place in range(len(sequence) - 1):
            layer, after = sequence[place], sequence[place + 1]
            if isinstance(layer, nn.Conv2d) and isinstance(after, nn.BatchNorm2d):
                sequence[place], sequence[place + 1] = fuse_conv_bn_eval(layer, after), nn.Identity()
    return copied


def describe_model(config: TrialConfig) -> Mapping[str, str]:
    """What an exported file says of itself, for clients that know nothing of this suite.

    ``trial_config`` has the whole configuration as JSON, from which ``suite predict`` goes.
    """
    label_set = label_set_of(config)
    distribution = METHODS[config.method].distribution
    outputs = f"{VALUE}: float32 (batch), in {UNIT[config.attribute]}"
    if distribution:
        outputs += f"; {DISTRIBUTION}: float32 (batch, {label_set.bins}), the share of each label"
    return {
        "attribute": config.attribute,
        "unit": UNIT[config.attribute],
        "method": config.method,
        "label_low": f"{label_set.low:g}",
        "label_high": f"{label_set.high:g}",
        "label_step": f"{label_set.step:g}",
        "bins": str(label_set.bins),
        "resolution": str(config.resolution),
        "input": f"{INPUT}: uint8 (batch, {config.resolution}, {config.resolution}, 3), RGB, 0 to 255",
        "outputs": outputs,
        "arithmetic": "float32",
        "normalisation": "in the graph: (pixel / 255 - mean) / standard deviation of the channel",
        "channel_mean": " ".join(map(str, CHANNEL_MEAN)),
        "channel_std": " ".join(map(str, CHANNEL_STD)),
        CONFIG_KEY: config_text(config),
        "suite_version": __version__,
    }


def config_text(config: TrialConfig) -> str:
    """A configuration as one line of JSON, without the paths of files, which are of another machine."""
    return json.dumps({**config.to_json(), **dict.fromkeys(WEIGHT_FIELDS)})
