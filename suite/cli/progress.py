"""The progress of long work, as a person reads it: a live line in a terminal, lines of text in a log."""

import math
import sys
import threading
import time
from collections.abc import Callable, Sequence
from typing import TextIO

from suite.durations import duration
from suite.printable import print_line, printable
from suite.runs.watcher import SearchProgress, TrainingProgress, Watcher
from suite.trial import IdentityEpoch, TrialResult


def progress_view(stream: TextIO | None = None) -> Watcher:
    """A live view where the stream (default: standard error) is a terminal, else lines of text."""
    stream = stream or sys.stderr
    return LiveView(stream) if stream.isatty() else LineView(stream)


#: Least time between two lines about the same stage in a log.
LINE_SECONDS = 20.0
#: Longest time without a line in a log.
SILENCE_SECONDS = 60.0
#: Time without a line at the beginning of a stage that is mostly quick.
QUIET_SECONDS = 5.0
#: Running trials that a line names.
MOST_TRAININGS = 3


class RepeatedLine:
    """Lines of a log, of which the latest is repeated while the work goes on and nothing else is printed.

    A thread repeats it, because the work may be in the middle of an epoch of many minutes.
    """

    def __init__(self, write: Callable[[str], object], seconds: float = SILENCE_SECONDS) -> None:
        """Start without a line.

        Args:
            write: Prints a line.
            seconds: Longest time without a line.
        """
        self._write, self._seconds, self._clock = write, seconds, time.monotonic
        self._pause = seconds / 12
        self._line = ""
        self._noted = self._printed = self._clock()
        self._lock, self._ended = threading.Lock(), threading.Event()
        threading.Thread(target=self._repeat, daemon=True).start()

    def print(self, line: str) -> None:
        """Print a line, which is repeated from here on."""
        with self._lock:
            self._line, self._noted = line, self._clock()
            self._printed = self._noted
            self._write(line)

    def note(self, line: str) -> None:
        """Replace the line that is repeated. It is printed now only if nothing was for a long time."""
        with self._lock:
            self._line, self._noted = line, self._clock()
            if self._is_due():
                self._printed = self._noted
                self._write(line)

    def close(self) -> None:
        """Repeat nothing more. A line that is being printed is waited for."""
        with self._lock:
            self._ended.set()

    def __enter__(self) -> "RepeatedLine":
        return self

    def __exit__(self, *error: object) -> None:
        self.close()

    def _is_due(self) -> bool:
        return bool(self._line) and self._clock() - self._printed >= self._seconds - self._pause

    def _repeat(self) -> None:
        while not self._ended.wait(self._pause):
            with self._lock:
                if self._is_due() and not self._ended.is_set():
                    self._printed = self._clock()
                    self._write(f"{self._line} ({duration(self._printed - self._noted)} ago)")


class LineView:
    """Lines for logs, pipes and batch systems: for each stage, each trial that ended, and at least every minute."""

    def __init__(self, stream: TextIO) -> None:
        self._clock = time.monotonic
        self._stage_began = self._last_line = self._clock()
        self._lines = RepeatedLine(lambda line: print_line(line, stream))

    def stage(self, sentence: str) -> None:
        """Print the stage."""
        self._stage_began = self._last_line = self._clock()
        self._lines.print(sentence)

    def change(self, progress: SearchProgress, ended: TrialResult | None) -> None:
        """Print a trial that ended; how the others are is printed only once in a minute."""
        if ended is not None:
            self._lines.print(f"{describe_end(ended)}  |  {describe_progress(progress)}")
        self._lines.note(describe_trainings(progress))

    def advance(self, done: int, of: int) -> None:
        """Print how far the stage is, at most every ``LINE_SECONDS``."""
        now = self._clock()
        if 0 < done < of and now - self._last_line >= LINE_SECONDS:
            self._last_line = now
            left = duration((now - self._stage_began) / done * (of - done))
            self._lines.print(f"{done:,} of {of:,}, about {left} left")

    def close(self) -> None:
        """Print nothing more."""
        self._lines.close()


class LiveView:
    """A progress bar over all epochs, the counts below it, and above it a line for each trial that ended.

    The text below the bar takes as many lines as the terminal needs, so that a narrow one cuts nothing off.
    """

    def __init__(self, stream: TextIO) -> None:
        from rich.console import Console, Group
        from rich.live import Live
        from rich.progress import BarColumn, Progress, SpinnerColumn, TaskProgressColumn
        from rich.text import Text

        self._text = ""
        self._progress = Progress(SpinnerColumn(), BarColumn(bar_width=24), TaskProgressColumn())
        self._task = self._progress.add_task("", total=1.0)
        self._live = Live(
            get_renderable=lambda: Group(self._progress, Text(printable(self._text))),
            console=Console(file=stream),
            transient=True,
        )
        self._live.start()

    def stage(self, sentence: str) -> None:
        """Print the stage above the bar."""
        self._print(sentence)
        self._update(sentence, 0.0)

    def change(self, progress: SearchProgress, ended: TrialResult | None) -> None:
        """Move the bar, and print a trial that ended above it."""
        if ended is not None:
            self._print(describe_end(ended))
        self._update(describe_trainings(progress), progress.share_done)

    def advance(self, done: int, of: int) -> None:
        """Move the bar."""
        self._progress.update(self._task, completed=done / of)

    def close(self) -> None:
        """Remove the bar."""
        self._live.stop()

    def _print(self, line: str) -> None:
        self._live.console.print(printable(line), markup=False, highlight=False)

    def _update(self, text: str, share_done: float) -> None:
        self._text = text
        self._progress.update(self._task, completed=share_done)
        self._live.refresh()


