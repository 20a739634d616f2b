"""How many times faster than VGG-16 the compact networks are: eager, in ONNX Runtime, and in int8.

VGG-16 and the eager networks run in PyTorch, float32, channels-last. The ONNX graphs run in ONNX Runtime with the
same number of threads and include normalisation. Weights are random, because they do not affect the time. All are
timed in turn in one process, round by round (``suite.measure.latency``). Run it on an idle machine:

    .venv/bin/python benchmarks/compressed_latency.py [--batch 1 32] [--rounds 15] [--json FILE]
"""

import argparse
import dataclasses
import json
import sys
import tempfile
from pathlib import Path

import numpy as np
import onnxruntime
import torch
from torch import Tensor, nn

from suite.compression.quantise import CALIBRATION_IMAGES, describe_int8, quantise
from suite.data.dataset import LabelledImages
from suite.deployment.export import export
from suite.deployment.inference_module import InferenceModule
from suite.measure.latency import time_in_rounds
from suite.methods.labels import LabelSet
from suite.networks import VGG16, build_network
from suite.trial import config_of_network

RESOLUTION, BINS = 224, 101
VGG16_NAME = "VGG-16, eager"


class InOnnxRuntime(nn.Module):
    """An ONNX graph that is timed like a network, on noise of the batch's size."""

    def __init__(self, path: Path, batch: int) -> None:
        super().__init__()
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = torch.get_num_threads()
        # Otherwise a session's threads keep spinning on the cores of the network that is timed next.
        options.add_session_config_entry("session.force_spinning_stop", "1")
        self._session = onnxruntime.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])
        shape = (batch, RESOLUTION, RESOLUTION, 3)
        self._pixels = np.random.default_rng(0).integers(0, 256, shape, np.uint8)

    def forward(self, images: Tensor) -> None:
        """Run the graph on a batch of the same size as ``images``."""
        self._session.run(None, {"images": self._pixels[: len(images)]})


def write_graphs(name: str, folder: Path) -> dict[str, Path]:
    """Write a network's float32 and int8 graphs; return their files by their names in the table."""
    config = dataclasses.replace(config_of_network(name), resolution=RESOLUTION)
    module = InferenceModule(build_network(config, BINS), config, LabelSet(0, 100, 1))
    pixels = torch.randint(0, 256, (CALIBRATION_IMAGES // 8, RESOLUTION, RESOLUTION, 3), dtype=torch.uint8)
    count = len(pixels)
    noise = LabelledImages(pixels, torch.arange(count), torch.full((count,), 50.0), torch.ones(count))
    plain = export(module, config, noise, folder / f"{name}.onnx").path
    small = folder / f"{name}-int8.onnx"
    quantise(plain, small, noise, {"nodes_to_exclude": []}, describe_int8(()))
    return {f"{name}, ONNX float32": plain, f"{name}, ONNX int8": small}


def main() -> int:
    """Print a row for each network and batch size."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--batch", type=int, nargs="+", default=[1, 32])
    parser.add_argument("--rounds", type=int, default=15)
    parser.add_argument("--json", type=Path)
    options = parser.parse_args()
    torch.manual_seed(0)
    rows = []
    with tempfile.TemporaryDirectory() as folder:
        graphs = {k: v for name in ("tiny", "thin") for k, v in write_graphs(name, Path(folder)).items()}
        for batch in options.batch:
            networks: dict[str, nn.Module] = {VGG16_NAME: VGG16(BINS)}
            for name in ("tiny", "thin"):
                networks[f"{name}, eager"] = build_network(config_of_network(name), BINS)
            networks |= {name: InOnnxRuntime(path, batch) for name, path in graphs.items()}
            times = time_in_rounds(
                networks,
                resolution=RESOLUTION,
                batch_size=batch,
                rounds=options.rounds,
                device=torch.device("cpu"),  # as ONNX Runtime does
            )
            print(f"batch {batch}, {times.rounds} rounds, others took {times.others:.0%} of the processor")
            for name in networks:
                ratio = times.speedup(name, over=VGG16_NAME)
                size = graphs[name].stat().st_size if name in graphs else None
                rows.append({"network": name, "batch": batch, "bytes": size, **dataclasses.asdict(ratio)})
                rows[-1] |= {"ms_per_image": times.ms_per_image(name), "others": times.others}
                print(
                    f"  {name:20s} {times.ms_per_image(name):8.2f} ms per image, {ratio.value:5.1f} times as "
                    f"fast ({ratio.low:.1f} to {ratio.high:.1f})" + (f", {size:,} bytes" if size else "")
                )
    if options.json:
        options.json.write_text(json.dumps(rows, indent=2) + "\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
