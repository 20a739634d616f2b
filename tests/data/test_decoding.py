"""A JPEG decoded at a fraction of its size gives what the full decoding gives, in place and in colour."""

import io
import struct
from collections.abc import Callable
from dataclasses import astuple

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from suite.data import decoding
from suite.data.alignment import FivePoints, scaled
from suite.data.decoding import FORMATS, CropBox, UndecodableError, decode

SIDE = 32
#: Points of a face that fills a good part of an image of 100 pixels a side.
FACE = FivePoints((35.0, 40.0), (64.0, 42.0), (50.0, 56.0), (38.0, 70.0), (60.0, 71.0))
ORIENTATION = 0x0112
Convert = Callable[[Image.Image], Image.Image]


def slope(width: int, height: int, orientation: int) -> bytes:
    """A JPEG in which red tells the place across and green the place down, steeply."""
    across, down = np.linspace(10, 245, width), np.linspace(10, 245, height)
    pixels = np.full((height, width, 3), 90.0)
    pixels[..., 0], pixels[..., 1] = across[None, :], down[:, None]
    exif, written = Image.Exif(), io.BytesIO()
    exif[ORIENTATION] = orientation
    image = Image.fromarray(pixels.round().astype(np.uint8))
    image.save(written, format="JPEG", quality=97, subsampling=0, exif=exif)
    return written.getvalue()


def fully(content: bytes, part: CropBox | FivePoints | None, monkeypatch: pytest.MonkeyPatch) -> np.ndarray:
    """As it is decoded without a fraction."""
    with monkeypatch.context() as patched:
        patched.setattr(decoding, "_draft", lambda image, enough: 1.0)
        return decode(content, SIDE, part).astype(float)


