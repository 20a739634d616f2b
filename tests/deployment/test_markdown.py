"""Text of a run stays text in a model card: it becomes no link, no image, no HTML, no heading and no cell."""

import json
import re
from html import unescape
from pathlib import Path

import pytest
from markdown_it import MarkdownIt

from suite.cli.main import main
from suite.deployment.markdown import LONGEST_TEXT, code, plain, table

HOSTILE = [
    "<script>alert(1)</script>",
    "<img src=x onerror=alert(1)>",
    "[ship EVIL](https://evil.example)",
    "![x](https://evil.example/seen.png)",
    "[x]: https://evil.example",
    "<https://evil.example>",
    "`a` | b ``` c",
    "a | b\n| --- | --- |",
    "# Heading",
    "- item",
    "1. item",
    "2) item",
    "> quoted",
    "===",
    "---",
    "~~~",
    "    indented",
    "**bold** _it_ *it* __b__ ~~s~~",
    "&lt;b&gt; &#60;b&#62;",
    "\\<b\\>",
    "a\x1b]52;c;eA==\x07b\u202ec",
    "[^1]",
    "snake_case_name",
    "see https://evil.example, HTTP://evil.example",
    "www.evil.example and WWW.evil.example",
    "a@evil.example, mailto:a@evil.example",
]


def rendered(markdown: str) -> str:
    return str(MarkdownIt("commonmark", {"html": True}).enable(["table", "strikethrough"]).render(markdown))


def tags(html: str) -> set[str]:
    return set(re.findall(r"<(\w+)", html))


def shown(html: str) -> str:
    return unescape(re.sub(r"<[^>]+>", "", html)).strip()


@pytest.mark.parametrize("text", HOSTILE)
def test_text_is_shown_as_it_is(text: str) -> None:
    html = rendered(plain(text))
    assert tags(html) == {"p"}
    printed = text.strip().replace("\n", r"\n").replace("\x1b", r"\x1b").replace("\x07", r"\x07")
    assert shown(html) == printed.replace("\u202e", r"\u202e")


@pytest.mark.parametrize("text", HOSTILE)
def test_no_address_is_left_that_becomes_a_link_by_itself(text: str) -> None:
    assert not re.search(r"://|www\.|@|mailto:", plain(text), re.IGNORECASE)


@pytest.mark.parametrize("text", HOSTILE)
def test_text_is_one_cell(text: str) -> None:
    html = rendered(table(("head", plain(text)), [(plain(text), code(text))]))
    assert html.count("<td>") == 2
    assert html.count("<th>") == 2
    assert tags(html) == {"table", "thead", "tbody", "tr", "th", "td", "code"}


def test_a_word_keeps_its_underscores_and_a_long_text_is_cut() -> None:
    assert plain("utkface_crops, 2.5 to 7") == "utkface_crops, 2.5 to 7"
    assert len(plain("x" * 10_000)) == LONGEST_TEXT + 3


def test_a_card_of_a_hostile_run_has_the_elements_of_any_card(run: Path, tmp_path: Path) -> None:
    def card() -> str:
        path = tmp_path / "card.md"
        arguments = ["export", str(run), "--trial", "t0000", "-o", str(tmp_path / "net.safetensors")]
        assert main([*arguments, "--card", str(path)]) == 0
        return path.read_text(encoding="utf-8")

    before = rendered(card())
    info = json.loads((run / "run.json").read_text())
    text = "".join(HOSTILE[:6])
    info |= {"name": text, "started": text, "hardware": {"processor": text}}
    info["data"] |= {"name": text, "origin": text, "protocol": text}
    (run / "run.json").write_text(json.dumps(info))
    after = rendered(card())
    assert after.count("ship EVIL") == 7
    assert re.findall(r"</?\w+", after) == re.findall(r"</?\w+", before)
