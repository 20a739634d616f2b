"""The report of a run that shares weights: its section, its words elsewhere, and foreign text in its files."""

import dataclasses
import json
import re
from html import unescape
from pathlib import Path

import pandas as pd
import pytest

from reports.figures import learning_curves, slice_ranks
from reports.html.confirmed_section import confirmed_section
from reports.html.page import page
from reports.html.search_request import request_section
from reports.html.sharing_section import groups as switches
from reports.model.confirmation import other_confirmations
from reports.model.shared_weights import shared_weights
from reports.model.trials import summarise
from suite.runs.tables import Run
from tests.support.shared_runs import shared_run
from tests.support.synthetic_runs import MakeRun


def text(html: str) -> str:
    html = re.sub(r"<(script|style)\b.*?</\1>", " ", html, flags=re.DOTALL)
    return re.sub(r"\s+", " ", unescape(re.sub(r"<[^>]+>", " ", html)))


def data_of(html: str) -> dict[str, object]:
    found = re.search(r'<script type="application/json" id="data">(.*?)</script>', html, flags=re.DOTALL)
    assert found
    return json.loads(found.group(1))  # type: ignore[no-any-return]


def test_the_section_tells_cost_slices_rank_and_confirmation(make_run: MakeRun) -> None:
    html = page(shared_run(make_run, confirmed=["procedure", "scratch"]))
    said = text(html.split('<section id="sharing"')[1].split("</section>")[0])
    assert "rank the fine-tuned networks with a Kendall's tau-b of" in said
    assert "elastic the search's, seed 0 10 4 40" in said
    assert "elastic-s2 for confirmation, seed 2" in said
    assert "60 slices scored" in said
    assert "percentile bootstrap over trials (Efron and Tibshirani 1993), with 2,000 resamples" in said
    assert "The front is confirmed with 2 seeds by the whole procedure" in said
    assert "Errors by the whole procedure minus those of the same networks trained alone: -0." in said


def test_the_confirmed_section_and_the_request_name_the_procedure(make_run: MakeRun) -> None:
    def confirmed(run: Run) -> str:
        return text(confirmed_section(run.info, summarise(run), None))

    run = shared_run(make_run, confirmed=["procedure"])
    assert "none of them the search's (1, 2), by the whole procedure: for each seed an" in confirmed(run)
    assert "2 seeds each, by the whole procedure" in text(request_section(run.info, summarise(run)))
    alone = confirmed(shared_run(make_run, confirm="scratch", confirmed=["scratch"]))
    assert "(1, 2), by training the members alone, from random weights, for the epochs of the" in alone
    begun = dataclasses.replace(run, trials=run.trials[run.trials["id"] != "t000-s2"])
    assert "trainings that are to confirm the front have ended (by the whole procedure" in confirmed(begun)


def test_trials_are_said_to_start_from_slices(make_run: MakeRun) -> None:
    said = text(page(shared_run(make_run)))
    assert "Trials train for 4 epochs, from slices of an elastic network" in said
    assert "The elastic training comes first: 40 epochs of networks trained" in said
    assert "The hollow mark is the front of the scored slices" in said


def test_the_legend_has_a_switch_for_each_group_that_there_is(make_run: MakeRun) -> None:
    def groups(run: Run) -> dict[str, str]:
        summary = summarise(run)
        html = switches(summary, shared_weights(run, summary), len(other_confirmations(run)))
        return dict(re.findall(r'name="group" value="(\w+)" checked hidden>.*?</span>(.*?)</label>', html))

    plain = groups(shared_run(make_run, trials=12, slices=60))
    assert plain == {
        "slices": "scored slices as they are, no training of their own (60)",
        "tuned": "fine-tuned from a slice, one training (12)",
    }
    assert set(groups(shared_run(make_run, confirmed=["procedure"]))) == {"slices", "tuned", "confirmed"}
    assert set(groups(shared_run(make_run, confirm="scratch", confirmed=["scratch"]))) == {
        *("slices", "tuned", "alone")
    }
    assert set(groups(shared_run(make_run, confirmed=["procedure", "scratch"]))) == {
        *("slices", "tuned", "confirmed", "alone")
    }
    assert groups(make_run(trials=3)) == {}


