"""The augmentation parameters of each image in a batch, drawn at random by the paper's recipe."""

import dataclasses
from dataclasses import dataclass

import torch
from torch import Tensor

# Shares and limits of the paper's training recipe.
MIRRORED_SHARE = 0.5
GREY_SHARE = 0.5
LARGEST_ANGLE = 30.0  # degrees, either way
SMALLEST_SIDE = 0.5  # of the full side: 112 of 224 pixels
JITTER = 0.4  # brightness, contrast and saturation are multiplied by 0.6 to 1.4


@dataclass(frozen=True)
class AugmentationParameters:
    """What is done to b images, in the order of application; all tensors are on the CPU.

    1. Grey: each channel becomes the image's grey.
    2. Mirrored left to right.
    3. Resized to ``sides``, which removes detail, and rotated.
    4. Resized back to the full side and shifted, as a crop from a larger image.
    5. Brightness, contrast (about the mean grey of the image at this point) and saturation. These are affine
       maps that commute, so their order does not matter.

    The outside of an image is black. Results are clipped to 0..255.
    """

    mirrored: Tensor  # bool (b,)
    angles: Tensor  # float32 (b,), degrees, counter-clockwise as displayed
    sides: Tensor  # int64 (b,), pixels, at most the image's side
    shifts: Tensor  # int64 (b, 2), pixels down and right, the offset of the crop
    grey: Tensor  # bool (b,)
    brightness: Tensor  # float32 (b,), a factor; so are the next two
    contrast: Tensor
    saturation: Tensor

    def __len__(self) -> int:
        return len(self.mirrored)

    def of(self, images: slice) -> "AugmentationParameters":
        """Return the parameters of some of the images."""
        return AugmentationParameters(
            **{field.name: getattr(self, field.name)[images] for field in dataclasses.fields(self)}
        )

    @classmethod
    def drawn(
        cls, count: int, side: int, *, flip: bool = True, shift_pixels: int = 0
    ) -> "AugmentationParameters":
        """Draw parameters by the recipe, from torch's CPU generator.

        Args:
            count: The number of images.
            side: Pixels a side.
            flip: Whether images may be mirrored.
            shift_pixels: The largest shift of the crop in each direction.
        """
        smallest = min(side, round(SMALLEST_SIDE * side))
        chance = torch.rand(2, count)
        evenly = torch.rand(4, count) * 2 - 1
        factors = 1 + JITTER * evenly[1:]
        return cls(
            mirrored=(chance[0] < MIRRORED_SHARE) & flip,
            angles=LARGEST_ANGLE * evenly[0],
            sides=torch.randint(smallest, side + 1, (count,)),
            shifts=torch.randint(-shift_pixels, shift_pixels + 1, (count, 2)),
            grey=chance[1] < GREY_SHARE,
            brightness=factors[0],
            contrast=factors[1],
            saturation=factors[2],
        )

    @classmethod
    def none(cls, count: int, side: int) -> "AugmentationParameters":
        """Make parameters that leave ``count`` images of a side as they are."""
        no, one = torch.zeros(count, dtype=torch.bool), torch.ones(count)
        return cls(
            mirrored=no,
            angles=torch.zeros(count),
            sides=torch.full((count,), side),
            shifts=torch.zeros(count, 2, dtype=torch.int64),
            grey=no,
            brightness=one,
            contrast=one,
            saturation=one,
        )
