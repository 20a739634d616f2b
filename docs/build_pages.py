"""Assemble the source of the documentation site: ``python docs/build_pages.py`` writes build/docs.

The pages are those of docs/, some files from elsewhere in the repository, and a reference that is generated from the
argument parsers, the types of a search space and the package tree, so that it cannot fall behind the code. Any
generator that reads mkdocs.yml then builds the site. A link to a file that does not exist is an error here; the
generator checks links between pages.
"""

import argparse
import os
import posixpath
import re
import shutil
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from search_spaces import Choices, FloatRange, IntRange, SearchSpace
from search_spaces.trial_fields import base_schema
from suite.cli.main import build_parser

ROOT = Path(__file__).resolve().parents[1]
SITE_SOURCE = ROOT / "build" / "docs"
#: Files outside docs/ that the site shows, by the page that shows them.
MIRRORED = {
    "index.md": "README.md",
    "search-spaces.md": "search_spaces/README.md",
    "benchmarks.md": "benchmarks/README.md",
    "contributing.md": "CONTRIBUTING.md",
    "changelog.md": "CHANGELOG.md",
    "security.md": "SECURITY.md",
}
PAGE_OF_FILE = {source: page for page, source in MIRRORED.items()}
#: A Markdown link or image with a target in the repository; fenced code is matched first and left alone.
LINK = re.compile(
    r"(?P<code>^```.*?^```)|(?P<image>!?)\[(?P<text>[^\]]*)\]\((?P<target>[^)\s]+)\)",
    re.MULTILINE | re.DOTALL,
)
EXTERNAL = ("https://", "http://", "mailto:", "#")


def main() -> int:
    """Write build/docs; 1 if a link leads nowhere."""
    os.environ["COLUMNS"] = "88"  # of the usage lines, on any terminal
    shutil.rmtree(SITE_SOURCE, ignore_errors=True)
    pages = {path.relative_to(ROOT / "docs").as_posix(): path for path in (ROOT / "docs").rglob("*.md")}
    pages |= {page: ROOT / source for page, source in MIRRORED.items()}
    texts = {page: (path, path.read_text(encoding="utf-8")) for page, path in pages.items()}
    generated = {
        "reference/cli.md": command_line_page(build_parser()),
        "reference/search-space.md": search_space_page(),
        "reference/modules.md": modules_page(),
    }
    texts |= {page: (ROOT / "docs" / page, text) for page, text in generated.items()}
    dead: list[str] = []
    for page, (path, text) in texts.items():
        target = SITE_SOURCE / page
        target.parent.mkdir(parents=True, exist_ok=True)
        source = path.relative_to(ROOT).as_posix()
        target.write_text(linked(text, source, page, set(texts), dead), encoding="utf-8")
    shutil.copytree(ROOT / "docs" / "images", SITE_SOURCE / "images")
    for link in dead:
        print(f"dead link: {link}", file=sys.stderr)
    return 1 if dead else 0


def linked(text: str, source: str, page: str, pages: set[str], dead: list[str]) -> str:
    """Point links between files of the repository at their pages, and unlink files that have none.

    Args:
        text: Markdown.
        source: Its file, from the repository's root.
        page: Its page in the site.
        pages: All pages.
        dead: Where links to files that do not exist are added.
    """

    def replaced(match: re.Match[str]) -> str:
        target = match["target"]
        if match["code"] or target.startswith(EXTERNAL):
            return match[0]
        path, _, anchor = target.partition("#")
        path = posixpath.normpath(posixpath.join(posixpath.dirname(source), path))
        to = PAGE_OF_FILE.get(path, path.removeprefix("docs/"))
        if to not in pages:
            if not (ROOT / path).exists():
                dead.append(f"{source}: {target}")
            if not path.startswith("docs/images/"):
                return match["text"]  # a source file has no page
        relative = posixpath.relpath(to, posixpath.dirname(page) or ".")
        return f"{match['image']}[{match['text']}]({relative}{'#' * bool(anchor)}{anchor})"

    return LINK.sub(replaced, text)


def command_line_page(parser: argparse.ArgumentParser) -> str:
    """All commands with their usage, arguments and options."""
    parts = ["# Command line", f"{parser.description}", f"{parser.epilog}"]
    for name, command in _commands(parser):
        usage = command.format_usage().rstrip()
        parts += [f"## {name}", _sentence(command.description or ""), f"```text\n{usage}\n```"]
        rows = [row for action in command._actions if (row := _argument(action)) is not None]
        if rows:
            parts.append("\n".join(["| argument | meaning |", "|---|---|", *rows]))
    return "\n\n".join(part for part in parts if part) + "\n"


def _commands(parser: argparse.ArgumentParser) -> Iterator[tuple[str, argparse.ArgumentParser]]:
    """The commands that do something, and not only group others."""
    groups = [action for action in parser._actions if isinstance(action, argparse._SubParsersAction)]
    if not groups:
        yield parser.prog, parser
    for group in groups:
        for command in dict.fromkeys(group.choices.values()):
            yield from _commands(command)


def _argument(action: argparse.Action) -> str | None:
    if isinstance(action, argparse._HelpAction) or action.help == argparse.SUPPRESS:
        return None
    value = action.metavar or ("|".join(map(str, action.choices)) if action.choices else action.dest.upper())
    value = " ".join(value) if isinstance(value, tuple) else value
    if action.option_strings:
        shown = ", ".join(action.option_strings) + (f" {value}" if action.nargs != 0 else "")
    else:
        shown = str(value)
    meaning = _sentence((action.help or "") % {**vars(action), "prog": "suite"})
    if action.default not in (None, False, argparse.SUPPRESS, []) and "default" not in meaning:
        meaning += f" (default: `{action.default}`)"
    return f"| `{shown}` | {_cell(meaning)} |"


