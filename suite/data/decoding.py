"""One image file to one square of RGB pixels."""

import io
import math
import warnings
from dataclasses import astuple, dataclass

import numpy as np
import numpy.typing as npt
from PIL import Image, ImageOps, UnidentifiedImageError

from suite.data.alignment import FivePoints, crop_face, extent, scaled

Pixels = npt.NDArray[np.uint8]
#: Larger images are refused before they are decoded. A file of some kilobytes can claim gigabytes.
MOST_PIXELS = 64_000_000
#: The formats that sets of faces come in; Pillow's others are never tried on a stranger's file.
FORMATS = ("JPEG", "PNG", "WEBP", "BMP")
#: A JPEG is decoded at a half, a quarter or an eighth of its size where that leaves so many of its pixels a
#: side for one of the result: enough for the filter that then reduces it.
SPARE = 1.5


class UndecodableError(Exception):
    """Bytes that are no usable image; the message is the reason, for ``skipped.csv``."""


@dataclass(frozen=True)
class CropBox:
    """A part of an upright image, in its pixels; right and bottom are the first that are outside."""

    left: float
    top: float
    right: float
    bottom: float


def decode(content: bytes, side: int, part: CropBox | FivePoints | None = None) -> Pixels:
    """Decode, turn upright (EXIF), convert to RGB, crop and resize with Lanczos.

    Args:
        content: an image file in one of ``FORMATS``, whatever its name said.
        side: pixels.
        part: the box whose middle square is taken; the points of a face to align; None takes the middle
            square of the whole image.

    Returns:
        uint8 (side, side, 3).

    Raises:
        UndecodableError: the bytes are no such image, a damaged or a truncated one.
    """
    if not content:
        raise UndecodableError("the file is empty")
    try:
        with warnings.catch_warnings():
            # Pillow's warning of large images comes below its own limit; ours stands below it.
            warnings.simplefilter("ignore")
            with Image.open(io.BytesIO(content), formats=FORMATS) as image:
                if image.width * image.height > MOST_PIXELS:
                    raise UndecodableError(
                        f"{image.width} x {image.height} pixels, over the limit of {MOST_PIXELS:,}"
                    )
                shrunk = _draft(image, side, part)
                ImageOps.exif_transpose(image, in_place=True)  # without a copy where it stands upright
                square = _square(_rgb(image), side, part, shrunk)
    except UndecodableError:
        raise
    # A damaged file makes Pillow's decoders raise nearly anything (OSError, SyntaxError, struct.error).
    except Exception as error:
        raise UndecodableError(_reason(error)) from None
    return np.asarray(square)


def _draft(image: Image.Image, side: int, part: CropBox | FivePoints | None) -> int:
    """Have a JPEG decoded at a fraction of its size if that is enough, and say at which: 1, 2, 4 or 8."""
    width = image.width
    if isinstance(part, FivePoints):
        taken = extent(part)
    elif part is None:
        taken = min(image.size)
    else:
        taken = min(part.right - part.left, part.bottom - part.top)
    if taken <= 0:
        return 1
    enough = SPARE * side / taken  # of the image's size
    image.draft(None, (math.ceil(image.width * enough), math.ceil(image.height * enough)))
    return round(width / image.width)


def _square(image: Image.Image, side: int, part: CropBox | FivePoints | None, shrunk: int) -> Image.Image:
    """The part of an image that is a ``shrunk``-th of its size, as a square."""
    if isinstance(part, FivePoints):
        points = scaled(part, 1 / shrunk)
        if not all(0 <= x < image.width and 0 <= y < image.height for x, y in astuple(points)):
            raise UndecodableError("the points of its face lie outside of the image")
        return crop_face(image, points, side)
    if part is not None:
        image = _part(image, CropBox(*(edge / shrunk for edge in astuple(part))))
    return ImageOps.fit(image, (side, side), method=Image.Resampling.LANCZOS)


def _part(image: Image.Image, crop: CropBox) -> Image.Image:
    """The part of an image in a box; what of the box is outside of the image is cut off."""
    left, top = max(0, round(crop.left)), max(0, round(crop.top))
    right, bottom = min(image.width, round(crop.right)), min(image.height, round(crop.bottom))
    if left >= right or top >= bottom:
        raise UndecodableError(
            f"the crop box {crop.left:g}, {crop.top:g}, {crop.right:g}, {crop.bottom:g} holds nothing of the "
            f"image of {image.width} x {image.height} pixels"
        )
    return image.crop((left, top, right, bottom))


def _rgb(image: Image.Image) -> Image.Image:
    """The image in 8-bit RGB; what is transparent becomes white."""
    if image.mode.startswith("I"):  # 16 bits of grey, which convert() would cut off at 255
        grey = np.asarray(image).astype(np.int64).clip(0, 65535) // 257
        return Image.fromarray(grey.astype(np.uint8)).convert("RGB")
    if image.has_transparency_data:
        coloured = image.convert("RGBA")
        white = Image.new("RGBA", coloured.size, "white")
        return Image.alpha_composite(white, coloured).convert("RGB")
    return image if image.mode == "RGB" else image.convert("RGB")


def _reason(error: Exception) -> str:
    if isinstance(error, UnidentifiedImageError):
        return f"no image ({', '.join(FORMATS)})"
    if isinstance(error, Image.DecompressionBombError):
        return f"more pixels than the limit of {MOST_PIXELS:,}"
    said = " ".join(str(error).split())
    return said if said and isinstance(error, OSError) else f"{type(error).__name__}: {said}"
