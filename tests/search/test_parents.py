"""What is refused before a search begins."""

import dataclasses
from pathlib import Path

import pytest

from search_spaces import find, load
from suite.errors import RequestError
from suite.search.parents import check_backbones


@pytest.mark.parametrize("name", ["broken.pth", "broken.safetensors"])
def test_a_backbone_that_cannot_be_read_is_refused_before_any_trial(name: str, tmp_path: Path) -> None:
    file = tmp_path / name
    file.write_bytes(b"no weights")
    tiny = load(find("tiny"))
    broken = tiny.model_copy(update={"base": dataclasses.replace(tiny.base, backbone=str(file))})
    with pytest.raises(RequestError, match=name):
        check_backbones(broken)
    check_backbones(tiny)
