"""What ``suite predict FOLDER`` takes for an image, and what it says of everything else."""

import os
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from suite.deployment import image_files
from suite.deployment.image_files import find_images


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "photos" / "below").mkdir(parents=True)
    (tmp_path / "photos" / "a.jpg").touch()
    return tmp_path / "photos"


def names(folder: Path) -> list[str]:
    return [file.relative_to(folder).as_posix() for file in find_images([folder]).files]


def test_every_ending_of_a_format_that_is_read_is_looked_for(folder: Path) -> None:
    endings = ("jfif", "JPE", "tif", "TIFF", "gif", "avif", "webp", "bmp", "png", "jpeg")
    for ending in endings:
        (folder / "below" / f"b.{ending}").touch()
    assert names(folder) == ["a.jpg", *sorted(f"below/b.{ending}" for ending in endings)]
    assert find_images([folder]).describe_passed_over() == ""


def test_whatever_is_passed_over_is_counted_by_reason(folder: Path) -> None:
    (folder / "elsewhere").symlink_to(folder.parent)  # leads back to the folder itself
    for name in ("._a.jpg", "below/.DS_Store", "Thumbs.db", "x.heic", "y.heic", "z.mp4", "README"):
        (folder / name).touch()
    (folder / "__MACOSX").mkdir()
    (folder / "__MACOSX" / "a.jpg").touch()
    found = find_images([folder])
    assert found.files == [folder / "a.jpg"]
    assert found.unreadable == []
    assert found.describe_passed_over() == (
        "files with other endings: 4 (2 .heic, 1 .mp4, 1 none); hidden files and files of the system: 4; "
        "links to folders: 1"
    )


def test_many_endings_are_not_all_named(folder: Path) -> None:
    for ending in ("a", "b", "c", "d"):
        (folder / f"x.{ending}").touch()
    described = find_images([folder]).describe_passed_over()
    assert described.startswith("files with other endings: 4 (1 .")
    assert described.endswith(", ...)")


def test_a_folder_that_cannot_be_read_is_left_out_by_name_and_the_others_are_read(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    scan = os.scandir

    def refuse(path: Path) -> object:
        if path.name == "below":
            raise PermissionError(13, "Permission denied", str(path))
        return scan(path)

    monkeypatch.setattr(image_files.os, "scandir", refuse)
    found = find_images([folder, folder / "below"])
    assert found.files == [folder / "a.jpg"]
    assert [(one.file, one.reason) for one in found.unreadable] == 2 * [
        (str(folder / "below"), "Permission denied")
    ]


@pytest.fixture
def removed_by_the_system(folder: Path) -> Iterator[None]:
    """Removes a folder that is deeper than shutil and pytest, which call themselves for each level, can remove."""
    yield
    subprocess.run(["rm", "-rf", str(folder)], check=True)


@pytest.mark.usefixtures("removed_by_the_system")
def test_folders_may_be_deeper_than_python_calls_functions(folder: Path) -> None:
    here = os.open(folder, os.O_RDONLY)
    try:
        for _ in range(1100):
            os.mkdir("d", dir_fd=here)
            below = os.open("d", os.O_RDONLY, dir_fd=here)
            os.close(here)
            here = below
        os.close(os.open("deep.jpg", os.O_CREAT, dir_fd=here))
    finally:
        os.close(here)
    assert [file.name for file in find_images([folder]).files] == ["a.jpg", "deep.jpg"]


def test_a_file_that_is_named_itself_is_taken_as_it_is(folder: Path) -> None:
    (folder / "._x.unknown").touch()
    assert find_images([folder / "._x.unknown"]).files == [folder / "._x.unknown"]


def test_a_folder_without_images_and_a_broken_link_are_kept_to_be_reported(folder: Path) -> None:
    (folder / "below" / "gone.jpg").symlink_to("nothing")
    (folder / "empty").mkdir()
    found = find_images([folder / "below", folder / "empty"])
    assert found.files == [folder / "below" / "gone.jpg", folder / "empty"]