def test_a_run_without_sharing_has_nothing_of_it(make_run: MakeRun) -> None:
    html = page(make_run(trials=6))
    assert "Weight sharing" not in html.split("<script")[0]
    assert 'id="sharing"' not in html
    assert 'id="groups"' not in html
    assert data_of(html)["sharing"] is None
    assert "slice" not in text(html)


def test_a_run_whose_elastic_training_has_not_ended_says_so(make_run: MakeRun) -> None:
    run = shared_run(make_run, slices=0)
    said = text(page(dataclasses.replace(run, trials=run.trials.iloc[:0])))
    assert "The elastic training has not ended." in said
    assert "There is no scored.parquet yet" in said


def test_an_elastic_training_that_diverged_is_in_its_table_with_the_cause(make_run: MakeRun) -> None:
    run = shared_run(make_run, slices=0)
    only = run.trials[run.trials["stage"] == "elastic"].assign(status="diverged", cause="<i>NaN at step 3")
    html = page(dataclasses.replace(run, trials=only))
    assert "diverged: &lt;i&gt;NaN at step 3" in html


@pytest.mark.parametrize("hostile", ["<script>document.title='x'</script>", "\x1b[31m\u202e/home/me/x"])
def test_a_forged_table_of_slices_is_one_escaped_sentence(make_run: MakeRun, hostile: str) -> None:
    run = shared_run(make_run)
    path = run.folder / "scored.parquet"
    frame = pd.read_parquet(path)
    frame.assign(params=hostile).to_parquet(path)
    html = page(run)
    assert hostile not in html
    notes = html.split('<ul class="notes">')[1].split("</ul>")[0]
    assert "scored.parquet cannot be read (column 'params' holds" in unescape(notes)
    assert "Too few to say how well the slices rank" in html
    assert str(Path(run.folder)) not in html


def test_ids_of_trials_are_escaped_in_the_chart_of_ranks(make_run: MakeRun) -> None:
    run = shared_run(make_run)
    trials = run.trials.assign(id=run.trials["id"] + "<img src=x>")
    run = dataclasses.replace(run, trials=trials)
    shared = shared_weights(run, summarise(run))
    assert shared is not None
    hover = slice_ranks.draw(slice_ranks.collect(shared, "years")).data[0].hovertext
    assert all("&lt;img" in line and "<img" not in line for line in hover)


def test_of_very_many_pairs_some_are_drawn_and_the_others_counted(
    make_run: MakeRun, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(slice_ranks, "MOST", 5)
    run = shared_run(make_run, trials=12)
    shared = shared_weights(run, summarise(run))
    assert shared is not None
    drawn = slice_ranks.collect(shared, "years")
    assert (len(drawn.pairs), drawn.left_out) == (5, 7)
    assert "7 further trials not drawn." in text(page(run))


def test_the_curve_of_an_elastic_network_is_not_among_the_trials(make_run: MakeRun) -> None:
    run = shared_run(make_run)
    elastic = run.epochs[run.epochs["id"] == "t000"].assign(id="elastic")
    run = dataclasses.replace(run, epochs=pd.concat([run.epochs, elastic]))
    assert "elastic" not in {curve.id for curve in learning_curves.collect(run, summarise(run)).curves}


def test_multiply_adds_that_are_unknown_are_no_choice_of_the_chart(make_run: MakeRun) -> None:
    run = shared_run(make_run)
    search = {**run.info.search, "vary": {"widths": [None] * 5}}
    html = page(dataclasses.replace(run, info=dataclasses.replace(run.info, search=search)))
    assert re.findall(r'name="spent" value="(\w+)"', html) == ["ended", "epochs"]
    assert "40 epochs of networks trained." in text(html)
