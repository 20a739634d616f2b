"""Finding a search space and reading it."""

from collections.abc import Collection, Mapping, Sequence
from pathlib import Path
from typing import Any

from search_spaces.checking import check
from search_spaces.dimensions import Choices
from search_spaces.problems import (
    Problem,
    SearchSpaceError,
    alternatives,
    did_you_mean,
    dotted,
    refusal,
    shown,
)
from search_spaces.source import lay_under, override, read
from search_spaces.space import SearchSpace

FOLDER = Path(__file__).parent


def shipped() -> list[str]:
    """Return the names of the search spaces that come with the package."""
    return sorted(path.stem for path in FOLDER.glob("*.yaml"))


def find(name_or_path: str) -> Path:
    """Return the file of a shipped search space, or the file at a path.

    Raises:
        SearchSpaceError: There is neither.
    """
    names = shipped()
    if name_or_path in names:
        return FOLDER / f"{name_or_path}.yaml"
    path = Path(name_or_path)
    try:
        is_there = bool(name_or_path) and path.exists()
    except (OSError, ValueError):  # the name is too long, or has a null character
        is_there = False
    if is_there:
        return path
    raise SearchSpaceError(
        f"{shown(name_or_path)} is neither a search space that ships ({alternatives(names)}) nor a file"
        f"{did_you_mean(name_or_path, names)}"
    )


def load(
    path: Path,
    *,
    data_sets: Collection[str] = ("faces",),
    overrides: Sequence[str] = (),
    inherited: Mapping[str, Any] | None = None,
    elsewhere: bool = False,
) -> SearchSpace:
    """Read and check a search space.

    Args:
        path: A YAML file, as ``find`` gives it.
        data_sets: The embedded data sets; any other ``data`` must be the folder of a packed one.
        overrides: Settings ``key=value`` laid over the file, such as ``base.epochs=3``.
        inherited: Fields of ``base`` from a parent, for those that the file leaves open.
        elsewhere: The search runs on another machine, so its data and weights need not exist on this one.

    Raises:
        SearchSpaceError: The file cannot be read or used; the message has the line of the first fault.
    """
    source = read(path)
    lay_under(source, inherited or {})
    override(source, overrides)
    checked = check(source.values)
    if isinstance(checked, list):
        problems = checked
    elif elsewhere:
        problems = []
    else:
        problems = _data_problems(checked.data, data_sets) + _file_problems(checked)
    if problems or isinstance(checked, list):
        raise refusal(problems, source.locations)
    return checked


def load_dict(fields: Mapping[str, Any], *, where: str = "search space") -> SearchSpace:
    """Return the search space that ``SearchSpace.to_dict`` gave; its data need not exist.

    Args:
        fields: JSON types.
        where: Begins the message of an error.

    Raises:
        SearchSpaceError: The fields describe no search space.
    """
    checked = check({key: _tuples(value) for key, value in fields.items()})
    if isinstance(checked, list):
        raise refusal(checked, {(): where})
    return checked


def _data_problems(data: str, data_sets: Collection[str]) -> list[Problem]:
    if data in data_sets:
        return []
    known = alternatives(sorted(data_sets))
    allowed = f"it must be {known}, or a folder that 'suite data pack' made"
    try:
        if (Path(data) / "store.json").is_file():
            return []
        found = ", a folder without a store.json" if Path(data).is_dir() else ""
    except (OSError, ValueError):
        found = ""
    hint = did_you_mean(data, data_sets)
    return [Problem(("data",), f"data is {shown(data)}{found}; {allowed}{hint}")]


#: The fields that name a file of weights, and an example of what makes one.
FILES = {
    "backbone": "such as 'suite pretrain' writes",
    "pruned_from": "as of a run's weights/",
    "teacher": "as of a run's weights/",
}


def _file_problems(space: SearchSpace) -> list[Problem]:
    """Return the problems of files of weights that do not exist."""
    problems = []
    for field, example in FILES.items():
        varied = space.vary.get(field)
        files: dict[tuple[str | int, ...], object] = {("base", field): getattr(space.base, field)}
        if isinstance(varied, Choices):
            files = {("vary", field, "choices", i): file for i, file in enumerate(varied.values)}
        problems += [
            Problem(
                path,
                f"{dotted(path)} is {shown(file)}, which is not a file; it must be a file of weights, {example}",
            )
            for path, file in files.items()
            if isinstance(file, str) and not _is_file(file)
        ]
    return problems


def _is_file(name: str) -> bool:
    try:
        return Path(name).is_file()
    except (OSError, ValueError):  # the name is too long, or has a null character
        return False


def _tuples(value: Any) -> Any:
    """Return JSON's lists as tuples, which the strict checks require."""
    if isinstance(value, Mapping):
        return {key: _tuples(inner) for key, inner in value.items()}
    return tuple(_tuples(inner) for inner in value) if isinstance(value, list | tuple) else value
