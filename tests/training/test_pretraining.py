import errno
import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import torch
from safetensors.torch import load_file

from suite.cli.main import main
from suite.cli.progress import describe_pretraining
from suite.data.identities import load_identities
from suite.data.store import LabelRange, Store, StoreInfo, fingerprint, open_store, write_info
from suite.errors import RequestError
from suite.networks import build_network
from suite.training.backbones import start_from
from suite.training.pretraining import pretrain
from suite.trial import IdentityEpoch, TrialConfig
from suite.trial_reading import read_config

CONFIG = TrialConfig(
    widths=(4, 8, 8, 8, 8),
    depths=(1, 1, 1, 1, 1),
    resolution=32,
    epochs=3,
    batch_size=16,
    learning_rate=0.01,
    precision="float32",
    shift_pixels=0,
)


def store_of(folder: Path, subjects: list[str], splits: list[str]) -> Store:
    """Images whose colour tells the subject."""
    rng = np.random.default_rng(0)
    colours = {name: rng.integers(30, 225, 3) for name in sorted(set(subjects))}
    noise = rng.normal(0, 12, (len(subjects), 32, 32, 3))
    images = np.clip(np.array([colours[s] for s in subjects])[:, None, None] + noise, 0, 255).astype(np.uint8)
    labels = pd.DataFrame(
        {"split": splits, "subject": subjects, "source": "", "age": 30.0, "age_std": np.nan}
    )
    folder.mkdir(exist_ok=True)
    np.save(folder / "images.npy", images)
    labels.to_parquet(folder / "labels.parquet")
    info = StoreInfo(
        "people",
        {"age": LabelRange(0, 100, 1)},
        len(images),
        32,
        fingerprint(images, labels),
        "by hand",
        "made",
    )
    write_info(folder, info)
    return open_store(folder)


@pytest.fixture
def people(tmp_path: Path) -> Store:
    """Six people with ten training images each, one with two; others to validate and test."""
    subjects = [f"p{i}" for i in range(6) for _ in range(10)] + ["rare"] * 2 + ["val"] * 3 + ["test"] * 3
    return store_of(tmp_path / "people", subjects, ["train"] * 62 + ["val"] * 3 + ["test"] * 3)


def test_identities_are_those_of_the_training_split_and_lend_one_image_each(people: Store) -> None:
    identities = load_identities(people, 32)
    assert identities.count == 7
    assert identities.held_out.rows.tolist() == [9, 19, 29, 39, 49, 59]  # "rare" has too few to lend one
    assert identities.held_out.labels.tolist() == [0, 1, 2, 3, 4, 5]
    assert len(identities.train) == 56
    assert set(identities.train.rows.tolist()).isdisjoint(identities.held_out.rows.tolist())
    assert max(identities.train.rows.tolist()) < 62


@pytest.mark.parametrize(
    ("subjects", "message"), [(["", "", ""], "does not name the people"), (["a", "a", "b"], "has 1 identity")]
)
def test_data_without_identities_is_refused(subjects: list[str], message: str, tmp_path: Path) -> None:
    store = store_of(tmp_path / "s", subjects, ["train", "train", "val"])
    with pytest.raises(RequestError, match=message):
        load_identities(store, 32)


def test_pretraining_learns_who_it_sees(people: Store, tmp_path: Path) -> None:
    seen: list[IdentityEpoch] = []
    config = TrialConfig(**{**CONFIG.to_json(), "epochs": 12, "widths": (8,) * 5, "depths": (1,) * 5})
    pretrain(config, people, tmp_path / "b.safetensors", seen.append, threads=1, device="cpu")
    assert seen[-1].train_loss < 0.5 * seen[0].train_loss
    assert seen[-1].accuracy > 0.6  # by chance 1/7


def test_the_backbone_is_all_but_the_output_layer_and_fits_its_network(people: Store, tmp_path: Path) -> None:
    path = tmp_path / "b.safetensors"
    training = pretrain(CONFIG, people, path, lambda epoch: None, threads=1, device="cpu")
    assert not [name for name in load_file(path) if name.startswith("head")]
    network = build_network(CONFIG, 101).eval()
    transfer = start_from(network, path)
    assert (transfer.share, transfer.kept, transfer.left) == (1.0, (), ())
    images = torch.rand(2, 3, 32, 32)
    assert torch.equal(network.embed(images), training.network.eval().embed(images))
    told = json.loads(path.with_suffix(".json").read_text())
    assert (told["identities"], told["train_images"], told["held_out_images"]) == (7, 56, 6)
    assert told["data"]["fingerprint"] == people.info.fingerprint
    assert [epoch["epoch"] for epoch in told["epochs"]] == [1, 2, 3]
    assert read_config(told["config"]).widths == CONFIG.widths


