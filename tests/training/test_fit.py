import dataclasses
import math
import subprocess
import sys
from collections.abc import Iterator
from typing import Literal

import pytest
import torch

from reports.model.recipe import WITH_KL
from suite import augmentation
from suite.augmentation import has_opencv
from suite.data.dataset import Dataset
from suite.data.store import LabelRange
from suite.errors import RequestError
from suite.measure.latency import time_in_rounds
from suite.methods import METHODS
from suite.methods.labels import LabelSet
from suite.networks import CompactNet, build_network
from suite.training.evaluation import evaluate, predict
from suite.training.fit import DivergedError, fit
from suite.training.inputs import augmented, normalised
from suite.training.recipe import resolve_precision
from suite.trial import EpochResult, TrialConfig

CPU = torch.device("cpu")
CONFIG = TrialConfig(
    widths=(4, 4, 8, 8, 8), depths=(1, 1, 1, 1, 1), resolution=32, epochs=2, batch_size=32, shift_pixels=1
)


def trained(config: TrialConfig, dataset: Dataset) -> tuple[list[EpochResult], dict[str, torch.Tensor]]:
    training = fit(config, dataset, threads=1, device="cpu")
    return list(training), training.network.state_dict()


@pytest.mark.parametrize("precision", ["float32", "bf16"])
def test_the_same_configuration_gives_the_same_network_bit_for_bit(precision, dataset: Dataset) -> None:
    config = dataclasses.replace(CONFIG, precision=precision)
    first, weights = trained(config, dataset)
    torch.rand(17)  # whatever else a process draws must not matter
    second, again = trained(config, dataset)
    assert all(torch.equal(weights[name], again[name]) for name in weights)
    assert [e.validation for e in first] == [e.validation for e in second]
    assert [e.train_loss for e in first] == [e.train_loss for e in second]


def test_another_seed_gives_another_network(dataset: Dataset) -> None:
    _, weights = trained(CONFIG, dataset)
    _, other = trained(dataclasses.replace(CONFIG, seed=1), dataset)
    assert not torch.equal(weights["head.weight"], other["head.weight"])


def test_training_learns_more_than_a_constant(dataset: Dataset) -> None:
    config = dataclasses.replace(CONFIG, epochs=8, learning_rate=0.01, precision="float32")
    epochs, _ = trained(config, dataset)
    labels = dataset.splits["val"].labels
    constant = (labels - dataset.splits["train"].labels.median()).abs().mean().item()
    assert epochs[-1].validation.mae < 0.6 * constant
    assert [e.epoch for e in epochs] == list(range(1, 9))


def test_a_fit_ends_after_its_epochs_and_stays_ended(dataset: Dataset) -> None:
    training = fit(CONFIG, dataset, threads=1, device="cpu")
    assert len(list(training)) == CONFIG.epochs
    assert list(training) == []


def test_a_loss_that_becomes_nan_ends_with_step_and_configuration(dataset: Dataset) -> None:
    config = dataclasses.replace(CONFIG, learning_rate=1e30, precision="float32", schedule="step", epochs=5)
    with pytest.raises(DivergedError) as caught:
        trained(config, dataset)
    assert caught.value.step >= 2
    assert f"step {caught.value.step}" in str(caught.value)
    assert "learning_rate 1e+30" in str(caught.value)
    assert caught.value.config == config


def test_divergence_is_dated_to_the_first_step_that_was_not_finite(dataset: Dataset) -> None:
    """Labels poisoned after the first epoch make the second's first loss NaN."""
    training = fit(
        dataclasses.replace(CONFIG, batch_size=8, precision="float32"), dataset, threads=1, device="cpu"
    )
    next(training)
    dataset.splits["train"].labels.fill_(math.nan)
    with pytest.raises(DivergedError) as caught:
        next(training)
    assert caught.value.epoch == 2
    assert caught.value.step == 96 // 8 + 1


def test_predictions_are_the_mean_of_image_and_mirror_image(dataset: Dataset) -> None:
    _, weights = trained(CONFIG, dataset)
    training = fit(CONFIG, dataset, threads=1, device="cpu")
    training.network.load_state_dict(weights)
    ages, part = LabelSet(0, 100, 1), dataset.splits["val"]
    straight = predict(training.network, part, ages, method="dldl-v2", precision="float32", device=CPU)
    mirrored = dataclasses.replace(part, images=part.images.flip(2))
    assert torch.allclose(
        straight,
        predict(training.network, mirrored, ages, method="dldl-v2", precision="float32", device=CPU),
        atol=1e-3,
    )


