import dataclasses
import json
import math
import os
from pathlib import Path

import pytest
import torch

from suite.errors import RequestError
from suite.methods import METHODS
from suite.networks import build_network
from suite.networks.weights import load_network, save_network, shapes_of
from suite.trial import Network, TrialConfig

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


HOSTILE = {
    "widths": {"widths": [65536] * 5},
    "one width": {"widths": [4, 4, 8, 8, 9]},
    "widths beyond any": {"widths": [10**9] * 5},
    "depths": {"depths": [100] * 5},
    "depths beyond any": {"depths": [10**6] * 5},
    "fewer depths": {"depths": [1, 1, 1, 1, 1]},
    "another network": {"network": "resnet50"},
    "pooling": {"pooling": "<b>"},
    "attribute": {"attribute": "height"},
    "infinite label": {"label_high": math.inf},
    "label that is no number": {"label_high": math.nan},
    "label step of 0": {"label_step": 0},
    "tiny label step": {"label_step": 1e-9},
    "bins of another network": {"label_high": 80},
    "resolution": {"resolution": 10**9},
    "low resolution": {"resolution": 1},
    "numbers as text": {"widths": "44888"},
}


@pytest.mark.parametrize("forgery", HOSTILE)
def test_a_forged_description_is_one_sentence_before_anything_is_built(
    forgery: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "t0.safetensors"
    save_network(build_network(CONFIG, 61), CONFIG, path)
    path.with_suffix(".json").write_text(json.dumps({**CONFIG.to_json(), **HOSTILE[forgery]}))
    monkeypatch.setattr(torch.nn.Module, "load_state_dict", lambda *_: pytest.fail("it was built"))
    with pytest.raises(
        RequestError, match=r"t0\.safetensors cannot be read as a trained network \(.+\)"
    ) as caught:
        load_network(path)
    assert len(str(caught.value)) < 500 + len(str(path))


@pytest.mark.parametrize("entry", ["pipe", "folder", "closed", "unbounded"])
@pytest.mark.parametrize("ending", ["json", "safetensors"])
def test_an_entry_that_is_no_file_of_ours_is_one_sentence(ending: str, entry: str, tmp_path: Path) -> None:
    path = tmp_path / "t0.safetensors"
    save_network(build_network(CONFIG, 61), CONFIG, path)
    damaged = path.with_suffix(f".{ending}")
    damaged.unlink()
    if entry == "pipe":
        os.mkfifo(damaged)
    elif entry == "folder":
        damaged.mkdir()
    elif entry == "closed":
        damaged.touch(mode=0)
    else:
        damaged.symlink_to("/dev/zero")
    with pytest.raises(RequestError, match=r"t0\.safetensors cannot be read as a trained network \(.+\)"):
        load_network(path)


def forged_header(claimed: int, header: object) -> bytes:
    return claimed.to_bytes(8, "little") + json.dumps(header).encode()


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"\x00" * 8,
        forged_header(2**62, {}),
        forged_header(50_000_000, {}),
        forged_header(2, {}),
        forged_header(63, {"w": {"dtype": "F32", "shape": [10**9], "data_offsets": [0, 4 * 10**9]}}),
        forged_header(57, {"w": {"dtype": "F32", "shape": [1], "data_offsets": [-4, 0]}}),
        forged_header(58, {"w": {"dtype": "E99", "shape": [1], "data_offsets": [0, 4]}}) + bytes(4),
    ],
    ids=[
        "empty",
        "zeros",
        "endless",
        "larger than the limit",
        "no tensors",
        "beyond the end",
        "negative",
        "type",
    ],
)
def test_a_forged_header_is_one_sentence(content: bytes, tmp_path: Path) -> None:
    path = tmp_path / "t0.safetensors"
    path.write_bytes(content)
    path.with_suffix(".json").write_text(json.dumps(CONFIG.to_json()))
    with pytest.raises(RequestError, match=r"t0\.safetensors cannot be read as a trained network \(.+\)"):
        load_network(path)


@pytest.mark.parametrize("value", [math.nan, math.inf])
def test_weights_that_are_no_numbers_are_refused(value: float, tmp_path: Path) -> None:
    path = tmp_path / "t0.safetensors"
    network = build_network(CONFIG, 61)
    with torch.no_grad():
        network.get_parameter("head.bias")[7] = value
    save_network(network, CONFIG, path)
    with pytest.raises(RequestError, match=r"'head\.bias' holds a value that is infinite or not a number"):
        load_network(path)


@pytest.mark.parametrize("network", ["compact", "vgg16", "vgg16-bn", "resnet50"])
def test_shapes_are_those_of_the_network_and_draw_no_random_numbers(network: Network) -> None:
    pruned = {"resnet50": (16, 8, 8, 8, 8, 16, 16, 16, 16)}.get(network, (8,) * 7)
    config = dataclasses.replace(
        CONFIG, network=network, pruned_widths=None if network == "compact" else pruned
    )
    before = torch.get_rng_state()
    shapes = shapes_of(config, 61)
    assert torch.equal(before, torch.get_rng_state())
    state = build_network(config, 61).state_dict()
    assert shapes == {name: tuple(tensor.shape) for name, tensor in state.items()}


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
