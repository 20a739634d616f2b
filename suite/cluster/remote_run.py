"""A ``suite run`` that another machine is to carry out: checked here, before it waits in any queue."""

import argparse
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from search_spaces import SearchSpaceError, find, load, shipped
from suite.cli.overrides import overrides
from suite.errors import RequestError


@dataclass(frozen=True)
class SentRun:
    """What to run elsewhere.

    Attributes:
        arguments: of ``suite``, as they were typed; the first is "run".
        out: the run folder, as typed.
        packed: the folder of the packed set, as typed or as the space names it; None: an embedded set.
        search_file: the search space where it is a file of this machine; None: one that ships.
    """

    arguments: tuple[str, ...]
    out: str
    packed: str | None
    search_file: Path | None

    def command(self, search: str | None = None) -> list[str]:
        """The arguments for a machine of the cluster, where ``--search`` is the file ``search`` if given.

        The last of an option counts, so that what must hold there is laid behind what was typed. A run
        that was started before is gone on with: whoever starts jobs may start one again.
        """
        replaced = [] if search is None else ["--search", search]
        return [*self.arguments, *replaced, "--address", "auto", "--or-resume"]


def sent_run(arguments: Sequence[str], asked: argparse.Namespace) -> SentRun:
    """Check a run that is to be sent.

    Args:
        arguments: as typed.
        asked: the same, as the command line reads them.

    Raises:
        RequestError: it is no run that another machine could carry out.
    """
    if arguments[0] != "run":
        raise RequestError(
            f"'suite {arguments[0]}' cannot be sent; send the 'run' itself once more, with the same --out: "
            "it goes on with what is there"
        )
    if asked.address is not None:
        raise RequestError("the run has an --address, which is the sender's to set; leave it out of the run")
    if asked.out is None:
        raise RequestError(
            "the run has no --out, and its default would be another folder each time that the job starts; "
            "add --out with a folder that all starts see, or an s3:// URL"
        )
    for argument in arguments:
        if not argument.isprintable():
            raise RequestError(f"{argument!r} has characters that cannot be printed; rename what it names")
    try:
        path = find(asked.search)
        space = load(path, overrides=overrides(asked), elsewhere=True)
    except SearchSpaceError as error:
        raise RequestError(str(error)) from None
    file = None if asked.search in shipped() else path
    return SentRun(tuple(arguments), str(asked.out), None if space.data == "faces" else space.data, file)


def text_of(search_file: Path) -> str:
    """The text of a search space that was read before."""
    return search_file.read_text(encoding="utf-8")