def test_the_error_of_one_pass_is_that_of_the_images_as_they_are(dataset: Dataset) -> None:
    """The mean with the mirror images is the same for a mirrored split; one pass is not."""
    training = fit(CONFIG, dataset, threads=1, device="cpu")
    part, ages = dataset.splits["val"], training.label_set
    mirrored = dataclasses.replace(part, images=part.images.flip(2))
    found, other = (
        evaluate(training.network, each, ages, method="dldl-v2", precision="float32", device=CPU)
        for each in (part, mirrored)
    )
    assert found.mae == pytest.approx(other.mae, abs=1e-4)
    assert found.mae_one_pass is not None
    assert found.mae_one_pass != pytest.approx(other.mae_one_pass, abs=1e-5)
    assert found.mae <= (found.mae_one_pass + (other.mae_one_pass or 0)) / 2 + 1e-4, (
        "the mean errs no more than both"
    )


def test_evaluating_leaves_the_network_in_its_mode(dataset: Dataset) -> None:
    training = fit(CONFIG, dataset, threads=1, device="cpu")
    training.network.train()
    evaluate(
        training.network,
        dataset.splits["val"],
        LabelSet(0, 100, 1),
        method="dldl-v2",
        precision="float32",
        device=CPU,
    )
    assert training.network.training


def test_augmentation_mirrors_and_shifts_whole_images(dataset: Dataset) -> None:
    part = dataset.splits["train"]
    config = dataclasses.replace(CONFIG, shift_pixels=2, flip=True)
    torch.manual_seed(0)
    batch = torch.arange(40)
    changed = augmented(part, batch, config)
    assert changed.shape == (40, 32, 32, 3)
    core = slice(4, -4)
    for image, original in zip(changed, part.images[part.rows[batch]], strict=True):
        candidates = [
            flipped.roll((dy, dx), (0, 1))[core, core]
            for flipped in (original, original.flip(1))
            for dy in range(-2, 3)
            for dx in range(-2, 3)
        ]
        assert any(torch.equal(image[core, core], candidate) for candidate in candidates)


def test_without_augmentation_a_batch_is_the_images_themselves(dataset: Dataset) -> None:
    part = dataset.splits["val"]
    config = dataclasses.replace(CONFIG, shift_pixels=0, flip=False)
    assert torch.equal(augmented(part, torch.arange(5), config), part.images[part.rows[:5]])


