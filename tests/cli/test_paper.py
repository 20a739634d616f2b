"""``suite paper``: the paper's networks, counted."""

import json

import pytest

from suite.cli.main import main


def test_every_size_that_was_published_comes_out_when_counted(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["paper", "--no-latency", "--json"]) == 0
    printed = capsys.readouterr()
    result = json.loads(printed.out)
    params = {(row["network"], row["bins"]): row["params"] for row in result["networks"]}
    assert params == {
        ("vgg16", 101): 134_674_341,
        ("resnet50", 101): 23_714_981,
        ("thin", 101): 3_708_229,
        ("tiny", 101): 934_869,
        ("thin", 41): 3_692_809,
        ("resnet50", 41): 23_592_041,
    }
    sizes = [claim for claim in result["claims"] if claim["quantity"] != "speedup"]
    assert len(sizes) == 8
    assert {claim["verdict"] for claim in sizes} == {"yes"}
    assert {claim["verdict"] for claim in result["claims"] if claim["quantity"] == "speedup"} == {"open"}
    assert "counting" in printed.err
