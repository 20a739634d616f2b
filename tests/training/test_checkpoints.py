"""A training that was cut and gone on with comes to the same as one that was not, to the last bit."""

import contextlib
import dataclasses
import math
import os
import random
import zipfile
from collections.abc import Callable, Mapping
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
import torch

from suite.data.dataset import Dataset
from suite.networks import build_network
from suite.training import checkpoints
from suite.training.checkpoints import VERSION, CheckpointTimer, FitStep, load_checkpoint, save_checkpoint
from suite.training.fit import Fit, fit
from suite.trial import EpochResult, TrialConfig

CONFIG = TrialConfig(
    widths=(4,) * 5, depths=(1,) * 5, epochs=4, resolution=32, batch_size=32, precision="float32", seed=3
)


def told(epochs: list[EpochResult]) -> list[dict[str, Any]]:
    """What epochs came to, without how long they took."""
    timed = {"seconds": 0.0, "images_per_second": 0.0}
    return [dataclasses.asdict(dataclasses.replace(epoch, **timed)) for epoch in epochs]


def weights(training: Fit) -> Mapping[str, torch.Tensor]:
    state: Mapping[str, torch.Tensor] = training.network.state_dict()
    return state


@pytest.mark.parametrize("cut", [1, 2, 3])
@pytest.mark.parametrize(
    "changes",
    [
        {},
        {"optimizer": "adam", "schedule": "step"},
        {"warmup_method": "dldl", "warmup_epochs": 2},
        {"augmentation": "paper", "shift_pixels": 0},
    ],
    ids=lambda changes: "-".join(changes) or "default",
)
def test_a_resumed_training_equals_an_uninterrupted_one_to_the_last_bit(
    changes: dict[str, Any], cut: int, dataset: Dataset, tmp_path: Path
) -> None:
    config = dataclasses.replace(CONFIG, **changes)
    whole = fit(config, dataset, device="cpu", threads=1)
    expected = list(whole)
    first = fit(config, dataset, device="cpu", threads=1)
    epochs = [next(first) for _ in range(cut)]
    save_checkpoint(first, epochs, 12.5, tmp_path / "t0000.pt")
    next(first)  # what comes after is lost, and changes nothing that was saved
    torch.rand(7)  # another process has another random state

    checkpoint = load_checkpoint(tmp_path / "t0000.pt")
    assert checkpoint is not None
    second = fit(config, dataset, device="cpu", threads=1)
    assert (list(checkpoint.epochs), checkpoint.seconds) == (epochs, 12.5)
    assert checkpoint.restore(second)
    assert told([*epochs, *second]) == told(expected)
    assert weights(second).keys() == weights(whole).keys()
    for name, tensor in weights(whole).items():
        assert torch.equal(weights(second)[name], tensor), name


def test_a_checkpoint_after_the_last_epoch_is_a_training_that_has_ended(
    dataset: Dataset, tmp_path: Path
) -> None:
    config = dataclasses.replace(CONFIG, epochs=1)
    training = fit(config, dataset, device="cpu", threads=1)
    save_checkpoint(training, list(training), 1.0, tmp_path / "a.pt")
    checkpoint, again = load_checkpoint(tmp_path / "a.pt"), fit(config, dataset, device="cpu", threads=1)
    assert checkpoint is not None
    assert checkpoint.restore(again)
    assert list(again) == []


def test_a_checkpoint_of_another_configuration_or_precision_is_not_gone_on_from(
    dataset: Dataset, tmp_path: Path
) -> None:
    training = fit(CONFIG, dataset, device="cpu", threads=1)
    save_checkpoint(training, [next(training)], 1.0, tmp_path / "a.pt")
    checkpoint = load_checkpoint(tmp_path / "a.pt")
    assert checkpoint is not None
    for changes in ({"seed": 4}, {"learning_rate": 1e-3}, {"precision": "bf16"}):
        assert not checkpoint.matches(
            fit(dataclasses.replace(CONFIG, **changes), dataset, device="cpu", threads=1)
        )


def test_a_checkpoint_says_of_which_training_of_which_request_it_is(dataset: Dataset, tmp_path: Path) -> None:
    training = fit(CONFIG, dataset, device="cpu", threads=1)
    epochs = [next(training)]
    for step in (FitStep(), FitStep("a request", 3)):
        save_checkpoint(training, epochs, 1.0, tmp_path / "a.pt", step)
        checkpoint = load_checkpoint(tmp_path / "a.pt")
        assert checkpoint is not None
        assert checkpoint.step == step


