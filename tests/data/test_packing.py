"""Packing: what is readable becomes a store, what is not is named, and nothing is half done."""

import dataclasses
import io
import os
import re
import struct
import zipfile
import zlib
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image
from PIL.PngImagePlugin import PngInfo

from suite.cli.main import main
from suite.data import decoding, decoding_processes
from suite.data.checking import check_store
from suite.data.copies import CopyGroups
from suite.data.decoding import UndecodableError, decode
from suite.data.packing import pack
from suite.data.protocols import SplitRequest
from suite.data.sets import READERS
from suite.data.store import Store, fingerprint, open_store
from suite.errors import RequestError
from tests.support.pictures import faces

Photo = Callable[..., bytes]
UTKFACE = READERS["utkface"]
TIME = "20170109142408075"
RED, BLUE = np.array([200, 40, 40]), np.array([40, 40, 200])


def packed(path: Path, out: Path, *, seed: int = 0, **options: object) -> Store:
    asked = {"workers": 1, "splitting": SplitRequest(seed=seed), "max_skipped": 1.0, **options}
    return pack(UTKFACE, path, out, size=32, **asked)  # type: ignore[arg-type]


def close(pixels: np.ndarray, colour: np.ndarray) -> bool:
    """Whether a region has a colour, give or take what JPEG takes."""
    return bool(np.abs(pixels.reshape(-1, 3).mean(0) - colour).max() < 12)


# One image.


def test_an_image_keeps_its_colours_and_its_sides(photo: Photo) -> None:
    pixels = decode(photo(), 32)
    assert pixels.shape == (32, 32, 3)
    assert pixels.dtype == np.uint8
    assert close(pixels[:, :12], RED)
    assert close(pixels[:, 20:], BLUE)


def test_an_image_turned_by_its_camera_is_upright(photo: Photo) -> None:
    exif = Image.Exif()
    exif[0x0112] = 6  # the camera was held so that the picture must be turned clockwise by 90 degrees
    pixels = decode(photo(exif=exif), 32)
    assert close(pixels[:12], RED)
    assert close(pixels[20:], BLUE)


def test_an_oblong_image_gives_its_middle_square(photo: Photo) -> None:
    wide = np.zeros((40, 120, 3), np.uint8)
    wide[:, 40:80] = (0, 250, 0)
    written = io.BytesIO()
    Image.fromarray(wide).save(written, format="PNG")
    assert close(decode(written.getvalue(), 32)[:, 1:-1], np.array([0, 250, 0]))


@pytest.mark.parametrize("mode", ["CMYK", "YCbCr"])
def test_colour_spaces_of_print_and_video_become_rgb(photo: Photo, mode: str) -> None:
    pixels = decode(photo(mode=mode), 32)
    assert close(pixels[:, :12], RED)
    assert close(pixels[:, 20:], BLUE)


@pytest.mark.parametrize("mode", ["L", "1", "LA"])
def test_grey_has_three_equal_channels(photo: Photo, mode: str) -> None:
    pixels = decode(photo((255, 255, 255), (0, 0, 0), mode=mode, form="PNG"), 32)
    assert (pixels[..., 0] == pixels[..., 1]).all()
    assert (pixels[..., 1] == pixels[..., 2]).all()
    assert pixels[:, :12].min() > 240
    assert pixels[:, 20:].max() < 15


def test_sixteen_bits_of_grey_are_scaled_and_not_cut_off() -> None:
    ramp = np.tile(np.linspace(0, 65535, 64).astype(np.uint16), (64, 1))
    written = io.BytesIO()
    Image.fromarray(ramp).save(written, format="PNG")
    row = decode(written.getvalue(), 64)[32, :, 0].astype(int)
    np.testing.assert_allclose(row, ramp[0] / 257, atol=1)


def test_a_palette_and_transparency_become_rgb_on_white(photo: Photo) -> None:
    palette = decode(photo(mode="P", form="PNG"), 32)
    assert close(palette[:, :12], RED)
    clear = Image.new("RGBA", (40, 40), (0, 0, 0, 0))
    written = io.BytesIO()
    clear.save(written, format="PNG")
    assert decode(written.getvalue(), 32).min() == 255


