"""Both implementations of the paper's augmentation, against each other and against numpy and Pillow."""

import dataclasses
import subprocess
import sys
from collections.abc import Callable

import numpy as np
import numpy.typing as npt
import pytest
import torch
from PIL import Image, ImageEnhance
from torch import Tensor

from suite import augmentation
from suite.augmentation import AugmentationParameters, augment_batch
from suite.augmentation.with_torch import augment_with_torch
from suite.data.dataset import LabelledImages, load_dataset
from suite.data.store import Store
from suite.training.inputs import augmented
from suite.trial import TrialConfig

CPU = torch.device("cpu")
SIDE, COUNT = 48, 24
PAPER = TrialConfig(augmentation="paper", resolution=32)
Augment = Callable[[Tensor, AugmentationParameters], Tensor]


def with_opencv(images: Tensor, parameters: AugmentationParameters) -> Tensor:
    with_opencv = pytest.importorskip("suite.augmentation.with_opencv")
    done: Tensor = with_opencv.augment_with_opencv(images, torch.arange(len(images)), parameters)
    return done


both = pytest.mark.parametrize("augment", [augment_with_torch, with_opencv])


@pytest.fixture
def images() -> Tensor:
    """Soft blots of all colours with a little noise, uint8 (COUNT, SIDE, SIDE, 3)."""
    rng = np.random.default_rng(0)
    blots = rng.integers(0, 256, (COUNT, 6, 6, 3), dtype=np.uint8)
    soft = [
        np.asarray(Image.fromarray(blot).resize((SIDE, SIDE), Image.Resampling.BICUBIC)) for blot in blots
    ]
    noisy = np.stack(soft).astype(int) + rng.integers(-4, 5, (COUNT, SIDE, SIDE, 3))
    return torch.from_numpy(np.clip(noisy, 0, 255).astype(np.uint8))


def unchanged(**but: Tensor) -> AugmentationParameters:
    return dataclasses.replace(AugmentationParameters.none(COUNT, SIDE), **but)


def drawn(seed: int) -> AugmentationParameters:
    torch.manual_seed(seed)
    return AugmentationParameters.drawn(COUNT, SIDE, shift_pixels=3)


def off(one: Tensor, other: Tensor) -> Tensor:
    """Grey levels between two batches."""
    return (one.int() - other.int()).abs()


@both
def test_without_changes_the_images_are_identical(augment: Augment, images: Tensor) -> None:
    assert torch.equal(augment(images, unchanged()), images)


@both
def test_a_mirrored_image_is_its_columns_backwards(augment: Augment, images: Tensor) -> None:
    mirrored = torch.arange(COUNT) % 2 == 0
    done = augment(images, unchanged(mirrored=mirrored))
    assert torch.equal(done[0::2], images[0::2].flip(2))
    assert torch.equal(done[1::2], images[1::2])


@both
@pytest.mark.parametrize("quarters", [1, 2, -1])
def test_a_quarter_turn_is_numpys(augment: Augment, quarters: int, images: Tensor) -> None:
    done = augment(images, unchanged(angles=torch.full((COUNT,), 90.0 * quarters)))
    turned = np.rot90(images.numpy(), quarters, axes=(1, 2))
    assert off(done, torch.from_numpy(turned.copy())).max() <= 1


@both
def test_a_rotation_is_pillows(augment: Augment, images: Tensor) -> None:
    done = augment(images, unchanged(angles=torch.full((COUNT,), 20.0)))
    turned = [np.asarray(Image.fromarray(i).rotate(20, Image.Resampling.BILINEAR)) for i in images.numpy()]
    apart = off(done, torch.from_numpy(np.stack(turned)))
    core = slice(8, -8)  # at the edge between image and black, Pillow does not mix the two
    assert apart[:, core, core].max() <= 4
    assert apart[:, :4, :4].max() == apart[:, -4:, -4:].max() == 0  # the corners are black


@both
def test_a_mirrored_image_is_mirrored_before_it_is_rotated(augment: Augment, images: Tensor) -> None:
    angles, mirrored = torch.full((COUNT,), 25.0), torch.ones(COUNT, dtype=torch.bool)
    at_once = augment(images, unchanged(angles=angles, mirrored=mirrored))
    assert off(at_once, augment(images.flip(2), unchanged(angles=angles))).max() <= 1


@both
def test_a_shift_takes_the_image_from_further_down_and_right(augment: Augment, images: Tensor) -> None:
    done = augment(images, unchanged(shifts=torch.tensor([[3, -2]]).expand(COUNT, 2)))
    assert torch.equal(done[:, :-3, 2:], images[:, 3:, :-2])
    assert done[:, -3:].max() == 0
    assert done[:, :, :2].max() == 0