@pytest.mark.parametrize("opencv", [True, False])
def test_with_the_papers_augmentation_training_repeats_bit_for_bit(
    opencv: bool, dataset: Dataset, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(augmentation, "has_opencv", lambda: opencv and has_opencv())
    config = dataclasses.replace(CONFIG, augmentation="paper", precision="float32")
    first, weights = trained(config, dataset)
    second, again = trained(config, dataset)
    assert all(torch.equal(weights[name], again[name]) for name in weights)
    assert [e.train_loss for e in first] == [e.train_loss for e in second]
    assert first[0].train_loss != trained(CONFIG, dataset)[0][0].train_loss


def test_normalised_images_are_channels_last_with_the_papers_mean() -> None:
    grey = torch.full((2, 8, 8, 3), 128, dtype=torch.uint8)
    inputs = normalised(grey)
    assert inputs.is_contiguous(memory_format=torch.channels_last)
    assert inputs[0, :, 0, 0].tolist() == pytest.approx(
        [
            (128 / 255 - m) / s
            for m, s in zip((0.5958, 0.4637, 0.4065), (0.2693, 0.2409, 0.2352), strict=True)
        ],
        abs=1e-5,
    )


def test_the_step_schedule_falls_to_a_tenth_after_half(dataset: Dataset) -> None:
    config = dataclasses.replace(CONFIG, schedule="step", epochs=4, learning_rate=1e-3)
    rates = [epoch.learning_rate for epoch in trained(config, dataset)[0]]
    assert rates[0] == pytest.approx(1e-3)
    assert rates[-1] == pytest.approx(1e-4)


def test_a_part_of_the_training_split_is_the_same_for_every_trial(dataset: Dataset) -> None:
    part = dataset.splits["train"].first(10)
    assert len(part) == 10
    assert torch.equal(part.rows, dataset.splits["train"].first(10).rows)
    assert part.rows[0] == 0
    assert part.rows[-1] == 95


def test_a_dataset_of_another_resolution_is_refused(dataset: Dataset) -> None:
    with pytest.raises(RequestError, match="at 64 pixels"):
        fit(dataclasses.replace(CONFIG, resolution=64), dataset)


def test_the_cpu_share_is_honoured(dataset: Dataset) -> None:
    before = torch.get_num_threads()
    try:
        fit(CONFIG, dataset, threads=2, device="cpu")
        assert torch.get_num_threads() == 2
        fit(CONFIG, dataset, threads=1, device="cpu")
        assert torch.get_num_threads() == 1
    finally:
        torch.set_num_threads(before)


def test_auto_precision_follows_the_processor(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch.cpu, "get_capabilities", lambda: {"avx512_bf16": True}, raising=False)
    assert resolve_precision("auto", CPU) == "bf16"
    monkeypatch.setattr(torch.cpu, "get_capabilities", lambda: {"avx2": True}, raising=False)
    assert resolve_precision("auto", CPU) == "float32"
    assert resolve_precision("bf16", CPU) == "bf16"


class Tf32Seen:
    """Whether TF32 was allowed whenever an operator ran, forwards and backwards."""

    def __init__(self) -> None:
        self.allowed: list[bool] = []

    def __call__(self, *_: object) -> None:
        self.allowed += [torch.backends.cudnn.allow_tf32, torch.backends.cuda.matmul.allow_tf32]

    def watch(self, network: torch.nn.Module) -> torch.nn.Module:
        """Look at every call of the network, and at every gradient of its weights."""
        network.register_forward_hook(self)
        for parameter in network.parameters():
            if parameter.requires_grad:
                parameter.register_post_accumulate_grad_hook(self)
        return network


@pytest.fixture
def tf32_seen() -> Iterator[Tf32Seen]:
    """TF32 is allowed, outside of what is tested."""
    convolutions, products = torch.backends.cudnn, torch.backends.cuda.matmul
    before = convolutions.allow_tf32, products.allow_tf32
    convolutions.allow_tf32 = products.allow_tf32 = True
    yield Tf32Seen()
    after = convolutions.allow_tf32, products.allow_tf32
    convolutions.allow_tf32, products.allow_tf32 = before
    assert after == (True, True)


@pytest.mark.parametrize(("precision", "allowed"), [("float32", False), ("bf16", True)])
def test_float32_is_not_tf32_in_training_and_evaluation(
    precision: Literal["float32", "bf16"], allowed: bool, dataset: Dataset, tf32_seen: Tf32Seen
) -> None:
    training = fit(dataclasses.replace(CONFIG, precision=precision), dataset, device="cpu")
    tf32_seen.watch(training.network)
    next(training)
    assert set(tf32_seen.allowed) == {allowed}


def test_float32_is_not_tf32_where_latency_is_measured(tf32_seen: Tf32Seen) -> None:
    network = tf32_seen.watch(CompactNet([2] * 5, [1] * 5))
    time_in_rounds({"a": network}, resolution=32, batch_size=1, rounds=1, device=CPU)
    assert set(tf32_seen.allowed) == {False}


def test_training_imports_neither_ray_nor_optuna_nor_pyarrow() -> None:
    code = (
        "import sys, suite.training.fit; print([m for m in ('ray', 'optuna', 'plotly') if m in sys.modules])"
    )
    answer = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert answer.stdout.strip() == "[]"


@pytest.mark.parametrize("attribute", ["age", "attractiveness"])
@pytest.mark.parametrize("method", METHODS)
def test_every_method_trains_on_both_attributes_and_has_all_metrics(
    method: str, attribute: str, dataset: Dataset
) -> None:
    if attribute == "attractiveness":
        dataset = scored(dataset)
    label_range = dataset.label_range
    config = dataclasses.replace(
        CONFIG,
        method=method,
        attribute=attribute,
        label_low=label_range.low,
        label_high=label_range.high,
        label_step=label_range.step,
    )
    training = fit(config, dataset, threads=1, device="cpu")
    last = list(training)[-1]
    test = evaluate(
        training.network,
        dataset.splits["test"],
        training.label_set,
        method=training.config.method,
        precision="float32",
        device=CPU,
    )
    for metrics in (last.validation, test):
        numbers = dataclasses.asdict(metrics)
        assert numbers.pop("worst_group") is None  # the data names no groups
        assert all(math.isfinite(value) for value in numbers.values())
        assert metrics.mae <= label_range.high - label_range.low
    assert math.isfinite(last.train_loss)
    assert math.isfinite(last.train_l1)
    assert math.isnan(last.train_kl) == (method not in WITH_KL)


WARMED = dataclasses.replace(CONFIG, warmup_method="dldl", warmup_epochs=2, epochs=5, precision="float32")


def test_the_first_epochs_train_by_the_warm_up_method(dataset: Dataset) -> None:
    """The joint stage starts from the network that KL alone gave (paper, training recipe)."""
    warmed = fit(WARMED, dataset, threads=1, device="cpu")
    alone = fit(
        dataclasses.replace(CONFIG, method="dldl", precision="float32"), dataset, threads=1, device="cpu"
    )
    for _ in range(2):
        assert next(warmed).train_loss == next(alone).train_loss
    state = alone.network.state_dict()
    assert all(torch.equal(state[name], tensor) for name, tensor in warmed.network.state_dict().items())
    joint = next(warmed)
    assert joint.train_loss == pytest.approx(joint.train_kl / 101 + joint.train_l1, rel=1e-4)


def test_each_stage_has_a_schedule_of_its_own(dataset: Dataset) -> None:
    config = dataclasses.replace(WARMED, epochs=6, schedule="step", learning_rate=1e-3)
    rates = [epoch.learning_rate for epoch in trained(config, dataset)[0]]
    assert rates[1] == pytest.approx(1e-4)
    assert rates[2] == pytest.approx(1e-3)
    assert rates[-1] == pytest.approx(1e-4)


def test_a_training_in_stages_repeats_bit_for_bit(dataset: Dataset) -> None:
    first, weights = trained(WARMED, dataset)
    second, again = trained(WARMED, dataset)
    assert [e.epoch for e in first] == [1, 2, 3, 4, 5]
    assert all(torch.equal(weights[name], again[name]) for name in weights)
    assert [e.train_loss for e in first] == [e.train_loss for e in second]


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"warmup_epochs": 5}, "from 0 to 4"),
        ({"warmup_epochs": -1}, "from 0 to 4"),
        ({"warmup_method": None}, "warmup_method is missing"),
        ({"warmup_method": "coral"}, "another output layer than method dldl-v2; choose dex or dldl"),
    ],
)
def test_a_warm_up_that_cannot_be_is_refused(
    changes: dict[str, object], message: str, dataset: Dataset
) -> None:
    with pytest.raises(RequestError, match=message):
        fit(dataclasses.replace(WARMED, **changes), dataset)


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize(("low", "high", "step"), [(0, 100, 0.5), (10, 60, 2.5), (0, 116, 116)])
def test_label_range_and_step_are_free(
    low: float, high: float, step: float, method: str, dataset: Dataset
) -> None:
    """Ages outside of the range among them: they pull to its ends and break nothing."""
    config = dataclasses.replace(
        CONFIG, method=method, label_low=low, label_high=high, label_step=step, epochs=1, train_images=32
    )
    training = fit(config, dataset, threads=1, device="cpu")
    assert math.isfinite(next(training).train_loss)
    read = predict(
        training.network,
        dataset.splits["val"],
        training.label_set,
        method=training.config.method,
        precision="float32",
        device=CPU,
    )
    assert low - 1e-4 <= read.min() <= read.max() <= high + 1e-4


