"""The report in a real browser: it answers, draws, opens, sorts, keeps its address, and lets nothing in."""

import csv
import dataclasses
import io
import re
import shlex
from collections.abc import Callable, Iterator
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page

from reports.html.page import page
from reports.html.page_of_runs import page_of_runs
from reports.model.trials import summarise
from reports.model.within_tolerance import verdict
from search_spaces import find, load
from suite.runs.tables import Run, write_prediction_rows
from tests.support.hostile_runs import hostile_run
from tests.support.shared_runs import shared_run
from tests.support.synthetic_runs import (
    MakeRun,
    confirmed_run,
    pruned_from_a_parent,
    with_compressed,
    with_groups,
)

pytestmark = [pytest.mark.browser, pytest.mark.timeout(300)]


PLACE_OF_A_MEMBER = """(() => {
  const chart = document.getElementById('front-chart');
  const layout = chart._fullLayout, box = chart.getBoundingClientRect();
  const trace = chart.data.find((one) => one.name === 'on the front');
  return [box.x + layout.xaxis._offset + layout.xaxis.d2p(trace.x[0]),
          box.y + layout.yaxis._offset + layout.yaxis.d2p(trace.y[0]), trace.customdata[0]];
})()"""


class Visit:
    """A page that was opened, and what its console, its errors and its policy said."""

    def __init__(self, browser: Browser, html: str, folder: Path, address: str = "", **context: Any) -> None:
        file = folder / "opened.html"
        file.write_text(html, encoding="utf-8")
        self.said: list[str] = []
        self.asked: list[str] = []
        self.thrown: list[str] = []
        context = {"viewport": {"width": 1280, "height": 900}, **context}
        self.page: Page = browser.new_context(**context).new_page()
        self.page.on("console", lambda message: self.said.append(message.text))
        self.page.on(
            "pageerror", lambda error: (self.said.append(str(error)), self.thrown.append(str(error.stack)))
        )
        self.page.on("request", lambda request: self.asked.append(request.url))
        self.page.goto(file.as_uri() + address)
        if context.get("java_script_enabled", True) and 'id="front-chart"' in html:
            self.wait_until_ready()

    def wait_until_ready(self) -> None:
        """Wait for the page's scripts, which take long on a busy machine; what they throw fails at once."""
        for _ in range(600):
            if self.page.locator("html[data-ready]").count():
                return
            assert not self.thrown, f"the page's scripts failed: {self.thrown}"
            self.page.wait_for_timeout(200)
        raise AssertionError(f"the page was not ready in two minutes; it said {self.said}")

    def text(self, selector: str) -> str:
        return self.page.inner_text(selector)

    def close(self) -> None:
        self.page.context.close()


Open = Callable[..., Visit]


@pytest.fixture
def visit(browser: Browser, tmp_path: Path) -> Iterator[Open]:
    opened: list[Visit] = []

    def go(html: str, address: str = "", **context: Any) -> Visit:
        opened.append(Visit(browser, html, tmp_path, address, **context))
        return opened[-1]

    yield go
    for one in opened:
        one.close()


def scroll_through(opened: Page) -> None:
    """To the end, a window at a time, so that every chart is drawn."""
    end = opened.evaluate("document.documentElement.scrollHeight")
    for place in range(0, end, opened.viewport_size["height"]):  # type: ignore[index]
        opened.evaluate("(place) => scrollTo(0, place)", place)
        opened.wait_for_timeout(50)
    opened.wait_for_function("() => [...drawers.keys()].every((place) => drawn.has(place))")


#: The places of an element in the page: its upper and lower end, and its left one, in pixels.
PLACE = """(selector) => {
  const box = document.querySelector(selector).getBoundingClientRect();
  return [box.top + scrollY, box.bottom + scrollY, box.left];
}"""
#: What is wider than its box or the window, but for what is there to be scrolled sideways.
CUT_OFF = """[...document.querySelectorAll('.scroll:not(:has(.sortable, canvas)), pre, main section')]
  .filter((one) => one.checkVisibility())
  .filter((one) => one.scrollWidth > one.clientWidth + 1 || one.getBoundingClientRect().right > innerWidth)
  .map((one) => one.getAttribute('aria-label') ?? one.innerText.slice(0, 40))"""


