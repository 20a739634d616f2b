"""The report in a real browser: charts appear, nothing goes wrong, headers sort."""

import re
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from reports.page import page
from reports.trials import standing
from suite.runs import Run

MakeRun = Callable[..., Run]

CHROMIUM = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)

pytestmark = [
    pytest.mark.browser,
    pytest.mark.skipif(CHROMIUM is None, reason="no chromium on this machine"),
    pytest.mark.timeout(300),
]

QUIET = (
    "--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
    "--disable-background-networking", "--disable-component-update", "--disable-sync",
    "--virtual-time-budget=5000", "--enable-logging=stderr",
)  # fmt: skip


def browse(html: str, folder: Path, *flags: str) -> tuple[str, str]:
    """The document after its scripts have run, and what the browser's console said."""
    file = folder / "report.html"
    file.write_text(html, encoding="utf-8")
    profile = folder / "profile"
    shutil.rmtree(profile, ignore_errors=True)
    command = [str(CHROMIUM), *QUIET, f"--user-data-dir={profile}", *flags, "--dump-dom", file.as_uri()]
    done = subprocess.run(command, capture_output=True, text=True, timeout=200, check=True)
    console = [line for line in done.stderr.splitlines() if "CONSOLE" in line]
    return done.stdout, "\n".join(console)


def after(html: str, script: str) -> str:
    """The page with one more script at its end."""
    return html.replace("</body>", f"<script>{script}</script></body>")


def order(dom: str) -> list[str]:
    return re.findall(r'<th scope="row" class="text" data-value="(t\d+)"', dom)


@pytest.mark.parametrize("width", [390, 1440])
def test_every_chart_appears_without_a_word_on_the_console(
    make_run: MakeRun, tmp_path: Path, width: int
) -> None:
    dom, console = browse(page(make_run(trials=16)), tmp_path, f"--window-size={width},2000")
    assert console == ""
    assert dom.count('class="plot-container plotly"') == 5
    assert len(re.findall(r"<path class=\"point\"", dom)) >= 16 * 3


def test_the_console_is_heard(make_run: MakeRun, tmp_path: Path) -> None:
    html = after(page(make_run(trials=1)), "fetch('https://example.org'); nonsense();")
    _, console = browse(html, tmp_path)
    assert "nonsense is not defined" in console
    assert "Content Security Policy" in console


def test_hostile_names_are_text_to_the_browser(make_run: MakeRun, tmp_path: Path) -> None:
    run = make_run(trials=4, name="<script>document.title='taken'</script>")
    trials, epochs = run.trials.copy(), run.epochs.copy()
    for table in (trials, epochs):
        table["id"] += "<img src=x onerror=\"document.title='taken'\"></script>"
    dom, console = browse(page(Run(run.folder, run.info, trials, epochs)), tmp_path)
    assert console == ""
    assert "<title>taken" not in dom
    assert "<img" not in dom.replace("<image", "")


def test_a_header_sorts_by_its_numbers_and_a_second_time_turns_round(
    make_run: MakeRun, tmp_path: Path
) -> None:
    run = make_run(trials=12, statuses=["finished"] * 11 + ["failed"])
    html = page(run)
    click = "document.querySelectorAll('.sortable button')[7].click();"
    known = sorted((t for t in standing(run).trials if t.finished), key=lambda t: t.params)
    rising = [trial.id for trial in known]
    once, _ = browse(after(html, click), tmp_path)
    assert order(once) == [*rising, "t011"]
    assert 'aria-sort="ascending"' in once
    twice, _ = browse(after(html, click * 2), tmp_path)
    assert order(twice) == [*rising[::-1], "t011"]
    assert 'aria-sort="descending"' in twice