def describe_trainings(progress: SearchProgress) -> str:
    """The progress of a search in one line, after that of some of its running trials."""
    named = [_describe_training(training) for training in progress.trainings[:MOST_TRAININGS]]
    if more := len(progress.trainings) - len(named):
        named.append(f"{more} more")
    return "  |  ".join(filter(None, ("; ".join(named), describe_progress(progress))))


def _describe_training(training: TrainingProgress) -> str:
    if not training.epoch:
        return f"{training.id} in epoch 1 of {training.epochs}"
    return f"{training.id} epoch {training.epoch} of {training.epochs}, MAE {training.mae:.2f}"


#: How a line on the progress of a stage begins; that of the search itself begins with nothing.
STAGES = {"elastic": "sharing weights: ", "confirm": "confirming: "}


def describe_progress(progress: SearchProgress) -> str:
    """The progress of a search in one line."""
    best = "-" if math.isnan(progress.best_mae) else f"{progress.best_mae:.2f} {progress.unit}"
    left = "" if math.isnan(progress.seconds_left) else f", about {duration(progress.seconds_left)} left"
    stage = STAGES.get(progress.stage, "")
    early = f"{progress.stopped} stopped early, " if progress.stopped else ""
    return (
        f"{stage}{progress.finished} of {progress.requested} done, {progress.running} running, {early}"
        f"{progress.lost} failed, best MAE {best}, front {progress.front}, "
        f"{duration(progress.seconds)} gone{left}"
    )


def describe_end(ended: TrialResult) -> str:
    """How a trial ended, in one line."""
    if ended.status != "finished" or ended.validation is None or ended.profile is None:
        return f"{ended.id} {ended.status}: {ended.cause}"
    network: str = ended.config.network
    if network == "compact":
        widths, depths = ended.config.widths, ended.config.depths
        network = f"widths {'-'.join(map(str, widths))}, depths {'-'.join(map(str, depths))}"
    return (
        f"{ended.id} MAE {ended.validation.mae:.2f}, {ended.profile.params / 1e6:.3f} M params, "
        f"{network}, {duration(ended.seconds)}"
    )


def describe_pretraining(epochs: Sequence[IdentityEpoch], total: int) -> str:
    """The progress of a pretraining in one line.

    Args:
        epochs: Those that ended, at least one.
        total: How many there will be.
    """
    last = epochs[-1]
    recognised = "" if math.isnan(last.accuracy) else f", {last.accuracy:.1%} of held-out images recognised"
    mean = sum(epoch.seconds for epoch in epochs) / len(epochs)
    left = f", about {duration(mean * (total - last.epoch))} left" if last.epoch < total else ""
    spent = duration(last.seconds)
    return f"epoch {last.epoch} of {total}: loss {last.train_loss:.3f}{recognised}, {spent}{left}"


class CountedProgress:
    """The progress of work that counts its items: a line at every tenth and every minute, with the time left."""

    def __init__(self, work: str, stream: TextIO | None = None, *, quiet_seconds: float = 0.0) -> None:
        """Start the clock.

        Args:
            work: What is done, before the numbers.
            stream: Where to; None: standard error.
            quiet_seconds: Time without a line at the beginning, for work that is mostly quick.
        """
        self._work, self._stream, self._clock = work, stream or sys.stderr, time.monotonic
        self._began = self._last_line = self._clock()
        self._quiet_seconds = quiet_seconds
        self._tenths_printed = 0

    def __call__(self, done: int, total: int) -> None:
        """Print a line if another tenth of the items is done, or a minute has passed."""
        tenths, now = done * 10 // max(total, 1), self._clock()
        if not done or (tenths <= self._tenths_printed and now - self._last_line < SILENCE_SECONDS):
            return
        self._tenths_printed, self._last_line = tenths, now
        spent = now - self._began
        if spent < self._quiet_seconds:
            return
        left = spent / done * (total - done)
        ending = f"about {duration(left)} left" if done < total else f"in {duration(spent)}"
        print_line(f"{self._work}: {done:,} of {total:,}, {ending}", self._stream)


class StagedProgress:
    """The progress of work in stages, of which each counts its own items; one of a few seconds says nothing."""

    def __init__(self, stream: TextIO | None = None) -> None:
        self._stream = stream
        self._stages: dict[str, CountedProgress] = {}

    def __call__(self, stage: str, done: int, total: int) -> None:
        """Print a line about a stage where one is due; its clock starts at the first call."""
        if stage not in self._stages:
            self._stages[stage] = CountedProgress(stage, self._stream, quiet_seconds=QUIET_SECONDS)
        self._stages[stage](done, total)