def test_checkpoints_take_a_fiftieth_of_the_time(monkeypatch: pytest.MonkeyPatch) -> None:
    clock = [100.0]
    saved: list[float] = []

    def save() -> None:
        saved.append(clock[0])
        clock[0] += 2.0

    monkeypatch.setattr(checkpoints.time, "perf_counter", lambda: clock[0])
    savings = CheckpointTimer()
    for _ in range(1000):  # epochs of a second
        clock[0] += 1.0
        savings.save_if_due(save)
    assert 8 <= len(saved) <= 11
    assert all(later - earlier >= 100 for earlier, later in pairwise(saved))
    savings.begin()  # another training, whose first checkpoint is expected to take as long
    clock[0] += 99.0
    savings.save_if_due(save)
    assert saved[-1] < clock[0] - 90


def test_what_cannot_be_saved_is_not_tried_again_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    clock, tried = [0.0], []

    def save() -> None:
        tried.append(clock[0])
        clock[0] += 1.0
        raise OSError("no room")

    monkeypatch.setattr(checkpoints.time, "perf_counter", lambda: clock[0])
    savings = CheckpointTimer()
    for _ in range(120):
        clock[0] += 1.0
        with contextlib.suppress(OSError):
            savings.save_if_due(save)
    assert 2 <= len(tried) <= 3


