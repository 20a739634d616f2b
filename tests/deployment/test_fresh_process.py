"""Model files work in a process of their own, which shares nothing with the process that wrote them."""

import dataclasses
import json
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from suite.compression import quantise as quantisation
from suite.compression.bf16 import export_bf16
from suite.compression.channel_pruning import cut, score_channels
from suite.compression.quantise import export_int8
from suite.data.dataset import Dataset, load_dataset
from suite.data.store import Store
from suite.deployment.export import export
from suite.deployment.inference import open_model
from suite.deployment.inference_module import InferenceModule
from suite.methods.labels import label_set_of
from suite.networks import Widths, widths_of, with_widths
from suite.networks.weights import save_network
from suite.training.fit import fit
from suite.training.inputs import normalised
from suite.trial import TrialConfig
from suite.trial_reading import read_config
from tests.support.trained_runs import CONFIG, lively

#: ONNX files come first: they are run before torch is imported.
READ = """
import json, sys
import numpy as np
from pathlib import Path
from suite.deployment.inference import open_model

folder = Path(sys.argv[1])
found = {}
for path in sorted(folder.glob("*.*"), key=lambda path: (path.suffix != ".onnx", path.name)):
    if path.suffix in (".onnx", ".pt2", ".safetensors"):
        model = open_model(path)
        outputs = model.run(np.load(folder / f"pixels-{model.config.resolution}.npy"))
        found[path.name] = {
            "values": outputs.values.tolist(),
            "shares": None if outputs.distributions is None else outputs.distributions.sum(1).tolist(),
            "config": model.config.to_json(),
            "arithmetic": model.arithmetic,
            "torch": "torch" in sys.modules,
        }
print(json.dumps(found))
"""

VGG = dataclasses.replace(CONFIG, network="vgg16", pruned_widths=(8, 8, 16, 16, 24, 32, 40))
VGG_BN = dataclasses.replace(VGG, network="vgg16-bn")
RESNET = dataclasses.replace(CONFIG, network="resnet50", pruned_widths=(16, 8, 16, 16, 24, 16, 24, 32, 40))
#: The network that is made, and what it is cut to.
NETWORKS: Mapping[str, tuple[TrialConfig, Widths]] = {
    "compact": (dataclasses.replace(CONFIG, resolution=64), CONFIG.widths),
    "compact-pruned": (CONFIG, (8, 8, 8, 8, 16)),
    "compact-coral-pruned": (dataclasses.replace(CONFIG, method="coral"), (8, 8, 8, 8, 16)),
    "vgg16": (VGG, widths_of(VGG)),
    "vgg16-pruned": (VGG, (8, 8, 8, 8, 16, 24, 16)),
    "vgg16-bn": (dataclasses.replace(VGG_BN, resolution=64), widths_of(VGG_BN)),
    "vgg16-bn-pruned": (VGG_BN, (8, 8, 8, 8, 16, 24, 16)),
    "resnet50": (RESNET, widths_of(RESNET)),
    "resnet50-pruned": (RESNET, (8, 8, 8, 8, 16, 8, 16, 24, 32)),
    "student": (dataclasses.replace(CONFIG, widths=(4, 4, 8, 8, 8), distill_weight=1.0), (4, 4, 8, 8, 8)),
}
#: Those of every commit; the others are slow tests.
COMPACT = ("compact-pruned", "compact-coral-pruned")
OTHERS = tuple(name for name in NETWORKS if name not in COMPACT)
KINDS = ("float.onnx", "int8.onnx", "float.pt2", "float.safetensors", "bf16.safetensors")


def cases(names: tuple[str, ...]) -> list[tuple[str, str]]:
    return [(name, kind) for name in names for kind in KINDS]


@dataclass(frozen=True)
class Written:
    """What the writing process had: the network's estimates, its configuration, the file's estimates."""

    expected: list[float]
    config: TrialConfig
    values: list[float]


