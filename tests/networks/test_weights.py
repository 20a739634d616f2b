import dataclasses
from pathlib import Path

import pytest
import torch

from suite.errors import RequestError
from suite.methods import METHODS
from suite.networks import build_network
from suite.networks.weights import load_network, save_network
from suite.trial import TrialConfig

CONFIG = TrialConfig(widths=(4, 4, 8, 8, 8), depths=(1, 2, 1, 1, 1), resolution=32, label_high=60)


def test_a_saved_network_gives_the_same_output(tmp_path: Path) -> None:
    network = build_network(CONFIG, 61).to(memory_format=torch.channels_last).eval()
    save_network(network, CONFIG, tmp_path / "t0.safetensors")
    loaded, config, label_set = load_network(tmp_path / "t0.safetensors")
    images = torch.rand(2, 3, 32, 32)
    assert config == CONFIG
    assert label_set.bins == 61
    assert torch.equal(loaded(images), network(images))


def test_who_may_read_other_new_files_may_read_weights(tmp_path: Path) -> None:
    save_network(build_network(CONFIG, 61), CONFIG, tmp_path / "t0.safetensors")
    modes = {(tmp_path / f"t0.{ending}").stat().st_mode for ending in ("safetensors", "json")}
    assert len(modes) == 1


@pytest.mark.parametrize(
    "fields", ["[]", "3", '{"widths": 3}', '{"network": "none"}', '{"resolution": "wide", "method": "none"}']
)
def test_a_configuration_of_other_types_is_one_sentence(fields: str, tmp_path: Path) -> None:
    save_network(build_network(CONFIG, 61), CONFIG, tmp_path / "t0.safetensors")
    (tmp_path / "t0.json").write_text(fields)
    with pytest.raises(
        RequestError, match=r"t0\.safetensors cannot be read as a trained network \(.+\); it needs"
    ):
        load_network(tmp_path / "t0.safetensors")


@pytest.mark.parametrize("method", METHODS)
def test_the_configuration_alone_rebuilds_the_network_of_every_method(method: str, tmp_path: Path) -> None:
    config = dataclasses.replace(CONFIG, method=method)
    network = build_network(config, 61).eval()
    save_network(network, config, tmp_path / "t0.safetensors")
    loaded, _, _ = load_network(tmp_path / "t0.safetensors")
    images = torch.rand(2, 3, 32, 32)
    assert torch.equal(loaded(images), network(images))


@pytest.mark.parametrize("damage", ["missing", "truncated", "other configuration", "no configuration"])
def test_a_damaged_file_is_one_sentence(damage: str, tmp_path: Path) -> None:
    path = tmp_path / "t0.safetensors"
    save_network(build_network(CONFIG, 61), CONFIG, path)
    if damage == "missing":
        path.unlink()
    elif damage == "truncated":
        path.write_bytes(path.read_bytes()[:100])
    elif damage == "other configuration":
        text = path.with_suffix(".json").read_text().replace("60", "80")
        path.with_suffix(".json").write_text(text)
    else:
        path.with_suffix(".json").unlink()
    with pytest.raises(RequestError, match=r"t0\.safetensors cannot be read"):
        load_network(path)
