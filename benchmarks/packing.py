"""How fast a data set is packed, compared with Pillow alone on the same files and as many processes.

Writes JPEGs with names as in UTKFace and packs them with ``suite.data.packing.pack``. In turn with this, as many
processes only decode them with Pillow, or decode and resize them. Those processes are started beforehand. The time of
packing includes the start of its processes; it also reads names, writes the memory map, the labels and the splits,
and computes the fingerprint.

    python benchmarks/packing.py [--images 10000] [--side 200] [--size 64] [--rounds 3] [--json FILE]
"""

import argparse
import json
import multiprocessing
import tempfile
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import asdict, dataclass
from functools import partial
from pathlib import Path
from statistics import median

import numpy as np
from PIL import Image

from suite.data.decoding import OVERSAMPLING
from suite.data.faces.embedded import faces_store
from suite.data.packing import pack
from suite.data.sets import READERS
from suite.machine import usable_cpus
from suite.runs.provenance import hardware

TARGET = 0.9  # of the speed at which Pillow decodes
CHUNK = 64  # files that a process takes at a time, as packing does


@dataclass(frozen=True)
class Speeds:
    """Images a second, one value per round."""

    decoding: list[float]
    decoding_and_resizing: list[float]
    decoding_in_part_and_resizing: list[float]  # JPEGs at a reduced size, as packing does
    packing: list[float]

    def ratios(self, to: Sequence[float]) -> list[float]:
        """Return packing / one of the others, round by round."""
        return [ours / theirs for ours, theirs in zip(self.packing, to, strict=True)]


def write_set(folder: Path, images: int, side: int) -> list[Path]:
    """Write faces as JPEGs of quality 90, with grain, because they would decode too quickly without."""
    faces = faces_store().images
    rng, files = np.random.default_rng(0), []
    for number in range(images):
        face = Image.fromarray(np.asarray(faces[number % len(faces)])).resize((side, side))
        grainy = np.asarray(face, np.int16) + rng.integers(-6, 7, (side, side, 1), np.int16)
        file = folder / f"{number % 100}_{number % 2}_{number % 5}_{20170100000000000 + number}.jpg.chip.jpg"
        Image.fromarray(grainy.clip(0, 255).astype(np.uint8)).save(file, quality=90)
        files.append(file)
    return files


def decode(files: Sequence[Path]) -> int:
    """Decode with Pillow and discard the pixels."""
    for file in files:
        with Image.open(file) as image:
            image.convert("RGB")
    return len(files)


def decode_and_resize(files: Sequence[Path], size: int, *, in_part: bool = False) -> int:
    """Decode and resize with Pillow and discard the pixels."""
    for file in files:
        with Image.open(file) as image:
            if in_part:
                image.draft(None, (int(OVERSAMPLING * size), int(OVERSAMPLING * size)))
            image.convert("RGB").resize((size, size), Image.Resampling.LANCZOS)
    return len(files)


def in_a_pool(
    pool: ProcessPoolExecutor, work: Callable[[Sequence[Path]], int], files: Sequence[Path]
) -> float:
    """Return images a second, by processes that are already running."""
    began = time.perf_counter()
    done = sum(pool.map(work, [files[i : i + CHUNK] for i in range(0, len(files), CHUNK)]))
    return done / (time.perf_counter() - began)


def packed(folder: Path, out: Path, size: int) -> float:
    """Return images a second, from the folder to a complete store."""
    began = time.perf_counter()
    store = pack(READERS["utkface"], folder, out, size=size, overwrite=True)
    return store.info.images / (time.perf_counter() - began)


def measure(images: int, side: int, size: int, rounds: int) -> Speeds:
    """Measure all in turn, after an uncounted round that reads the files into the page cache."""
    with tempfile.TemporaryDirectory(prefix="suite-packing-") as temporary:
        folder, out = Path(temporary, "set"), Path(temporary, "packed")
        folder.mkdir()
        files = write_set(folder, images, side)
        resize = partial(decode_and_resize, size=size)
        in_part = partial(decode_and_resize, size=size, in_part=True)
        with ProcessPoolExecutor(usable_cpus(), multiprocessing.get_context("spawn")) as pool:
            turns = [
                (
                    in_a_pool(pool, decode, files),
                    in_a_pool(pool, resize, files),
                    in_a_pool(pool, in_part, files),
                    packed(folder, out, size),
                )
                for _ in range(rounds + 1)
            ][1:]
    return Speeds(*(list(column) for column in zip(*turns, strict=True)))


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--images", type=int, default=10_000)
    parser.add_argument("--side", type=int, default=200, help="of the JPEGs, pixels")
    parser.add_argument("--size", type=int, default=64, help="of the packed images, pixels")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--json", type=Path)
    options = parser.parse_args()
    speeds = measure(options.images, options.side, options.size, options.rounds)
    print(f"{options.images:,} JPEGs of {options.side} px to {options.size} px, {usable_cpus()} processes")
    for name, values in asdict(speeds).items():
        print(f"{name.replace('_', ' '):32s} {median(values):8,.0f} images/s")
    for name in ("decoding", "decoding_and_resizing", "decoding_in_part_and_resizing"):
        ratios = speeds.ratios(getattr(speeds, name))
        spread = f"{min(ratios):.2f} to {max(ratios):.2f}"
        print(f"packing / {name.replace('_', ' '):32s} {median(ratios):.2f} ({spread}; target {TARGET})")
    if options.json:
        options.json.write_text(json.dumps({**asdict(speeds), "hardware": hardware()}, indent=2) + "\n")


if __name__ == "__main__":
    main()
