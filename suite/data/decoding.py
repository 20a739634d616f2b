"""Decoding one image file to a square of RGB pixels."""

import io
import math
import warnings
from collections.abc import Callable, Mapping
from dataclasses import astuple, dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
from PIL import Image, UnidentifiedImageError, features

from suite.data.alignment import FivePoints, crop_face, extent, scaled

Pixels = npt.NDArray[np.uint8]
#: Larger images are refused before they are decoded, because a file of a few kilobytes can claim gigabytes.
MOST_PIXELS = 64_000_000
#: The formats of photographs, with the endings of their files. Pillow's other decoders are never tried on untrusted
#: files. AVIF is left out where Pillow was built without it.
ENDINGS: Mapping[str, tuple[str, ...]] = {
    "JPEG": (".jpg", ".jpeg", ".jpe", ".jfif"),
    "PNG": (".png",),
    "WEBP": (".webp",),
    "BMP": (".bmp",),
    "TIFF": (".tif", ".tiff"),
    "GIF": (".gif",),
    **({"AVIF": (".avif",)} if features.check("avif") else {}),
}
FORMATS = tuple(ENDINGS)
#: The brands of HEIF files by the codec in them. Telephones write HEIC, and Pillow does not read it. A file names one
#: brand first, which may be that of the container (mif1), and then all that it is compatible with.
BRANDS = {
    "HEIC": (b"heic", b"heix", b"hevc", b"hevx", b"heim", b"heis", b"hevm", b"hevs"),
    "AVIF": (b"avif", b"avis"),
    "HEIF": (b"mif1", b"msf1", b"mif2"),
}
#: A JPEG is decoded at a half, a quarter or an eighth of its size if that leaves at least this many pixels a side for
#: each pixel of the result, which is enough for the filter that then reduces it.
OVERSAMPLING = 1.5
#: Five points whose crop would be larger than this multiple of the image's longer side are not those of a face.
LARGEST_EXTENT = 4
#: An image is converted in bands of about so many pixels, since some conversions take several times its memory.
BAND_PIXELS = 2_000_000
_ORIENTATION = 0x0112  # the EXIF tag; 1 is upright
_TURNS: Mapping[int, Image.Transpose] = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}


class UndecodableError(Exception):
    """The bytes are not a usable image; the message is the reason, for ``skipped.csv``."""


@dataclass(frozen=True)
class CropBox:
    """A part of an upright image, in pixels; right and bottom are exclusive."""

    left: float
    top: float
    right: float
    bottom: float


def decode(content: bytes, side: int, part: CropBox | FivePoints | None = None) -> Pixels:
    """Decode, turn upright (EXIF), convert to RGB, crop and resize with Lanczos.

    Args:
        content: An image file in one of ``FORMATS``, independent of its name.
        side: Pixels a side of the result.
        part: The box whose middle square is taken, or the landmarks of a face to align, in pixels of the upright
            image at full size. None takes the middle square of the whole image.

    Returns:
        uint8 (side, side, 3).

    Raises:
        UndecodableError: The bytes are no such image or a damaged one, or the part lies outside it.
    """
    if not content:
        raise UndecodableError("the file is empty")
    try:
        with warnings.catch_warnings():
            # Pillow warns of large images below its own limit. The limit here is lower.
            warnings.simplefilter("ignore")
            with Image.open(io.BytesIO(content), formats=FORMATS) as image:
                if image.width * image.height > MOST_PIXELS:
                    raise UndecodableError(
                        f"{image.width} x {image.height} pixels, over the limit of {MOST_PIXELS:,}: reduce it"
                    )
                square = _square(image, side, part)
    except UndecodableError:
        raise
    # A damaged file makes Pillow's decoders raise nearly anything (OSError, SyntaxError, struct.error).
    except Exception as error:
        raise UndecodableError(_reason(error, content)) from None
    return np.asarray(square)


def _square(image: Image.Image, side: int, part: CropBox | FivePoints | None) -> Image.Image:
    """Crop the part of an opened image, upright and in RGB."""
    image = _upright(image)
    if isinstance(part, FivePoints):
        _check_points(part, image.size)
        fraction = _draft(image, OVERSAMPLING * side / extent(part))
        return crop_face(_rgb(image), scaled(part, fraction), side)
    left, top, right, bottom = _middle_square(_inside(part, image.size))
    fraction = _draft(image, OVERSAMPLING * side / (right - left))
    box = (left * fraction, top * fraction, right * fraction, bottom * fraction)
    return _rgb(image).resize((side, side), Image.Resampling.LANCZOS, box)


def _upright(image: Image.Image) -> Image.Image:
    """Turn an opened image as its EXIF says.

    Unlike ``ImageOps.exif_transpose``, this does not write the EXIF again, which fails on a tag of the wrong type.
    """
    if _turn(image) is not None:
        image.load()  # a TIFF turns itself, and then has no such tag any more
    turn = _turn(image)
    return image if turn is None else image.transpose(turn)