def made(name: str, datasets: Mapping[int, Dataset], folder: Path) -> tuple[InferenceModule, TrialConfig]:
    """Return a network of ``NETWORKS``, pruned, or distilled from another one."""
    whole, widths = NETWORKS[name]
    dataset = datasets[whole.resolution]
    if whole.distill_weight:
        save_network(lively(CONFIG), CONFIG, folder / "teachers" / "teacher.safetensors")
        whole = dataclasses.replace(whole, teacher=str(folder / "teachers" / "teacher.safetensors"))
        training = fit(whole, dataset)
        list(training)
        return InferenceModule(training.network, training.config, label_set_of(whole)), training.config
    network = lively(whole)
    if widths != widths_of(whole):
        scores = score_channels(network, whole, label_set_of(whole), "magnitude", dataset.splits["train"])
        network = cut(network, whole, label_set_of(whole).bins, widths, scores)
    config = with_widths(whole, widths)
    return InferenceModule(network, config, label_set_of(config)), config


class Files:
    """Files of several networks in every format, and what another process read from them."""

    def __init__(self, names: tuple[str, ...], store: Store, folder: Path) -> None:
        (folder / "teachers").mkdir()
        datasets = {side: load_dataset(store, "age", side) for side in (32, 64)}
        for side, dataset in datasets.items():
            val = dataset.splits["val"]
            np.save(folder / f"pixels-{side}.npy", val.images[val.rows[:4]].numpy())
        self.written: dict[str, Written] = {}
        for name in names:
            module, config = made(name, datasets, folder)
            for kind in KINDS:
                self._write(module, config, datasets[config.resolution], folder / f"{name}-{kind}")
        process = subprocess.run(
            [sys.executable, "-c", READ, str(folder)], capture_output=True, text=True, check=False
        )
        assert process.returncode == 0, process.stderr
        self.read: dict[str, Any] = json.loads(process.stdout)

    def _write(self, module: InferenceModule, config: TrialConfig, dataset: Dataset, path: Path) -> None:
        train, val = dataset.splits["train"], dataset.splits["val"]
        if path.name.endswith("int8.onnx"):
            export_int8(module, config, train, val, path, lambda sentence: None)
        elif path.name.endswith("bf16.safetensors"):
            export_bf16(module, config, val, path)
        else:
            export(module, config, val, path)
        pixels = val.images[val.rows[:4]]
        with torch.inference_mode():
            expected = module.decode(module.network(normalised(pixels)))[0].tolist()
        self.written[path.name] = Written(
            expected, config, open_model(path).run(pixels.numpy()).values.tolist()
        )


def check(files: Files, name: str, kind: str) -> None:
    written, read = files.written[f"{name}-{kind}"], files.read[f"{name}-{kind}"]
    assert read["values"] == pytest.approx(written.values, abs=1e-4)
    if kind.startswith("float"):
        assert read["values"] == pytest.approx(written.expected, abs=1e-3)
    elif written.config.method != "coral":  # whose count jumps where an untrained output is near 0
        assert read["values"] == pytest.approx(written.expected, abs=1.5)
    assert read_config(read["config"]) == dataclasses.replace(written.config, teacher=None)
    assert widths_of(read_config(read["config"])) == NETWORKS[name][1]
    if written.config.method == "coral":
        assert read["shares"] is None
    else:
        assert read["shares"] == pytest.approx([1.0] * 4, abs=1e-4)
    assert read["torch"] == (not kind.endswith(".onnx"))
    assert read["arithmetic"].startswith(
        {"float": "float32", "int8": "int8, weights by channel", "bf16": "float32, weights rounded to bf16"}[
            kind.split(".")[0]
        ]
    )


def files_of(names: tuple[str, ...], store: Store, folder: Path) -> Files:
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(quantisation, "MOST_LOSS", 0.1)  # they were not trained; others test what int8 costs
        return Files(names, store, folder)


@pytest.fixture(scope="module")
def compact_files(store: Store, tmp_path_factory: pytest.TempPathFactory) -> Files:
    return files_of(COMPACT, store, tmp_path_factory.mktemp("compact"))


@pytest.fixture(scope="module")
def other_files(store: Store, tmp_path_factory: pytest.TempPathFactory) -> Files:
    return files_of(OTHERS, store, tmp_path_factory.mktemp("others"))


@pytest.mark.parametrize(("name", "kind"), cases(COMPACT))
def test_a_compact_network_is_reloaded_from_every_kind_of_file(
    name: str, kind: str, compact_files: Files
) -> None:
    check(compact_files, name, kind)


@pytest.mark.slow
@pytest.mark.parametrize(("name", "kind"), cases(OTHERS))
def test_another_network_is_reloaded_from_every_kind_of_file(
    name: str, kind: str, other_files: Files
) -> None:
    check(other_files, name, kind)
