"""Where sets say that a face is, and packing with ``align``."""

import io
import math
import struct
import zipfile
import zlib
from collections.abc import Callable, Mapping
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from suite.data.alignment import FivePoints
from suite.data.decoding import decode
from suite.data.packing import pack
from suite.data.readers.landmarks import points_of_68, points_of_86, points_of_fgnet
from suite.data.readers.matlab import UnreadableMatError, read_mat
from suite.data.sets import READERS
from suite.data.store import Store
from suite.errors import RequestError

Files = dict[str, bytes]
Miniature = Callable[[str], Files]
LayOut = Callable[[Mapping[str, bytes]], Path]

#: A face that looks to one side, in pictures of 48 pixels.
EYES, NOSE, MOUTH = ((15.0, 18.0), (31.0, 20.0)), (22.0, 27.0), ((16.0, 34.0), (29.0, 36.0))
FACE = FivePoints(*EYES, NOSE, *MOUTH)


def around(middle: tuple[float, float], count: int) -> list[tuple[float, float]]:
    """Points on a circle, whose mean is its middle."""
    turns = (2 * math.pi * n / count for n in range(count))
    return [(middle[0] + 2 * math.cos(t), middle[1] + 2 * math.sin(t)) for t in turns]


def points_86() -> bytes:
    points = [(1.0, 1.0)] * 86
    points[42:50], points[50:58] = around(EYES[1], 8), around(EYES[0], 8)  # the set's own left and right
    points[66], points[73], points[79] = NOSE, MOUTH[1], MOUTH[0]
    return struct.pack("<i172f", 86, *(value for point in points for value in point))


def points_fgnet() -> bytes:
    points = [(1.0, 1.0)] * 68
    points[31], points[36], points[67], points[48], points[54] = EYES[0], EYES[1], NOSE, MOUTH[0], MOUTH[1]
    rows = "\r\n".join(f"{x} {y}" for x, y in points)
    return f"version: 1\r\nn_points: 68\r\n{{\r\n{rows}\r\n}}\r\n".encode()


def mat(**variables: object) -> bytes:
    from scipy.io import savemat

    written = io.BytesIO()
    savemat(written, variables, do_compression=True)
    return written.getvalue()


def close(points: FivePoints | None) -> bool:
    if points is None:
        return False
    found = [points.left_eye, points.right_eye, points.nose, points.left_mouth, points.right_mouth]
    return bool(np.allclose(found, [*EYES, NOSE, *MOUTH], atol=1e-4))


def with_landmarks(name: str, files: Files) -> Files:
    """A miniature with the landmarks that the set ships for each image but the last."""
    if name == "scut-fbp5500":
        images = sorted(n for n in files if n.endswith(".jpg"))[:-1]
        stems = [Path(image).stem for image in images]
        return files | {f"SCUT-FBP5500_v2/facial landmark/{stem}.pts": points_86() for stem in stems}
    if name == "fgnet":
        images = sorted(n for n in files if n.endswith(".JPG"))[:-1]
        stems = [Path(image).stem.lower() for image in images]
        return files | {f"FGNET/points/{stem}.pts": points_fgnet() for stem in stems}
    if name == "appa-real":
        at = "appa-real-release/"
        tables = {
            n: mat(meta={"box": [1, 2, 3], "points": np.array([*EYES, NOSE, *MOUTH]) + 1})
            for n in files
            if n.endswith(".mat")
        }
        return files | tables | {f"{at}test/000023.jpg.mat": b"damaged"}
    (table,) = (n for n in files if n.endswith(".csv"))
    rows = pd.read_csv(io.BytesIO(files[table]), dtype=str)
    names = ["left_eye", "right_eye", "nose", "left_mouth", "right_mouth"]
    for point, (x, y) in zip(names, [*EYES, NOSE, *MOUTH], strict=True):
        rows[f"{point}_x"], rows[f"{point}_y"] = x, y
    rows.loc[len(rows) - 1, "nose_x"] = float("nan")
    if name == "manifest":
        rows = rows.drop(columns=["left", "top", "right", "bottom"])
    return files | {table: rows.to_csv(index=False).encode()}


