"""What a search varied, as the axes of parallel coordinates: one per stage, numbers and words."""

from typing import Any

from reports.model.dimensions import dimensions
from reports.model.trials import summarise
from suite.runs.tables import Run
from tests.support.synthetic_runs import MakeRun


def axes_of(run: Run) -> dict[str, dict[str, Any]]:
    shown = summarise(run).trials
    found = {axis["name"]: axis for axis in dimensions(run, shown)}
    for axis in found.values():
        axis["of"] = dict(zip((trial.id for trial in shown), axis["values"], strict=True))
    return found


def varying(**vary: Any) -> dict[str, Any]:
    return {"name": "tiny", "vary": vary}


def test_every_stage_has_an_axis_and_every_trial_its_place_on_it(make_run: MakeRun) -> None:
    stages = [{"low": 4, "high": 20}] * 5
    run = make_run(trials=6, statuses=["finished"] * 6, search=varying(widths=stages, depths=stages))
    found = axes_of(run)
    assert list(found) == [f"widths[{n}]" for n in range(5)] + [f"depths[{n}]" for n in range(5)]
    for row in run.trials.to_dict("records"):
        assert [found[f"widths[{n}]"]["of"][row["id"]] for n in range(5)] == list(row["widths"])


def test_a_logarithmic_range_stays_one_unless_a_value_forbids_it(make_run: MakeRun) -> None:
    log = {"low": 0.01, "high": 10.0, "log": True}
    search = varying(lambda_l1=log, learning_rate={"low": 0.0005, "high": 0.02})
    found = axes_of(make_run(trials=4, search=search))
    assert found["lambda_l1"]["log"] is True
    assert found["learning_rate"]["log"] is False
    with_zero = make_run(trials=4, search=search, configs=[{}, {"lambda_l1": 0.0}])
    assert axes_of(with_zero)["lambda_l1"]["log"] is False


def test_words_are_places_in_their_sorted_list_and_a_gap_is_none(make_run: MakeRun) -> None:
    methods = [{"method": "dldl-v2"}, {"method": "dex"}, {"method": "dldl-v2", "label_deviation": None}]
    run = make_run(
        trials=3, statuses=["finished"] * 3, configs=methods,
        search=varying(method={"choices": ["dldl-v2", "dex"]}, label_deviation={"choices": [None, 2.0]}),
    )  # fmt: skip
    found = axes_of(run)
    assert found["method"]["words"] == ["dex", "dldl-v2"]
    assert found["method"]["of"] == {"t000": 1, "t001": 0, "t002": 1}
    assert found["label_deviation"]["words"] is None
    assert found["label_deviation"]["of"]["t002"] is None


def test_networks_chosen_by_the_papers_names_have_them(make_run: MakeRun) -> None:
    thin = {"widths": (32, 64, 128, 256, 256), "depths": (2, 2, 3, 3, 3)}
    run = make_run(
        trials=3, statuses=["finished"] * 3, configs=[{}, thin, {"network": "vgg16"}],
        search=varying(network={"choices": ["tiny", "thin", "vgg16"]}),
    )  # fmt: skip
    network = axes_of(run)["network"]
    assert {id_: network["words"][place] for id_, place in network["of"].items()} == {
        "t000": "TinyAgeNet", "t001": "ThinAgeNet", "t002": "vgg16",
    }  # fmt: skip


def test_a_field_that_the_table_lacks_and_a_run_without_trials_have_no_axis(make_run: MakeRun) -> None:
    assert list(axes_of(make_run(trials=2, search=varying(no_such_field={"choices": [1]})))) == []
    assert dimensions(make_run(trials=0), ()) == []