@pytest.mark.parametrize(("width", "scheme"), [(1280, "light"), (390, "dark")])
def test_every_chart_appears_under_the_policy_and_nothing_is_asked_for(
    make_run: MakeRun, visit: Open, width: int, scheme: str
) -> None:
    opened = visit(
        page(with_compressed(make_run(trials=16)), {"lambda_l1": 0.7, "learning_rate": 0.3}),
        viewport={"width": width, "height": 900}, color_scheme=scheme,
    )  # fmt: skip
    scroll_through(opened.page)
    assert opened.said == []
    assert [url for url in opened.asked if not url.startswith(("file:", "data:"))] == []
    assert opened.page.locator(".plot-container").count() == 4  # front, growth, one curve, all curves
    assert opened.page.locator("#front-chart path.point").count() >= 10
    assert opened.page.locator("#front-chart > svg.picture").count() == 0  # the chart took its place
    assert opened.page.evaluate("document.documentElement.scrollWidth") <= width
    assert opened.page.evaluate(CUT_OFF) == []
    shipped, chart, limits, command, details = (
        opened.page.evaluate(PLACE, one)
        for one in ("#shipped", "#front-chart", "#limits", "#export", "#beside")
    )
    assert chart[1] < 900  # seen without scrolling
    assert limits[1] <= command[0] < command[1] < details[0]
    if width == 390:
        assert shipped[1] < chart[0] < chart[1] < limits[0]
        cells = opened.page.locator("#beside tbody tr").first.locator("td").all()
        tops = [cell.bounding_box()["y"] for cell in cells]  # type: ignore[index]
        assert tops == sorted(set(tops))  # one below the other
        titles = [cell.evaluate("(one) => getComputedStyle(one, '::before').content") for cell in cells]
        assert "parameters" in titles[1]
        assert (
            cells[1].evaluate("(one) => parseFloat(getComputedStyle(one).paddingLeft)") > 100
        )  # room for it
        assert {cell.evaluate("(one) => getComputedStyle(one).textAlign") for cell in cells} == {"left"}
        assert cells[1].evaluate("(one) => one.role") == "cell"
    else:
        assert command[1] < 900
        assert shipped[0] == pytest.approx(chart[0], abs=60)
        assert max(shipped[2], limits[2], command[2]) < chart[2]


def test_the_policy_stops_a_script_and_a_request(make_run: MakeRun, visit: Open) -> None:
    html = page(make_run(trials=1)).replace("</body>", "<script>document.title='taken'</script></body>")
    opened = visit(html)
    assert opened.page.title() != "taken"
    assert any("Content Security Policy" in line for line in opened.said)


def test_the_answer_follows_the_readers_limits(make_run: MakeRun, visit: Open) -> None:
    run = make_run(trials=24)
    opened = visit(page(run, location="runs/x"))
    known = [trial for trial in summarise(run).trials if trial.finished]
    assert summarise(run).best.id in opened.text("#shipped .lead")  # type: ignore[union-attr]
    assert "ThinAgeNet (which were not trained in this run)" in opened.text("#ratios")
    limit = sorted(trial.params for trial in known)[5]
    opened.page.fill("#max-params", f"{limit:.0f}")
    left = min((t for t in known if t.params <= limit), key=lambda t: (t.error, t.params))
    lead = opened.text("#shipped .lead")
    assert "no network is confirmed, so this run names none to ship" in lead
    assert (
        f"So far {left.id} has the lowest error, after 12 epochs each, which favours small networks" in lead
    )
    assert f"suite export runs/x --trial {left.id} -o {left.id}.onnx" in opened.text("#export")
    assert "suite resume runs/x --confirm-seeds 3 --confirm-epochs 4x" in opened.text("#export")
    assert f"{134_674_341 / left.params:,.0f}"[:3] in opened.text("#beside table")
    assert f"max-params={limit:.0f}" in opened.page.url
    opened.page.fill("#max-error", "0.1")
    assert "no network of this run remains" in opened.text("#shipped")
    assert opened.text("#export") == opened.text("#ratios") == opened.text("#beside") == ""
    opened.page.click("#limits button[type=reset]")
    opened.page.select_option("#take", "params")
    assert min(known, key=lambda t: t.params).id in opened.text("#shipped .lead")
    opened.page.fill("#max-params", "many")
    assert opened.page.get_attribute("#max-params", "aria-invalid") == "true"


