"""The front by its confirmed means: who stays, in which order, and how far behind the best each is."""

import dataclasses
import math
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from reports.figures import learning_curves
from reports.html.confirmed_section import confirmed_section
from reports.html.page import page
from reports.html.published_comparison.attractiveness import measured
from reports.model.confirmation import Confirmed, Training, confirmations, is_complete
from reports.model.confirmed_front import dominator, fallen, ranked
from reports.model.hypervolume import volume
from reports.model.page_data import page_data
from reports.model.trials import objectives, summarise
from reports.model.within_tolerance import Verdict, verdict
from suite.runs.tables import Run, write_prediction_rows
from suite.statistics.paired import mean_interval
from tests.reports.model.test_unconfirmed import longer_run
from tests.support.synthetic_runs import MEMBERS, MakeRun, confirmed_run, with_compressed


def section(run: Run) -> str:
    summary = summarise(run)
    return confirmed_section(run.info, summary, verdict(summary, run.info.unit))


def ids(trials: Any) -> list[str]:
    return [trial.id for trial in trials]


def test_the_front_is_sought_again_among_its_members_by_their_confirmed_means(make_run: MakeRun) -> None:
    result = summarise(confirmed_run(make_run))
    assert ids(result.searched_front) == ["t000", "t001", "t002", "t003"]
    assert ids(result.front) == ["t000", "t002", "t003"]
    assert ids(fallen(result)) == ["t001"]
    assert [round(trial.error, 3) for trial in result.front] == [8.2, 7.2, 7.1]
    assert len(result.trials) == 5  # the trainings that confirm are not trials of their own


def test_the_search_error_stays_beside_the_confirmed_one(make_run: MakeRun) -> None:
    result = summarise(confirmed_run(make_run))
    member = result.front[0]
    assert (member.val_mae, round(member.error, 3), round(member.test_error, 3)) == (8.0, 8.2, 8.7)
    assert math.isnan(member.test_mae)
    other = next(trial for trial in result.trials if trial.id == "t004")
    assert (other.val_mae, other.error, other.confirmed) == (20.0, 20.0, None)


def test_best_and_hypervolume_go_by_confirmed_means(make_run: MakeRun) -> None:
    run = confirmed_run(make_run)
    result = summarise(run)
    assert result.best is not None
    assert result.best.id == "t003"
    assert [objectives(trial, run.info) for trial in result.front] == [
        [pytest.approx(8.2), 1000.0],
        [pytest.approx(7.2), 3000.0],
        [pytest.approx(7.1), 4000.0],
    ]
    searched = summarise(dataclasses.replace(run, trials=run.trials[run.trials["stage"] == "search"]))
    now, then = volume(run.info, result), volume(run.info, searched)
    assert now is not None
    assert then is not None
    assert now.share < then.share


def test_ranks_go_by_the_mean_and_the_dominator_is_named(make_run: MakeRun) -> None:
    run = confirmed_run(make_run)
    result = summarise(run)
    assert ids(ranked(result)) == ["t003", "t002", "t000", "t001"]
    assert dominator(ranked(result)[-1], result, run.info) == "t000"


def test_each_member_is_compared_with_the_best_of_the_others(make_run: MakeRun) -> None:
    run = confirmed_run(make_run)
    found = verdict(summarise(run), "years")
    assert found is not None
    html = section(run)
    for name, behind, words in (
        ("t003", "-0.10", "on the front; may be the best and within 0.3 years of it"),
        ("t000", "+1.10", "on the front; worse than the best"),
        ("t001", "+1.70", "off the front: t000 is nowhere worse and somewhere better; worse than the best"),
    ):
        low, high = (f"{end:+.2f}".replace("+0.00", "0.00") for end in _ends(found, name))
        assert (
            f'<td>{behind} <small class="ends">{low} to {high}</small></td><td class="text">{words}</td>'
            in html
        )
    assert _ends(found, "t000")[0] == 0 < 1.1 < _ends(found, "t000")[1]


def _ends(found: Verdict, name: str) -> tuple[float, float]:
    return found.against[name].low, found.against[name].high


def test_with_predictions_the_intervals_are_over_seeds_and_people_and_the_section_says_so(
    make_run: MakeRun,
) -> None:
    run = confirmed_run(make_run)
    assert "which describe other seeds on the same images, not other images" in section(run)
    hard = np.random.default_rng(0).exponential(1.0, 40)
    for row in run.trials[run.trials["stage"] == "confirm"].to_dict("records"):
        parts = [
            pd.DataFrame(
                {
                    "split": split,
                    "image": range(40),
                    "label": 0.0,
                    "estimate": row[f"{split}_mae_years"] * hard / hard.mean(),
                    "person": [f"p{image // 2}" for image in range(40)],
                }
            )
            for split in ("val", "test")
        ]
        write_prediction_rows(run.folder, row["id"], pd.concat(parts))
    html = section(run)
    assert "which describe other seeds and other people like those of the split" in html
    (member,) = (trial.confirmed for trial in summarise(run).front if trial.id == "t000")
    assert member is not None
    assert member.interval is not None
    found = member.interval
    assert (found.mean, found.values, found.people) == (pytest.approx(8.2), 3, 20)
    assert found.high - found.low > 4 * (mean_interval([8.1, 8.2, 8.3]).high - 8.2)
    assert f'8.20 <small class="ends">{found.low:.2f} to {found.high:.2f}</small>' in html


