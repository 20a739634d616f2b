"""The tutorial of the Python API runs whole, from data to predictions of an exported network."""

import subprocess
import sys
from pathlib import Path

import pytest

QUICKSTART = Path(__file__).parents[2] / "examples" / "quickstart.py"


@pytest.mark.slow
@pytest.mark.timeout(900)
def test_the_quickstart_exports_a_network_that_predicts(tmp_path: Path) -> None:
    answer = subprocess.run([sys.executable, str(QUICKSTART)], cwd=tmp_path, capture_output=True, text=True)
    assert answer.returncode == 0, answer.stderr
    assert "tiny, epoch 3: validation MAE" in answer.stdout
    assert "micro.onnx: " in answer.stdout
    assert (tmp_path / "quickstart" / "micro.onnx").is_file()
    predictions = [line for line in answer.stdout.splitlines() if "face-" in line]
    assert len(predictions) == 8
    assert not any("NaN" in line for line in predictions)
