"""No string of a run reaches a page as HTML."""

import contextlib
import dataclasses
import re
from html import unescape

import pytest

from reports.html.page import page
from reports.html.page_of_runs import page_of_runs
from reports.html.templating import render
from suite.errors import RequestError
from tests.support.hostile_runs import HOSTILE, hostile, hostile_run
from tests.support.synthetic_runs import MakeRun


def outside_of_scripts(html: str) -> str:
    return re.sub(r"<(script|style)\b.*?</\1>", " ", html, flags=re.DOTALL)


def assert_escaped(html: str, at_least: int) -> None:
    markup = outside_of_scripts(html)
    assert "<b>x" not in markup
    assert '<b>x</b>"' not in html  # as JSON it has a backslash, and no "<"
    shown = re.sub(r"<[^>]+>", " ", markup)
    assert unescape(shown).count(HOSTILE) >= at_least


def test_no_string_of_a_run_is_markup_in_its_page(make_run: MakeRun) -> None:
    run = hostile_run(make_run(trials=8, statuses=["finished"] * 8))
    assert_escaped(page(run, {HOSTILE: 0.7}, HOSTILE), at_least=60)


@pytest.mark.parametrize("field", ["seed", "max_concurrent", "resolution", "repeats"])
def test_a_text_in_place_of_a_number_is_no_markup(field: str, make_run: MakeRun) -> None:
    """The readers of a run refuse it; a page that was given one all the same escapes it, or is not made."""
    run = make_run(trials=2)
    info = dataclasses.replace(run.info, **{field: HOSTILE})  # type: ignore[arg-type]
    with contextlib.suppress(ValueError, TypeError):
        assert_escaped(page(dataclasses.replace(run, info=info)), at_least=0)


def test_half_a_surrogate_pair_does_not_keep_a_page_from_being_written(make_run: MakeRun) -> None:
    run = make_run(trials=1)
    named = dataclasses.replace(run, info=dataclasses.replace(run.info, name="tiny\ud800"))
    assert "tiny?" in page(named).encode().decode()


def test_no_string_of_a_comparison_over_seeds_is_markup(make_points: MakeRun) -> None:
    points = [({"backbone": f"{HOSTILE}{n}"}, (5.0 + n, 5.2 + n)) for n in range(2)]
    run = make_points(points, {"backbone": {"choices": [f"{HOSTILE}0", f"{HOSTILE}1"]}})
    search = {"seeds": 2, "name": HOSTILE, "vary": {"backbone": {"choices": [HOSTILE]}}}
    info = dataclasses.replace(hostile(run.info), search=search)
    assert_escaped(page(dataclasses.replace(run, info=info)), at_least=25)


@pytest.mark.parametrize("column", ["method", "network", "pooling"])
def test_words_that_no_trial_can_have_are_one_sentence_where_points_are_compared(
    column: str, make_points: MakeRun
) -> None:
    run = make_points([({"method": "dex"}, (5.0, 5.2))], {"method": {"choices": ["dex", "er"]}})
    hostile_trials = run.trials.assign(**{column: HOSTILE})
    with pytest.raises(RequestError, match=f"describes no trial \\(field '{column}'"):
        page(dataclasses.replace(run, trials=hostile_trials))


def test_no_string_of_several_runs_is_markup_in_their_page(make_run: MakeRun) -> None:
    run = make_run(trials=4, statuses=["finished"] * 4, configs=[{"teacher": HOSTILE}] * 4)
    run = dataclasses.replace(
        hostile_run(run), trials=run.trials.assign(id=run.trials["id"] + HOSTILE, cause=HOSTILE)
    )
    assert_escaped(page_of_runs([run, run]), at_least=12)


def test_a_template_without_a_name_that_it_uses_is_an_error() -> None:
    from jinja2 import UndefinedError

    with pytest.raises(UndefinedError, match="text"):
        render("banner")
