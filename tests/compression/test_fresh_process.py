"""Files are read where nothing of the process that wrote them is left."""

import dataclasses
import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import torch

from suite.compression.bf16 import export_bf16
from suite.compression.deployed import Deployed
from suite.compression.export import export
from suite.compression.pruning import cut, score_channels
from suite.compression.quantisation import export_int8
from suite.data.dataset import Dataset
from suite.inputs import normalised
from suite.networks import with_widths
from suite.trial import TrialConfig
from tests.compression.conftest import CONFIG, labels_of, lively

READ = """
import json, sys
import numpy as np
from pathlib import Path
from suite.compression.models import open_model

model = open_model(Path(sys.argv[1]))
answers = model.run(np.load(sys.argv[2]))
config = model.config
widths = config.pruned_widths or config.widths
told = {"values": answers.values.tolist(), "widths": widths, "torch": "torch" in sys.modules}
print(json.dumps(told))
"""


VGG = dataclasses.replace(CONFIG, network="vgg16-bn", pruned_widths=(8, 8, 16, 16, 24, 32, 40))
RESNET = dataclasses.replace(CONFIG, network="resnet50", pruned_widths=(16, 8, 16, 16, 24, 16, 24, 32, 40))
CASES = [
    (CONFIG, (8, 8, 8, 8, 16), "plain.onnx"),
    (CONFIG, (8, 8, 8, 8, 16), "int8.onnx"),
    (CONFIG, (8, 8, 8, 8, 16), "plain.pt2"),
    (CONFIG, (8, 8, 8, 8, 16), "plain.safetensors"),
    (CONFIG, (8, 8, 8, 8, 16), "bf16.safetensors"),
    (VGG, (8, 8, 8, 8, 16, 24, 16), "plain.onnx"),
    (VGG, (8, 8, 8, 8, 16, 24, 16), "plain.safetensors"),
    (RESNET, (8, 8, 8, 8, 16, 8, 16, 24, 32), "plain.onnx"),
    (RESNET, (8, 8, 8, 8, 16, 8, 16, 24, 32), "int8.onnx"),
    (RESNET, (8, 8, 8, 8, 16, 8, 16, 24, 32), "plain.pt2"),
    (RESNET, (8, 8, 8, 8, 16, 8, 16, 24, 32), "plain.safetensors"),
]


@pytest.mark.parametrize(("whole", "widths", "kind"), CASES)
def test_a_pruned_network_is_reloaded_from_every_kind_of_file(
    whole: TrialConfig, widths: tuple[int, ...], kind: str, dataset: Dataset, tmp_path: Path
) -> None:
    train, val = dataset.splits["train"], dataset.splits["val"]
    network = lively(whole)
    scores = score_channels(network, whole, labels_of(whole), "magnitude", train)
    config = with_widths(whole, widths)
    deployed = Deployed(cut(network, whole, 101, widths, scores), config, labels_of(config))
    path, pixels = tmp_path / kind, val.images[val.rows[:4]]
    if kind.startswith("int8"):
        export_int8(deployed, config, train, val, path, lambda sentence: None)
    elif kind.startswith("bf16"):
        export_bf16(deployed, config, val, path)
    else:
        export(deployed, config, val, path)
    np.save(tmp_path / "pixels.npy", pixels.numpy())
    answer = subprocess.run(
        [sys.executable, "-c", READ, str(path), str(tmp_path / "pixels.npy")],
        capture_output=True,
        text=True,
        check=True,
    )
    told = json.loads(answer.stdout)
    with torch.inference_mode():
        expected = deployed.read(deployed.network(normalised(pixels)))[0].numpy()
    fewer_bits = not kind.startswith("plain")
    assert told["values"] == pytest.approx(expected, abs=1.0 if fewer_bits else 1e-3)
    assert told["widths"] == list(widths)
    assert told["torch"] == (not kind.endswith(".onnx"))
