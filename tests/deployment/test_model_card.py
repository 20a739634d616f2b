"""The model card of a trial whose row lacks what later versions write."""

from types import SimpleNamespace
from typing import Any

import pytest

from suite.deployment.model_card import speed_section
from tests.support.sample_rows import INFO

TIMES: dict[str, Any] = {"latency_ms_per_image": 1.5, "speedup_vs_vgg16": 20.0}


@pytest.mark.parametrize(
    ("row", "shown"),
    [
        ({**TIMES, "speedup_vs_vgg16_low": 19.0, "speedup_vs_vgg16_high": 21.0}, "20.0 (19.0 to 21.0)"),
        (TIMES, "| 20.0 |"),
        ({**TIMES, "speedup_vs_vgg16_low": None, "speedup_vs_vgg16_high": float("nan")}, "| 20.0 |"),
        ({"latency_ms_per_image": 1.5}, "did not time"),
        ({}, "did not time"),
    ],
)
def test_a_speed_without_its_interval_is_shown_without_it(row: dict[str, Any], shown: str) -> None:
    trained: Any = SimpleNamespace(
        row=row, run=SimpleNamespace(info=INFO), config=SimpleNamespace(resolution=64)
    )
    section = speed_section(trained)
    assert shown in section
    assert "nan" not in section