def png_that_claims(width: int, height: int) -> bytes:
    """A PNG of some bytes whose header says how large it is."""

    def chunk(kind: bytes, content: bytes) -> bytes:
        return (
            struct.pack(">I", len(content)) + kind + content + struct.pack(">I", zlib.crc32(kind + content))
        )

    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    return (
        b"\x89PNG\r\n\x1a\n"
        + chunk(b"IHDR", header)
        + chunk(b"IDAT", zlib.compress(b""))
        + chunk(b"IEND", b"")
    )


@pytest.mark.parametrize("side", [9_000, 12_000, 60_000])  # below, above and far above Pillow's own limits
def test_an_image_that_claims_too_many_pixels_is_refused_before_it_is_decoded(side: int) -> None:
    with pytest.raises(UndecodableError, match=f"the limit of {decoding.MOST_PIXELS:,}"):
        decode(png_that_claims(side, side), 32)


@given(st.binary(max_size=300), st.integers(0, 600))
def test_damaged_bytes_have_a_reason_or_give_an_image(noise: bytes, where: int) -> None:
    written = io.BytesIO()
    Image.new("RGB", (20, 20), (9, 99, 199)).save(written, format="JPEG")
    good = written.getvalue()
    where = min(where, len(good))
    for content in (noise, good[:where], good[:where] + noise + good[where + len(noise) :]):
        try:
            assert decode(content, 32).shape == (32, 32, 3)
        except UndecodableError as error:
            reason = str(error)
        else:
            reason = "none"
        assert reason.strip()
        assert "\n" not in reason


# A set.


def test_a_set_becomes_a_store(utkface: Path, tmp_path: Path) -> None:
    store = packed(utkface, tmp_path / "out")
    assert (store.info.name, store.info.images, store.info.side, store.info.skipped) == ("utkface", 40, 32, 0)
    assert store.images.shape == (40, 32, 32, 3)
    assert store.images.dtype == np.uint8
    assert list(store.labels) == ["split", "subject", "source", "age", "age_std", "gender", "race"]
    assert sorted(store.labels["age"]) == list(range(1, 41))
    assert store.labels["age_std"].isna().all()
    assert (store.labels["subject"] == "").all()
    assert store.info.fingerprint == fingerprint(store.images, store.labels)
    assert {len(store.rows("train")), len(store.rows("val")), len(store.rows("test"))} == {32, 4}
    assert "Random split of the images (seed 0), 80 % train" in store.info.protocol
    assert "UTKFace" in store.info.origin
    assert [file.name for file in sorted(store.folder.iterdir())] == [
        "images.npy",
        "labels.parquet",
        "skipped.csv",
        "store.json",
    ]


def test_labels_stand_in_the_order_of_the_images(utkface: Path, tmp_path: Path) -> None:
    store = packed(utkface, tmp_path / "out")
    for pixels, age in zip(store.images, store.labels["age"], strict=True):
        assert close(pixels[:, :12], np.array([6 * age, 20, 20]))
    row = store.labels[store.labels["age"] == 7].iloc[0]
    assert (row["gender"], row["race"]) == ("female", "Asian")
    assert row["source"].startswith("7_1_2_")


