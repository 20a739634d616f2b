"""A search space as text: YAML and ``--set`` read as plain values, with the file and line of each."""

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path as FilePath
from typing import Any, NoReturn

import yaml

from search_spaces.problems import Path, Problem, SearchSpaceError, dotted, refusal, shown
from search_spaces.space import SearchSpace
from search_spaces.trial_fields import FIELDS

#: Far more than any space has; keeps a file of nested aliases from growing without limit.
MOST_VALUES = 10_000
LARGEST_FILE = 1_000_000  # bytes


@dataclass
class Source:
    """A document of plain values.

    Attributes:
        values: Dicts, tuples and scalars.
        locations: The ``file:line`` of each value, by its path.
    """

    values: dict[str, Any]
    locations: dict[Path, str] = field(default_factory=dict)


def read(path: FilePath) -> Source:
    """Read a YAML file.

    Raises:
        SearchSpaceError: The file is missing, or is not a YAML mapping with words as keys.
    """
    name = _display(path)
    text = _text(path, name)
    return Source(*_parsed(text, name, lambda line: f"{name}:{line}"))


def override(source: Source, settings: Sequence[str]) -> None:
    """Lay ``key=value`` settings over a source, in order; values are YAML.

    A bare field of a trial (``epochs=3``) means ``base.epochs``. Fixing a field that varies removes
    it from ``vary`` and from the points of ``first``, and varying one that is fixed removes it from
    ``base``.

    Raises:
        SearchSpaceError: A setting is not ``key=value``, its value is not YAML, or it names nothing in the file.
    """
    for setting in settings:
        key, equals, text = setting.partition("=")
        location = f"--set {setting}"
        if not equals or not key.strip():
            raise SearchSpaceError(f"{location}: a setting has the form key=value, such as trials=8")
        path = _key_path(key.strip(), location)
        value, locations = _value(text, location, path)
        replaced = [path]
        if len(path) > 1 and path[0] in _OTHER_MAPPING:
            replaced.append((_OTHER_MAPPING[str(path[0])], path[1]))
            source.values = _without(source.values, replaced[1])
            if path[0] == "base":
                source.values["first"] = _points_without(source.values.get("first", ()), str(path[1]))
        source.values = _with(source.values, path, value, location, 0)
        source.locations = {
            other: at for other, at in source.locations.items() if all(other[: len(p)] != p for p in replaced)
        }
        source.locations |= {
            path[:depth]: location for depth in range(1, len(path)) if path[:depth] not in source.locations
        }
        source.locations |= locations


def lay_under(source: Source, fields: Mapping[str, Any]) -> None:
    """Add fields to ``base``, except those that it has or that vary."""
    base, vary = source.values.get("base", {}), source.values.get("vary", {})
    if fields and isinstance(base, dict) and isinstance(vary, dict):
        new = {
            name: _frozen(value) for name, value in fields.items() if name not in base and name not in vary
        }
        source.values["base"] = {**new, **base}
        source.locations |= {("base", name): "--parent" for name in new}


def _frozen(value: Any) -> Any:
    """Return JSON's lists as tuples, which the strict checks require."""
    return tuple(_frozen(part) for part in value) if isinstance(value, list) else value


#: A field is fixed in the one or varies in the other.
_OTHER_MAPPING = {"base": "vary", "vary": "base"}


def _points_without(first: Any, field: str) -> Any:
    """Return points without a field; a point that sets nothing else is dropped."""
    if not isinstance(first, tuple):
        return first
    fewer = ({k: v for k, v in p.items() if k != field} if isinstance(p, dict) else p for p in first)
    return tuple(point for point in fewer if point)


class _Loader(yaml.SafeLoader):
    """Reads YAML 1.1 as PyYAML does, and 1e-3 as a number as well as 1.0e-3."""


_Loader.add_implicit_resolver(
    "tag:yaml.org,2002:float", re.compile(r"^[-+]?[0-9]+(?:\.[0-9]*)?[eE][-+]?[0-9]+$"), list("-+0123456789")
)


