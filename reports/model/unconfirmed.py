"""What is said of a run without confirmed networks: errors after few epochs favour small ones, which learn faster."""

from dataclasses import dataclass

from reports.model.confirmation import seeds_asked
from reports.model.points import seeds_of
from reports.model.training_length import training_length
from reports.model.trials import FrontSummary
from suite.commands import command
from suite.runs.info import RunInfo

#: What the command that confirms asks for where the run asked for none: the defaults of a search space.
SEEDS, LENGTH, NEIGHBOURS = 3, "4x", 4


@dataclass(frozen=True)
class Unconfirmed:
    """Why a run names no network to ship, and what would confirm one.

    Attributes:
        length: "after 6 epochs each, which favours small networks".
        command: The command that confirms the front; empty where none does.
    """

    length: str
    command: str


def unconfirmed(info: RunInfo, summary: FrontSummary, location: str) -> Unconfirmed | None:
    """Return what to say of a run without confirmed networks; None with some, or without any network.

    Args:
        info: Of the run.
        summary: Its trials.
        location: Its folder or URL, for the command.
    """
    finished = [trial for trial in summary.trials if trial.finished]
    if summary.is_confirmed or not finished:
        return None
    bias = ", which favours small networks" if len({trial.params for trial in finished}) > 1 else ""
    return Unconfirmed(f"after {training_length(summary).searched} each{bias}", _command(info, location))


def options_to_confirm(info: RunInfo) -> list[str | int]:
    """Return the options with which a run that was not to be confirmed is, longer and with near neighbours."""
    options: list[str | int] = ["--confirm-seeds", SEEDS]
    if not info.confirms_longer:
        options += ["--confirm-epochs", LENGTH]
    if not info.confirmed_neighbours:
        options += ["--confirm-neighbours", NEIGHBOURS]
    return options


def _command(info: RunInfo, location: str) -> str:
    if seeds_of(info) > 1 or info.status == "running":
        return ""
    if seeds_asked(info) > 1:  # otherwise nothing that was to confirm the front finished
        return command("resume", location) if info.status != "finished" else ""
    return command("resume", location, *options_to_confirm(info))
