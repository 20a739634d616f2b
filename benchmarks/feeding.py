"""How fast images reach a network: the packed store compared with files, Pillow and a ``DataLoader``.

    python benchmarks/feeding.py [--rounds 7] [--json FILE]
    python benchmarks/feeding.py --training [--rounds 7] [--json FILE]

The first form measures images a second as normalised float tensors, with the paper's augmentation. The store holds
images of the network's resolution. The files are as large as those of data sets (200 pixels, as in the aligned
UTKFace) or, which is rare, already of the network's resolution. ``--training`` trains TinyAgeNet on the packed store,
with and without the paper's augmentation, and compares it with the same loop on normalised tensors in memory. Both
sides of a ratio are timed in turn, and the ratio is taken round by round.
"""

import os

# Otherwise torch's idle threads spin for a millisecond after each operation, on the core that augments.
os.environ.setdefault("OMP_WAIT_POLICY", "passive")  # read when torch is imported

import argparse
import dataclasses
import json
import random
import statistics
import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from unittest.mock import patch

import numpy as np
import torch
from PIL import Image, ImageEnhance, ImageOps
from torch import Tensor
from torch.utils.data import DataLoader, Dataset

from suite.data.dataset import LabelledImages, load_dataset
from suite.data.faces.embedded import faces_store
from suite.machine import core_affinity, usable_cpus
from suite.measure.contention import read_clock, share_of_others
from suite.runs.provenance import hardware, versions
from suite.training import fit as training
from suite.training.fit import fit
from suite.training.inputs import CHANNEL_MEAN, CHANNEL_STD, augmented, normalised
from suite.trial import TrialConfig

#: Pixels a side of the network's input and of the files, and the target for the store's speed as a multiple.
CASES = ((64, 200, 10.0), (64, 64, 10.0), (224, 224, 2.0))
TARGET_SHARE = 0.95  # of the speed of training on tensors in memory
SHORTEST = 1.0  # seconds that each measurement takes at least
WORKERS = 2
BATCH = 64
QUALITY = 95  # of the JPEG files


@dataclass(frozen=True)
class Ratio:
    """The speed of one side as a multiple of the other's, over all rounds."""

    what: str
    median: float
    low: float  # of all rounds
    high: float
    ours: float  # images a second, median
    theirs: float
    target: float


class Files(Dataset[tuple[Tensor, float]]):
    """JPEG files with labels, decoded and augmented at each access."""

    def __init__(self, paths: Sequence[Path], labels: Sequence[float], side: int, shift: int) -> None:
        self.paths, self.labels, self.side, self.shift = paths, labels, side, shift

    def __len__(self) -> int:
        return len(self.paths)

    def __getitem__(self, index: int) -> tuple[Tensor, float]:
        with Image.open(self.paths[index]) as file:
            image = file.convert("RGB")
        if image.width != self.side:
            image = image.resize((self.side, self.side), Image.Resampling.BILINEAR)
        image = pillow_augmented(image, self.shift)
        pixels = torch.from_numpy(np.array(image)).permute(2, 0, 1).contiguous().float().div(255)
        mean, deviation = torch.tensor(CHANNEL_MEAN), torch.tensor(CHANNEL_STD)
        return pixels.sub_(mean[:, None, None]).div_(deviation[:, None, None]), self.labels[index]


