"""A packing that was cut short goes on where it was, and is never mixed up with another."""

import contextlib
import errno
import fcntl
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from suite.data import decoded_images, decoding_processes, packing, resume_packing
from suite.data.packing import pack
from suite.data.protocols import assign
from suite.data.sets import READERS
from suite.data.source_files import SourceFiles
from suite.data.store import Store, open_store
from suite.errors import RequestError, UnfinishedError
from suite.files.atomic import move_into_place

UTKFACE = READERS["utkface"]
Decoded = list[str]


@pytest.fixture(autouse=True)
def small_blocks(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(decoded_images, "BLOCK", 8)
    monkeypatch.setattr(decoding_processes, "CHUNK", 8)
    monkeypatch.setattr(packing, "CHUNK", 8)


@pytest.fixture
def decoded(monkeypatch: pytest.MonkeyPatch) -> Decoded:
    """The files that were decoded, as they are."""
    names: list[str] = []
    decode_chunk = decoding_processes._decode_chunk

    def noted(files: SourceFiles, chunk: decoding_processes._Chunk) -> object:
        names.extend(image.file for image in chunk.images)
        return decode_chunk(files, chunk)

    monkeypatch.setattr(decoding_processes, "_decode_chunk", noted)
    return names


def packed(path: Path, out: Path, *, size: int = 32, interrupt_at: int = 10**9, **options: object) -> Store:
    def interrupt(done: int, total: int) -> None:
        if done >= interrupt_at:
            raise KeyboardInterrupt

    return pack(
        UTKFACE, path, out, size=size, workers=1, on_progress=interrupt,
        **{"max_skipped": 1.0, **options},  # type: ignore[arg-type]
    )  # fmt: skip


def interrupted(path: Path, out: Path, **options: object) -> None:
    with pytest.raises(KeyboardInterrupt):
        packed(path, out, interrupt_at=24, **options)  # type: ignore[arg-type]


def test_a_packing_goes_on_where_it_was_interrupted(utkface: Path, tmp_path: Path, decoded: Decoded) -> None:
    whole = packed(utkface, tmp_path / "whole")
    decoded.clear()
    interrupted(utkface, tmp_path / "out")
    assert sorted(path.name for path in tmp_path.iterdir()) == [".out.partial", "UTKFace", "whole"]
    assert len(decoded) == 24
    store = packed(utkface, tmp_path / "out")
    assert len(decoded) == 40
    assert len(set(decoded)) == 40
    assert store.info.fingerprint == whole.info.fingerprint
    assert sorted(path.name for path in tmp_path.iterdir()) == ["UTKFace", "out", "whole"]
    assert sorted(path.name for path in store.folder.iterdir()) == [
        "images.npy", "labels.parquet", "skipped.csv", "store.json",
    ]  # fmt: skip


def test_what_could_not_be_read_before_is_still_named(
    utkface: Path, tmp_path: Path, decoded: Decoded
) -> None:
    bad = sorted(utkface.iterdir())[3]
    bad.write_bytes(b"no image")
    interrupted(utkface, tmp_path / "out")
    store = packed(utkface, tmp_path / "out")
    assert len(decoded) == 40
    assert pd.read_csv(store.folder / "skipped.csv")["source"].tolist() == [bad.name]
    ages = store.labels["age"].to_numpy()
    assert np.allclose(np.asarray(store.images)[:, :, :12, 0].mean((1, 2)), 6 * ages, atol=12)


@pytest.mark.parametrize("change", ["size", "an image", "an image more"])
def test_what_was_decoded_of_another_source_or_size_is_not_taken(
    change: str, utkface: Path, tmp_path: Path, decoded: Decoded, photo: Callable[..., bytes]
) -> None:
    interrupted(utkface, tmp_path / "out")
    decoded.clear()
    first = sorted(utkface.iterdir())[0]
    if change == "an image":
        first.write_bytes(photo(left=(9, 250, 9)))
    if change == "an image more":
        (utkface / "0_0_0_20170116174500000.jpg").write_bytes(photo())
    store = packed(utkface, tmp_path / "out", size=48 if change == "size" else 32)
    assert len(decoded) == store.info.images == (41 if change == "an image more" else 40)
    assert store.info.fingerprint == packed(utkface, tmp_path / "new", size=store.info.side).info.fingerprint


def test_another_protocol_goes_on_with_the_same_pixels(
    utkface: Path, tmp_path: Path, decoded: Decoded
) -> None:
    from suite.data.protocols import SplitRequest

    interrupted(utkface, tmp_path / "out")
    store = packed(utkface, tmp_path / "out", splitting=SplitRequest(seed=5))
    assert len(decoded) == 40
    assert "seed 5" in store.info.protocol


@pytest.mark.parametrize(
    "damage", ["torn line", "torn key", "noise", "no images", "short images", "other images"]
)
def test_a_torn_journal_costs_work_and_never_pixels(
    damage: str, utkface: Path, tmp_path: Path, decoded: Decoded
) -> None:
    interrupted(utkface, tmp_path / "out")
    journal = tmp_path / ".out.partial" / decoded_images.JOURNAL
    if damage == "torn line":
        journal.write_bytes(journal.read_bytes()[:-7])
    elif damage == "torn key":
        journal.write_bytes(journal.read_bytes()[:20])
    elif damage == "noise":
        journal.write_bytes(bytes(range(256)))
    else:
        images = tmp_path / ".out.partial" / "images.npy"
        whole = images.read_bytes()
        images.unlink()
        if damage == "short images":
            images.write_bytes(whole[:-5000])
        elif damage == "other images":
            np.save(images, np.zeros((40, 8, 8, 3), np.uint8))
    decoded.clear()
    store = packed(utkface, tmp_path / "out")
    assert len(decoded) == (24 if damage == "torn line" else 40)
    assert store.info.fingerprint == packed(utkface, tmp_path / "new").info.fingerprint


@pytest.mark.parametrize(
    "line",
    ["5", '{"a": 1}', "[5]", "[[null]]", "null", '"text"', "[" * 9999, f"[{', '.join(['null'] * 500)}]"],
)
def test_a_line_of_a_journal_that_no_packing_writes_is_not_believed(
    line: str, utkface: Path, tmp_path: Path, decoded: Decoded
) -> None:
    interrupted(utkface, tmp_path / "out")
    journal = tmp_path / ".out.partial" / decoded_images.JOURNAL
    journal.write_text(f"{journal.read_text().splitlines()[0]}\n{line}\n")
    decoded.clear()
    assert packed(utkface, tmp_path / "out").info.images == 40
    assert len(decoded) == 40


@pytest.mark.timeout(30)
@pytest.mark.parametrize("place", ["a pipe", "a folder"])
@pytest.mark.parametrize("name", [decoded_images.JOURNAL, "images.npy", "store"])
def test_what_stands_in_the_place_of_a_file_of_a_packing_is_removed(
    name: str, place: str, utkface: Path, tmp_path: Path
) -> None:
    path = tmp_path / ".out.partial" / name
    path.parent.mkdir()
    if place == "a pipe":
        os.mkfifo(path)
    else:
        path.mkdir()
    assert packed(utkface, tmp_path / "out").info.images == 40


def test_an_early_interrupt_and_a_wrong_request_leave_nothing(utkface: Path, tmp_path: Path) -> None:
    with pytest.raises(KeyboardInterrupt):
        packed(utkface, tmp_path / "new" / "deep" / "out", interrupt_at=0)
    (tmp_path / "empty").mkdir()
    with pytest.raises(RequestError, match="has no image named as UTKFace names them"):
        packed(tmp_path / "empty", tmp_path / "new" / "deep" / "out")
    assert sorted(path.name for path in tmp_path.iterdir() if path.name != "new") == ["UTKFace", "empty"]


def test_two_packings_into_one_folder_do_not_meet(utkface: Path, tmp_path: Path) -> None:
    with (tmp_path / f".out.{resume_packing.LOCK}").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        with pytest.raises(RequestError, match="another process is packing into"):
            packed(utkface, tmp_path / "out")
    assert packed(utkface, tmp_path / "out").info.images == 40


def test_a_packing_is_locked_until_its_store_is_in_its_place(
    utkface: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def moved(folder: Path, out: Path) -> None:
        for _ in "before", "after":
            with pytest.raises(RequestError, match="another process is packing into"):
                packed(utkface, out, overwrite=True)
            if folder.exists():
                move_into_place(folder, out)

    monkeypatch.setattr(packing, "move_into_place", moved)
    packed(utkface, tmp_path / "out")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["UTKFace", "out"]


def test_a_store_that_came_before_the_lock_is_not_replaced(
    utkface: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    resumable_folder = packing.resumable_folder

    def late(out: Path) -> contextlib.AbstractContextManager[Path]:
        monkeypatch.setattr(packing, "resumable_folder", resumable_folder)
        packed(utkface, out)
        return resumable_folder(out)

    monkeypatch.setattr(packing, "resumable_folder", late)
    with pytest.raises(RequestError, match="holds packed data already"):
        packed(utkface, tmp_path / "out")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["UTKFace", "out"]


def test_too_much_damage_is_refused_names_it_and_keeps_the_work(
    utkface: Path, tmp_path: Path, decoded: Decoded
) -> None:
    damaged = sorted(utkface.iterdir())[:3]
    for file in damaged:
        file.write_bytes(b"damage")
    (utkface / "holiday.jpg").write_bytes(b"not of the set, and so not counted")
    with pytest.raises(UnfinishedError) as caught:
        packed(utkface, tmp_path / "out", max_skipped=0.05)
    said = str(caught.value)
    named = tmp_path / ".out.partial" / "skipped.csv"
    assert f"3 of 40 images of {utkface} are missing, damaged or without required data" in said
    assert "more than the 0.05" in said
    assert f"{named} names them" in said
    assert "add --max-skipped 0.075" in said
    assert set(pd.read_csv(named)["source"]) == {*(file.name for file in damaged), "holiday.jpg"}
    assert not (tmp_path / "out").exists()
    assert len(decoded) == 40
    assert packed(utkface, tmp_path / "out", max_skipped=0.075).info.images == 37
    assert len(decoded) == 40  # nothing was decoded again


@pytest.mark.parametrize("share", [-0.1, 1.5, float("nan")])
def test_a_share_that_is_none_is_refused(share: float, utkface: Path, tmp_path: Path) -> None:
    with pytest.raises(RequestError, match=r"choose 0 to 1, such as 0\.05"):
        packed(utkface, tmp_path / "out", max_skipped=share)


def out_of_space(*args: object, **options: object) -> None:
    raise OSError(errno.ENOSPC, "No space left on device")


def stopped(*args: object, **options: object) -> None:
    raise KeyboardInterrupt


def refused_later(*args: object, **options: object) -> object:
    if len(args[0]) == 40:  # type: ignore[arg-type]
        return assign(*args, **options)  # type: ignore[arg-type]
    raise RequestError("no split for these")


@pytest.mark.parametrize("damaged", [0, 1])
@pytest.mark.parametrize(
    ("step", "failure"),
    [
        ("suite.data.packing.fingerprint", stopped),
        ("suite.data.packing.assign", refused_later),
        ("pandas.DataFrame.to_parquet", out_of_space),
        ("suite.data.packing.move_into_place", out_of_space),
    ],
)
def test_what_is_decoded_outlives_a_failure_at_the_end(
    step: str,
    failure: Callable[..., object],
    damaged: int,
    utkface: Path,
    tmp_path: Path,
    decoded: Decoded,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    if damaged or failure is refused_later:
        sorted(utkface.iterdir())[3].write_bytes(b"no image")
    whole = packed(utkface, tmp_path / "whole")
    with monkeypatch.context() as patched:
        patched.setattr(step, failure)
        with pytest.raises((KeyboardInterrupt, OSError, RequestError)):
            packed(utkface, tmp_path / "out")
    assert sorted(path.name for path in tmp_path.iterdir()) == [".out.partial", "UTKFace", "whole"]
    decoded.clear()
    store = packed(utkface, tmp_path / "out")
    assert decoded == []
    assert store.info.fingerprint == whole.info.fingerprint
    assert sorted(path.name for path in tmp_path.iterdir()) == ["UTKFace", "out", "whole"]


def test_a_wrong_request_leaves_what_another_packing_decoded(
    utkface: Path, tmp_path: Path, decoded: Decoded
) -> None:
    interrupted(utkface, tmp_path / "out")
    (tmp_path / "empty").mkdir()
    with pytest.raises(RequestError, match="has no image named as UTKFace names them"):
        packed(tmp_path / "empty", tmp_path / "out")
    packed(utkface, tmp_path / "out")
    assert len(decoded) == 40


def test_what_a_kill_left_of_another_source_does_not_come_into_the_store(
    utkface: Path, tmp_path: Path
) -> None:
    interrupted(utkface, tmp_path / "out")
    (tmp_path / ".out.partial" / "source.tar").write_bytes(b"of a compressed tar")
    assert "source.tar" not in {file.name for file in packed(utkface, tmp_path / "out").folder.iterdir()}


@pytest.mark.parametrize("step", ["fingerprint", "move_into_place"])
def test_a_packing_killed_at_its_end_decodes_nothing_again(
    step: str, utkface: Path, tmp_path: Path, decoded: Decoded
) -> None:
    script = (
        "import os, signal, sys\n"
        "from pathlib import Path\n"
        "from suite.data import packing\n"
        "from suite.data.sets import READERS\n"
        f"packing.{step} = lambda *given: os.kill(os.getpid(), signal.SIGKILL)\n"
        "source, out = map(Path, sys.argv[1:])\n"
        "packing.pack(READERS['utkface'], source, out, size=32, workers=1)\n"
    )
    ended = subprocess.run([sys.executable, "-c", script, str(utkface), str(tmp_path / "out")], check=False)
    assert ended.returncode == -signal.SIGKILL
    store = packed(utkface, tmp_path / "out")
    assert decoded == []
    assert store.info.fingerprint == packed(utkface, tmp_path / "new").info.fingerprint


def test_a_killed_packing_goes_on(utkface: Path, tmp_path: Path, decoded: Decoded) -> None:
    script = (
        "import os, signal, sys\n"
        "from pathlib import Path\n"
        "from suite.data import decoded_images, decoding_processes\n"
        "from suite.data.packing import pack\n"
        "from suite.data.sets import READERS\n"
        "decoded_images.BLOCK = decoding_processes.CHUNK = 8\n"
        "def die(done, total):\n"
        "    if done >= 28: os.kill(os.getpid(), signal.SIGKILL)\n"
        "from suite.data import packing\n"
        "packing.CHUNK = 1\n"
        "source, out = map(Path, sys.argv[1:])\n"
        "pack(READERS['utkface'], source, out, size=32, workers=1, on_progress=die)\n"
    )
    ended = subprocess.run([sys.executable, "-c", script, str(utkface), str(tmp_path / "out")], check=False)
    assert ended.returncode == -signal.SIGKILL
    journal = (tmp_path / ".out.partial" / decoded_images.JOURNAL).read_text().splitlines()
    assert sum(len(json.loads(line)) for line in journal[1:]) == 24
    store = packed(utkface, tmp_path / "out")
    assert len(decoded) == 16
    assert store.info.fingerprint == packed(utkface, tmp_path / "new").info.fingerprint
    assert open_store(tmp_path / "out").info.images == 40
    assert not os.path.exists(tmp_path / ".out.partial")


def test_a_file_in_the_place_of_what_is_decoded_is_refused(utkface: Path, tmp_path: Path) -> None:
    (tmp_path / ".out.partial").write_text("mine")
    with pytest.raises(RequestError, match="is a file, where packing keeps what it decodes; move it away"):
        pack(READERS["utkface"], utkface, tmp_path / "out", size=32, workers=1)
    assert (tmp_path / ".out.partial").read_text() == "mine"


def test_no_process_outlives_a_packing_that_was_killed(utkface: Path, tmp_path: Path) -> None:
    program = (
        "import os, signal, sys\n"
        "from suite.data import decoding_processes, packing\n"
        "from suite.data.sets import READERS\n"
        "from pathlib import Path\n"
        "decoding_processes.CHUNK = 8\n"
        "def stop(done, of):\n"
        "    import multiprocessing\n"
        "    print(*[child.pid for child in multiprocessing.active_children()], flush=True)\n"
        "    os.kill(os.getpid(), signal.SIGKILL)\n"
        "packing.CHUNK = 8\n"
        "if __name__ == '__main__':\n"
        "    packing.pack(READERS['utkface'], Path(sys.argv[1]), Path(sys.argv[2]), size=32, workers=2,\n"
        "                 on_progress=stop)\n"
    )
    script = tmp_path / "killed.py"
    script.write_text(program)
    ended = subprocess.run(
        [sys.executable, str(script), str(utkface), str(tmp_path / "out")],
        stdout=subprocess.PIPE,
        check=False,
    )
    assert ended.returncode == -signal.SIGKILL
    children = [int(pid) for pid in ended.stdout.split()]
    assert len(children) == 2
    deadline = time.monotonic() + 20
    while any(Path(f"/proc/{pid}").exists() for pid in children) and time.monotonic() < deadline:
        time.sleep(0.1)
    assert not [pid for pid in children if Path(f"/proc/{pid}").exists()]


def test_packing_where_the_file_system_has_no_locks_is_refused(
    utkface: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def no_locks(*_: object) -> None:
        raise OSError(errno.ENOLCK, os.strerror(errno.ENOLCK))

    monkeypatch.setattr(fcntl, "flock", no_locks)
    with pytest.raises(RequestError, match="is on a file system without locks"):
        packed(utkface, tmp_path / "out")
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize(
    ("step", "kept"),
    [("suite.data.decoded_images.new_array", False), ("pandas.DataFrame.to_parquet", True)],
)
def test_a_limit_on_the_size_of_files_is_told_as_one(
    step: str, kept: bool, utkface: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def too_large(*args: object, **options: object) -> None:
        raise OSError(errno.EFBIG, "File too large")

    monkeypatch.setattr(step, too_large)
    with pytest.raises(UnfinishedError) as caught:
        packed(utkface, tmp_path / "out")
    said = str(caught.value)
    assert "would exceed the largest file that is allowed here, which 'ulimit -f' shows" in said
    assert said.endswith("raise the limit and pack again, or name a smaller --size")
    assert "free" not in said
    assert ("what is decoded is kept there" in said) == kept


def test_a_folder_in_a_file_is_refused_as_that(utkface: Path, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("x")
    for out in ("file/out", "file/below/out"):
        with pytest.raises(RequestError, match="is or lies in a file; name a folder that does not exist yet"):
            packed(utkface, tmp_path / out)