def _text(path: FilePath, name: str) -> str:
    try:
        if path.is_dir():
            raise SearchSpaceError(f"{name}: this is a folder; name a YAML file")
        if path.exists() and not path.is_file():
            raise SearchSpaceError(f"{name}: this is not a regular file; name a YAML file")
        if path.stat().st_size > LARGEST_FILE:
            raise SearchSpaceError(
                f"{name}: this file is larger than {LARGEST_FILE:,} bytes, too large for a search space"
            )
        return path.read_bytes().decode("utf-8-sig")
    except UnicodeDecodeError:
        raise SearchSpaceError(
            f"{name}: this file is not text in UTF-8; a search space is a YAML file"
        ) from None
    except (OSError, ValueError) as error:
        if isinstance(error, SearchSpaceError):
            raise
        reason = error.strerror if isinstance(error, OSError) and error.strerror else str(error)
        raise SearchSpaceError(f"{name}: this file cannot be read ({reason})") from None


def _parsed(text: str, name: str, at: Callable[[int], str]) -> tuple[dict[str, Any], dict[Path, str]]:
    node = _composed(text, name, at)
    if node is None:
        raise SearchSpaceError(
            f"{name}: this file is empty; a search space needs name, data, trials and vary"
        )
    if not isinstance(node, yaml.MappingNode):
        raise SearchSpaceError(
            f"{at(_line(node))}: this is not a mapping; a search space maps keys to values"
        )
    reader = _NodeReader(at)
    try:
        return reader.plain(node, ()), reader.locations
    except RecursionError:
        raise SearchSpaceError(f"{name}: this is nested too deep to be a search space") from None


def _composed(text: str, name: str, at: Callable[[int], str]) -> yaml.Node | None:
    try:
        node: yaml.Node | None = yaml.compose(text, _Loader)
    except yaml.MarkedYAMLError as error:
        line = error.problem_mark.line + 1 if error.problem_mark else 1
        raise SearchSpaceError(f"{at(line)}: this is not YAML ({error.problem or error.context})") from None
    except yaml.reader.ReaderError:
        raise SearchSpaceError(f"{name}: this is not YAML (it holds control characters)") from None
    except (RecursionError, yaml.YAMLError):
        raise SearchSpaceError(f"{name}: this YAML cannot be read") from None
    return node


class _NodeReader:
    """Turns YAML nodes into plain values, and notes the location of each."""

    def __init__(self, at: Callable[[int], str]) -> None:
        self.at = at
        self.locations: dict[Path, str] = {}
        self._open: list[yaml.Node] = []

    def plain(self, node: yaml.Node, path: Path) -> Any:
        """Return the dict, tuple or scalar of a node."""
        self.locations[path] = self.at(_line(node))
        if any(node is outer for outer in self._open):
            self._refuse(path, "an alias includes itself here, which has no end")
        if len(self.locations) > MOST_VALUES:
            self._refuse(path, f"there are over {MOST_VALUES:,} values, too many for a search space")
        self._open.append(node)
        if isinstance(node, yaml.MappingNode):
            value: Any = self._mapping(node, path)
        elif isinstance(node, yaml.SequenceNode):
            value = tuple(self.plain(child, (*path, i)) for i, child in enumerate(node.value))
        else:
            value = self._scalar(node, path)
        self._open.pop()
        return value

    def _mapping(self, node: yaml.MappingNode, path: Path) -> dict[str, Any]:
        mapping: dict[str, Any] = {}
        for key_node, value_node in node.value:
            key = key_node.value
            inner = (*path, key) if isinstance(key, str) else path
            where = {**self.locations, inner: self.at(_line(key_node))}
            if key_node.tag != "tag:yaml.org,2002:str":
                raise refusal([Problem(inner, _why_no_key(key_node))], where)
            if key in mapping:
                first = self.locations[inner]
                raise refusal([Problem(inner, f"{dotted(inner)} is given twice, first at {first}")], where)
            mapping[key] = self.plain(value_node, inner)
            self.locations[inner] = self.at(_line(key_node))
        return mapping

    def _scalar(self, node: yaml.Node, path: Path) -> Any:
        try:
            value = _Loader("").construct_object(node, deep=True)
        except (yaml.YAMLError, ValueError, TypeError, AttributeError, KeyError, OverflowError):
            self._refuse(path, f"{dotted(path) or 'the value'} is {shown(node.value)}, which cannot be read")
        if isinstance(value, int | float) and not isinstance(value, bool):
            self._check_base(node.value, value, path)
        return value

    def _check_base(self, text: str, value: float, path: Path) -> None:
        """Refuse numbers that YAML 1.1 reads in base 60 or 8, and nobody who writes one expects."""
        name = dotted(path) or "the value"
        if ":" in text:
            self._refuse(
                path, f"{name} is {shown(text)}, which YAML reads in base 60 as {value:g}; write {value:g}"
            )
        if re.fullmatch(r"[-+]?0[0-7_]+", text):
            decimal = text.replace("_", "").lstrip("+-0") or "0"
            self._refuse(
                path,
                f"{name} is {shown(text)}, which YAML reads in base 8 as {value:g}; write {decimal}, or {value:g}",
            )

    def _refuse(self, path: Path, sentence: str) -> NoReturn:
        raise refusal([Problem(path, sentence)], self.locations)