def test_the_error_of_the_worst_group_is_a_limit_and_stands_beside_the_mean(
    make_run: MakeRun, visit: Open
) -> None:
    run = with_groups(make_run(trials=24), bound=14.0)
    images = [
        {"split": "test", "image": image, "label": image, "estimate": 30.0, "person": f"p{image}"}
        for image in range(20)
    ]
    summary = summarise(run)
    known = [trial for trial in summary.trials if trial.finished and trial.is_within_bounds]
    assert summary.best is not None
    write_prediction_rows(run.folder, summary.best.id, pd.DataFrame(images))
    opened = visit(page(run))
    assert f"So far {summary.best.id} has" in opened.text("#shipped .lead")
    limit = sorted(trial.worst_group_mae for trial in known)[3]
    opened.page.fill("#max-worst", f"{limit:.3f}")
    left = min((t for t in known if t.worst_group_mae <= limit + 0.001), key=lambda t: t.error)
    assert f"So far {left.id} has" in opened.text("#shipped .lead")
    assert "With an error of the worst group of at most" in opened.text("#shipped .lead")
    opened.page.fill("#max-worst", "0.1")
    assert "(error of the worst group)" in opened.text("#shipped")
    opened.page.click("#limits button[type=reset]")
    text = opened.text("#network")
    assert f"Of the worst group, gender male (31 people): {summary.best.worst_group_mae:.2f}" in text
    assert "Is this person 18 or older?" in text
    assert "100.0 % (81.5 to 100.0)" in text


def test_the_smallest_network_near_the_best_follows_the_tolerance_and_the_limits(
    make_run: MakeRun, visit: Open
) -> None:
    run = confirmed_run(make_run)
    found = verdict(summarise(run), "years")
    assert found is not None
    most = {name: one.high for name, one in found.against.items()}
    assert most["t002"] > 0.3 > most["t003"]
    opened = visit(page(run, location="runs/x"))
    lead = "#shipped .lead"
    assert "ship t003: the fewest parameters of those within 0.3 years of the best" in opened.text(lead)
    assert "suite export runs/x --trial t003-s1 -o t003-s1.onnx" in opened.text(
        "#export"
    )  # 7.0, before 7.3 and 7.0
    assert f"(at most {most['t003']:.2f}\u00a0years behind)" in opened.text(lead)
    drawn = (
        "Object.fromEntries(document.getElementById('front-chart').data.map("
        "(one) => [one.name, [one.customdata, one.marker?.symbol]]))"
    )
    traces = opened.page.evaluate(drawn)
    assert set(traces["cannot be told apart from the best"][0]) == set(found.perhaps_best) == {"t002", "t003"}
    assert set(traces["on the front"][1]) == {"circle"}  # filled: confirmed
    assert dict(zip(*traces["dominated"], strict=True)) == {"t001": "circle", "t004": "triangle-up-open"}
    assert traces["the answer"][0] == ["t003"]
    opened.page.fill("#tolerance", f"{most['t002'] + 0.01:.4f}")
    assert "ship t002" in opened.text(lead)
    assert opened.page.evaluate(drawn)["the answer"][0] == ["t002"]
    assert "tolerance=0." in opened.page.url
    opened.page.fill("#max-params", "2500")
    assert "every confirmed network is worse than the best of this run" in opened.text(lead)
    enough = re.search(r"A tolerance of ([\d.]+)\syears would be enough", opened.text(lead))
    assert enough
    assert float(enough.group(1)) >= min(most["t000"], most["t001"])
    opened.page.fill("#tolerance", enough.group(1))
    assert "ship t000" in opened.text(lead)
    opened.page.fill("#tolerance", "-1")
    assert opened.page.get_attribute("#tolerance", "aria-invalid") == "true"
    opened.page.click("#limits button[type=reset]")
    assert opened.page.input_value("#tolerance") == "0.3"
    assert opened.page.input_value("#take") == "params"
    opened.page.fill("#max-error", "7.15")
    opened.page.fill("#tolerance", "0.0001")
    assert "this run cannot tell which network to ship" in opened.text(lead)
    assert f"differences from {found.comparison.detectable:.2f}\u00a0years up" in opened.text(lead)
    assert not opened.page.is_visible("#legend-ship")
    assert opened.page.evaluate(drawn)["the answer"][0] == []


def test_where_limits_leave_no_confirmed_network_the_most_accurate_of_the_others_is_shown(
    make_run: MakeRun, visit: Open
) -> None:
    run = with_compressed(confirmed_run(make_run))
    made = run.trials["stage"].isin(["pruned", "int8"])
    run.trials.loc[made, "params"] = 500
    opened = visit(page(run), "#max-params=600&tolerance=nonsense")
    assert opened.page.input_value("#tolerance") == "0.3"
    assert "no confirmed network remains; of the others, t000-p1" in opened.text("#shipped .lead")
    assert "has the lowest error" in opened.text("#shipped .lead")
    assert "its rank may be luck" in opened.text("#shipped .banner")