def search_space_page() -> str:
    """The fields of a search space, and those of a trial that it may fix or vary."""
    whole = SearchSpace.model_json_schema()
    whole["properties"]["base"] = {"$ref": "#/$defs/Base"}
    whole["$defs"]["Base"] = base_schema()
    parts = [
        "# Search-space fields",
        "Generated from the types in `search_spaces/`. "
        "[Write a search space](../../search_spaces/README.md) explains them with examples.",
        "## Top level",
        _fields(whole),
        "## Base\n\n`base` fixes these fields of a trial, and `vary` varies them.",
        _fields(whole["$defs"]["Base"]),
    ]
    for name, schema in whole["$defs"].items():
        if "properties" in schema and name != "Base":
            parts += [f"## {name}", schema.get("description", "").split("\n\n")[0], _fields(schema)]
    for ranged in (IntRange, FloatRange, Choices):
        if ranged.__name__ not in whole["$defs"]:
            parts += [f"## {ranged.__name__}", f"{ranged.__doc__}", _fields(ranged.model_json_schema())]
    return "\n\n".join(part for part in parts if part) + "\n"


def _fields(schema: Mapping[str, Any]) -> str:
    definitions = schema.get("$defs", {})
    rows = ["| field | values | default |", "|---|---|---|"]
    for name, field in schema["properties"].items():
        default = field.get("default")
        shown = "" if default in (None, "", []) or isinstance(default, dict) else f"`{default}`"
        needed = "required" if name in schema.get("required", ()) else shown
        described = f". {_sentence(field['description'])}" if "description" in field else ""
        rows.append(f"| `{name}` | {_cell(_values(field, definitions) + described)} | {_cell(needed)} |")
    return "\n".join(rows)


def _values(field: Mapping[str, Any], definitions: Mapping[str, Any]) -> str:
    """The values that a JSON schema allows, in words."""
    if "$ref" in field:
        name = str(field["$ref"]).rpartition("/")[2]
        found = definitions[name]
        return _values(found, definitions) if "enum" in found else f"fields of [{name}](#{name.lower()})"
    if "anyOf" in field or "oneOf" in field:
        kinds = field.get("anyOf") or field["oneOf"]
        return " or ".join(dict.fromkeys(_values(kind, definitions) for kind in kinds))
    if "enum" in field:
        return ", ".join(f"`{value}`" for value in field["enum"])
    if "const" in field:
        return f"`{field['const']}`"
    kind = field.get("type", "any value")
    words = {"integer": "whole number", "boolean": "`true` or `false`", "string": "text", "null": "none"}
    if kind == "array":
        of = _values(field["items"], definitions) if isinstance(field.get("items"), Mapping) else "values"
        low, high = field.get("minItems"), field.get("maxItems")
        amount = f"{low} " if low is not None and low == high else f"at least {low} " if low else ""
        return f"list of {amount}({of})"
    limits = {"minimum": "≥", "exclusiveMinimum": ">", "maximum": "≤", "exclusiveMaximum": "<"}
    bounds = [f"{sign} {_number(field[key])}" for key, sign in limits.items() if key in field]
    return " ".join([words.get(kind, kind), ", ".join(bounds)]).strip()


def _number(value: float) -> str:
    return f"{value:,}" if isinstance(value, int) else f"{value:g}"


def modules_page() -> str:
    """Every package and module with the first sentence of its docstring, and the main ones in full."""
    parts = [
        "# Modules",
        "The packages in the order of their layers. Below the table, the modules whose functions are meant to be "
        "called from other code; [`import suite`](suite.md) covers the common cases.",
    ]
    rows = ["| module | subject |", "|---|---|"]
    rows += [f"| `{name}` | {_cell(_summary(path))} |" for name, path in _modules()]
    return "\n\n".join([*parts, "\n".join(rows), *(f"::: {name}" for name in DOCUMENTED)]) + "\n"


#: Modules that the reference shows in full.
DOCUMENTED = (
    "suite.trial",
    "suite.errors",
    "suite.training.fit",
    "suite.training.recipe",
    "suite.measure.profiling",
    "suite.methods.method",
    "suite.methods.labels",
    "suite.methods.metrics",
    "suite.networks.compact",
    "suite.data.store",
    "suite.data.dataset",
    "suite.deployment.inference",
    "suite.runs.info",
    "suite.runs.tables",
    "suite.runs.front",
    "suite.statistics.pareto",
    "suite.statistics.paired",
    "search_spaces.loading",
    "search_spaces.settings",
    "search_spaces.dimensions",
    "search_spaces.space",
)


def _modules() -> Iterator[tuple[str, Path]]:
    for package in ("search_spaces", "suite", "reports"):
        for path in sorted((ROOT / package).rglob("*.py")):
            parts = path.relative_to(ROOT).with_suffix("").parts
            if not any(part.startswith("__") and part != "__init__" for part in parts):
                yield ".".join(part for part in parts if part != "__init__"), path


def _summary(path: Path) -> str:
    found = re.match(r'\s*r?"""(.*?)(?:\n\s*\n|""")', path.read_text(encoding="utf-8"), re.S)
    return " ".join(found[1].split()) if found else ""


def _sentence(text: str) -> str:
    text = " ".join(text.split())
    return text[:1].upper() + text[1:]


def _cell(text: str) -> str:
    """Text for a cell of a table; code spans keep their characters."""
    parts = text.split("`")
    parts[::2] = [part.replace("|", "&#124;").replace("<", "&lt;") for part in parts[::2]]
    return "`".join(parts)


if __name__ == "__main__":
    sys.exit(main())
