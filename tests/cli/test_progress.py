import dataclasses
import io
import math
import time

import pytest

from suite.cli.progress import (
    CountedProgress,
    LineView,
    LiveView,
    RepeatedLine,
    StagedProgress,
    describe_end,
    describe_progress,
    describe_trainings,
    progress_view,
)
from suite.durations import duration
from suite.runs.watcher import SearchProgress, TrainingProgress
from suite.trial import Profile, TrialConfig
from tests.support.runs import metrics, trial_result

PROGRESS = SearchProgress(
    requested=20,
    finished=5,
    running=2,
    stopped=0,
    lost=1,
    share_done=0.35,
    best_mae=6.314,
    unit="years",
    front=4,
    seconds=95,
    seconds_left=185,
)
BEFORE_THE_FIRST = dataclasses.replace(
    PROGRESS, finished=0, lost=0, best_mae=math.nan, front=0, seconds=3, seconds_left=math.nan
)
FINISHED = trial_result(
    "t0007",
    config=TrialConfig(widths=(8, 16, 32, 64, 64), depths=(1, 1, 2, 2, 2)),
    profile=Profile(params=123_456, macs=1, macs_at_224=1, bytes=1),
    validation=metrics(6.314),
    epochs_run=8,
    seconds=41.6,
    precision="bf16",
    trials_known=3,
    started=20.0,
)
DIVERGED = dataclasses.replace(
    FINISHED, id="t0008", status="diverged", cause="the loss became NaN at epoch 1, step 3", validation=None
)


class Terminal(io.StringIO):
    """A stream that says it is a terminal."""

    def isatty(self) -> bool:
        return True


class Clock:
    """A clock that the test moves."""

    now = 100.0

    def __call__(self) -> float:
        return self.now


def test_a_stage_that_takes_long_says_in_a_log_how_far_it_is(monkeypatch: pytest.MonkeyPatch) -> None:
    clock, stream = Clock(), io.StringIO()
    monkeypatch.setattr("time.monotonic", clock)
    view = LineView(stream)
    view.stage("judging")
    for done in range(41):
        view.advance(done, 40)
        clock.now += 5
    assert stream.getvalue().splitlines() == [
        "judging",
        *(f"{done} of 40, about {duration(5 * (40 - done))} left" for done in range(4, 40, 4)),
    ]
    view.stage("timing")
    view.advance(1, 3)
    assert stream.getvalue().splitlines()[-1] == "timing"


def test_the_progress_has_counts_best_error_front_and_time_left() -> None:
    assert describe_progress(PROGRESS) == (
        "5 of 20 done, 2 running, 1 failed, best MAE 6.31 years, front 4, "
        "1 min 35 s gone, about 3 min 05 s left"
    )


def test_a_confirmation_is_called_one() -> None:
    assert describe_progress(dataclasses.replace(PROGRESS, stage="confirm")).startswith(
        "confirming: 5 of 20 done"
    )


def test_before_the_first_result_nothing_is_claimed() -> None:
    with_stopped = dataclasses.replace(PROGRESS, stopped=3)
    assert "2 running, 3 stopped early, 1 failed, best" in describe_progress(with_stopped)
    assert describe_progress(BEFORE_THE_FIRST) == (
        "0 of 20 done, 2 running, 0 failed, best MAE -, front 0, 3 s gone"
    )


def test_a_finished_trial_is_described_by_error_size_and_shape() -> None:
    assert describe_end(FINISHED) == (
        "t0007 MAE 6.31, 0.123 M params, widths 8-16-32-64-64, depths 1-1-2-2-2, 42 s"
    )


def test_a_trial_that_did_not_finish_is_described_by_its_cause() -> None:
    assert describe_end(DIVERGED) == "t0008 diverged: the loss became NaN at epoch 1, step 3"


def test_without_a_terminal_there_is_a_line_a_stage_and_a_trial_that_ended() -> None:
    stream = io.StringIO()
    view = progress_view(stream)
    view.stage("training, 2 trials at once")
    view.change(BEFORE_THE_FIRST, None)
    view.change(PROGRESS, FINISHED)
    view.change(PROGRESS, DIVERGED)
    view.close()
    assert isinstance(view, LineView)
    assert stream.getvalue().splitlines() == [
        "training, 2 trials at once",
        f"{describe_end(FINISHED)}  |  {describe_progress(PROGRESS)}",
        f"{describe_end(DIVERGED)}  |  {describe_progress(PROGRESS)}",
    ]


