"""``suite profile``."""

import json
from typing import Any

import pytest

from suite.cli.main import main


def test_the_profile_of_tiny_is_the_papers(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["profile", "tiny", "--json"]) == 0
    found: dict[str, Any] = json.loads(capsys.readouterr().out)
    assert (found["network"], found["params"], found["macs"]) == ("tiny", 934_869, found["macs_at_224"])
    assert main(["profile", "tiny", "--resolution", "64"]) == 0
    shown = capsys.readouterr().out
    assert "tiny at 64 pixels, 101 bins" in shown
    assert "934,869" in shown
