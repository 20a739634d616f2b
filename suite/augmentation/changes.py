"""What the paper's recipe does to each image of a batch, drawn at random or chosen."""

from dataclasses import dataclass

import torch
from torch import Tensor

#: Shares and reaches of the recipe (paper, training recipe).
MIRRORED_SHARE = 0.5
GREY_SHARE = 0.5
LARGEST_ANGLE = 30.0  # degrees, either way
SMALLEST_SIDE = 0.5  # of the full side: 112 of 224 pixels
JITTER = 0.4  # brightness, contrast and saturation are multiplied by 0.6 to 1.4


@dataclass(frozen=True)
class Changes:
    """What happens to each of b images, in this order; all tensors lie on the CPU.

    1. Grey: each channel becomes the image's grey.
    2. Mirrored left to right.
    3. Resized to ``sides``, which takes away detail, and rotated.
    4. Resized back to the full side and shifted, as a crop from a larger image.
    5. Brightness, contrast (about the mean grey of the image at this point) and saturation. Each is
       affine and leaves the mean grey's ratio to the others' alone, so that their order does not matter.

    What is outside of the image is black. Values end within 0..255.
    """

    mirrored: Tensor  # bool (b,)
    angles: Tensor  # float32 (b,), degrees, counter-clockwise as one sees it
    sides: Tensor  # int64 (b,), pixels, at most the image's own
    shifts: Tensor  # int64 (b, 2), pixels down and right from which an image's corner is taken
    grey: Tensor  # bool (b,)
    brightness: Tensor  # float32 (b,), a factor, as the next two
    contrast: Tensor
    saturation: Tensor

    def __len__(self) -> int:
        return len(self.mirrored)

    @classmethod
    def drawn(cls, count: int, side: int, *, flip: bool = True, shift_pixels: int = 0) -> "Changes":
        """Changes of ``count`` images of a side, by the recipe, from torch's CPU generator.

        Args:
            count: images.
            side: pixels a side.
            flip: whether any is mirrored.
            shift_pixels: reach of the crop, each way.
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
    def none(cls, count: int, side: int) -> "Changes":
        """Leave ``count`` images of a side as they are."""
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