def scored(dataset: Dataset) -> Dataset:
    """The same images with their ages as scores from 1 to 5."""
    splits = {
        name: dataclasses.replace(part, labels=1 + part.labels / 25, deviations=part.deviations / 25)
        for name, part in dataset.splits.items()
    }
    return Dataset("attractiveness", dataset.resolution, LabelRange(1, 5, 0.1), splits)


def test_a_training_goes_on_from_a_network_that_is_given_and_leaves_it_as_it_is(dataset: Dataset) -> None:
    config = TrialConfig(
        widths=(4, 4, 4, 4, 4), depths=(1, 1, 1, 1, 1), resolution=32, epochs=1, learning_rate=1e-9
    )
    given = build_network(dataclasses.replace(config, seed=5), 101)
    with torch.no_grad():
        given.head.bias += torch.arange(101) / 10  # type: ignore[union-attr, operator]
    before = {name: tensor.clone() for name, tensor in given.state_dict().items()}
    training = fit(config, dataset, threads=1, network=given)
    next(training)
    assert all(torch.equal(before[name], tensor) for name, tensor in given.state_dict().items())
    for name, parameter in training.network.named_parameters():
        assert torch.allclose(parameter, before[name], atol=1e-6), name


def test_a_network_whose_statistics_overflow_has_diverged_though_its_loss_is_finite(dataset: Dataset) -> None:
    training = fit(CONFIG, dataset, threads=1, device="cpu")
    norm = next(module for module in training.network.modules() if isinstance(module, torch.nn.BatchNorm2d))

    def overflow(module: torch.nn.Module, *_: object) -> None:
        if not module.training:  # while it validates
            module.running_var.fill_(torch.inf)  # type: ignore[operator, union-attr]

    norm.register_forward_hook(overflow)
    with pytest.raises(DivergedError, match="epoch 1"):
        next(training)