def pillow_augmented(image: Image.Image, shift: int) -> Image.Image:
    """Augment by the paper's recipe, transform by transform, as it is usually written."""
    side = image.width
    if random.random() < 0.5:
        image = ImageOps.mirror(image)
    if random.random() < 0.5:
        image = image.convert("L").convert("RGB")
    small = random.randint(side // 2, side)
    image = image.resize((small, small), Image.Resampling.BILINEAR)
    image = image.rotate(random.uniform(-30, 30), Image.Resampling.BILINEAR)
    image = ImageOps.expand(image.resize((side, side), Image.Resampling.BILINEAR), shift)
    left, top = random.randint(0, 2 * shift), random.randint(0, 2 * shift)
    image = image.crop((left, top, left + side, top + side))
    jitters = [ImageEnhance.Brightness, ImageEnhance.Contrast, ImageEnhance.Color]
    for jitter in random.sample(jitters, len(jitters)):
        image = jitter(image).enhance(random.uniform(0.6, 1.4))
    return image


def feeding(side: int, file_side: int, target: float, count: int, rounds: int) -> Ratio:
    """Measure images a second from the store and from files."""
    part = load_dataset(faces_store(), "age", side).splits["train"].first(count)
    config = TrialConfig(augmentation="paper", resolution=side)
    with tempfile.TemporaryDirectory(prefix="feeding-") as folder:
        paths = _written(part, file_side, Path(folder))
        files = Files(paths, part.labels.tolist(), side, config.shift_pixels)
        loader = DataLoader(files, BATCH, shuffle=True, num_workers=WORKERS, persistent_workers=True)
        speeds = in_turn(
            {
                "store": lambda: _speed(lambda: _pass_over_store(part, config)),
                "files": lambda: _speed(lambda: sum(len(images) for images, _ in loader)),
            },
            rounds,
        )
    return ratio(f"{side} px, files of {file_side} px", speeds["store"], speeds["files"], target)


def _written(part: LabelledImages, side: int, folder: Path) -> list[Path]:
    paths = [folder / f"{row}.jpg" for row in part.rows.tolist()]
    for path, row in zip(paths, part.rows.tolist(), strict=True):
        Image.fromarray(part.images[row].numpy()).resize((side, side)).save(path, quality=QUALITY)
    return paths


def _pass_over_store(part: LabelledImages, config: TrialConfig) -> int:
    batches = torch.split(torch.randperm(len(part)), config.batch_size)
    return sum(len(normalised(augmented(part, batch, config))) for batch in batches)


def _speed(a_pass: Callable[[], int]) -> float:
    """Images a second, over as many passes as fill ``SHORTEST`` seconds."""
    began = time.perf_counter()
    images, spent = 0, 0.0
    while spent < SHORTEST:
        images += a_pass()
        spent = time.perf_counter() - began
    return images / spent


def training_speeds(count: int, rounds: int) -> list[Ratio]:
    """Measure images a second of training TinyAgeNet, from the store and from tensors in memory."""
    config = TrialConfig(flip=False, shift_pixels=0, train_images=count, batch_size=BATCH, epochs=rounds + 1)
    full = dataclasses.replace(config, augmentation="paper", flip=True, shift_pixels=2)
    dataset = load_dataset(faces_store(), "age", config.resolution)
    few = dataset.splits["val"].first(BATCH)  # validation is not part of the measurement
    dataset = dataclasses.replace(dataset, splits={**dataset.splits, "val": few})
    trainings = {"memory": fit(config, dataset), "store": fit(config, dataset), "paper": fit(full, dataset)}
    part = dataset.splits["train"].first(count)
    tensors = normalised(part.images[part.rows]).to(trainings["memory"].device)

    def from_memory() -> float:
        with (
            patch.object(training, "augmented", lambda part, batch, config, device: batch),
            patch.object(training, "normalised", lambda batch: tensors[batch.to(tensors.device)]),
        ):
            return next(trainings["memory"]).images_per_second

    speeds = in_turn(
        {
            "memory": from_memory,
            "store": lambda: next(trainings["store"]).images_per_second,
            "paper": lambda: next(trainings["paper"]).images_per_second,
        },
        rounds,
    )
    return [
        ratio("training without augmentation", speeds["store"], speeds["memory"], TARGET_SHARE),
        ratio("training with the paper's", speeds["paper"], speeds["memory"], TARGET_SHARE),
    ]


def in_turn(sides: Mapping[str, Callable[[], float]], rounds: int) -> dict[str, list[float]]:
    """Return each speed in every round, after an uncounted one; the order alternates."""
    found: dict[str, list[float]] = {name: [] for name in sides}
    for done in range(rounds + 1):
        for name in list(sides)[:: 1 if done % 2 else -1]:
            found[name].append(sides[name]())
    return {name: speeds[1:] for name, speeds in found.items()}


def ratio(what: str, ours: Sequence[float], theirs: Sequence[float], target: float) -> Ratio:
    """Summarise ours / theirs, round by round."""
    ratios = [a / b for a, b in zip(ours, theirs, strict=True)]
    return Ratio(
        what,
        statistics.median(ratios),
        min(ratios),
        max(ratios),
        statistics.median(ours),
        statistics.median(theirs),
        target,
    )


def main() -> None:
    """Measure and print, and write JSON if requested."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--training", action="store_true", help="measure training, at 64 pixels")
    parser.add_argument("--sides", type=int, nargs="+", metavar="PIXELS", help="only these of the network's")
    parser.add_argument("--images", type=int, default=1024, metavar="N", help="a pass; default 1024")
    parser.add_argument("--rounds", type=int, default=7, metavar="N", help="default 7")
    parser.add_argument("--threads", type=int, default=usable_cpus(), metavar="N", help="default: cores")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the numbers and the machine there")
    options = parser.parse_args()
    torch.set_num_threads(options.threads)
    before = read_clock()
    if options.training:
        found = training_speeds(options.images, options.rounds)
    else:
        cases = [case for case in CASES if not options.sides or case[0] in options.sides]
        found = [feeding(*case, options.images, options.rounds) for case in cases]
    others = share_of_others(before, read_clock(), len(core_affinity()))
    print("| | times as fast | over rounds | images a second | against | target |\n|---|---|---|---|---|---|")
    for row in found:
        print(
            f"| {row.what} | {row.median:.2f} | {row.low:.2f} to {row.high:.2f} | {row.ours:,.0f} "
            f"| {row.theirs:,.0f} | {row.target:g} |"
        )
    if options.training:  # there are no workers here, so all other load is foreign
        print(f"other programs took {others:.0%} of the processor")
    if options.json:
        document = {
            "ratios": [asdict(row) for row in found],
            "versions": versions(),
            "hardware": hardware(),
        }
        options.json.write_text(json.dumps(document, indent=2) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
