"""Arrays in files: reserved before they are mapped, and believed only as far as they were checked."""

import os
import resource
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from suite.files.arrays import new_array, read_array, reopened_array
from suite.files.reading import FileContentError

SHAPE = (5, 4, 4, 3)


def test_what_is_written_is_read_by_numpy(tmp_path: Path) -> None:
    array = new_array(tmp_path / "a.npy", SHAPE)
    array[3] = 7
    array.flush()
    assert np.array_equal(np.load(tmp_path / "a.npy"), array)
    assert read_array(tmp_path / "a.npy", SHAPE)[3].min() == 7
    again = reopened_array(tmp_path / "a.npy", SHAPE)
    again[4] = 9
    again.flush()
    assert read_array(tmp_path / "a.npy", SHAPE)[:, 0, 0, 0].tolist() == [0, 0, 0, 7, 9]


def test_the_disk_has_an_array_whole_before_it_is_written(tmp_path: Path) -> None:
    new_array(tmp_path / "a.npy", (100, 64, 64, 3))
    assert (tmp_path / "a.npy").stat().st_blocks * 512 >= 100 * 64 * 64 * 3


def test_a_full_disk_is_an_error_and_not_the_end_of_the_process(tmp_path: Path) -> None:
    script = (
        "import sys; from pathlib import Path; from suite.files.arrays import new_array\n"
        "try:\n"
        "    new_array(Path(sys.argv[1]), (100, 64, 64, 3))[:] = 1\n"
        "except OSError as error:\n"
        "    print('told', error.errno)"
    )

    def small_disk() -> None:
        resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, 100_000))

    command = [sys.executable, "-c", script, str(tmp_path / "a.npy")]
    ended = subprocess.run(command, capture_output=True, text=True, check=False, preexec_fn=small_disk)
    assert (ended.returncode, ended.stdout.split()[:1]) == (0, ["told"]), ended.stderr


def _fifo(path: Path) -> None:
    os.mkfifo(path)


def _objects(path: Path) -> None:
    np.save(path, np.array([{"a": 1}], dtype=object), allow_pickle=True)


def _zip(path: Path) -> None:
    with path.open("wb") as file:
        np.savez(file, a=np.zeros(SHAPE, np.uint8))


def _claims(path: Path, shape: str) -> None:
    header = f"{{'descr': '|u1', 'fortran_order': False, 'shape': {shape}, }}".ljust(117) + "\n"
    path.write_bytes(b"\x93NUMPY\x01\x00" + len(header).to_bytes(2, "little") + header.encode())


def _long_header(path: Path) -> None:
    """A header of the second version, which counts its bytes in four."""
    path.write_bytes(b"\x93NUMPY\x02\x00" + (20_000).to_bytes(4, "little") + b" " * 20_000)


@pytest.mark.parametrize(
    ("make", "reason"),
    [
        (lambda path: None, ""),
        (_fifo, "not a regular file"),
        (Path.mkdir, "not a regular file"),
        (_objects, "object"),
        (_zip, "magic"),
        (lambda path: path.write_bytes(b""), ""),
        (lambda path: path.write_bytes(b"\x93NUMPY\x01\x00\xff\xff{"), ""),
        (lambda path: np.save(path, np.zeros(SHAPE, np.float32)), "float32 5 x 4 x 4 x 3 instead of uint8"),
        (lambda path: np.save(path, np.zeros((4, 4, 4, 3), np.uint8)), "uint8 4 x 4 x 4 x 3 instead of"),
        (lambda path: np.save(path, np.asfortranarray(np.zeros(SHAPE, np.uint8))), "order of Fortran"),
        (lambda path: _claims(path, "(1000000000000, 64, 64, 3)"), ""),
        (lambda path: _claims(path, f"(1{'0' * 60},)"), ""),
        (lambda path: _claims(path, "(-5, 4, 4, 3)"), ""),
        (lambda path: _claims(path, "()"), ""),
        (_long_header, "its header claims 20,000 bytes, over the limit of 10,000"),
        (lambda path: path.write_bytes(b"\x93NUMPY\x01\x00\xff\xff"), "its header claims 65,535 bytes"),
    ],
)
def test_another_file_is_refused_with_a_reason(make: object, reason: str, tmp_path: Path) -> None:
    path = tmp_path / "a.npy"
    make(path)  # type: ignore[operator]
    error = FileContentError if path.exists() else FileNotFoundError
    with pytest.raises(error) as refused:
        read_array(path, SHAPE)
    assert reason in str(refused.value)
    assert "\n" not in str(refused.value)


def test_an_array_with_a_header_of_the_second_version_is_read(tmp_path: Path) -> None:
    array = np.ones(SHAPE, np.uint8)
    with (tmp_path / "a.npy").open("wb") as file:
        np.lib.format.write_array(file, array, version=(2, 0))
    assert np.array_equal(read_array(tmp_path / "a.npy", SHAPE), array)