def test_the_section_has_means_intervals_and_optimism(make_run: MakeRun) -> None:
    run = confirmed_run(make_run)
    html = section(run)
    found = mean_interval([8.1, 8.2, 8.3])
    assert f'8.20 <small class="ends">{found.low:.2f} to {found.high:.2f}</small>' in html
    assert f'8.70 <small class="ends">{found.low + 0.5:.2f} to {found.high + 0.5:.2f}</small>' in html
    assert "8.00<small>-0.20</small>" in html  # the search's error, and how much too low it was
    assert "Off the front by the confirmed means: t001." in html
    assert "off the front: t000 is nowhere worse and somewhere better" in html
    assert "The search's errors were 0.65\u00a0years lower than the confirmed ones, on average." in html


def test_what_was_confirmed_beside_the_front_and_for_how_long_is_told(make_run: MakeRun) -> None:
    html = section(longer_run(make_run))
    assert "Each of the 4 members of the search's front, and 1 trial beside it (t004: " in html
    assert "<b>48 epochs instead of 12 epochs</b>, as short trainings favour small networks" in html
    assert "New on it: t004." in html
    assert "on average, which were trained for longer" in html


def test_a_compressed_network_beside_confirmed_ones_is_marked_as_not_confirmed(make_run: MakeRun) -> None:
    assert '"t000, not confirmed"' in page(with_compressed(confirmed_run(make_run)))
    assert "t000, not confirmed" not in page(with_compressed(make_run(trials=3)))


def test_one_seed_says_that_it_cannot_show_which_is_better(make_run: MakeRun) -> None:
    run = confirmed_run(make_run, {k: (p, e, {}) for k, (p, e, _) in MEMBERS.items()}, seeds=1)
    html = section(run)
    assert "one training with one seed, which cannot show whether another is better" in html
    assert "--confirm-seeds 3 --confirm-epochs 4x --confirm-neighbours 4</code> trains" in html, (
        "as an older run"
    )
    assert "<table" not in html
    assert ids(summarise(run).front) == ["t000", "t001", "t002", "t003"]


def test_until_all_are_trained_again_the_front_stays_the_searchs(make_run: MakeRun) -> None:
    run = confirmed_run(make_run)
    run = dataclasses.replace(run, trials=run.trials.iloc[:-1])
    result = summarise(run)
    assert not result.is_confirmed
    assert ids(result.front) == ["t000", "t001", "t002", "t003"]
    assert all(trial.confirmed is None for trial in result.trials)
    assert "11 of the 12 trainings that are to confirm the front have ended." in section(run)
    assert not is_complete([], {}, run.info)


def test_what_is_no_longer_selected_does_not_complete_a_confirmation_that_failed(make_run: MakeRun) -> None:
    run = confirmed_run(make_run)
    again = confirmations(run)
    lost = tuple(dataclasses.replace(one, status="diverged") for one in again["t000"].trainings)
    again["t000"] = Confirmed("t000", lost)
    assert is_complete(["t000", "t001"], again, run.info)
    assert not is_complete(["t000"], again, run.info)


def test_a_member_whose_trainings_all_diverged_is_off_the_front_and_is_said_to_be(make_run: MakeRun) -> None:
    members = {**MEMBERS, "t000": (1000, 8.0, {1: None, 2: None, 3: None})}
    run = confirmed_run(make_run, members)
    result = summarise(run)
    assert ids(result.front) == ["t001", "t002", "t003"]
    assert ids(ranked(result))[-1] == "t000"
    html = page(run)
    assert "off the front: none of its trainings finished" in html
    assert "<b>t000-s1</b>, <b>t000-s2</b>, <b>t000-s3</b> diverged after" in html
    assert "None: every trial that ended, finished." not in html


def test_a_lost_training_leaves_the_others_and_is_counted(make_run: MakeRun) -> None:
    run = confirmed_run(make_run, {**MEMBERS, "t002": (3000, 6.9, {1: None, 2: 7.2, 3: 7.4})})
    result = summarise(run)
    assert round(next(t for t in result.front if t.id == "t002").error, 3) == 7.3
    html = section(run)
    assert "1 without a result" in html
    assert "t002" in html.split("behind the best of the others")[1]


def test_too_few_trainings_to_compare_are_said_to_be(make_run: MakeRun) -> None:
    one_each = {k: (p, e, {1: c[1], 2: None, 3: None}) for k, (p, e, c) in MEMBERS.items()}
    html = section(confirmed_run(make_run, one_each))
    assert "Too few trainings with seeds in common finished, so that no member can be called better" in html
    assert "worse than the best" not in html
    html = section(confirmed_run(make_run, {"t000": MEMBERS["t000"]}))
    assert "Only one member has a result, so that there is nothing to compare it with." in html


