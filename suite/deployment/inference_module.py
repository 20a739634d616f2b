"""A trained network in the form that clients call: pixels in, estimate out."""

import copy
import json
from collections.abc import Mapping

from torch import Tensor, nn
from torch.nn.utils.fusion import fuse_conv_bn_eval

from suite import __version__
from suite.deployment.calibration_metadata import CALIBRATION_KEY, calibration_json
from suite.methods import METHODS
from suite.methods.labels import LabelSet, label_set_of
from suite.networks.weights import CONFIG_KEY
from suite.statistics.conformal import Calibration
from suite.training.inputs import CHANNEL_MEAN, CHANNEL_STD, normalised
from suite.training.weight_files import WEIGHT_FIELDS
from suite.trial import UNIT, TrialConfig

#: Names of the input and the outputs of an exported model.
INPUT = "images"
VALUE, DISTRIBUTION = "value", "distribution"


class InferenceModule(nn.Module):
    """Input normalisation, network and prediction in one module, in evaluation mode; mirror images are not used.

    Args:
        network: A trained network of ``suite.networks``.
        config: Its configuration.
        label_set: Its label set.
        calibration: Of its intervals, for the file's metadata; None where there is none.
    """

    def __init__(
        self,
        network: nn.Module,
        config: TrialConfig,
        label_set: LabelSet,
        calibration: Calibration | None = None,
    ) -> None:
        super().__init__()
        self.calibration = calibration
        self.network = network.eval()
        self._method = METHODS[config.method]
        self.label_set = label_set
        _ = label_set.values  # cached now, because torch.export would cache a fake tensor

    @property
    def output_names(self) -> tuple[str, ...]:
        """The names of the outputs of ``forward``, in order."""
        return (VALUE, DISTRIBUTION) if self._method.distribution else (VALUE,)

    def forward(self, images: Tensor) -> tuple[Tensor, ...]:
        """Return estimates, and label distributions where the method has them.

        Args:
            images: RGB images, uint8 (batch, side, side, 3).

        Returns:
            Estimates, float32 (batch,), label units; then, where the method has a distribution, float32
            (batch, bins), each row summing to 1.
        """
        return self.decode(self.network(normalised(images)))

    def decode(self, outputs: Tensor) -> tuple[Tensor, ...]:
        """Return what ``forward`` returns, from the outputs of the network's last layer."""
        value = self._method.decode(outputs, self.label_set)
        if self._method.distribution is None:
            return (value,)
        return value, self._method.distribution(outputs)


def fold_batch_norm(network: nn.Module) -> nn.Module:
    """Return a copy for evaluation in which batch normalisation is part of the convolution before it."""
    copied = copy.deepcopy(network).eval()
    for sequence in [module for module in copied.modules() if isinstance(module, nn.Sequential)]:
        for index in range(len(sequence) - 1):
            layer, after = sequence[index], sequence[index + 1]
            if isinstance(layer, nn.Conv2d) and isinstance(after, nn.BatchNorm2d):
                sequence[index], sequence[index + 1] = fuse_conv_bn_eval(layer, after), nn.Identity()
    return copied


def model_metadata(config: TrialConfig, calibration: Calibration | None) -> Mapping[str, str]:
    """Return the metadata of an exported file, for clients that do not know this suite.

    ``trial_config`` has the whole configuration as JSON, ``calibration`` what makes the intervals; ``suite predict``
    reads both.
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
        CONFIG_KEY: config_json(config),
        **({} if calibration is None else {CALIBRATION_KEY: calibration_json(calibration)}),
        "suite_version": __version__,
    }


def config_json(config: TrialConfig) -> str:
    """Return a configuration as one line of JSON, without file paths, which mean nothing on another machine."""
    return json.dumps({**config.to_json(), **dict.fromkeys(WEIGHT_FIELDS)})