def test_pretraining_repeats_bit_for_bit(people: Store, tmp_path: Path) -> None:
    files = [tmp_path / "a.safetensors", tmp_path / "b.safetensors"]
    for path in files:
        pretrain(CONFIG, people, path, lambda epoch: None, threads=1, device="cpu")
        torch.rand(5)
    assert files[0].read_bytes() == files[1].read_bytes()


def test_an_interruption_keeps_the_last_whole_epoch(
    people: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    steps: list[int] = []

    def interrupted(part: object, batch: torch.Tensor, config: object, device: torch.device) -> torch.Tensor:
        steps.append(len(batch))
        if sum(steps) > 56:  # within the second epoch
            raise KeyboardInterrupt
        return people_images[batch]

    people_images = torch.from_numpy(np.array(people.images))
    monkeypatch.setattr("suite.training.pretraining.augmented", interrupted)
    path = tmp_path / "b.safetensors"
    asked = ["pretrain", "--data", str(people.folder), "--network", "micro", "-o", str(path)]
    assert main([*asked, "--resolution", "32", "--epochs", "3", "--batch-size", "56"]) == 130
    shown = capsys.readouterr()
    assert "Interrupted;" in shown.out
    assert "has epoch 1 of 3" in shown.out
    assert "epoch 1 of 3: loss" in shown.err
    assert "left" in shown.err
    assert load_file(path)
    assert len(json.loads(path.with_suffix(".json").read_text())["epochs"]) == 1
    assert not list(tmp_path.glob("*.partial"))


def test_an_output_that_is_there_or_no_safetensors_is_refused(
    people: Store, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    taken = tmp_path / "b.safetensors"
    taken.touch()
    for output, message in ((taken, "--overwrite"), (tmp_path / "b.pt", "does not end in .safetensors")):
        assert main(["pretrain", "--data", str(people.folder), "-o", str(output)]) == 2
        assert message in capsys.readouterr().err


@pytest.mark.parametrize("option", ["seed", "epochs", "batch-size"])
def test_a_number_that_no_training_has_is_refused_before_it_begins(
    option: str, people: Store, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    request = f"pretrain --data {people.folder} -o {tmp_path / 'b.safetensors'} --resolution 32"
    assert main([*request.split(), f"--{option}", str(10**30)]) == 2
    assert f"field '{option.replace('-', '_')}' is 1000" in capsys.readouterr().err
    assert not (tmp_path / "b.safetensors").exists()


def test_a_pretraining_that_diverges_is_one_sentence_and_ends_with_1(
    people: Store, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "base.safetensors"
    request = f"pretrain --data {people.folder} -o {path} --resolution 32 --learning-rate 1e30"
    assert main(request.split()) == 1
    *_, said = capsys.readouterr().err.splitlines()
    assert said.startswith("suite: the loss became NaN or infinite at epoch")
    assert f"lower --learning-rate; {path} " in said


def test_a_line_says_how_far_it_is_and_how_long_it_takes() -> None:
    epochs = [IdentityEpoch(1, 2.5, 0.25, 10.0), IdentityEpoch(2, 1.5, 0.5, 20.0)]
    assert describe_pretraining(epochs, 4) == (
        "epoch 2 of 4: loss 1.500, 50.0% of held-out images recognised, 20 s, about 30 s left"
    )
    alone = [IdentityEpoch(1, 2.5, float("nan"), 10.0)]
    assert describe_pretraining(alone, 1) == "epoch 1 of 1: loss 2.500, 10 s"


def test_a_disk_that_fills_during_pretraining_is_told_with_what_is_kept(
    people: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def full(config: object, store: object, path: Path, on_epoch: Callable[[IdentityEpoch], None]) -> None:
        on_epoch(IdentityEpoch(1, 1.0, 0.5, 1.0))
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr("suite.training.pretraining.pretrain", full)
    path = tmp_path / "new" / "b.safetensors"
    assert main(["pretrain", "--data", str(people.folder), "-o", str(path), "--epochs", "3"]) == 2
    assert (
        f"{path} cannot be written (No space left on device; it has epoch 1 of 3)" in capsys.readouterr().err
    )