def test_a_folder_a_zip_and_several_processes_give_the_same_store(
    utkface: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "set.zip"
    with zipfile.ZipFile(path, "w") as archive:
        for file in sorted(utkface.iterdir(), reverse=True):
            archive.write(file, f"UTKFace/{file.name}")
    monkeypatch.setattr(decoding_processes, "CHUNK", 8)
    stores = [
        packed(utkface, tmp_path / "folder"),
        packed(path, tmp_path / "zip"),
        packed(path, tmp_path / "processes", workers=2),
    ]
    assert len({store.info.fingerprint for store in stores}) == 1
    assert len({store.info.skipped for store in stores}) == 1


def test_several_processes_decode(utkface: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def decode_here(content: bytes, side: int, crop: object) -> None:
        raise UndecodableError("decoded by the parent")

    monkeypatch.setattr(decoding_processes, "decode", decode_here)  # spawned processes do not see this
    monkeypatch.setattr(decoding_processes, "CHUNK", 8)
    assert packed(utkface, tmp_path / "out", workers=2).info.skipped == 0
    with pytest.raises(RequestError, match="decoded by the parent"):
        packed(utkface, tmp_path / "alone", workers=1)


def test_a_process_that_dies_is_reported_in_one_sentence(
    utkface: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(decoding_processes, "CHUNK", 8)
    monkeypatch.setattr(decoding_processes, "_start", os._exit)  # called with the path: it dies of it
    with pytest.raises(
        RequestError, match="died, as happens when memory runs out; pack again with --workers 1"
    ):
        packed(utkface, tmp_path / "out", workers=2)
    assert [path.name for path in tmp_path.iterdir()] == ["UTKFace"]


def test_the_split_is_the_seeds(utkface: Path, tmp_path: Path) -> None:
    splits = [packed(utkface, tmp_path / str(n), seed=n // 2).labels["split"].tolist() for n in range(4)]
    assert splits[0] == splits[1] != splits[2] == splits[3]


@pytest.fixture
def with_copies(tmp_path: Path) -> Path:
    """Sixty pictures; each of the first twenty is there again, as it is or compressed, with an age one year above."""
    folder = tmp_path / "UTKFace"
    folder.mkdir()
    for n, pixels in enumerate(faces(60)):
        kinds = [{"format": "PNG"}] if n >= 20 else [{"format": "PNG"}, {"format": ("PNG", "JPEG")[n % 2]}]
        for copy, kind in enumerate(kinds):
            picture = Image.fromarray(pixels)
            name = f"{n + 1 + copy}_0_0_2017011617450{n:03d}{copy}.jpg.chip.jpg"
            options = {"pnginfo": comment(copy)} if kind["format"] == "PNG" else {"quality": 80}
            picture.save(folder / name, **kind, **options)  # type: ignore[arg-type]
    return folder


def comment(copy: int) -> PngInfo:
    """Text in a file, so that the bytes of copies differ, and the reader takes both."""
    info = PngInfo()
    info.add_text("copy", str(copy))
    return info


@pytest.mark.parametrize(
    "splitting",
    [SplitRequest("random", seed=3), SplitRequest("folds", fold=2, folds=4), SplitRequest(None, seed=1)],
)
def test_copies_of_an_image_are_in_one_split(
    splitting: SplitRequest, with_copies: Path, tmp_path: Path
) -> None:
    found: list[CopyGroups] = []
    store = packed(with_copies, tmp_path / "out", splitting=splitting, on_copies=found.append)
    (copies,) = found
    assert (copies.count, copies.across_splits.count, copies.contradictory.count) == (20, 0, 20)
    assert Counter(copies.table["kind"]) == {"exact": 20, "near": 20}
    assert (
        "20 groups of exact copies and look-alikes (40 images) are each in one split." in store.info.protocol
    )
    assert not check_store(store).problems
    assert set(store.labels["split"]) == {"train", "val", "test"}
    again = packed(with_copies, tmp_path / "again", splitting=splitting)
    assert again.info.fingerprint == store.info.fingerprint


def test_official_splits_stay_as_published_and_their_copies_are_told(
    with_copies: Path, tmp_path: Path
) -> None:
    files = sorted(file.name for file in with_copies.iterdir())
    rows = [f"{name},30,{('train', 'val', 'test')[n % 3]}" for n, name in enumerate(files)]
    (with_copies / "faces.csv").write_text("\n".join(["path,age,split", *rows]))
    store = pack(READERS["manifest"], with_copies / "faces.csv", tmp_path / "out", size=32, workers=1)
    assert store.labels["split"].tolist() == [row.split(",")[2] for row in rows]
    assert re.search(
        r"Official splits of the set\. 20 groups of exact .*, of which \d+ are in two splits",
        store.info.protocol,
    )
    problems = check_store(store).problems
    assert "images have an exact copy in another split" in problems[0]


def test_copies_with_other_labels_are_kept_and_named(
    with_copies: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = str(tmp_path / "out")
    assert (
        main(["data", "pack", "utkface", str(with_copies), "-o", out, "--size", "32", "--workers", "1"]) == 0
    )
    said = capsys.readouterr().out.splitlines()[-1]
    assert re.match(
        r"the labels in 20 groups of copies contradict each other: \w+\.\S+ \(age \d+\) and \w", said
    )
    assert " and 17 more; all of these images were kept, and 'suite data check " in said
    assert main(["data", "check", out]) == 0
    assert "copies whose labels contradict: 20 groups; look at" in capsys.readouterr().out


def test_what_cannot_be_read_is_named_counted_and_left_out(
    utkface: Path, tmp_path: Path, photo: Photo
) -> None:
    bad = {
        f"50_0_0_{TIME}.jpg": (photo()[:-60], "truncated"),
        f"51_0_0_{TIME}.jpg": (b"", "the file is empty"),
        f"52_0_0_{TIME}.jpg": (b"this is a letter, not a face\n" * 20, "no image"),
        f"53_0_0_{TIME}.jpg": (png_that_claims(20_000, 20_000), "limit"),
        f"200_0_0_{TIME}.jpg": (photo(), "the age is 200"),
        "holiday.jpg": (photo(), "the name is not"),
    }
    good = {
        f"60_0_0_{TIME}.jpg": photo(mode="CMYK"),
        f"61_0_0_{TIME}.jpg": photo(form="PNG"),
    }
    for name, content in [*((name, content) for name, (content, _) in bad.items()), *good.items()]:
        (utkface / name).write_bytes(content)
    store = packed(utkface, tmp_path / "out")
    skipped = pd.read_csv(store.folder / "skipped.csv")
    assert store.info.skipped == len(skipped) == len(bad)
    reasons = dict(zip(skipped["source"], skipped["reason"], strict=True))
    assert set(reasons) == set(bad)
    for name, (_, reason) in bad.items():
        assert reason in reasons[name]
    assert store.info.images == len(store.images) == len(store.labels) == 42
    for pixels, age in zip(store.images, store.labels["age"], strict=True):
        assert close(pixels[:, :12], RED if age >= 60 else np.array([6 * age, 20, 20]))


def test_a_damaged_member_of_a_zip_is_skipped(utkface: Path, tmp_path: Path) -> None:
    path = tmp_path / "set.zip"
    with zipfile.ZipFile(path, "w") as archive:
        for file in sorted(utkface.iterdir()):
            archive.write(file, file.name)
        offset = archive.infolist()[5].header_offset
        damaged = archive.infolist()[5].filename
    content = bytearray(path.read_bytes())
    content[offset + 200] ^= 0xFF
    path.write_bytes(content)
    store = packed(path, tmp_path / "out")
    skipped = pd.read_csv(store.folder / "skipped.csv")
    assert skipped["source"].tolist() == [damaged]
    assert "the zip is damaged here" in skipped["reason"][0]


@pytest.mark.skipif(os.geteuid() == 0, reason="nothing is unreadable for root")
def test_a_file_without_permission_is_skipped(utkface: Path, tmp_path: Path) -> None:
    next(iter(utkface.iterdir())).chmod(0)
    assert packed(utkface, tmp_path / "out").info.skipped == 1


def test_a_pipe_among_the_files_does_not_block(utkface: Path, tmp_path: Path) -> None:
    os.mkfifo(utkface / f"70_0_0_{TIME}.jpg")
    assert packed(utkface, tmp_path / "out").info.images == 40


def test_a_set_of_nothing_but_damage_is_refused_and_leaves_nothing(utkface: Path, tmp_path: Path) -> None:
    for file in utkface.iterdir():
        file.write_bytes(b"damage")
    with pytest.raises(RequestError, match=r"has 0 usable images of 40, .*no image"):
        packed(utkface, tmp_path / "out")
    assert [path.name for path in tmp_path.iterdir()] == ["UTKFace"]


def test_progress_ends_with_all(utkface: Path, tmp_path: Path) -> None:
    told: list[tuple[int, int]] = []
    packed(utkface, tmp_path / "out", on_progress=lambda done, total: told.append((done, total)))
    assert told[-1] == (40, 40)


def test_packed_data_is_replaced_only_if_that_is_asked(utkface: Path, tmp_path: Path) -> None:
    packed(utkface, tmp_path / "out")
    with pytest.raises(
        RequestError, match="holds packed data already; name another folder, or add --overwrite"
    ):
        packed(utkface, tmp_path / "out", seed=1)
    store = packed(utkface, tmp_path / "out", seed=1, overwrite=True)
    assert "seed 1" in store.info.protocol
    assert sorted(path.name for path in tmp_path.iterdir()) == ["UTKFace", "out"]


def test_a_folder_with_anything_else_is_never_replaced(utkface: Path, tmp_path: Path) -> None:
    home = tmp_path / "home"
    home.mkdir()
    (home / "thesis.tex").write_text("years of work")
    for out in (home, utkface):
        with pytest.raises(RequestError, match="not part of packed data"):
            packed(utkface, out, overwrite=True)
    assert (home / "thesis.tex").read_text() == "years of work"
    assert len(list(utkface.iterdir())) == 40


def test_an_interrupted_packing_leaves_the_old_store(utkface: Path, tmp_path: Path) -> None:
    before = packed(utkface, tmp_path / "out").info

    def interrupt(done: int, total: int) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        packed(utkface, tmp_path / "out", seed=1, overwrite=True, on_progress=interrupt)
    assert open_store(tmp_path / "out").info == before
    assert sorted(path.name for path in tmp_path.iterdir()) == ["UTKFace", "out"]


def test_an_out_that_cannot_be_is_refused(utkface: Path, tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    for out in (tmp_path / "file", tmp_path / "file" / "below"):
        with pytest.raises(RequestError, match=r"name a folder that does not exist yet|cannot be written to"):
            packed(utkface, out)


@pytest.mark.parametrize("size", [0, 31, 1025])
def test_a_size_that_no_network_takes_is_refused(utkface: Path, tmp_path: Path, size: int) -> None:
    with pytest.raises(RequestError, match="choose 32 to 1024"):
        pack(UTKFACE, utkface, tmp_path / "out", size=size)


def test_a_reader_is_all_that_a_new_set_needs(utkface: Path, tmp_path: Path) -> None:
    other = dataclasses.replace(UTKFACE, name="other", groups=("race",), origin="Elsewhere")
    store = pack(other, utkface, tmp_path / "out", size=32, workers=1)
    assert store.info.name == "other"
    assert "gender" not in store.labels
    assert all(name == reader.name for name, reader in READERS.items())


def test_a_mount_point_is_refused_before_the_work(
    utkface: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "disk").mkdir()
    monkeypatch.setattr(Path, "is_mount", lambda self: self == tmp_path / "disk")
    with pytest.raises(RequestError, match="is a mount point"):
        packed(utkface, tmp_path / "disk")


def test_an_output_that_is_not_utf8_is_refused_before_the_work(utkface: Path, tmp_path: Path) -> None:
    with pytest.raises(RequestError, match="is not a UTF-8 name"):
        packed(utkface, tmp_path / os.fsdecode(b"caf\xff"))


def test_a_file_of_the_set_with_another_ending_is_decoded_or_named(utkface: Path, tmp_path: Path) -> None:
    files = sorted(utkface.iterdir())
    files[0].rename(files[0].with_suffix(".txt"))
    files[1].rename(utkface / files[1].name.removesuffix(".jpg"))
    (utkface / f"9_0_0_{TIME}.png").write_bytes(b"no picture")
    store = packed(utkface, tmp_path / "out")
    assert store.info.images == len(files)
    assert list(pd.read_csv(store.folder / "skipped.csv")["source"]) == [f"9_0_0_{TIME}.png"]
