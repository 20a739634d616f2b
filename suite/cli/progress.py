"""What a person sees of a search: a live line in a terminal, one line a trial elsewhere."""

import math
import sys
import time
from collections.abc import Sequence
from typing import TextIO

from suite.durations import duration
from suite.runs.watcher import SearchProgress, Watcher
from suite.trial import IdentityEpoch, TrialResult


def watcher_for(stream: TextIO | None = None) -> Watcher:
    """A live view where the stream (default: standard error) is a terminal, else plain lines."""
    stream = stream or sys.stderr
    return LiveView(stream) if stream.isatty() else LineView(stream)


#: A stage that counts its items, in a log, says so often how far it is.
TELL_SECONDS = 20.0


class LineView:
    """One line a stage and one a trial that ended: for logs, pipes and batch systems."""

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream
        self._clock = time.monotonic
        self._began = self._told = self._clock()

    def stage(self, sentence: str) -> None:
        """Print the stage."""
        self._began = self._told = self._clock()
        print(sentence, file=self._stream, flush=True)

    def change(self, standing: SearchProgress, ended: TrialResult | None) -> None:
        """Print a trial that ended; all else would be noise in a log."""
        if ended is not None:
            print(f"{describe_end(ended)}  |  {describe(standing)}", file=self._stream, flush=True)

    def advance(self, done: int, of: int) -> None:
        """Print now and then how far the stage is: with few trials each takes a second, with many minutes."""
        now = self._clock()
        if 0 < done < of and now - self._told >= TELL_SECONDS:
            self._told = now
            left = duration((now - self._began) / done * (of - done))
            print(f"{done:,} of {of:,}, about {left} left", file=self._stream, flush=True)

    def close(self) -> None:
        """Nothing to tidy up."""


class LiveView:
    """A progress bar over all epochs, the counts beneath it, and a line for every trial that ended."""

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

    def change(self, standing: SearchProgress, ended: TrialResult | None) -> None:
        """Move the bar; print a trial that ended above it."""
        if ended is not None:
            self._progress.print(describe_end(ended), markup=False, highlight=False)
        self._progress.update(self._task, description=describe(standing), completed=standing.share_done)

    def advance(self, done: int, of: int) -> None:
        """Move the bar."""
        self._progress.update(self._task, completed=done / of)

    def close(self) -> None:
        """Take the bar away."""
        self._progress.stop()


def describe(standing: SearchProgress) -> str:
    """The standing in one line."""
    best = "-" if math.isnan(standing.best_mae) else f"{standing.best_mae:.2f} {standing.unit}"
    left = "" if math.isnan(standing.seconds_left) else f", about {duration(standing.seconds_left)} left"
    confirming = "confirming: " if standing.stage == "confirm" else ""
    early = f"{standing.stopped} stopped early, " if standing.stopped else ""
    return (
        f"{confirming}{standing.finished} of {standing.asked} done, {standing.running} running, {early}"
        f"{standing.lost} failed, best MAE {best}, front {standing.front}, "
        f"{duration(standing.seconds)} gone{left}"
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


def describe_pretraining(epochs: Sequence[IdentityEpoch], asked: int) -> str:
    """How a pretraining of ``asked`` epochs stands after some of them, in one line."""
    last = epochs[-1]
    recognised = "" if math.isnan(last.accuracy) else f", {last.accuracy:.1%} of held-out images recognised"
    mean = sum(epoch.seconds for epoch in epochs) / len(epochs)
    left = f", about {duration(mean * (asked - last.epoch))} left" if last.epoch < asked else ""
    spent = duration(last.seconds)
    return f"epoch {last.epoch} of {asked}: loss {last.train_loss:.3f}{recognised}, {spent}{left}"


class CountedProgress:
    """Progress of work that counts its items: a line at every tenth, with the time left."""

    def __init__(self, what: str, stream: TextIO | None = None) -> None:
        self._what, self._stream, self._clock = what, stream or sys.stderr, time.monotonic
        self._began = self._clock()
        self._said = 0

    def __call__(self, done: int, total: int) -> None:
        """``done`` of ``total`` items are finished."""
        tenth = done * 10 // max(total, 1)
        if tenth <= self._said:
            return
        self._said = tenth
        spent = self._clock() - self._began
        left = spent / done * (total - done)
        ending = f"about {duration(left)} left" if done < total else f"in {duration(spent)}"
        print(f"{self._what}: {done:,} of {total:,}, {ending}", file=self._stream, flush=True)