@pytest.mark.slow
def test_the_answer_is_told_beside_the_papers_networks_and_their_claims(
    make_run: MakeRun, visit: Open
) -> None:
    thin = {"widths": (32, 64, 128, 256, 256), "depths": (2, 2, 3, 3, 3)}
    run = make_run(trials=3, statuses=["finished"] * 3, configs=[{}, thin, {"network": "vgg16"}])
    trials = run.trials.assign(
        val_mae_years=[9.0, 7.4, 7.0], params=[934_869, 3_708_229, 134_674_341]
    )  # fmt: skip
    opened = visit(page(dataclasses.replace(run, trials=trials)), "#max-params=4000000")
    assert opened.text("#ratios").replace("\u00a0", " ") == (
        "36.3\u00d7 fewer parameters than VGG-16, 0.40 years worse; this is ThinAgeNet itself; "
        "3.97\u00d7 more parameters than TinyAgeNet, 1.60 years better."
    )
    told = opened.page.locator("table.claims tbody tr").first.inner_text()
    assert "36\u00d7" in told
    assert "36.32\u00d7" in told
    opened.page.locator("main a[href='#claims']").click()
    opened.page.wait_for_url("**#max-params=4000000")  # a place in the page is not a choice


@pytest.mark.slow
def test_the_answer_and_the_table_beside_it_tell_the_same_speed(make_run: MakeRun, visit: Open) -> None:
    """A median of paired rounds is not the ratio of two medians, as which VGG-16's own time is drawn."""
    run = make_run(trials=3, statuses=["finished"] * 3)
    trials = run.trials.assign(
        val_mae_years=[7.0, 8.0, 9.0],
        latency_ms_per_image_at_224=[10.0, 5.0, 4.0],
        speedup_vs_vgg16_at_224=[14.0, 30.0, 40.0],
        speedup_vs_vgg16_at_224_low=[13.0, 29.0, 39.0],
        speedup_vs_vgg16_at_224_high=[15.0, 31.0, 41.0],
    )
    opened = visit(page(dataclasses.replace(run, trials=trials)))
    assert "14.0\u00d7 as fast as VGG-16" in opened.text("#shipped .lead")
    assert "14.0\u00d7 faster" in opened.text("#beside table")


def test_a_switch_of_axes_redraws_and_a_click_opens_a_network_that_the_address_keeps(
    make_run: MakeRun, visit: Open
) -> None:
    opened = visit(page(with_compressed(make_run(trials=16))))
    drawn = "document.getElementById('front-chart').layout.xaxis.title.text"
    for axis, title in (
        ("macs", "multiply-adds"),
        ("bytes", "bytes"),
        ("ms", "latency"),
        ("params", "parameters"),
    ):
        opened.page.check(f"input[value={axis}]")
        assert title in opened.page.evaluate(drawn)
    names = opened.page.evaluate("document.getElementById('front-chart').data.map((trace) => trace.name)")
    assert {
        "on the front",
        "dominated",
        "made from",
        "pruned",
        "int8",
        "published, not measured here",
    } <= set(names)
    opened.page.check("input[value=macs]")
    opened.page.locator("#front-chart").scroll_into_view_if_needed()
    x, y, member = opened.page.evaluate(PLACE_OF_A_MEMBER)
    opened.page.mouse.move(x, y)
    opened.page.mouse.click(x, y)
    opened.page.wait_for_function("location.hash.includes('trial=')")
    chosen = re.search(r"trial=([\w-]+)", opened.page.url)
    assert chosen
    assert opened.page.input_value("#network-id") == chosen.group(1) == member
    again = visit(page(with_compressed(make_run(trials=16))), "#x=macs&trial=t000-p1-int8")
    assert "t000-p1-int8 is int8, from t000-p1" in again.text("#network-body")
    assert again.page.is_checked("input[value=macs]")
    again.page.click("#network-body button[data-trial='t000-p1']")
    assert "t000-p1 is pruned, from t000" in again.text("#network-body")