def test_variances_that_differ_are_said_to_be_and_pairs_are_compared_by_themselves(make_run: MakeRun) -> None:
    quiet = {"t000": 8.0, "t001": 7.5, "t002": 7.2, "t003": 7.1}
    errors = {
        name: {s: mean + 0.01 * (s * len(name) % 3) for s in range(1, 9)} for name, mean in quiet.items()
    }
    errors["t003"] = {s: e + 2 * (-1) ** s for s, e in errors["t003"].items()}
    members = {name: (*MEMBERS[name][:2], errors[name]) for name in quiet}
    html = section(confirmed_run(make_run, members, seeds=8))
    assert "so each pair is compared by its own differences (Bonferroni)" in html
    once = {s: e if s == 1 else None for s, e in errors["t003"].items()}  # no pair with it has an interval
    html = section(confirmed_run(make_run, {**members, "t003": (4000, 6.8, once)}, seeds=8))
    assert "inf" not in html
    assert "nan" not in html


def test_none_that_finished_leaves_the_search_front(make_run: MakeRun) -> None:
    lost = {k: (p, e, {1: None, 2: None, 3: None}) for k, (p, e, _) in MEMBERS.items()}
    run = confirmed_run(make_run, lost)
    assert ids(summarise(run).front) == ["t000", "t001", "t002", "t003"]
    assert "None of the trainings that were to confirm the front finished" in page(run)


def test_a_grid_with_seeds_has_a_comparison_instead(make_points: MakeRun) -> None:
    run = make_points([({"method": "dex"}, [5.0, 5.1])], {"method": {"choices": ["dex"]}})
    assert section(run) == ""


def test_charts_have_the_confirmed_mean_with_its_interval_and_no_curve_of_a_confirming_training(
    make_run: MakeRun,
) -> None:
    run = confirmed_run(make_run)
    again = run.epochs[run.epochs["id"] == "t000"].assign(id="t000-s1")
    run = dataclasses.replace(run, epochs=pd.concat([run.epochs, again]))
    result = summarise(run)
    data = page_data(run, result, (), {}, None, "runs/x")["trials"]
    places = {name: place for place, name in enumerate(data["id"])}
    found = mean_interval([8.1, 8.2, 8.3])
    low, high, seeds, people = data["interval"][places["t000"]]
    assert (data["error"][places["t000"]], low, high, seeds, people) == pytest.approx(
        (found.mean, found.low, found.high, 3, 0)
    )
    assert data["error"][places["t004"]] == 20.0
    assert data["interval"][places["t004"]] is None
    assert {name for name in places if not data["front"][places[name]]} == {"t001", "t004"}
    assert set(page_data(run, result, (), {}, None, "runs/x")["confirmations"]) == set(MEMBERS)
    assert {curve.id for curve in learning_curves.collect(run, result).curves} == set(places)


def test_the_attractiveness_table_has_the_confirming_trainings_instead_of_the_lucky_one(
    make_run: MakeRun,
) -> None:
    members = {k: (p, e / 20, {s: (v or 0) / 20 for s, v in c.items()}) for k, (p, e, c) in MEMBERS.items()}
    run = confirmed_run(make_run, members, attribute="attractiveness")
    best = next(one for one in measured(run, summarise(run)) if "the front's best" in one.name)
    assert best.ids == ("t003-s1", "t003-s2", "t003-s3")
    assert best.validation[0] == pytest.approx(7.1 / 20)
    assert best.test[0] == pytest.approx(7.1 / 20 + 0.5)


def test_the_page_counts_trials_and_confirming_trainings_apart(make_run: MakeRun) -> None:
    html = page(confirmed_run(make_run, status="interrupted"))
    assert "5 of 5 trials have ended, and 12 trainings that confirm the front" in html
    assert "5 of 5 asked for: 5 finished" in html
    assert (
        "4 members of the search's front, 12 epochs with 3 seeds each: 12 finished, 0 without a result"
        in html
    )
    assert "(confirmed: the mean of 3 new seeds, 12 epochs each)" in html
    assert "<h2>Confirmed</h2>" in html
    assert "t000-s1" not in html.split("<h2>Trials</h2>")[1].split("</table>")[0]


errors = st.floats(0.1, 50, allow_nan=False)


@given(st.tuples(errors, errors, errors))
def test_a_mean_lies_within_its_errors(row: tuple[float, float, float]) -> None:
    trainings = (Training(f"t-s{s}", s, "finished", "", 1, e, math.nan) for s, e in enumerate(row))
    member = Confirmed("t", tuple(trainings))
    assert min(row) - 1e-9 <= member.mean <= max(row) + 1e-9
    assert math.isnan(member.mean_test)


def test_a_run_of_before_the_confirmation_has_none(make_run: MakeRun) -> None:
    run = make_run(trials=6)
    assert confirmations(run) == {}
    assert not summarise(run).is_confirmed