def test_what_is_not_a_checkpoint_counts_as_none(dataset: Dataset, tmp_path: Path) -> None:
    training = fit(CONFIG, dataset, device="cpu", threads=1)
    path = tmp_path / "a.pt"
    save_checkpoint(training, [next(training)], 1.0, path)
    whole = path.read_bytes()
    for content in (b"", b"no checkpoint", whole[: len(whole) // 2]):
        path.write_bytes(content)
        assert load_checkpoint(path) is None
    torch.save({"version": 0}, path)
    assert load_checkpoint(path) is None
    torch.save({"version": VERSION, "config": print}, path)  # code is not run
    assert load_checkpoint(path) is None
    assert load_checkpoint(tmp_path / "missing.pt") is None


def test_a_checkpoint_that_was_damaged_anywhere_counts_as_none(dataset: Dataset, tmp_path: Path) -> None:
    training = fit(CONFIG, dataset, device="cpu", threads=1)
    path = tmp_path / "a.pt"
    save_checkpoint(training, [next(training)], 1.0, path)
    whole, rng = path.read_bytes(), random.Random(0)
    for _ in range(60):
        damaged = bytearray(whole)
        at = rng.randrange(
            len(whole) - 64
        )  # also in the comment, whose loss leaves a file of no known version
        damaged[at] ^= 1 << rng.randrange(8)
        path.write_bytes(damaged)
        assert load_checkpoint(path) is None, f"byte {at} of {len(whole)}"
    path.write_bytes(whole[: len(whole) - 77])  # without the comment
    assert load_checkpoint(path) is None
    path.write_bytes(whole)
    assert load_checkpoint(path) is not None


def test_a_checkpoint_of_an_earlier_version_without_a_checksum_is_read(
    dataset: Dataset, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    training = fit(CONFIG, dataset, device="cpu", threads=1)
    epochs = [next(training)]
    with monkeypatch.context() as earlier:
        earlier.setattr(checkpoints, "VERSION", 2)
        earlier.setattr(checkpoints, "_add_checksum", lambda file: None)
        save_checkpoint(training, epochs, 1.0, tmp_path / "a.pt")
    checkpoint = load_checkpoint(tmp_path / "a.pt")
    assert checkpoint is not None
    assert (checkpoint.config, list(checkpoint.epochs)) == (training.config, epochs)


def test_a_checkpoint_is_still_a_zip_file_that_torch_reads(dataset: Dataset, tmp_path: Path) -> None:
    training = fit(CONFIG, dataset, device="cpu", threads=1)
    save_checkpoint(training, [next(training)], 1.0, tmp_path / "a.pt")
    with zipfile.ZipFile(tmp_path / "a.pt") as file:
        assert file.comment.startswith(b"suite-sha256:")
        assert file.testzip() is None


@pytest.mark.parametrize(
    ("name", "value"),
    [("seconds", "long"), ("epochs", [{"epoch": 1}]), ("config", {"epochs": "4"}), ("config", {"new": 1})],
)
def test_a_checkpoint_with_a_value_of_another_type_counts_as_none(
    name: str, value: object, dataset: Dataset, tmp_path: Path
) -> None:
    training = fit(CONFIG, dataset, device="cpu", threads=1)
    path = tmp_path / "a.pt"
    save_checkpoint(training, [], 1.0, path)
    document = torch.load(path, weights_only=True)
    torch.save({**document, name: value, "version": 2}, path)
    assert load_checkpoint(path) is None
    torch.save({**document, "version": 2}, path)
    assert load_checkpoint(path) is not None


def forgeries() -> Mapping[str, Callable[[dict[str, Any]], object]]:
    """Changes of a checkpoint that the types of its values do not show."""
    zeros, forged = torch.zeros, torch.zeros(1).expand(4)

    def network(name: str, tensor: object) -> Callable[[dict[str, Any]], object]:
        return lambda document: document["state"]["network"].update({name: tensor})

    def moment(tensor: object) -> Callable[[dict[str, Any]], object]:
        return lambda document: document["state"]["optimizer"]["state"][0].update(exp_avg=tensor)

    def group(**changes: object) -> Callable[[dict[str, Any]], object]:
        return lambda document: document["state"]["optimizer"]["param_groups"][0].update(changes)

    def schedule(**changes: object) -> Callable[[dict[str, Any]], object]:
        return lambda document: document["state"]["schedule"].update(changes)

    shared: list[object] = []
    for _ in range(60):
        shared = [shared, shared]
    state = build_network(CONFIG, 101).state_dict()
    first = next(iter(state))
    scale = next(name for name, tensor in state.items() if tensor.shape == (4,))
    return {
        "a wider layer": network(first, zeros(9, 9)),
        "a further layer": network("more", zeros(1)),
        "a text for a layer": network(first, "text"),
        "values that are not there": network(scale, forged),
        "another optimiser's moments": moment(zeros(2)),
        "a text for moments": moment("text"),
        "no moments": lambda document: document["state"]["optimizer"]["state"].clear(),
        "moments that are not a number": moment(torch.full((4, 3, 3, 3), math.nan)),
        "another rate's decay": group(weight_decay=1e9),
        "a rate that is a text": group(lr="fast"),
        "an infinite rate": group(lr=math.inf),
        "a schedule without steps": schedule(last_epoch=10**9),
        "a schedule of a text": schedule(last_epoch="3"),
        "a method of the schedule": schedule(step="text"),
        "an epoch after the last": lambda document: document["state"].update(epoch=9),
        "no state": lambda document: document.update(state=[]),
        "epochs from the fifth on": lambda document: document["epochs"][0].update(epoch=5),
        "a negative error": lambda document: document["epochs"][0]["validation"].update(mae=-1.0),
        "more epochs than it has": lambda document: document["epochs"].append(document["epochs"][0]),
        "values that are shared without end": lambda document: document.update(epochs=shared),
        "a negative time": lambda document: document.update(seconds=-1.0),
        "a step before the first": lambda document: document["part"].update(number=0),
        "a request of a number": lambda document: document["part"].update(request=1),
    }


@pytest.mark.parametrize("forgery", forgeries())
def test_a_forged_checkpoint_changes_nothing_and_the_training_begins_anew(
    forgery: str, dataset: Dataset, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(checkpoints, "MOST_VALUES", 10_000)  # the whole number takes a second
    training = fit(CONFIG, dataset, device="cpu", threads=1)
    path = tmp_path / "a.pt"
    save_checkpoint(training, [next(training)], 1.0, path)
    document = torch.load(path, weights_only=True)
    forgeries()[forgery](document)
    torch.save({**document, "version": 2}, path)
    checkpoint = load_checkpoint(path)
    again = fit(CONFIG, dataset, device="cpu", threads=1)
    before = {name: tensor.clone() for name, tensor in weights(again).items()}
    assert checkpoint is None or not checkpoint.restore(again)
    assert all(torch.equal(tensor, before[name]) for name, tensor in weights(again).items())
    assert next(again).epoch == 1


def test_a_checkpoint_that_is_compressed_counts_as_none(dataset: Dataset, tmp_path: Path) -> None:
    training = fit(CONFIG, dataset, device="cpu", threads=1)
    path = tmp_path / "a.pt"
    save_checkpoint(training, [next(training)], 1.0, path)
    document = torch.load(path, weights_only=True)
    torch.save({**document, "state": {"epoch": 1, "bomb": torch.zeros(10**6)}, "version": 2}, path)
    with (
        zipfile.ZipFile(path) as stored,
        zipfile.ZipFile(tmp_path / "b.pt", "w", zipfile.ZIP_DEFLATED) as packed,
    ):
        for name in stored.namelist():
            packed.writestr(name, stored.read(name))
    assert load_checkpoint(path) is not None
    assert load_checkpoint(tmp_path / "b.pt") is None


def test_a_pipe_in_the_place_of_a_checkpoint_counts_as_none(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "a.pt")
    assert load_checkpoint(tmp_path / "a.pt") is None


def test_a_disk_without_room_leaves_the_checkpoint_before_and_no_half_of_one(
    dataset: Dataset, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    training = fit(CONFIG, dataset, device="cpu", threads=1)
    epochs = [next(training)]
    save_checkpoint(training, epochs, 1.0, tmp_path / "a.pt")
    before = (tmp_path / "a.pt").read_bytes()

    def no_room(*_: object) -> None:
        raise RuntimeError("[enforce fail at inline_container.cc:659] . unexpected pos 64 vs 0")

    monkeypatch.setattr(torch, "save", no_room)
    with pytest.raises(OSError, match="unexpected pos"):
        save_checkpoint(training, [*epochs, next(training)], 2.0, tmp_path / "a.pt")
    assert (tmp_path / "a.pt").read_bytes() == before
    assert [file.name for file in tmp_path.iterdir()] == ["a.pt"]