def _why_no_key(node: yaml.Node) -> str:
    """Say why a key cannot be one."""
    if not isinstance(node.value, str):
        return "the key a list or mapping is not a word; keys are words"
    key = shown(node.value)
    if node.tag == "tag:yaml.org,2002:merge":
        return f"the key {key} merges mappings, which search spaces do not have; write the keys out"
    if node.tag == "tag:yaml.org,2002:bool":
        return f"YAML reads the key {key} as true or false; put it in quotes"
    return f"the key {key} is not a word; keys are words"


def _value(text: str, location: str, path: Path) -> tuple[Any, dict[Path, str]]:
    """Return the value of a setting, and the location of every value in it."""
    node = _composed(text, location, lambda _: location)
    if node is None:
        raise SearchSpaceError(f"{location}: there is no value behind the equals sign")
    reader = _NodeReader(lambda _: location)
    reader.locations[()] = location
    value = reader.plain(node, path)
    del reader.locations[()]
    return value, reader.locations


def _key_path(key: str, location: str) -> Path:
    """Return ``vary.widths[2].low`` as a path; a bare field of a trial is put under base."""
    if not re.fullmatch(r"\w+(\[\d{1,3}\])*(\.\w+(\[\d{1,3}\])*)*", key):
        raise SearchSpaceError(f"{location}: {shown(key)} is not a key; one looks like vary.widths[2].low")
    parts = re.findall(r"\w+", key)
    path: Path = tuple(int(p) if p.isdecimal() and p.isascii() else p for p in parts)
    bare = path[0] in FIELDS and path[0] not in SearchSpace.model_fields
    return ("base", *path) if bare else path


def _without(values: dict[str, Any], path: Path) -> dict[str, Any]:
    """Return the values without the field at a path of two parts."""
    section, field = path
    held = values.get(str(section))
    if not isinstance(held, dict):
        return values
    return {**values, str(section): {key: value for key, value in held.items() if key != field}}


def _with(holder: Any, path: Path, value: Any, location: str, depth: int) -> Any:
    """Return ``holder`` with ``value`` at ``path[depth:]``, adding the mappings on the way to it."""
    if depth == len(path):
        return value
    part = path[depth]
    if isinstance(part, str) and (holder is None or isinstance(holder, dict)):
        held = holder or {}
        return {**held, part: _with(held.get(part), path, value, location, depth + 1)}
    if isinstance(part, int) and isinstance(holder, tuple) and part < len(holder):
        return (*holder[:part], _with(holder[part], path, value, location, depth + 1), *holder[part + 1 :])
    raise SearchSpaceError(f"{location}: there is no {dotted(path[: depth + 1])} to set in this search space")


def _line(node: yaml.Node) -> int:
    return int(node.start_mark.line) + 1


def _display(path: FilePath) -> str:
    """Return the path relative to the current directory where the file lies below it."""
    try:
        return str(path.resolve().relative_to(FilePath.cwd()))
    except (ValueError, OSError, RuntimeError):  # RuntimeError: a loop of links
        return str(path)
