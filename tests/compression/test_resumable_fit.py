"""An interrupted training of ``suite compress`` continues to the same network, bit for bit."""

import dataclasses
import json
import shutil
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pandas as pd
import pytest
import torch

from suite.cli.main import main
from suite.compression import steps
from suite.compression.derived_trial import DistillationSettings
from suite.compression.distil import Distillation
from suite.compression.prune_and_finetune import Pruning
from suite.deployment.trained_trial import TrainedTrial, open_trial
from suite.networks.weights import load_network, save_network
from suite.runs.tables import read_run
from suite.training import checkpoints
from suite.training.fit import DivergedError, Fit
from tests.support.drivers import Driver
from tests.support.trained_runs import CONFIG, lively

EPOCHS = 4
#: Halved in two cuts, each stage goes from 16 channels to 12 and from there to 8.
WIDE = dataclasses.replace(CONFIG, widths=(16, 16, 16, 16, 16))
CUTS = Pruning((0.5,) * 5, "uniform", "taylor", 2, EPOCHS, 3e-3)
TAUGHT_CUTS = dataclasses.replace(CUTS, rounds=1, teaching=DistillationSettings(0.5, 2.0))
STUDENT = Distillation((4, 4, 8, 8, 8), (1,) * 5, EPOCHS, 3e-3, DistillationSettings(1.0, 2.0))
Request = Pruning | Distillation


class Listener:
    """Collects messages, and raises KeyboardInterrupt after an epoch."""

    def __init__(self, stop_after: int = EPOCHS + 1) -> None:
        self._stop_after = stop_after
        self.messages: list[str] = []

    def __call__(self, sentence: str) -> None:
        self.messages.append(sentence)
        if sentence.startswith(f"epoch {self._stop_after} of"):
            raise KeyboardInterrupt

    @property
    def epochs(self) -> list[int]:
        """The epochs that were trained."""
        return [int(sentence.split()[1]) for sentence in self.messages if sentence.startswith("epoch ")]