@pytest.mark.slow
def test_the_members_of_a_search_that_prunes_have_a_line_to_their_parent(
    make_run: MakeRun, visit: Open
) -> None:
    opened = visit(page(pruned_from_a_parent(make_run(trials=12))), "#trial=parent")
    traces = opened.page.evaluate(
        "Object.fromEntries(document.getElementById('front-chart').data.map((t) => [t.name, t]))"
    )
    (parent,) = traces["parent"]["x"]
    members = traces["on the front"]["x"]
    assert len(members) > 1
    assert [x for x in traces["made from"]["x"] if x is not None] == [
        x for member in members for x in (parent, member)
    ]
    assert not {"pruned", "int8", "distilled"} & set(traces)
    said = opened.text("#network-body")
    assert "parent is the network that the search pruned" in said
    assert "suite compress" not in said
    assert "t001 (pruned)" in said
    opened.page.evaluate("openNetwork('t001')")
    assert "0.25,0.5,0.5,0.5,0.140625" in opened.text("#network-body")
    assert "parent, which the search pruned" in opened.text(".legend")


def test_a_network_shows_its_predictions_by_group_and_the_command_that_repeats_it(
    make_run: MakeRun, visit: Open
) -> None:
    names = ("widths", "depths", "lambda_l1", "label_deviation", "learning_rate")
    vary: dict[str, Any] = {name: {"choices": []} for name in names}
    run = make_run(
        trials=6, statuses=["finished"] * 6, search={"name": "tiny", "vary": vary},
        command=["suite", "run", "--search", "tiny", "--out", "x"],
    )  # fmt: skip
    label = np.arange(60.0)
    rows = pd.DataFrame(
        {"split": "test", "image": range(60), "label": label, "estimate": label + 2.0,
         "person": [f"p{n // 2}" for n in range(60)], "glasses": ["yes", "no"] * 30}
    )  # fmt: skip
    write_prediction_rows(run.folder, "t002", rows)
    opened = visit(page(run), "#trial=t002")
    body = opened.text("#network-body")
    assert "Error by age" in body
    assert "10 to 20" in body
    assert "Error by glasses" in body
    assert "2.00 to 2.00" in body
    opened.page.locator("#predicted-chart").scroll_into_view_if_needed()
    opened.page.wait_for_selector("#predicted-chart .plot-container")
    words = shlex.split(opened.text("pre[aria-label='the command that repeats this training']"))
    assert words[:4] == ["suite", "run", "--search", "tiny"]
    assert "--out" not in words
    row = run.trials.set_index("id").loc["t002"]
    settings = [after for before, after in pairwise(words) if before == "--set"]
    space = load(find("tiny"), overrides=settings)
    assert space.trials == 1
    assert str(space.vary["lambda_l1"]) == f"one of {row['lambda_l1']}"


def test_the_table_sorts_filters_and_is_saved(make_run: MakeRun, visit: Open) -> None:
    run = make_run(trials=12, statuses=["finished"] * 10 + ["failed", "stopped"])
    opened = visit(page(run))
    rows = (
        "[...document.querySelectorAll('table.sortable tbody tr')]"
        ".map((row) => row.querySelector('button').dataset.trial)"
    )
    known = [t.id for t in sorted(summarise(run).trials, key=lambda t: t.params) if np.isfinite(t.params)]
    head = opened.page.locator("th[data-title=params] button")
    head.click()
    assert opened.page.evaluate(rows) == [*known, "t010"]
    assert opened.page.get_attribute("th[data-title=params]", "aria-sort") == "ascending"
    head.press("Enter")
    assert opened.page.evaluate(rows) == [*known[::-1], "t010"]
    opened.page.fill("#filter", "stopped")
    assert opened.page.evaluate(rows) == ["t011"]
    opened.page.fill("#filter", f"status=finished params<={run.trials['params'][0]}")
    assert "t000" in opened.page.evaluate(rows)
    with opened.page.expect_download() as saved:
        opened.page.click("#save")
    table = list(csv.DictReader(io.StringIO(Path(saved.value.path()).read_text(encoding="utf-8"))))
    assert [row["id"] for row in table] == opened.page.evaluate(rows)
    assert float(table[0]["params"]) > 0


def test_hostile_names_are_text_to_the_browser(make_run: MakeRun, visit: Open) -> None:
    run = make_run(trials=4, name="<script>document.title='taken'</script>")
    trials, epochs = run.trials.copy(), run.epochs.copy()
    for table in (trials, epochs):
        table["id"] += "<img src=x onerror=\"document.title='taken'\"></script>"
    opened = visit(page(Run(run.folder, run.info, trials, epochs)))
    scroll_through(opened.page)
    assert opened.said == []
    assert opened.page.title() != "taken"
    assert opened.page.locator("img").count() == 0


