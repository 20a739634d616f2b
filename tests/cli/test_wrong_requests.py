"""A wrong request is one sentence, ends with exit code 2 and leaves nothing behind."""

import contextlib
from pathlib import Path

import pytest

from suite.cli.main import main


@pytest.mark.parametrize(
    "words", [["status"], ["run", "--search", "tiny", "--set"], ["profile"], ["predict", "x.png"]]
)
def test_a_name_of_any_length_makes_a_short_sentence_with_its_remedy(
    words: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    with contextlib.suppress(SystemExit):  # of argparse
        assert main([*words, "a" * 100_000 + "\x1b[2J"]) in (1, 2)
    said = capsys.readouterr().err
    assert 0 < len(said) < 3_000
    assert "\x1b" not in said


@pytest.mark.usefixtures("here")
@pytest.mark.parametrize(
    ("request_made", "complaint"),
    [
        ("run --search nosuch", '"nosuch" is neither a search space that ships'),
        ("run --search empty", "this is a folder"),
        ("run --search tiny --data nosuch", 'data is "nosuch"; it must be faces, or a folder that'),
        ("run --search tiny --data empty", "a folder without a store.json"),
        ("run --search small.yaml --seed -1", "seed is -1; it must be at least 0"),
        ("run --search small.yaml --set trails=3", 'did you mean "trials"?'),
        ("run --search small.yaml --set trials", "a setting has the form key=value"),
        ("run --search small.yaml --set base.batch_size=0", "base.batch_size is 0; it must be at least 1"),
        ("run --search small.yaml --set vary.learning_rate.low=1", "low must not be above high"),
        ("run --search small.yaml --max-params 1X", 'bounds.params is "1X"; it must be a count such as'),
        ("run --search small.yaml --max-bytes 0", 'bounds.bytes is "0"; it must be at least 1'),
        ("run --search small.yaml --stopping front", "lower stopping.grace_epochs, or raise base.epochs"),
        ("run --search paper --stopping error", "sampler is grid, which compares whole trainings"),
        ("run --search small.yaml --out taken", "taken is not empty; choose another --out"),
        ("run --search small.yaml --out file.txt", "file.txt cannot be a run folder (Not a directory)"),
        ("resume nosuch", "nosuch is not a run folder"),
        ("resume empty", "empty is not a run folder"),
        ("resume file.txt", "file.txt is not a run folder"),
        ("report empty", "empty is not a run folder"),
        ("profile tiny --resolution 16", "a resolution of 16 pixels is below 32"),
        ("profile tiny --resolution 100000", "field 'resolution' is 100000; it must be from 1 to 4096"),
        (f"profile tiny --resolution {10**30}", "field 'resolution' is 1000"),
        (f"profile tiny --bins {10**30}", "is larger than 100,000"),
        (
            "data pack nosuch file.txt -o packed",
            "'nosuch' is not a data set that can be packed; choose from utkface",
        ),
        ("data pack utkface nosuch -o packed", "nosuch does not exist"),
        ("data pack utkface file.bin -o packed", "file.bin is neither a folder nor a readable zip or tar"),
        ("data pack agedb empty -o packed", "empty is not AgeDB as its owner distributes it: looked for"),
        ("data pack agedb empty -o new/packed", "https://ibug.doc.ic.ac.uk/resources/agedb/"),
        ("data pack manifest empty -o packed", "empty has 0 tables; a manifest is one CSV or parquet file"),
        ("data pack agedb empty -o packed --attribute age", "--attribute goes with a manifest"),
        ("data pack utkface empty -o packed", "empty has no image named as UTKFace names them"),
        ("data show nosuch -o sheet.png", "nosuch holds no packed data"),
    ],
)
def test_a_wrong_request_is_one_sentence_and_ends_with_2(
    request_made: str, complaint: str, here: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    before = sorted(here.iterdir())
    assert main(request_made.split()) == 2
    captured = capsys.readouterr()
    assert captured.out == ""
    assert len(captured.err.splitlines()) == 1
    assert captured.err.startswith("suite: ")
    assert complaint in captured.err
    assert sorted(here.iterdir()) == before  # nothing is left behind


@pytest.mark.parametrize("verb", ["check", "show"])
def test_an_empty_name_of_data_is_not_the_current_folder(
    verb: str, here: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["data", verb, "", *(["-o", "sheet.png"] if verb == "show" else [])]) == 2
    assert "the name of the data is empty; write faces, or the folder" in capsys.readouterr().err