@pytest.fixture(autouse=True)
def one_thread(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """More threads do not make small networks faster on a busy machine; subprocesses use one thread, too."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    monkeypatch.setenv("OMP_NUM_THREADS", "1")
    yield
    torch.set_num_threads(before)


@pytest.fixture
def run(run: Path) -> Path:
    """A run whose trial is wide enough for two cuts."""
    save_network(lively(WIDE), WIDE, run / "weights" / "t0000.safetensors")
    return run


@pytest.fixture
def saved_each_epoch(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(checkpoints, "INTERVAL_IN_SAVES", 0)


def carry_out(run: Path, request: Request, listener: Listener) -> TrainedTrial:
    trained = open_trial(run, "t0000", listener, lambda done, of: None)
    step: Callable[..., TrainedTrial] = steps.prune if isinstance(request, Pruning) else steps.distil
    return step(trained, request, listener)


def interrupt(run: Path, request: Request, after: int) -> Path:
    """Interrupt a request after an epoch, and return its checkpoint."""
    with pytest.raises(KeyboardInterrupt):
        carry_out(run, request, Listener(after))
    return run / "checkpoints" / f"{request.id_for('t0000')}.pt"


def epochs_of(run: Path, trial_id: str) -> pd.DataFrame:
    """Return the epochs of a row, without their durations."""
    epochs = read_run(run).epochs
    rows = epochs[epochs["id"] == trial_id].reset_index(drop=True)
    return rows.drop(columns=["seconds", "images_per_second"])


class Uninterrupted(dict[Request, Path]):
    """The run folders of requests that were carried out at one go, each made when it is first asked for."""

    def __init__(self, folder: Path) -> None:
        super().__init__()
        self._folder = folder

    def of(self, run: Path, request: Request) -> Path:
        """Return the folder of a request; ``run`` is as the request found it."""
        if request not in self:
            self[request] = self._folder / str(len(self))
            shutil.copytree(run, self[request])
            listener = Listener()
            carry_out(self[request], request, listener)
            assert listener.epochs == list(range(1, EPOCHS + 1))
        return self[request]


@pytest.fixture(scope="module")
def uninterrupted(tmp_path_factory: pytest.TempPathFactory) -> Uninterrupted:
    return Uninterrupted(tmp_path_factory.mktemp("uninterrupted"))


def assert_alike(one: Path, other: Path, trial_id: str) -> None:
    weights = [(folder / "weights" / f"{trial_id}.safetensors").read_bytes() for folder in (one, other)]
    assert weights[0] == weights[1]
    pd.testing.assert_frame_equal(epochs_of(one, trial_id), epochs_of(other, trial_id))
    configs = [load_network(folder / "weights" / f"{trial_id}.safetensors")[1] for folder in (one, other)]
    assert len({dataclasses.replace(config, teacher=None) for config in configs}) == 1


@pytest.mark.parametrize(
    ("request_", "after"),
    [(CUTS, 1), (CUTS, 2), (CUTS, 3), (TAUGHT_CUTS, 3), (STUDENT, 2)],
    ids=["cuts-1", "cuts-2", "cuts-3", "taught-3", "student-2"],
)
def test_a_training_continues_after_its_last_epoch_to_the_same_network(
    request_: Request, after: int, run: Path, uninterrupted: Uninterrupted, saved_each_epoch: None
) -> None:
    """Of two cuts with two epochs after each, epoch 2 ends a round and epoch 3 begins one."""
    whole = uninterrupted.of(run, request_)
    before = list(read_run(run).trials["id"])
    checkpoint = interrupt(run, request_, after)
    assert checkpoint.exists()
    assert list(read_run(run).trials["id"]) == before
    torch.rand(7)  # another process has another random state

    second = Listener()
    made = carry_out(run, request_, second)
    assert f"{made.id} goes on after epoch {after} of {EPOCHS}" in second.messages
    assert second.epochs == list(range(after + 1, EPOCHS + 1))
    assert not list(checkpoint.parent.iterdir())

    assert_alike(run, whole, made.id)


def test_a_training_may_be_interrupted_several_times(
    run: Path, uninterrupted: Uninterrupted, saved_each_epoch: None
) -> None:
    whole = uninterrupted.of(run, CUTS)
    for after in (1, 2, 3):
        interrupt(run, CUTS, after)
    made = carry_out(run, CUTS, Listener())
    assert_alike(run, whole, made.id)
    # All sessions count, as in a row that was not interrupted.
    assert made.row["seconds"] >= sum(read_run(run).epochs.query("id == @made.id")["seconds"]) * 0.99


def test_an_interruption_before_the_row_is_written_repeats_the_last_epoch_only(
    run: Path, monkeypatch: pytest.MonkeyPatch, saved_each_epoch: None
) -> None:
    """Interrupted between the last epoch and the row."""

    def killed(*_: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as broken:
        broken.setattr(steps, "save_network", killed)
        with pytest.raises(KeyboardInterrupt):
            carry_out(run, CUTS, Listener())
    second = Listener()
    carry_out(run, CUTS, second)
    assert second.epochs == [EPOCHS]


def another_seed(run: Path, checkpoint: Path) -> None:
    file = run / "weights" / "t0000.json"
    file.write_text(json.dumps({**json.loads(file.read_text()), "seed": 5}))


def other_weights(run: Path, checkpoint: Path) -> None:
    save_network(lively(WIDE, 9), WIDE, run / "weights" / "t0000.safetensors")


def half_a_file(run: Path, checkpoint: Path) -> None:
    checkpoint.write_bytes(checkpoint.read_bytes()[:1000])


def of_more_epochs(run: Path, checkpoint: Path) -> None:
    more = interrupt(run, dataclasses.replace(CUTS, epochs=EPOCHS + 2), 3)
    more.rename(checkpoint)


def of_another_goal(run: Path, checkpoint: Path) -> None:
    less = interrupt(run, dataclasses.replace(CUTS, goal=(1.0,) * 5), 3)
    less.rename(checkpoint)


@pytest.mark.parametrize("spoil", [half_a_file, of_more_epochs, of_another_goal])
def test_a_checkpoint_of_another_request_is_not_used(
    spoil: Callable[[Path, Path], None], run: Path, uninterrupted: Uninterrupted, saved_each_epoch: None
) -> None:
    whole = uninterrupted.of(run, CUTS)
    spoil(run, interrupt(run, CUTS, 3))
    second = Listener()
    made = carry_out(run, CUTS, second)
    assert second.epochs == list(range(1, EPOCHS + 1))
    assert_alike(run, whole, made.id)


@pytest.mark.parametrize("spoil", [another_seed, other_weights])
def test_a_checkpoint_of_another_trial_is_not_used(
    spoil: Callable[[Path, Path], None], run: Path, tmp_path: Path, saved_each_epoch: None
) -> None:
    spoil(run, interrupt(run, CUTS, 3))
    shutil.copytree(run, tmp_path / "whole", ignore=shutil.ignore_patterns("checkpoints"))
    second = Listener()
    made = carry_out(run, CUTS, second)
    assert second.epochs == list(range(1, EPOCHS + 1))
    carry_out(tmp_path / "whole", CUTS, Listener())
    assert_alike(run, tmp_path / "whole", made.id)


def test_a_training_that_diverged_leaves_no_checkpoint(
    run: Path, monkeypatch: pytest.MonkeyPatch, saved_each_epoch: None
) -> None:
    def diverges(self: Fit) -> tuple[float, float, float]:
        raise DivergedError(2, 7, CONFIG)

    listener = Listener()

    def listen(sentence: str) -> None:
        listener(sentence)
        if sentence.startswith("epoch 1"):
            monkeypatch.setattr(Fit, "_train_epoch", diverges)

    with pytest.raises(DivergedError):
        steps.prune(open_trial(run, "t0000", listener, lambda done, of: None), CUTS, listen)
    assert listener.epochs == [1]
    assert not list((run / "checkpoints").iterdir())


def test_checkpoints_that_cannot_be_written_do_not_stop_a_training(run: Path, saved_each_epoch: None) -> None:
    (run / "checkpoints").write_text("a file where the folder should be")
    listener = Listener()
    assert carry_out(run, CUTS, listener).row["epochs_run"] == EPOCHS


def test_the_command_says_that_it_can_be_repeated(
    run: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    import suite.cli.compress as command

    monkeypatch.setattr(command, "print_stage", Listener(2))
    options = ["compress", str(run), "--trial", "t0000", "--keep", "0.5", "--epochs", "4"]
    assert main(options) == 130
    assert (
        "suite: interrupted; what had ended is kept, and the same command goes on" in capsys.readouterr().err
    )


@pytest.mark.slow
@pytest.mark.timeout(600)
@pytest.mark.parametrize(
    "options",
    [["--keep", "0.5", "--rounds", "2", "--distill-weight", "0.3"], ["--student", "4,4,8,8,8/1,1,1,1,1"]],
    ids=["cuts", "student"],
)
def test_a_killed_command_continues(
    options: list[str], run: Path, tmp_path: Path, drive: Callable[..., Driver]
) -> None:
    shutil.copytree(run, tmp_path / "whole")
    command = ["--trial", "t0000", *options, "--epochs", "160"]
    first = drive("compress", "run", *command)
    assert first.process.stdout is not None
    reached = 0
    while reached < 100:
        line = first.process.stdout.readline()
        assert line, f"it ended before it was killed: {first.said}"
        first.said.append(line)
        reached = int(line.split()[1]) if line.startswith("epoch ") else reached
        if reached > 99 and not list((run / "checkpoints").glob("*.pt")):
            reached = 99
            time.sleep(0.01)
    first.kill()
    (checkpoint,) = (run / "checkpoints").glob("*.pt")

    second = drive("compress", "run", *command)
    assert second.end() == 0, second.said
    assert any("goes on after epoch" in line for line in second.said)
    assert "epoch 1 of 160" not in "\n".join(second.said)
    assert not list((run / "checkpoints").iterdir())
    whole = drive("compress", "whole", *command)
    assert whole.end() == 0, whole.said
    assert_alike(run, tmp_path / "whole", checkpoint.stem)