def _turn(image: Image.Image) -> Image.Transpose | None:
    """How an image must be turned; None where it is upright, or its EXIF cannot be read."""
    try:
        value: Any = image.getexif().get(_ORIENTATION)
        if isinstance(value, tuple | bytes):  # of one
            (value,) = value
        return _TURNS.get(int(value))
    # Damaged EXIF makes Pillow raise nearly anything, and the pixels may still be whole.
    except Exception:
        return None


def _draft(image: Image.Image, enough: float) -> float:
    """Let a JPEG that is not decoded yet be decoded at a fraction of its size, and return the fraction.

    Args:
        image: The opened image. If it was turned upright, it is decoded already and keeps its size.
        enough: The fraction that is needed.
    """
    width = image.width
    drafted = image.draft(None, (math.ceil(image.width * enough), math.ceil(image.height * enough)))
    # The last column of blocks may be incomplete, so the ratio of the sizes is not exact.
    return drafted[1][2] / width if drafted else 1.0


def _check_points(points: FivePoints, size: tuple[int, int]) -> None:
    """Refuse landmarks that cannot be those of a face in the image."""
    if not all(0 <= x < size[0] and 0 <= y < size[1] for x, y in astuple(points)):
        raise UndecodableError("the landmarks lie outside of the image")
    if extent(points) > LARGEST_EXTENT * max(size):
        raise UndecodableError("the landmarks cannot be those of a face")


def _inside(box: CropBox | None, size: tuple[int, int]) -> CropBox:
    """Clip a box to an image; without a box, return the whole image."""
    if box is None:
        return CropBox(0, 0, *size)
    inside = CropBox(max(0, box.left), max(0, box.top), min(size[0], box.right), min(size[1], box.bottom))
    if inside.right - inside.left < 1 or inside.bottom - inside.top < 1:
        raise UndecodableError(
            f"the crop box {box.left:g}, {box.top:g}, {box.right:g}, {box.bottom:g} does not overlap "
            f"the image of {size[0]} x {size[1]} pixels"
        )
    return inside


def _middle_square(box: CropBox) -> tuple[float, float, float, float]:
    half = min(box.right - box.left, box.bottom - box.top) / 2
    across, down = (box.left + box.right) / 2, (box.top + box.bottom) / 2
    return across - half, down - half, across + half, down + half


def _rgb(image: Image.Image) -> Image.Image:
    """Convert an image to 8-bit RGB; transparent areas become white."""
    if image.mode == "F":
        raise UndecodableError("its pixels are floating-point numbers, of which nothing says what is white")
    if image.mode.startswith("I"):  # 16-bit grey, which convert() would clip at 255
        return _in_bands(image, _from_16_bits)
    if image.has_transparency_data:
        return _in_bands(image, _on_white)
    return image if image.mode == "RGB" else image.convert("RGB")


def _from_16_bits(image: Image.Image) -> Image.Image:
    grey = np.asarray(image).astype(np.int64).clip(0, 65535) // 257
    return Image.fromarray(grey.astype(np.uint8)).convert("RGB")


def _on_white(image: Image.Image) -> Image.Image:
    coloured = image.convert("RGBA")
    white = Image.new("RGBA", coloured.size, "white")
    return Image.alpha_composite(white, coloured).convert("RGB")


def _in_bands(image: Image.Image, convert: Callable[[Image.Image], Image.Image]) -> Image.Image:
    """Convert an image to RGB by a function of single pixels, a band of rows at a time."""
    rows = max(1, BAND_PIXELS // image.width)
    if image.height <= rows:
        return convert(image)
    converted = Image.new("RGB", image.size)
    for top in range(0, image.height, rows):
        band = image.crop((0, top, image.width, min(top + rows, image.height)))
        converted.paste(convert(band), (0, top))
    return converted


def _heif_kind(content: bytes) -> str:
    """The codec of a HEIF file by its brands; empty for other files."""
    if content[4:8] != b"ftyp":
        return ""
    compatible = content[16 : min(int.from_bytes(content[:4], "big"), 400)]
    brands = {content[8:12], *(compatible[n : n + 4] for n in range(0, len(compatible), 4))}
    return next((kind for kind, of_kind in BRANDS.items() if brands.intersection(of_kind)), "")


def _reason(error: Exception, content: bytes) -> str:
    if isinstance(error, UnidentifiedImageError):
        if (kind := _heif_kind(content)) == "AVIF":
            return "a damaged AVIF image, or one of a kind that is not read: convert it to JPEG"
        if kind:
            return f"a {kind} image, which is not read: convert it to JPEG"
        return f"no image ({', '.join(FORMATS)})"
    if isinstance(error, Image.DecompressionBombError):
        return f"more pixels than the limit of {MOST_PIXELS:,}: reduce it"
    message = " ".join(str(error).split())
    return message if message and isinstance(error, OSError) else f"{type(error).__name__}: {message}"
