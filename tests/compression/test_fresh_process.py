"""Files are read where nothing of the process that wrote them is left."""

import dataclasses
import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import torch

from suite.compression.deployed import Deployed
from suite.compression.export import export
from suite.compression.pruning import cut, score_channels
from suite.compression.quantisation import export_int8
from suite.data.dataset import Dataset
from suite.inputs import normalised
from tests.compression.conftest import CONFIG, labels_of, lively

READ = """
import json, sys
import numpy as np
from pathlib import Path
from suite.compression.models import open_model

model = open_model(Path(sys.argv[1]))
answers = model.run(np.load(sys.argv[2]))
told = {"values": answers.values.tolist(), "widths": model.config.widths, "torch": "torch" in sys.modules}
print(json.dumps(told))
"""


@pytest.mark.parametrize("kind", ["plain.onnx", "int8.onnx", "plain.pt2", "plain.safetensors"])
def test_a_pruned_network_is_reloaded_from_every_kind_of_file(
    kind: str, dataset: Dataset, tmp_path: Path
) -> None:
    train, val = dataset.splits["train"], dataset.splits["val"]
    network = lively(CONFIG)
    scores = score_channels(network, CONFIG, labels_of(CONFIG), "magnitude", train)
    config = dataclasses.replace(CONFIG, widths=(8, 8, 8, 8, 16))
    deployed = Deployed(cut(network, CONFIG, 101, config.widths, scores), config, labels_of(config))
    path, pixels = tmp_path / kind, val.images[val.rows[:4]]
    if kind.startswith("int8"):
        export_int8(deployed, config, train, val, path, lambda sentence: None)
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
    assert told["values"] == pytest.approx(expected, abs=1.0 if kind.startswith("int8") else 1e-3)
    assert told["widths"] == [8, 8, 8, 8, 16]
    assert told["torch"] == (not kind.endswith(".onnx"))
