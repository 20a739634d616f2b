"""One image file to one square of RGB pixels."""

import io
import warnings
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from PIL import Image, ImageOps, UnidentifiedImageError

Pixels = npt.NDArray[np.uint8]
#: Larger images are refused before they are decoded. A file of some kilobytes can claim gigabytes.
MOST_PIXELS = 64_000_000
#: The formats that sets of faces come in; Pillow's others are never tried on a stranger's file.
FORMATS = ("JPEG", "PNG", "WEBP", "BMP")


class UndecodableError(Exception):
    """Bytes that are no usable image; the message is the reason, for ``skipped.csv``."""


@dataclass(frozen=True)
class CropBox:
    """A part of an upright image, in its pixels; right and bottom are the first that are outside."""

    left: float
    top: float
    right: float
    bottom: float


def decode(content: bytes, side: int, crop: CropBox | None = None) -> Pixels:
    """Decode, turn upright (EXIF), convert to RGB, crop the middle square and resize with Lanczos.

    Args:
        content: an image file in one of ``FORMATS``, whatever its name said.
        side: pixels.
        crop: where the middle square is taken from; None takes the whole image.

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
                ImageOps.exif_transpose(image, in_place=True)  # without a copy where it stands upright
                part = _rgb(image) if crop is None else _part(_rgb(image), crop)
                square = ImageOps.fit(part, (side, side), method=Image.Resampling.LANCZOS)
    except UndecodableError:
        raise
    # A damaged file makes Pillow's decoders raise nearly anything (OSError, SyntaxError, struct.error).
    except Exception as error:
        raise UndecodableError(_reason(error)) from None
    return np.asarray(square)


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
