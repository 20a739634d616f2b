"""A ``suite run`` that another machine carries out, checked before it waits in a queue."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from search_spaces import SearchSpaceError, find, load, shipped
from suite.errors import RequestError
from suite.url_secrets import has_secret


@dataclass(frozen=True)
class RemoteRun:
    """A ``suite run`` for another machine.

    Attributes:
        arguments: The arguments of ``suite`` as typed; the first is "run".
        out: The run folder as typed.
        packed: The folder of the packed data set, as typed or as the search space names it; None for an
            embedded data set.
        search_file: The search space, if it is a file on this machine; None for one that ships with suite.
    """

    arguments: tuple[str, ...]
    out: str
    packed: str | None
    search_file: Path | None

    def command(self, search: str | None = None) -> list[str]:
        """Return the arguments of ``suite`` on a machine of the cluster.

        Whatever starts the job may start it again, so the command resumes a run that exists already.

        Args:
            search: The path of the search space there; None keeps ``--search`` as typed.
        """
        replaced = [] if search is None else ["--search", search]
        # The last value of a repeated option counts, so these take precedence over what was typed.
        return [*self.arguments, *replaced, "--address", "auto", "--or-resume"]


def check_command(command: str) -> None:
    """Check that a command is one that another machine can carry out.

    Raises:
        RequestError: It is not ``run``.
    """
    if command != "run":
        raise RequestError(
            f"'suite {command}' cannot be sent; send the 'run' itself again with the same --out, and it "
            "continues from what is there"
        )


def remote_run(
    arguments: Sequence[str],
    *,
    search: str,
    out: Path | str | None,
    address: str | None,
    settings: Sequence[str],
) -> RemoteRun:
    """Check a ``suite run`` for another machine.

    Args:
        arguments: The arguments of ``suite`` as typed; the first is "run".
        search: The value of ``--search``.
        out: The value of ``--out``.
        address: The value of ``--address``, which must not be given.
        settings: Settings of the search space, each as ``key=value``.

    Raises:
        RequestError: Another machine could not carry out the run.
    """
    if address is not None:
        raise RequestError("the run has an --address, which the sender sets; remove it from the run")
    if out is None:
        raise RequestError(
            "the run has no --out, and its default would be a new folder each time the job starts; "
            "add --out with a folder that all starts see, or an s3:// URL"
        )
    for argument in arguments:
        if not argument.isprintable():
            raise RequestError(f"{argument!r} has characters that cannot be printed; rename what it names")
        if has_secret(argument):
            raise _holds_secret("a URL of the run")
    try:
        path = find(search)
        space = load(path, overrides=settings, elsewhere=True)
    except SearchSpaceError as error:
        raise RequestError(str(error)) from None
    search_file = None if search in shipped() else path
    if search_file is not None and has_secret(search_file.read_text(encoding="utf-8")):
        raise _holds_secret(f"a URL in {search_file}")
    return RemoteRun(
        arguments=tuple(arguments),
        out=str(out),
        packed=None if space.data == "faces" else space.data,
        search_file=search_file,
    )


def _holds_secret(where: str) -> RequestError:
    return RequestError(
        f"{where} contains a key or a password, which the job's files would show; set AWS_ACCESS_KEY_ID and "
        "AWS_SECRET_ACCESS_KEY where the job runs instead"
    )
