"""Numbers of bytes as people read them."""

import pytest

from suite.files.byte_count import byte_count


@pytest.mark.parametrize(
    ("count", "text"),
    [
        (0, "0 bytes"),
        (999, "999 bytes"),
        (20_480, "20.5 kB"),
        (1e6, "1 MB"),
        (1.5e9, "1.5 GB"),
        (2e12, "2 TB"),
    ],
)
def test_a_small_disk_is_not_told_as_none(count: float, text: str) -> None:
    assert byte_count(count) == text