@pytest.fixture
def fractions(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """The fractions at which images are decoded."""
    seen: list[float] = []
    draft: Callable[[Image.Image, float], float] = decoding._draft

    def noted(image: Image.Image, enough: float) -> float:
        seen.append(draft(image, enough))
        return seen[-1]

    monkeypatch.setattr(decoding, "_draft", noted)
    return seen


PARTS = {
    "whole": lambda width, height: None,
    "box": lambda width, height: CropBox(0.1 * width, 0.15 * height, 0.93 * width, 0.9 * height),
    "box beyond": lambda width, height: CropBox(-0.7 * width, -0.2 * height, 0.8 * width, 1.6 * height),
    "points": lambda width, height: scaled(FACE, min(width, height) / 100),
}


@pytest.mark.parametrize("part", PARTS)
@pytest.mark.parametrize("orientation", range(1, 9))
@pytest.mark.parametrize(("width", "height"), [(1000, 1000), (1001, 1003), (401, 640)])
def test_the_place_of_everything_stays(
    width: int, height: int, orientation: int, part: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    upright = (width, height) if orientation < 5 else (height, width)
    wanted = PARTS[part](*upright)
    content = slope(width, height, orientation)
    expected = fully(content, wanted, monkeypatch)
    found = decode(content, SIDE, wanted).astype(float)
    steepness = (
        np.abs(np.diff(expected, axis=0))[..., :2].max() + np.abs(np.diff(expected, axis=1))[..., :2].max()
    )
    # A quarter of a pixel of the result: that much would show on a step between neighbours.
    assert np.abs(found - expected)[1:-1, 1:-1].mean() < max(1.0, steepness / 8)


@pytest.mark.parametrize(
    ("side", "fraction"), [(1000, 0.125), (400, 0.125), (250, 0.25), (97, 0.5), (60, 1.0)]
)
def test_the_fraction_is_the_smallest_that_leaves_enough(
    side: int, fraction: float, fractions: list[float]
) -> None:
    decode(slope(side, side, 1), SIDE)
    assert fractions == [fraction]


def test_only_what_is_inside_of_the_image_decides_on_the_fraction(fractions: list[float]) -> None:
    decode(slope(1000, 1000, 1), SIDE, CropBox(-900, -900, 100, 100))
    assert fractions == [0.5]


def test_an_image_that_is_turned_is_decoded_in_full(fractions: list[float]) -> None:
    decode(slope(1000, 1000, 6), SIDE)
    assert fractions == [1.0]


def test_points_at_the_very_edge_are_inside() -> None:
    points = scaled(FACE, 16)
    (_, y), *rest = astuple(points)
    at_the_edge = FivePoints((0.5, y), *rest)
    assert decode(slope(1600, 1600, 1), SIDE, at_the_edge).shape == (SIDE, SIDE, 3)
    with pytest.raises(UndecodableError, match="outside of the image"):
        decode(slope(1600, 1600, 1), SIDE, FivePoints((-0.5, y), *rest))


@pytest.mark.parametrize("nose", [300.0, 990.0])
def test_points_of_an_absurd_face_do_not_fill_the_memory(nose: float) -> None:
    """Its crop would be of many thousand pixels a side."""
    absurd = FivePoints((495.0, 100.0), (505.0, 100.0), (500.0, nose), (496.0, 110.0), (504.0, 110.0))
    with pytest.raises(UndecodableError, match="cannot be those of a face"):
        decode(slope(1000, 1000, 1), SIDE, absurd)


def one_tag(tag: int, kind: int, value: bytes, count: int = 1) -> bytes:
    """EXIF with the orientation 6 (the top is at the right), or another tag before or after it."""
    entries = {ORIENTATION: (3, 1, struct.pack("<HH", 6, 0)), tag: (kind, count, value)}
    packed = [struct.pack("<HHL4s", number, *entries[number]) for number in sorted(entries)]
    head = b"Exif\0\0II*\0" + struct.pack("<LH", 8, len(packed))
    return head + b"".join(packed) + struct.pack("<L", 0)


def with_exif(exif: bytes, form: str = "JPEG") -> bytes:
    """An image with a red corner at the top left, as stored."""
    pixels = np.zeros((64, 64, 3), np.uint8)
    pixels[:32, :32, 0] = 255
    written = io.BytesIO()
    Image.fromarray(pixels).save(written, format=form, exif=exif)
    return written.getvalue()


def red_corner(content: bytes) -> tuple[str, str]:
    square = decode(content, SIDE)[..., 0]
    top = square[:8].mean() > square[-8:].mean()
    left = square[:, :8].mean() > square[:, -8:].mean()
    return "top" if top else "bottom", "left" if left else "right"


@pytest.mark.parametrize(
    "exif",
    [
        one_tag(0x011A, 2, b"abc\0", 4),  # a resolution as text
        one_tag(0x0213, 7, b"abcd", 4),  # a number as bytes of no type
        one_tag(0x0213, 13, b"abcd"),
        one_tag(0x010F, 11, b"abcd"),  # the maker as a number
        one_tag(0x0100, 9, b"\xff\xff\xff\xff"),  # a width below 0
        one_tag(ORIENTATION, 4, b"\6\0\0\0"),
        one_tag(ORIENTATION, 1, b"\6\0\0\0"),
        one_tag(ORIENTATION, 11, struct.pack("<f", 6.0)),
    ],
)
def test_a_photo_is_turned_whatever_the_types_of_its_tags(exif: bytes) -> None:
    assert red_corner(with_exif(exif)) == ("top", "right")


@pytest.mark.parametrize(
    "exif",
    [
        one_tag(ORIENTATION, 3, b"\x63\0\0\0"),
        one_tag(ORIENTATION, 11, struct.pack("<f", float("nan"))),
        one_tag(ORIENTATION, 2, b"up\0\0", 3),
        b"Exif\0\0II*\0\xff\xff\xff\xff",
        b"Exif\0\0nothing",
    ],
)
def test_a_photo_whose_orientation_means_nothing_stays_as_it_is(exif: bytes) -> None:
    assert red_corner(with_exif(exif)) == ("top", "left")


@pytest.mark.parametrize("form", ["JPEG", "PNG", "WEBP", "TIFF", "AVIF"])
@pytest.mark.parametrize("orientation", [1, 3, 6, 7])
def test_every_format_is_turned_once(form: str, orientation: int) -> None:
    exif = Image.Exif()
    exif[ORIENTATION] = orientation
    corners = {1: ("top", "left"), 3: ("bottom", "right"), 6: ("top", "right"), 7: ("bottom", "right")}
    assert red_corner(with_exif(exif.tobytes(), form)) == corners[orientation]


@pytest.mark.parametrize("form", FORMATS)
def test_every_format_is_read(form: str) -> None:
    written = io.BytesIO()
    Image.new("RGB", (40, 40), (255, 0, 0)).save(written, form)
    square = decode(written.getvalue(), SIDE)
    assert square.shape == (SIDE, SIDE, 3)
    assert np.abs(square.astype(int) - (255, 0, 0)).max() <= 3


def unusual(kind: str) -> bytes:
    """An image of 50 x 70 pixels whose conversion takes more than one step, as a PNG or TIFF."""
    random = np.random.default_rng(5)
    pixels = random.integers(0, 256, (70, 50, 4), np.uint8)
    pixels[::3, :, :3] = 1, 2, 3
    colours = Image.fromarray(pixels)
    grey = random.integers(0, 65536, (70, 50)).astype(np.uint16)
    written = io.BytesIO()
    match kind:
        case "16 bits":
            Image.fromarray(grey).save(written, "PNG")
        case "16 bits, big-endian":
            Image.frombytes("I;16B", (50, 70), grey.astype(">u2").tobytes()).save(written, "TIFF")
        case "32 bits":
            Image.fromarray(grey.astype(np.int32) * 3 - 9_000).save(written, "TIFF")
        case "alpha":
            colours.save(written, "PNG")
        case "grey and alpha":
            colours.convert("LA").save(written, "PNG")
        case "palette":
            colours.convert("P").save(written, "PNG", transparency=3)
        case "a transparent colour":
            colours.convert("RGB").save(written, "PNG", transparency=(1, 2, 3))
    return written.getvalue()


@pytest.mark.parametrize(
    "kind",
    [
        "16 bits",
        "16 bits, big-endian",
        "32 bits",
        "alpha",
        "grey and alpha",
        "palette",
        "a transparent colour",
    ],
)
def test_bands_are_the_whole_image(kind: str, monkeypatch: pytest.MonkeyPatch) -> None:
    content, converted = unusual(kind), list[tuple[int, int]]()
    with monkeypatch.context() as patched:
        for name in ("_from_16_bits", "_on_white"):
            convert = getattr(decoding, name)

            def noted(image: Image.Image, convert: Convert = convert) -> Image.Image:
                converted.append(image.size)
                return convert(image)

            patched.setattr(decoding, name, noted)
        whole = decode(content, SIDE)
        assert converted == [(50, 70)]
        patched.setattr(decoding, "BAND_PIXELS", 1_300)
        assert np.array_equal(decode(content, SIDE), whole)
        assert converted[1:] == [(50, 26), (50, 26), (50, 18)]


def test_pixels_without_a_scale_are_refused() -> None:
    written = io.BytesIO()
    Image.fromarray(np.full((40, 40), 0.5, np.float32)).save(written, "TIFF")
    with pytest.raises(UndecodableError, match="floating-point"):
        decode(written.getvalue(), SIDE)


def smallest(form: str) -> bytes:
    written = io.BytesIO()
    noise = np.random.default_rng(0).integers(0, 256, (40, 50, 3), np.uint8)
    Image.fromarray(noise).save(written, form)
    return written.getvalue()


@pytest.mark.parametrize("form", FORMATS)
@given(
    changes=st.lists(st.tuples(st.floats(0, 1), st.binary(min_size=1, max_size=4)), min_size=1, max_size=8)
)
@settings(max_examples=40, derandomize=True, deadline=10_000)
def test_a_damaged_image_is_pixels_or_a_reason(form: str, changes: list[tuple[float, bytes]]) -> None:
    """Bytes are replaced mostly in the first part of a file, which says how the rest is to be read."""
    content = bytearray(smallest(form))
    for place, replacement in changes:
        at = int(place**4 * (len(content) - len(replacement)))
        content[at : at + len(replacement)] = replacement
    outcome: object
    try:
        outcome = decode(bytes(content), SIDE).shape
    except UndecodableError as error:
        outcome = str(error)
    assert outcome == (SIDE, SIDE, 3) or (isinstance(outcome, str) and outcome)


@pytest.mark.parametrize(
    ("brands", "said"),
    [
        (b"heic", "a HEIC image, which is not read: convert it to JPEG"),
        (b"mif1\0\0\0\0mif1heic", "a HEIC image, which is not read"),
        (b"mif1\0\0\0\0mif1", "a HEIF image, which is not read"),
        (b"mif1\0\0\0\0mif1avif", "a damaged AVIF image, or one of a kind that is not read"),
        (b"avif\0\0\0\0avifmif1", "AVIF|Invalid|avif"),
    ],
)
def test_a_photograph_of_a_telephone_that_is_not_read_names_its_kind(brands: bytes, said: str) -> None:
    with pytest.raises(UndecodableError, match=said):
        decode(bytes([0, 0, 0, 8 + len(brands)]) + b"ftyp" + brands + bytes(100), SIDE)