def test_in_a_terminal_the_progress_is_a_live_line_below_what_has_ended(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.setenv("COLUMNS", "200")
    stream = Terminal()
    view = progress_view(stream)
    view.stage("training, [2] trials at once")
    view.change(PROGRESS, None)
    view.change(PROGRESS, FINISHED)
    view.close()
    shown = stream.getvalue()
    assert isinstance(view, LiveView)
    assert "training, [2] trials at once" in shown  # brackets are not markup
    assert shown.index(describe_end(FINISHED)) < shown.rindex(describe_progress(PROGRESS))
    assert "35%" in shown


def test_the_live_line_is_gone_when_the_search_is_over(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.setenv("COLUMNS", "200")
    stream = Terminal()
    view = LiveView(stream)
    view.change(PROGRESS, None)
    view.close()
    erase_line = "\x1b[2K"
    assert stream.getvalue().rindex(erase_line) > stream.getvalue().rindex(describe_progress(PROGRESS))


def test_counted_work_says_at_every_tenth_how_long_is_left(monkeypatch: pytest.MonkeyPatch) -> None:
    clock, stream = Clock(), io.StringIO()
    monkeypatch.setattr("time.monotonic", clock)
    progress = CountedProgress("packing", stream)
    for done in range(100, 4001, 100):
        clock.now += 1
        progress(done, 4000)
    lines = stream.getvalue().splitlines()
    assert len(lines) == 10
    assert lines[0] == "packing: 400 of 4,000, about 36 s left"
    assert lines[-1] == "packing: 4,000 of 4,000, in 40 s"


def test_a_stage_that_is_quick_says_nothing_and_a_slow_one_how_long_is_left(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    clock, stream = Clock(), io.StringIO()
    monkeypatch.setattr("time.monotonic", clock)
    progress = StagedProgress(stream)
    for done in range(1, 101):
        clock.now += 0.04
        progress("quick", done, 100)
    assert not stream.getvalue()
    for done in range(1, 101):
        clock.now += 1
        progress("slow", done, 100)
    assert stream.getvalue().splitlines()[0] == "slow: 10 of 100, about 1 min 21 s left"
    assert len(stream.getvalue().splitlines()) == 10


def test_counted_work_of_a_few_items_says_each_once() -> None:
    stream = io.StringIO()
    progress = CountedProgress("packing", stream)
    for done in (1, 2, 2, 3):
        progress(done, 3)
    assert [line.split(",")[0] for line in stream.getvalue().splitlines()] == [
        "packing: 1 of 3",
        "packing: 2 of 3",
        "packing: 3 of 3",
    ]


def test_long_work_says_in_a_log_each_minute_how_far_its_trials_are(monkeypatch: pytest.MonkeyPatch) -> None:
    clock, stream = Clock(), io.StringIO()
    monkeypatch.setattr("time.monotonic", clock)
    view = LineView(stream)
    view.stage("training, 1 trials at once")
    for epoch in range(20):
        training = TrainingProgress("t0000", epoch, 90, 9.0 - 0.1 * epoch if epoch else math.nan)
        view.change(dataclasses.replace(PROGRESS, trainings=(training,)), None)
        clock.now += 12
    view.close()
    assert stream.getvalue().splitlines() == [
        "training, 1 trials at once",
        *(
            f"t0000 epoch {epoch} of 90, MAE {9 - 0.1 * epoch:.2f}  |  {describe_progress(PROGRESS)}"
            for epoch in (5, 10, 15)
        ),
    ]


def test_of_many_running_trials_a_few_are_named() -> None:
    trainings = tuple(TrainingProgress(f"t{n:04d}", 0, 8, math.nan) for n in range(5))
    assert describe_trainings(dataclasses.replace(PROGRESS, trainings=trainings)) == (
        "t0000 in epoch 1 of 8; t0001 in epoch 1 of 8; t0002 in epoch 1 of 8; 2 more  |  "
        + describe_progress(PROGRESS)
    )


def wait_for(lines: list[str], count: int) -> None:
    for _ in range(200):
        if len(lines) >= count:
            return
        time.sleep(0.01)


def test_a_line_is_repeated_while_nothing_else_is_printed() -> None:
    """As in an epoch that takes many minutes."""
    lines: list[str] = []
    with RepeatedLine(lines.append, seconds=0.06) as log:
        log.print("epoch 3 of 90: validation MAE 7.81 years, about 2 h 10 min left")
        wait_for(lines, 3)
    ended = len(lines)
    time.sleep(0.07)
    assert lines[0] == "epoch 3 of 90: validation MAE 7.81 years, about 2 h 10 min left"
    assert set(lines[1:]) == {f"{lines[0]} (0 s ago)"}
    assert 3 <= ended == len(lines)


def test_what_is_only_noted_is_printed_when_it_is_time() -> None:
    lines: list[str] = []
    with RepeatedLine(lines.append, seconds=0.4) as log:
        log.note("in epoch 1 of 90")
        assert lines == []
        wait_for(lines, 1)
    assert lines[0] == "in epoch 1 of 90 (0 s ago)"


def test_counted_work_that_is_slow_says_each_minute_where_it_is(monkeypatch: pytest.MonkeyPatch) -> None:
    clock, stream = Clock(), io.StringIO()
    monkeypatch.setattr("time.monotonic", clock)
    progress = CountedProgress("packing", stream)
    for done in range(1, 10):
        clock.now += 25
        progress(done, 1000)
    assert stream.getvalue().splitlines() == [
        f"packing: {done} of 1,000, about {duration(25 * (1000 - done))} left" for done in (3, 6, 9)
    ]


@pytest.mark.parametrize("columns", [40, 80])
def test_a_narrow_terminal_shows_the_bar_and_the_time_left(
    columns: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.setenv("COLUMNS", str(columns))
    stream = Terminal()
    view = LiveView(stream)
    view.change(dataclasses.replace(PROGRESS, requested=100_000, seconds_left=86_000, stopped=11), None)
    view.close()
    shown = stream.getvalue()
    assert "35%" in shown
    assert "\u2501" * 8 in shown  # eight of the 24 cells of the bar are done
    assert "about 23 h 53 min left" in " ".join(shown.split())


@pytest.mark.parametrize("in_a_terminal", [True, False])
def test_a_view_shows_foreign_text_without_its_control_characters(
    in_a_terminal: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.setenv("COLUMNS", "200")
    stream = Terminal() if in_a_terminal else io.StringIO()
    view = progress_view(stream)
    view.stage("reading \x1b]52;c;aGk=\x07 [/] \rrun")
    view.change(PROGRESS, dataclasses.replace(DIVERGED, id="t\n1", cause="\x9b2J"))
    view.close()
    shown = stream.getvalue()
    assert "reading \\x1b]52;c;aGk=\\x07 [/] \\rrun" in shown
    assert "t\\n1 diverged: \\x9b2J" in shown
    assert "\x1b]" not in shown
    assert "\x9b" not in shown
