"""``suite data``: list, pack and show."""

import shlex
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from suite.api import load_store
from suite.cli.main import main
from suite.data.store import open_store


def test_the_list_names_the_embedded_set_and_those_that_can_be_packed(
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert main(["data", "list"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert [line.split()[0] for line in lines] == [
        *("faces", "utkface", "lap2015", "lap2016", "appa-real", "appa-real-real", "morph", "afad", "agedb"),
        *("cacd2000", "fgnet", "scut-fbp", "scut-fbp5500", "manifest"),
    ]
    assert max(map(len, lines)) < 120


def test_a_packed_set_can_be_shown(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    photos = here / "UTKFace"
    photos.mkdir()
    for age in range(1, 31):
        pixels = np.full((40, 40, 3), 6 * age, np.uint8)
        Image.fromarray(pixels).save(
            photos / f"{age}_0_0_20170116174525{age:03d}.jpg.chip.jpg", format="JPEG"
        )
    (photos / "31_0_0_20170116174525031.jpg.chip.jpg").write_bytes(b"no image")
    pack = ["data", "pack", "utkface", "UTKFace", "-o", "packed", "--size", "32", "--workers", "1"]
    assert main(pack) == 2
    refused = capsys.readouterr().err
    assert (
        "1 of 31 images of UTKFace are missing, damaged or without required data, more than the 0.01"
        in refused
    )
    assert main([*pack, *shlex.split(refused.split("or add ")[1].split(" (")[0])]) == 0
    captured = capsys.readouterr().out
    assert captured.startswith("30 images of 32 pixels in ")
    assert "1 skipped, see " in captured
    assert main(["data", "show", "packed", "-o", "sheet.png", "--columns", "5", "--rows", "2"]) == 0
    assert capsys.readouterr().out == "sheet.png\n"
    assert Image.open(here / "sheet.png").size[0] > 5 * 32


def test_a_manifest_is_packed_by_its_protocol(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    rows = ["path,value,subject"]
    for n in range(30):
        Image.new("RGB", (40, 40), (6 * n, 9, 9)).save(here / f"{n}.png")
        rows.append(f"{n}.png,{1 + n / 10},person {n // 3}")
    (here / "faces.csv").write_text("\n".join(rows))
    pack = (
        "data pack manifest faces.csv --size 32 --workers 1 --overwrite -o packed --attribute attractiveness"
    )
    assert main(pack.split()) == 0
    assert "nobody is in two splits" in capsys.readouterr().out
    tested = set()
    for fold in "123":
        assert (
            main([*pack.split(), "--protocol", "folds", "--folds", "3", "--fold", fold, "--seed", "7"]) == 0
        )
        assert f"Fold {fold} of 3 folds by person (seed 7) is the test split" in capsys.readouterr().out
        store = open_store(here / "packed")
        tested |= set(store.labels["source"][store.rows("test")])
    assert len(tested) == 30
    assert main([*pack.split(), "--protocol", "official"]) == 2
    assert "manifest has no official split (none)" in capsys.readouterr().err


def test_packed_data_with_the_name_of_the_embedded_set_is_never_mistaken_for_it(
    here: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for n in range(12):
        Image.new("RGB", (40, 40), (6 * n, 9, 9)).save(here / f"{n}.png")
    (here / "faces.csv").write_text("path,age\n" + "\n".join(f"{n}.png,{n + 1}" for n in range(12)))
    pack = ["data", "pack", "manifest", "faces.csv", "--size", "32", "--workers", "1", "-o"]
    for output in ("faces", "./faces", "../" + here.name + "/faces"):
        assert main([*pack, output]) == 2
        assert "would be the embedded data set" in capsys.readouterr().err
    assert main([*pack, "mine"]) == 0
    (here / "mine").rename(here / "faces")
    capsys.readouterr()
    for command in (
        "data check faces",
        "data show faces -o x.png",
        "run --search tiny --data faces --out run",
    ):
        assert main(command.split()) == 2
        assert "a folder of the same name; write ./faces for the folder" in capsys.readouterr().err
    assert main(["data", "check", "./faces"]) in (0, 1)
    assert "images: 10 train, 1 val, 1 test" in capsys.readouterr().out
    assert load_store(Path("faces")).info.name == "manifest"


def test_names_of_a_foreign_set_are_shown_without_their_control_characters(
    here: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for n in range(12):
        Image.new("RGB", (40, 40), (6 * n, 9, 9)).save(here / f"{n}.png")
    (here / "faces.csv").write_text("path,age\n" + "\n".join(f"{n}.png,{n + 1}" for n in range(12)))
    output = "a\x1b]0;title\x07\nno problems found"
    assert (
        main(["data", "pack", "manifest", "faces.csv", "--size", "32", "--workers", "1", "-o", output]) == 0
    )
    for command in (["data", "check", output], ["data", "show", output, "-o", "x\r.png"]):
        main(command)
        captured = capsys.readouterr()
        assert (captured.out + captured.err).replace("\n", "").isprintable()
        assert (captured.out + captured.err).splitlines().count("no problems found") <= 1
