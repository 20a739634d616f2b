"""What a student learns of its teacher: the term by hand, the teacher's answers, and that it trains."""

import dataclasses
from pathlib import Path

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from suite.data.dataset import Dataset
from suite.errors import RequestError
from suite.methods import METHODS, LossWeights, Targets
from suite.methods.labels import LabelSet
from suite.networks import build_network
from suite.networks.weights import save_network
from suite.training.distillation import Teacher, distillation_loss, teacher_of
from suite.training.fit import fit
from suite.training.inputs import CPU, augmented, normalised
from suite.trial import TrialConfig

CONFIG = TrialConfig(
    widths=(4, 4, 8, 8, 8),
    depths=(1, 1, 1, 1, 1),
    resolution=32,
    epochs=2,
    batch_size=32,
    precision="float32",
)
LABELS = LabelSet(0, 100, 1)


@pytest.fixture
def teacher(tmp_path: Path, dataset: Dataset) -> Path:
    """The weights of a larger network that was trained a little."""
    config = dataclasses.replace(CONFIG, widths=(8, 8, 16, 16, 16), epochs=3, kl_over_bins="sum")
    training = fit(config, dataset)
    list(training)
    save_network(training.network, config, tmp_path / "teacher.safetensors")
    return tmp_path / "teacher.safetensors"


def config_taught_by(teacher: Path, **fields: object) -> TrialConfig:
    given = {"teacher": str(teacher), "distill_weight": 1.0, **fields}
    return dataclasses.replace(CONFIG, **given)  # type: ignore[arg-type]


@given(st.integers(0, 2**31), st.floats(0.5, 20.0))
def test_the_term_is_the_divergence_by_its_definition(seed: int, temperature: float) -> None:
    generator = torch.Generator().manual_seed(seed)
    ours, its = (torch.randn(3, 7, generator=generator) * 4 for _ in range(2))
    p, q = (torch.softmax(logits.double() / temperature, 1) for logits in (its, ours))
    expected = temperature**2 * (p * (p.log() - q.log())).sum(1).mean()
    found = distillation_loss(ours, its, temperature)
    assert float(found) == pytest.approx(float(expected), rel=1e-3, abs=1e-5)
    assert float(distillation_loss(its, its, temperature)) == pytest.approx(0, abs=1e-5)


def test_gradients_stay_as_large_when_both_are_softened() -> None:
    """For a high temperature the gradient is (ours - its) / bins, whatever the temperature (Hinton 2015)."""
    ours, its = (
        torch.randn(1, 9, generator=torch.Generator().manual_seed(0)).requires_grad_(),
        torch.zeros(1, 9),
    )
    for temperature in (50.0, 200.0):
        (gradient,) = torch.autograd.grad(distillation_loss(ours, its, temperature), ours)
        assert torch.allclose(gradient, (ours - ours.mean()) / 9, atol=5e-3)


def test_a_step_lowers_the_labels_loss_and_the_weighted_term_together(
    teacher: Path, dataset: Dataset
) -> None:
    """The loss of a first epoch of one step, against what it is by hand."""
    config = config_taught_by(
        teacher, batch_size=96, distill_weight=2.0, temperature=3.0, shift_pixels=0, flip=False
    )
    network = build_network(config, 101)
    loss = next(fit(config, dataset, network=network)).train_loss
    train, own = dataset.splits["train"], teacher_of(config, dataset.splits["train"], CPU, "float32")
    assert own is not None
    images = train.images[train.rows]
    outputs = network.train()(normalised(images))
    targets = Targets(train.labels, train.deviations)
    by_labels = METHODS[config.method].loss(outputs, targets, LABELS, LossWeights.of(config)).total
    term = distillation_loss(outputs, own.logits(images, torch.arange(96)), 3.0)
    assert loss == pytest.approx(float((by_labels + 2 * term).detach()), rel=1e-4)


@pytest.mark.parametrize("shift", [0, 2])
def test_the_teacher_answers_the_view_that_the_student_sees(
    shift: int, teacher: Path, dataset: Dataset, monkeypatch: pytest.MonkeyPatch
) -> None:
    config = config_taught_by(teacher, shift_pixels=shift)
    train = dataset.splits["train"]
    own = teacher_of(config, train, CPU, "float32")
    assert own is not None
    counted = []
    predict = Teacher._predict
    monkeypatch.setattr(Teacher, "_predict", lambda self, images: counted.append(1) or predict(self, images))
    batch = torch.randperm(len(train))[:40]
    images = augmented(train, batch, config)
    assert torch.allclose(own.logits(images, batch), predict(own, images), atol=1e-4)
    assert len(counted) == (0 if shift == 0 else 1)  # of two views both were answered before


def test_a_student_comes_closer_to_its_teacher_than_without(teacher: Path, dataset: Dataset) -> None:
    train = dataset.splits["train"]
    images, batch = train.images[train.rows], torch.arange(len(train))
    distances = []
    for weight in (0.0, 100.0):
        config = config_taught_by(teacher, epochs=6, shift_pixels=0)
        training = fit(dataclasses.replace(config, distill_weight=weight), dataset)
        list(training)
        own = teacher_of(config, train, CPU, "float32")
        assert own is not None
        outputs = training.network.eval()(normalised(images)).detach()
        distances.append(float(distillation_loss(outputs, own.logits(images, batch), 1.0)))
    assert distances[1] < 0.9 * distances[0]


def test_the_same_configuration_gives_the_same_student(teacher: Path, dataset: Dataset) -> None:
    first, second = (fit(config_taught_by(teacher), dataset) for _ in range(2))
    losses = [[epoch.train_loss for epoch in training] for training in (first, second)]
    assert losses[0] == losses[1]
    assert first.config.teacher_sha256 is not None
    assert all(
        torch.equal(a, b)
        for a, b in zip(
            first.network.state_dict().values(), second.network.state_dict().values(), strict=True
        )
    )


@pytest.mark.parametrize(
    ("fields", "complaint"),
    [
        ({"teacher": None}, "distill_weight is 1 and teacher is missing"),
        ({"teacher": "nowhere.safetensors"}, "nowhere.safetensors cannot be read"),
        ({"method": "coral"}, "the trial has the method coral, which has no distribution to distil"),
        ({"label_high": 90.0}, "was trained with label_high 100.0 and the trial has 90.0"),
        ({"temperature": 0.0}, "'temperature' is 0.0; it must be above 0"),
        ({"distill_weight": -1.0}, "distill_weight is -1; set it to 0 or more"),
        ({"teacher_sha256": "abc"}, "not abc... as teacher_sha256 says"),
    ],
)
def test_what_cannot_be_distilled_is_one_sentence(
    fields: dict[str, object], complaint: str, teacher: Path, dataset: Dataset
) -> None:
    with pytest.raises(RequestError, match=complaint):
        fit(dataclasses.replace(config_taught_by(teacher), **fields), dataset)  # type: ignore[arg-type]


def test_without_a_weight_no_teacher_is_read(dataset: Dataset) -> None:
    assert teacher_of(CONFIG, dataset.splits["train"], CPU, "float32") is None