#: Ids that every object of JavaScript knows already, and those of the page's own data.
NAMES_OF_OBJECTS = (
    "__proto__",
    "constructor",
    "hasOwnProperty",
    "toString",
    "valueOf",
    "data",
    "later",
)
#: What would take a reader away, run, or be taken for the page's own data.
TAKING = """</script></style></title></svg></main><meta http-equiv=refresh content="0; url=https://evil.example">
<base href="https://evil.example/"><script type=application/json id=data>{"run":{"name":"EVIL"}}</script>
<script type=application/json id=later>{}</script><form id=limits action="https://evil.example"><input name=x></form>
<iframe src="https://evil.example" srcdoc="<script>parent.document.title='taken'</script>"></iframe>
<a href="https://evil.example">ship EVIL</a>%{x}<b onclick=alert(1)>"'&"""


INJECTED = """<script type="application/json" id="data">{"run": {"name": "EVIL"}}</script>
<script type="application/json" id="later">{}</script>"""


def test_a_run_of_hostile_text_takes_nobody_away_and_shows_its_own_answer(
    make_run: MakeRun, visit: Open
) -> None:
    run = hostile_run(make_run(trials=8, statuses=["finished"] * 8), TAKING)
    ids = dict(zip(sorted(set(run.trials["id"])), NAMES_OF_OBJECTS, strict=False))
    trials, epochs = (
        table.assign(id=table["id"].map(lambda name: ids.get(name, name)))
        for table in (run.trials, run.epochs)
    )
    depths = [np.array([10**9] * 5), *trials["depths"][1:]]
    html = page(Run(run.folder, run.info, trials.assign(depths=depths), epochs), {TAKING: 0.7}, TAKING)
    assert html.count('id="data"') == html.count('id="later"') == 1
    # No text of a run becomes an element. If one did, the page would still read its own.
    opened = visit(html.replace("<main>", f"{INJECTED}<main>", 1))
    for name in trials["id"]:
        opened.page.evaluate("(id) => openNetwork(id)", name)
        assert opened.page.input_value("#network-id") == name.replace("\n", "")
    scroll_through(opened.page)
    assert opened.said == []
    assert opened.asked == [opened.page.url.partition("#")[0]]
    assert opened.page.evaluate("data.run.name") != "EVIL"
    for tag in (
        "meta[http-equiv=refresh]",
        "base",
        "iframe",
        "main form:not(#limits)",
        "main a[href^=http]",
        "svg a",
    ):
        assert opened.page.locator(tag).count() == 0, tag
    assert opened.page.locator("#shipped .lead").first.inner_text().count("So far ") == 1


@pytest.mark.parametrize("scheme", [pytest.param("light", marks=pytest.mark.slow), "dark"])
def test_axe_finds_nothing_serious(make_run: MakeRun, visit: Open, scheme: str) -> None:
    html = page(with_compressed(make_run(trials=12)), {"lambda_l1": 0.7, "learning_rate": 0.3})
    opened = visit(html, color_scheme=scheme, bypass_csp=True)
    scroll_through(opened.page)
    found = Axe().run(opened.page).response["violations"]
    assert [(one["id"], one["nodes"][0]["html"][:120]) for one in found] == []


def test_without_scripts_tables_and_pictures_are_there(make_run: MakeRun, visit: Open) -> None:
    opened = visit(page(make_run(trials=12)), java_script_enabled=False)
    assert opened.page.locator("#front-chart > svg.picture").is_visible()
    assert opened.page.locator("noscript svg.picture").count() == 2
    assert opened.page.locator("noscript svg.picture").first.is_visible()
    assert opened.page.locator("table.sortable tbody tr").count() == 12
    assert "The smallest error so far" in opened.text("#shipped")
    assert not opened.page.locator("#limits").is_visible()


def test_several_runs_are_drawn_over_each_other(make_run: MakeRun, visit: Open, tmp_path: Path) -> None:
    first = make_run(trials=10, seed=1)
    second = make_run(trials=10, seed=2, name="another")
    opened = visit(page_of_runs([first, second]))
    names = "document.getElementById('fronts-chart').data.map((trace) => trace.name).filter(Boolean)"
    assert opened.page.evaluate(names) == ["tiny-20261123-221000", "another"]
    opened.page.check("input[value=bytes]")
    assert "bytes" in opened.page.evaluate("document.getElementById('fronts-chart').layout.xaxis.title.text")
    assert opened.said == []
    assert "hypervolume" in opened.text("main").lower()


