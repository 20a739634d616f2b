"""What the report of several runs says of confirmed errors and of others."""

import dataclasses
import re
from html import unescape

from reports.html.page_of_runs import page_of_runs
from tests.support.synthetic_runs import MakeRun, confirmed_run


def seen(html: str) -> str:
    return re.sub(r"\s+", " ", unescape(re.sub(r"<[^>]+>", " ", html)))


def test_an_error_that_is_confirmed_is_told_from_one_of_a_single_training(make_run: MakeRun) -> None:
    run = confirmed_run(make_run)
    searched = dataclasses.replace(run, trials=run.trials[run.trials["stage"] == "search"])
    text = seen(page_of_runs([run, searched]))
    assert "(t000, confirmed)" in text
    assert "(t000)" in text
    assert "One front was confirmed" in text
    assert "No network is confirmed" not in text


def test_runs_without_a_confirmed_network_say_so(make_run: MakeRun) -> None:
    run = make_run(trials=5)
    assert "No network is confirmed" in seen(page_of_runs([run, run]))
