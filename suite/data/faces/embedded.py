"""The data set ``faces``: rendered on first use, then kept in the cache as a packed store."""

import hashlib
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pandas as pd

from suite.data.faces.capture import CaptureConditions
from suite.data.faces.compositing import composite_faces
from suite.data.faces.people import Floats, People, signs_of_age
from suite.data.faces.raters import Votes, rate_age, rate_attractiveness
from suite.data.store import (
    LabelRange,
    Split,
    Store,
    StoreInfo,
    fingerprint,
    open_store,
    sampled_fingerprint,
    write_info,
)
from suite.files.arrays import new_array
from suite.files.atomic import move_into_place, temporary_folder_beside
from suite.files.cache import cache_folder, writable_cache
from suite.files.paths import is_there
from suite.machine import usable_cpus

SIDE = 64  # pixels
#: Each person appears at four ages, in one split only.
IMAGES_A_PERSON = 4
PEOPLE: Mapping[Split, int] = {"train": 1000, "val": 200, "test": 200}
#: Images that are rendered at a time with one random generator. Another size gives other images.
BATCH = 50
ATTRIBUTES = {"age": LabelRange(0, 100, 1), "attractiveness": LabelRange(1, 5, 0.1)}


@dataclass(frozen=True)
class Rendered:
    """Images and the votes of the simulated raters."""

    images: npt.NDArray[np.uint8]  # (n, side, side, 3)
    age: Votes
    attractiveness: Votes


def faces_store(*, seed: int = 0, on_progress: Callable[[int, int], None] | None = None) -> Store:
    """Open the embedded faces, rendering them first if the cache has none for this seed and this code.

    There are 4,000 training, 800 validation and 800 test images of 64 x 64 pixels, byte-identical for a seed.

    Args:
        seed: Decides the people and the images.
        on_progress: Called with the number of images rendered and of all.

    Raises:
        RequestError: The cache folder cannot be written to, or has too little space.
    """
    kept = cache_folder() / f"faces-{_code()[:12]}-seed{seed}"
    if not is_there(kept / "store.json"):
        with writable_cache(".", needed=sum(PEOPLE.values()) * IMAGES_A_PERSON * SIDE * SIDE * 3):
            write_faces(kept, seed=seed, people=PEOPLE, on_progress=on_progress)
    return open_store(kept)


def write_faces(
    out: Path,
    *,
    seed: int,
    people: Mapping[Split, int],
    on_progress: Callable[[int, int], None] | None = None,
) -> None:
    """Render ``people`` of each split into a new store in ``out``; ``on_progress`` as in ``faces_store``.

    Raises:
        OSError: The store cannot be written.
    """
    persons = np.repeat(np.arange(sum(people.values())), IMAGES_A_PERSON)
    traits = People.draw(np.random.default_rng([seed, 0]), sum(people.values())).of(persons)
    with temporary_folder_beside(out) as folder:
        images = new_array(folder / "images.npy", (len(persons), SIDE, SIDE, 3))
        votes: list[Rendered] = []
        for start, batch in _in_threads(traits, len(persons), seed):
            images[start : start + BATCH] = batch.images
            votes.append(batch)
            if on_progress:
                on_progress(min(start + BATCH, len(persons)), len(persons))
        images.flush()
        labels = _labels(persons, people, votes)
        labels.to_parquet(folder / "labels.parquet", index=False)
        write_info(folder, _info(images, labels, seed))
        move_into_place(folder, out)


def render(traits: People, rows: slice, seed: int, side: int = SIDE) -> Rendered:
    """Render the images of ``rows`` at random ages, under random conditions.

    The result depends on the people, the seed and the rows only, not on what was rendered before.

    Args:
        traits: The person of each image of the whole set.
        rows: The images to render.
        seed: Of the set.
        side: Pixels.
    """
    rng = np.random.default_rng([seed, 1, rows.start])
    people = traits.of(np.arange(rows.start, rows.stop))
    ages = draw_ages(rng, rows.stop - rows.start)
    signs = signs_of_age(ages, people, rng)
    conditions = CaptureConditions.draw(rng, ages)
    return Rendered(
        images=composite_faces(people, signs, conditions, side, rng),
        age=rate_age(ages, conditions.hidden, rng),
        attractiveness=rate_attractiveness(ages, people, signs, conditions.smile, rng),
    )


def draw_ages(rng: np.random.Generator, count: int) -> Floats:
    """Draw ages from 0 to 100 years, almost uniformly, with fewer very old people; (count,)."""
    return 100 * rng.beta(1.05, 1.25, count)


def _in_threads(traits: People, count: int, seed: int) -> Iterator[tuple[int, Rendered]]:
    """Yield the batches in order, rendered on all cores; numpy releases the interpreter lock."""
    batches = [slice(start, min(start + BATCH, count)) for start in range(0, count, BATCH)]
    with ThreadPoolExecutor(usable_cpus()) as pool:
        yield from zip(
            (batch.start for batch in batches),
            pool.map(lambda batch: render(traits, batch, seed), batches),
            strict=True,
        )


def _labels(
    persons: npt.NDArray[np.int64], people: Mapping[Split, int], batches: list[Rendered]
) -> pd.DataFrame:
    def joined(of: Callable[[Rendered], Floats]) -> Floats:
        return np.round(np.concatenate([of(batch) for batch in batches]), 4)

    split_of_person = np.repeat(list(people), list(people.values()))
    return pd.DataFrame(
        {
            "split": split_of_person[persons].astype(object),
            "subject": [f"person-{person:04d}" for person in persons],
            "source": [f"faces/{number}" for number in range(len(persons))],
            "age": joined(lambda batch: batch.age.mean),
            "age_std": joined(lambda batch: batch.age.deviation),
            "attractiveness": joined(lambda batch: batch.attractiveness.mean),
            "attractiveness_std": joined(lambda batch: batch.attractiveness.deviation),
        }
    )


def _info(images: npt.NDArray[np.uint8], labels: pd.DataFrame, seed: int) -> StoreInfo:
    return StoreInfo(
        name="faces",
        attributes=ATTRIBUTES,
        images=len(images),
        side=images.shape[1],
        fingerprint=fingerprint(images, labels),
        sampled_fingerprint=sampled_fingerprint(images, labels),
        protocol="Split by identity: each person, at four ages, is in one of train, val and test only.",
        origin=f"Synthetic faces of no real person, rendered by the suite with seed {seed}; the labels are "
        "the votes of simulated raters.",
    )


def _code() -> str:
    """A digest of this package's code, so that images of another version of the renderer are never used."""
    digest = hashlib.sha256()
    for source in sorted(Path(__file__).parent.glob("*.py")):
        digest.update(source.read_bytes())
    return digest.hexdigest()