def test_no_cell_of_the_csv_is_a_formula_to_a_spreadsheet(make_run: MakeRun, visit: Open) -> None:
    causes = ("=HYPERLINK(A1)", "+1", "-1", "@sum", "\tx", 'plain, with a comma and a "quote"')
    run = make_run(trials=6, statuses=["failed"] * 6)
    trials = run.trials.assign(cause=list(causes))
    opened = visit(page(dataclasses.replace(run, trials=trials)))
    with opened.page.expect_download() as saved:
        opened.page.click("#save")
    rows = list(csv.DictReader(Path(saved.value.path()).read_text(encoding="utf-8").splitlines()))
    assert {row["id"]: row["cause"] for row in rows} == {
        f"t{place:03d}": cause if cause.startswith("plain") else f"'{cause}"
        for place, cause in enumerate(causes)
    }
    assert not [cell for row in rows for cell in row.values() if cell[:1] in {"=", "+", "-", "@", "\t"}]


@pytest.mark.slow
def test_the_csv_of_a_search_that_varies_lists_has_their_entries(make_run: MakeRun, visit: Open) -> None:
    run = pruned_from_a_parent(make_run(trials=4, statuses=["finished"] * 4, configs=[{"flip": False}]))
    keep = [None, *run.trials["keep"][1:]]
    opened = visit(page(dataclasses.replace(run, trials=run.trials.assign(keep=keep))))
    with opened.page.expect_download() as saved:
        opened.page.click("#save")
    rows = list(csv.DictReader(Path(saved.value.path()).read_text(encoding="utf-8").splitlines()))
    cells = {row["id"]: (row["keep"], row["flip"]) for row in rows}
    assert cells["t000"] == ("", "false")
    assert cells["t001"] == ("0.25 0.5 0.5 0.5 0.140625", "true")


#: Where a share of the last axis lies on the canvas of parallel coordinates, in the window.
PLACE_ON_LAST_AXIS = """(share) => {
  const box = document.getElementById('parallel').getBoundingClientRect();
  return [box.right - MARGINS.right, box.bottom - MARGINS.bottom - share * (box.height - MARGINS.top - MARGINS.bottom)];
}"""


def test_a_drag_along_an_axis_keeps_what_it_spans_and_a_click_opens_the_nearest(
    make_run: MakeRun, visit: Open
) -> None:
    run = make_run(trials=24, search={"name": "x", "vary": {"learning_rate": {"low": 0.0005, "high": 0.02}}})
    errors = {trial.id: trial.error for trial in summarise(run).trials if trial.finished}
    middle = (min(errors.values()) + max(errors.values())) / 2
    opened = visit(page(run), viewport={"width": 1280, "height": 1200}).page
    opened.locator("#parallel").scroll_into_view_if_needed()
    opened.wait_for_function("() => document.getElementById('parallel').style.width !== ''")
    opened.mouse.move(*opened.evaluate(PLACE_ON_LAST_AXIS, -0.05))
    opened.mouse.down()
    opened.mouse.move(*opened.evaluate(PLACE_ON_LAST_AXIS, 0.5))
    opened.mouse.up()
    below = sum(error <= middle for error in errors.values())
    assert 0 < below < len(errors)
    assert opened.inner_text("#parallel-kept") == f"{below} trial{'s' * (below != 1)} of {len(errors)} kept."
    opened.click("#parallel-clear")
    assert opened.inner_text("#parallel-kept") == ""
    opened.mouse.click(*opened.evaluate(PLACE_ON_LAST_AXIS, 0.0))
    assert opened.input_value("#network-id") == min(errors, key=lambda id_: errors[id_])


TRACES = """Object.fromEntries(
  document.getElementById('front-chart').data.map((one) => [one.name, one.x.length]))"""