def packed(name: str, path: Path, out: Path, **options: object) -> Store:
    asked = {"size": 32, "workers": 1, "max_skipped": 0.1, "align": True, **options}
    return pack(READERS[name], path, out, **asked)  # type: ignore[arg-type]


def test_each_format_gives_the_same_points() -> None:
    assert close(points_of_86(points_86()))
    assert close(points_of_fgnet(points_fgnet()))
    ibug = [(1.0, 1.0)] * 68
    ibug[36:42], ibug[42:48], ibug[30] = around(EYES[0], 6), around(EYES[1], 6), NOSE
    ibug[48], ibug[54] = MOUTH
    assert close(points_of_68(ibug))


@pytest.mark.parametrize("content", [b"", b"68 points", points_86()[:-4], points_fgnet()[:300]])
def test_a_damaged_file_has_no_points(content: bytes) -> None:
    assert points_of_86(content) is None
    assert points_of_fgnet(content) is None


@pytest.mark.parametrize("name", ["scut-fbp5500", "fgnet", "appa-real", "morph", "manifest"])
def test_a_set_is_aligned_by_what_it_ships(
    name: str, miniature: Miniature, lay_out: LayOut, tmp_path: Path
) -> None:
    files = with_landmarks(name, miniature(name))
    store = packed(name, lay_out(files), tmp_path / "packed")
    assert store.info.images == (24 if name == "scut-fbp5500" else 23)
    assert "faces aligned" in store.info.origin
    skipped = pd.read_csv(store.folder / "skipped.csv")
    assert list(skipped["reason"]) == ["it has no landmarks to align it by"]
    source = store.labels["source"][0]
    (content,) = (content for file, content in files.items() if f"/{file}".endswith(f"/{source}"))
    assert np.abs(decode(content, 32, FACE).astype(int) - store.images[0]).max() <= 1


def test_appa_real_is_aligned_from_the_whole_photographs(
    miniature: Miniature, lay_out: LayOut, tmp_path: Path
) -> None:
    store = packed("appa-real", lay_out(with_landmarks("appa-real", miniature("appa-real"))), tmp_path / "p")
    assert not any(source.endswith("_face.jpg") for source in store.labels["source"])


def test_a_table_with_boxes_alone_is_aligned_by_them(
    miniature: Miniature, lay_out: LayOut, tmp_path: Path
) -> None:
    files = miniature("morph")
    (table,) = (n for n in files if n.endswith(".csv"))
    rows = pd.read_csv(io.BytesIO(files[table]), dtype=str)
    rows["left"], rows["top"], rows["right"], rows["bottom"] = 2, 2, 22, 22  # the left half of each picture
    files[table] = rows.to_csv(index=False).encode()
    path = lay_out(files)
    boxed, plain = (
        packed("morph", path, tmp_path / "boxed"),
        packed("morph", path, tmp_path / "plain", align=False),
    )
    assert boxed.images[0][:, 16:, 0].min() > 150  # red up to its right edge
    assert plain.images[0][:, 20:, 0].max() < 90


@pytest.mark.parametrize("name", ["utkface", "lap2016", "scut-fbp5500", "fgnet", "appa-real", "morph"])
def test_a_copy_without_landmarks_cannot_be_aligned(
    name: str, miniature: Miniature, lay_out: LayOut, tmp_path: Path
) -> None:
    with pytest.raises(RequestError, match="--align finds no landmarks in"):
        packed(name, lay_out(miniature(name)), tmp_path / "packed")
    assert not (tmp_path / "packed").exists()