@both
@pytest.mark.parametrize("side", [SIDE // 2, 31])
def test_scale_is_pillows_resizing_down_and_back(augment: Augment, side: int, images: Tensor) -> None:
    done = augment(images, unchanged(sides=torch.full((COUNT,), side)))
    pixel = SIDE / side

    def there_and_back(image: npt.NDArray[np.uint8]) -> npt.NDArray[np.uint8]:
        steps, bilinear = (pixel, 0, 0, 0, pixel, 0), Image.Resampling.BILINEAR
        small = Image.fromarray(image).transform((side, side), Image.Transform.AFFINE, steps, bilinear)
        return np.asarray(small.resize((SIDE, SIDE), bilinear))

    expected = np.stack([there_and_back(image) for image in images.numpy()])
    assert off(done, torch.from_numpy(expected)).max() <= 3
    assert off(done, images).float().mean() > 0.5  # it does take away detail


@both
def test_grey_is_pillows(augment: Augment, images: Tensor) -> None:
    grey = torch.arange(COUNT) % 2 == 0
    done = augment(images, unchanged(grey=grey))
    expected = [
        np.asarray(Image.fromarray(image).convert("L").convert("RGB")) for image in images[::2].numpy()
    ]
    assert off(done[::2], torch.from_numpy(np.stack(expected))).max() <= 1
    assert torch.equal(done[1::2], images[1::2])


@both
@pytest.mark.parametrize("which", ["brightness", "contrast", "saturation"])
def test_colour_jitter_is_pillows(augment: Augment, which: str, images: Tensor) -> None:
    enhance = {
        "brightness": ImageEnhance.Brightness,
        "contrast": ImageEnhance.Contrast,
        "saturation": ImageEnhance.Color,
    }[which]
    factors = torch.linspace(0.6, 1.4, COUNT)
    done = augment(images, unchanged(**{which: factors}))
    expected = [
        np.asarray(enhance(Image.fromarray(image)).enhance(factor))
        for image, factor in zip(images.numpy(), factors.tolist(), strict=True)
    ]
    assert off(done, torch.from_numpy(np.stack(expected))).max() <= 2


@both
def test_colour_changes_composed_are_those_one_after_the_other(augment: Augment, images: Tensor) -> None:
    """On images of middling colours, where nothing is cut off in between; in any order."""
    muted = (images // 4 + 96).to(torch.uint8)
    factors = {
        "brightness": torch.linspace(0.7, 1.3, COUNT),
        "contrast": torch.linspace(1.4, 0.6, COUNT),
        "saturation": torch.linspace(0.6, 1.4, COUNT).roll(7),
    }
    at_once = augment(muted, unchanged(**factors))
    for order in (list(factors), list(factors)[::-1]):
        one_by_one = muted
        for which in order:
            one_by_one = augment(one_by_one, unchanged(**{which: factors[which]}))
        assert off(at_once, one_by_one).max() <= 3


@pytest.mark.parametrize("seed", range(3))
def test_both_give_nearly_the_same_images(seed: int, images: Tensor) -> None:
    apart = off(augment_with_torch(images, drawn(seed)), with_opencv(images, drawn(seed)))
    assert apart.max() <= 5
    assert apart.float().mean() < 0.5


@both
def test_extreme_values_are_cut_off_and_do_not_wrap(augment: Augment, images: Tensor) -> None:
    white = torch.full_like(images, 255)
    assert augment(white, unchanged(brightness=torch.full((COUNT,), 1.4))).min() == 255
    checks = (torch.arange(SIDE) // 8 % 2 * 255).to(torch.uint8)[:, None, None].expand(SIDE, SIDE, 3)
    harder = augment(checks.repeat(COUNT, 1, 1, 1), unchanged(contrast=torch.full((COUNT,), 1.4)))
    assert harder.unique().tolist() == [0, 255]


@both
def test_images_stay_in_their_places_in_the_batch(augment: Augment, images: Tensor) -> None:
    """Images of one level each: whatever moves, each keeps its own level, but for the black around it."""
    levels = torch.arange(COUNT, dtype=torch.uint8) * 9
    even = levels[:, None, None, None].expand(COUNT, SIDE, SIDE, 3).contiguous()
    one = torch.ones(COUNT)
    moved = dataclasses.replace(drawn(0), brightness=one, contrast=one)
    core = slice(SIDE // 4, -SIDE // 4)
    assert off(augment(even, moved), even)[:, core, core].max() <= 1


def test_changes_drawn_follow_the_recipe() -> None:
    torch.manual_seed(0)
    parameters = AugmentationParameters.drawn(20_000, 224, shift_pixels=2)
    assert parameters.mirrored.float().mean() == pytest.approx(0.5, abs=0.02)
    assert parameters.grey.float().mean() == pytest.approx(0.5, abs=0.02)
    assert (parameters.mirrored & parameters.grey).float().mean() == pytest.approx(0.25, abs=0.02)
    assert (parameters.sides.min(), parameters.sides.max()) == (112, 224)
    assert parameters.shifts.unique().tolist() == [-2, -1, 0, 1, 2]
    assert parameters.angles.abs().max() == pytest.approx(30, abs=0.1)
    assert parameters.angles.mean() == pytest.approx(0, abs=0.5)
    for factors in (parameters.brightness, parameters.contrast, parameters.saturation):
        assert factors.min() == pytest.approx(0.6, abs=0.01)
        assert factors.max() == pytest.approx(1.4, abs=0.01)


def test_changes_of_one_image_are_drawn_apart() -> None:
    torch.manual_seed(0)
    parameters = AugmentationParameters.drawn(2000, 224)
    drawn_apart = [
        parameters.angles,
        parameters.sides,
        parameters.brightness,
        parameters.contrast,
        parameters.saturation,
    ]
    between = torch.corrcoef(torch.stack([values.double() for values in drawn_apart]))
    assert (between - torch.eye(5)).abs().max() < 0.1


def test_without_flips_none_is_mirrored() -> None:
    assert not AugmentationParameters.drawn(100, 64, flip=False).mirrored.any()


@pytest.mark.parametrize("threads", [1, 2, 3])
def test_the_number_of_threads_does_not_matter(threads: int, images: Tensor) -> None:
    before = torch.get_num_threads()
    whole = with_opencv(images, drawn(0))
    try:
        torch.set_num_threads(threads)
        assert torch.equal(with_opencv(images, drawn(0)), whole)
    finally:
        torch.set_num_threads(before)


@pytest.mark.parametrize("opencv", [True, False])
def test_only_the_rows_asked_for_are_changed_and_returned(
    opencv: bool, images: Tensor, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(augmentation, "has_opencv", lambda: opencv)
    rows, parameters = torch.tensor([5, 0, 5]), AugmentationParameters.none(3, SIDE)
    assert torch.equal(augment_batch(images, rows, parameters, CPU), images[rows])


def test_without_opencv_torch_stands_in() -> None:
    """In a process of its own, where importing OpenCV fails."""
    code = """
import sys
sys.modules["cv2"] = None
import torch
from suite.augmentation import AugmentationParameters, augment_batch, has_opencv
from suite.training.fit import fit
images = torch.randint(0, 256, (4, 32, 32, 3), dtype=torch.uint8)
parameters = AugmentationParameters.none(4, 32)
print(has_opencv(), torch.equal(augment_batch(images, torch.arange(4), parameters, torch.device("cpu")), images))
"""
    answer = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert answer.stdout.strip() == "False True", answer.stderr


@pytest.fixture
def part(store: Store) -> LabelledImages:
    """Of a packed store, memory-mapped."""
    return load_dataset(store, "age", 32).splits["train"]


def test_a_seed_gives_the_same_batch_from_the_memory_map(part: LabelledImages) -> None:
    def batch(seed: int) -> Tensor:
        torch.manual_seed(seed)
        return augmented(part, torch.arange(40), PAPER)

    assert torch.equal(batch(1), batch(1))
    assert not torch.equal(batch(1), batch(2))
    assert batch(1).shape == (40, 32, 32, 3)
    assert batch(1).dtype == torch.uint8


def test_images_and_labels_of_the_split_stay_as_they_are(part: LabelledImages) -> None:
    images, labels = part.images.clone(), part.labels.clone()
    augmented(part, torch.arange(40), PAPER)
    assert torch.equal(part.images, images)
    assert torch.equal(part.labels, labels)


@pytest.mark.parametrize(("flip", "shift_pixels"), [(False, 0), (True, 0), (False, 10)])
def test_flip_and_shift_of_the_configuration_are_heeded(
    flip: bool, shift_pixels: int, part: LabelledImages
) -> None:
    """A bright stripe right of the middle: only mirrored or far shifted can it come to lie left."""
    striped = torch.zeros(40, 32, 32, 3, dtype=torch.uint8)
    striped[:, :, 20:24] = 255
    part = dataclasses.replace(part, images=striped, rows=torch.arange(40))
    torch.manual_seed(0)
    config = dataclasses.replace(PAPER, flip=flip, shift_pixels=shift_pixels)
    middle = augmented(part, torch.arange(40), config)[:, 15:17].float().mean((1, 3))
    bright = middle - middle.amin(1, keepdim=True)
    place = (bright * torch.arange(32)).sum(1) / bright.sum(1)
    assert bool((place < 16).any()) == (flip or shift_pixels > 0)
