"""The progress of long work, as a person reads it: a live line in a terminal, lines of text in a log."""

import math
import sys
import time
from collections.abc import Sequence
from typing import TextIO

from suite.durations import duration
from suite.runs.watcher import SearchProgress, Watcher
from suite.trial import IdentityEpoch, TrialResult


def progress_view(stream: TextIO | None = None) -> Watcher:
    """A live view where the stream (default: standard error) is a terminal, else lines of text."""
    stream = stream or sys.stderr
    return LiveView(stream) if stream.isatty() else LineView(stream)


#: Least time between two lines about the same stage in a log.
LINE_SECONDS = 20.0


class LineView:
    """One line for each stage and for each trial that ended: for logs, pipes and batch systems."""

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream
        self._clock = time.monotonic
        self._stage_began = self._last_line = self._clock()

    def stage(self, sentence: str) -> None:
        """Print the stage."""
        self._stage_began = self._last_line = self._clock()
        print(sentence, file=self._stream, flush=True)

    def change(self, progress: SearchProgress, ended: TrialResult | None) -> None:
        """Print a trial that ended; other changes would only fill the log."""
        if ended is not None:
            print(f"{describe_end(ended)}  |  {describe_progress(progress)}", file=self._stream, flush=True)

    def advance(self, done: int, of: int) -> None:
        """Print how far the stage is, at most every ``LINE_SECONDS``."""
        now = self._clock()
        if 0 < done < of and now - self._last_line >= LINE_SECONDS:
            self._last_line = now
            left = duration((now - self._stage_began) / done * (of - done))
            print(f"{done:,} of {of:,}, about {left} left", file=self._stream, flush=True)

    def close(self) -> None:
        """Do nothing: lines of text leave nothing to tidy up."""


class LiveView:
    """A progress bar over all epochs, with the counts next to it, and a line for each trial that ended."""

    def __init__(self, stream: TextIO) -> None:
        from rich.console import Console
        from rich.progress import BarColumn, Progress, SpinnerColumn, TaskProgressColumn, TextColumn

        self._progress = Progress(
            SpinnerColumn(),
            TextColumn("{task.description}"),
            BarColumn(bar_width=24),
            TaskProgressColumn(),
            console=Console(file=stream),
            transient=True,
        )
        self._task = self._progress.add_task("", total=1.0)
        self._progress.start()

    def stage(self, sentence: str) -> None:
        """Print the stage above the bar."""
        self._progress.print(sentence, markup=False, highlight=False)
        self._progress.update(self._task, description=sentence, completed=0.0)

    def change(self, progress: SearchProgress, ended: TrialResult | None) -> None:
        """Move the bar, and print a trial that ended above it."""
        if ended is not None:
            self._progress.print(describe_end(ended), markup=False, highlight=False)
        description = describe_progress(progress)
        self._progress.update(self._task, description=description, completed=progress.share_done)

    def advance(self, done: int, of: int) -> None:
        """Move the bar."""
        self._progress.update(self._task, completed=done / of)

    def close(self) -> None:
        """Remove the bar."""
        self._progress.stop()


def describe_progress(progress: SearchProgress) -> str:
    """The progress of a search in one line."""
    best = "-" if math.isnan(progress.best_mae) else f"{progress.best_mae:.2f} {progress.unit}"
    left = "" if math.isnan(progress.seconds_left) else f", about {duration(progress.seconds_left)} left"
    confirming = "confirming: " if progress.stage == "confirm" else ""
    early = f"{progress.stopped} stopped early, " if progress.stopped else ""
    return (
        f"{confirming}{progress.finished} of {progress.requested} done, {progress.running} running, {early}"
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
    """The progress of work that counts its items: a line at every tenth, with the time left."""

    def __init__(self, work: str, stream: TextIO | None = None) -> None:
        self._work, self._stream, self._clock = work, stream or sys.stderr, time.monotonic
        self._began = self._clock()
        self._tenths_printed = 0

    def __call__(self, done: int, total: int) -> None:
        """Print a line if another tenth of the items is done."""
        tenths = done * 10 // max(total, 1)
        if tenths <= self._tenths_printed:
            return
        self._tenths_printed = tenths
        spent = self._clock() - self._began
        left = spent / done * (total - done)
        ending = f"about {duration(left)} left" if done < total else f"in {duration(spent)}"
        print(f"{self._work}: {done:,} of {total:,}, {ending}", file=self._stream, flush=True)
