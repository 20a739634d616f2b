"""The command that repeats one training of a run: the run's own command with every dimension fixed."""

from collections.abc import Iterator, Sequence

from suite.runs.info import RunInfo

#: Options of ``suite run`` that do not define a trial; these take a value.
DROPPED = (
    "--out", "--trials", "--confirm-seeds", "--confirm-epochs", "--confirm-neighbours", "--seed", "--stopping",
    "--max-params", "--max-macs", "--max-bytes", "--max-worst-group-mae", "--max-concurrent", "--cpus-per-trial",
    "--gpus-per-trial", "--address",
)  # fmt: skip
DROPPED_FLAGS = ("--or-resume",)


def repeat_prefix(info: RunInfo) -> list[str]:
    """Return the words before the trial's own settings (``--set vary.FIELD={choices: [VALUE]}``, ``--seed``).

    The command runs a grid of one point: every varied field is a dimension with one choice.
    """
    asked = list(_kept(list(info.command[2:]))) if list(info.command[1:2]) == ["run"] else []
    if not any(word.split("=")[0] == "--search" for word in asked):
        asked = ["--search", info.search_file, *asked]
    one = ["sampler=grid", "first=[]", "seeds=1", "confirm_seeds=1", "trials=1", "stopping={}", "bounds={}"]
    return ["suite", "run", *asked, *(word for setting in one for word in ("--set", setting))]


def _kept(words: Sequence[str]) -> Iterator[str]:
    skip = False
    for word in words:
        if skip:
            skip = False
        elif word in DROPPED:
            skip = True
        elif word not in DROPPED_FLAGS and word.split("=")[0] not in DROPPED:
            yield word