def test_aligned_and_plain_images_are_not_mixed_after_a_failure(
    miniature: Miniature, lay_out: LayOut, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The one goes on from nothing that the other left."""
    path = lay_out(with_landmarks("fgnet", miniature("fgnet")))

    def cut_short(done: int, of: int) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        packed("fgnet", path, tmp_path / "a", align=False, on_progress=cut_short)
    with pytest.raises(KeyboardInterrupt):
        packed("fgnet", path, tmp_path / "a", on_progress=cut_short)
    store, whole = packed("fgnet", path, tmp_path / "a"), packed("fgnet", path, tmp_path / "b")
    assert store.info.fingerprint == whole.info.fingerprint


def test_a_matlab_file_is_inflated_within_its_limit(monkeypatch: pytest.MonkeyPatch) -> None:
    content = mat(zeros=np.zeros((1000, 1000)))
    assert len(content) < 20_000
    assert read_mat(content)["zeros"].shape == (1000, 1000)
    monkeypatch.setattr("suite.data.readers.matlab.LARGEST_UNPACKED", 4_000_000)
    with pytest.raises(UnreadableMatError, match="more than 4,000,000 bytes"):
        read_mat(content)


@pytest.mark.parametrize("content", [b"", b"x" * 200, mat(a=1)[:140], mat(a=1)[:128] + b"\xff" * 64])
def test_a_damaged_matlab_file_is_refused(content: bytes) -> None:
    with pytest.raises(UnreadableMatError):
        read_mat(content)


def test_what_is_deflated_twice_is_not_inflated_past_the_limit() -> None:
    whole = mat(zeros=np.zeros((1000, 100)))
    twice = zlib.compress(whole[128:])
    content = whole[:128] + struct.pack("<II", 15, len(twice)) + twice
    with pytest.raises(UnreadableMatError, match="is not a variable"):
        read_mat(content)


def test_points_and_boxes_are_not_mixed(miniature: Miniature, lay_out: LayOut, tmp_path: Path) -> None:
    files = with_landmarks("morph", miniature("morph"))
    (table,) = (n for n in files if n.endswith(".csv"))
    rows = pd.read_csv(io.BytesIO(files[table]), dtype=str)
    rows["left"], rows["top"], rows["right"], rows["bottom"] = 2, 2, 22, 22
    path = lay_out(files | {table: rows.to_csv(index=False).encode()})
    store = packed("morph", path, tmp_path / "packed")
    assert store.info.images == 23
    assert "23 faces aligned by five points" in store.info.origin


def test_face_crops_without_their_photographs_cannot_be_aligned(miniature: Miniature, tmp_path: Path) -> None:
    files = with_landmarks("appa-real", miniature("appa-real"))
    with zipfile.ZipFile(tmp_path / "set.zip", "w") as archive:
        for name, content in files.items():
            if not name.endswith(".jpg") or name.endswith("_face.jpg"):
                archive.writestr(name, content)
    with pytest.raises(RequestError, match="--align finds no landmarks in"):
        packed("appa-real", tmp_path / "set.zip", tmp_path / "packed")


@pytest.mark.parametrize(
    "variable", [np.array(["a", 1], dtype=object), "text", {"x": 1}, np.arange(3.0), {"a": [{"b": "text"}]}]
)
def test_a_matlab_file_that_claims_more_than_it_holds_is_refused(variable: object) -> None:
    from scipy.io import savemat

    content = io.BytesIO()
    savemat(content, {"a": variable})
    honest = content.getvalue()
    assert "a" in read_mat(honest)
    shape = struct.pack("<II", 5, 8)  # the tag of two dimensions, of which each array has one
    places = [n for n in range(len(honest)) if honest.startswith(shape, n)]
    assert places
    for place in places:
        for claim in ((1, 10**9), (2**31 - 1, 2**31 - 1), (-1, -1)):
            forged = honest[: place + 8] + struct.pack("<ii", *claim) + honest[place + 16 :]
            with pytest.raises(UnreadableMatError):
                read_mat(forged)


def test_cells_in_cells_are_read_to_a_depth_only() -> None:
    from scipy.io import savemat

    nested: object = 1.0
    for _ in range(30):
        cell = np.empty(1, dtype=object)
        cell[0] = nested
        nested = cell
    content = io.BytesIO()
    savemat(content, {"a": nested})
    with pytest.raises(UnreadableMatError, match="to a depth of more than"):
        read_mat(content.getvalue())
