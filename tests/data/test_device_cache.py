import dataclasses

import pytest
import torch

from suite.data.dataset import Dataset
from suite.data.device_cache import SHARE_OF_FREE, on_device
from suite.training.inputs import augmented
from suite.trial import TrialConfig

CPU = torch.device("cpu")
ELSEWHERE = torch.device("meta")  # a device that this machine surely has


def test_images_that_fit_move_to_the_device_once_for_all_splits(dataset: Dataset) -> None:
    train, val = dataset.splits["train"], dataset.splits["val"]
    free = int(train.images.nbytes / SHARE_OF_FREE)
    moved, also = on_device(train, val, device=ELSEWHERE, free=free)
    assert moved.images.device == ELSEWHERE
    assert moved.images is also.images
    assert (len(moved), len(also)) == (len(train), len(val))
    for part in (moved, also):
        assert part.rows.device == part.labels.device == part.deviations.device == CPU


def test_splits_with_images_of_their_own_need_room_for_all(dataset: Dataset) -> None:
    train, val = dataset.splits["train"], dataset.splits["val"]
    own = dataclasses.replace(val, images=val.images.clone())
    free = int(train.images.nbytes / SHARE_OF_FREE)
    assert on_device(train, own, device=ELSEWHERE, free=free) == (train, own)
    moved, also = on_device(train, own, device=ELSEWHERE, free=2 * free)
    assert moved.images is not also.images


def test_images_that_do_not_fit_stay_where_they_are(dataset: Dataset) -> None:
    train = dataset.splits["train"]
    free = int(train.images.nbytes / SHARE_OF_FREE) - 4
    (kept,) = on_device(train, device=ELSEWHERE, free=free)
    assert kept.images is train.images


def test_on_a_processor_the_memory_map_is_left_alone(dataset: Dataset) -> None:
    (kept,) = on_device(dataset.splits["train"], device=CPU, free=2**40)
    assert kept.images is dataset.splits["train"].images


@pytest.mark.parametrize("augmentation", ["light", "paper"])
def test_batches_of_images_on_a_device_are_made_there(augmentation: str, dataset: Dataset) -> None:
    """Values are of no device that every machine has; that no step falls back to the CPU is."""
    (part,) = on_device(dataset.splits["train"], device=ELSEWHERE, free=2**40)
    config = TrialConfig(augmentation=augmentation, resolution=32)
    batch = augmented(part, torch.arange(8), config, ELSEWHERE)
    assert (batch.device, batch.dtype, batch.shape) == (ELSEWHERE, torch.uint8, (8, 32, 32, 3))