@pytest.mark.parametrize(
    ("width", "scheme"), [(1280, "light"), pytest.param(390, "dark", marks=pytest.mark.slow)]
)
def test_the_groups_of_a_run_that_shares_weights_are_switched_off_and_on(
    make_run: MakeRun, visit: Open, width: int, scheme: str
) -> None:
    run = shared_run(make_run, trials=12, slices=400, confirmed=["procedure", "scratch"])
    members = len(summarise(run).searched_front)
    opened = visit(page(run), viewport={"width": width, "height": 900}, color_scheme=scheme)
    scroll_through(opened.page)
    assert opened.said == []
    assert opened.page.evaluate("document.documentElement.scrollWidth") <= width
    drawn = opened.page.evaluate(TRACES)
    assert drawn["front of the slices"] > 3
    assert 0 < drawn["scored slices"] <= 280
    assert drawn["before it was confirmed"] == drawn["trained alone"] == members
    for group, gone in (
        ("slices", ("scored slices", "front of the slices")),
        ("tuned", ("before it was confirmed", "dominated")),
        ("alone", ("trained alone",)),
        ("confirmed", ("on the front", "front")),
    ):
        opened.page.uncheck(f"input[name=group][value={group}]")
        left = opened.page.evaluate(TRACES)
        assert [left.get(name, 0) for name in gone] == [0] * len(gone), group
    assert "off=slices%2Ctuned%2Cconfirmed%2Calone" in opened.page.url
    for box in opened.page.locator("input[name=group]").all():
        box.check()
    assert opened.page.evaluate(TRACES) == drawn
    assert "off=" not in opened.page.url
    assert opened.said == []


def test_each_kind_of_point_has_its_mark_and_its_words(make_run: MakeRun, visit: Open) -> None:
    run = shared_run(make_run, trials=12, confirmed=["procedure", "scratch"])
    opened = visit(page(run), "#off=tuned")
    assert not opened.page.is_checked("input[value=tuned]")
    opened.page.check("input[value=tuned]")
    traces = opened.page.evaluate(
        "Object.fromEntries(document.getElementById('front-chart').data.map("
        "(one) => [one.name, [one.marker?.symbol, one.hovertext?.[0] ?? '']]))"
    )
    symbols = {
        name: set([found] if isinstance(found, str) else found or []) for name, (found, _) in traces.items()
    }
    words = {name: said for name, (_, said) in traces.items()}
    assert symbols["front of the slices"] <= {"circle-open", "triangle-up-open"}
    assert "not trained on its own" in words["front of the slices"]
    assert symbols["on the front"] == {"star"}
    assert "confirmed by the whole procedure, mean of 2 seeds" in words["on the front"]
    assert symbols["before it was confirmed"] == {"circle-open"}
    assert "fine-tuned from its slice, one training" in words["before it was confirmed"]
    assert symbols["trained alone"] == {"cross-open"}
    assert "trained alone, mean of 2 seeds" in words["trained alone"]
    low, high = opened.page.evaluate("document.getElementById('front-chart').layout.yaxis.range")
    trials = [trial for trial in summarise(run).trials if trial.confirmed]
    assert all(low < error < high for trial in trials for error in (trial.val_mae, trial.error))
    opened.page.check("input[name=x][value=ms]")
    assert "Slices were not timed" in opened.text("#front-hidden")


@pytest.mark.slow
def test_a_front_that_was_confirmed_alone_is_drawn_so(make_run: MakeRun, visit: Open) -> None:
    run = shared_run(make_run, trials=8, confirm="scratch", confirmed=["scratch"])
    opened = visit(page(run))
    symbols = (
        "document.getElementById('front-chart').data.find((one) => one.name === 'on the front').marker.symbol"
    )
    assert set(opened.page.evaluate(symbols)) == {"cross"}
    opened.page.uncheck("input[name=group][value=alone]")
    assert opened.page.evaluate(symbols) == []


@pytest.mark.parametrize("sharing", [pytest.param(True, marks=pytest.mark.slow), False])
def test_hypervolume_is_drawn_against_what_was_spent(make_run: MakeRun, visit: Open, sharing: bool) -> None:
    run = shared_run(make_run) if sharing else make_run(trials=8)
    opened = visit(page(run))
    opened.page.locator("#growth-chart").scroll_into_view_if_needed()
    opened.page.wait_for_selector("#growth-chart .plot-container")
    chart = "document.getElementById('growth-chart')"
    assert opened.page.input_value("input[name=spent]:checked") == ("epochs" if sharing else "ended")
    ends = {}
    for spent, title in (
        ("ended", "trials"),
        ("macs", "multiply-adds"),
        ("epochs", "epochs of networks trained"),
    ):
        opened.page.check(f"input[name=spent][value={spent}]")
        assert title in opened.page.evaluate(f"{chart}.layout.xaxis.title.text")
        ends[spent] = opened.page.evaluate(f"{chart}.data.map((one) => one.x.at(-1))")
    assert ends["epochs"] == ([88, 40] if sharing else ends["epochs"][:1])
    assert ends["macs"][0] > 1e9
    assert len(ends["ended"]) == (2 if sharing else 1)
    opened.page.check("input[name=spent][value=macs]")
    assert "spent=macs" in opened.page.url
