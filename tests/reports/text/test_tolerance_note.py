"""What is printed of a tolerance that changes nothing."""

from reports.text.tolerance_note import tolerance_note
from tests.support.synthetic_runs import MEMBERS, MakeRun, confirmed_run


def test_a_tolerance_without_confirmed_networks_has_no_effect(make_run: MakeRun) -> None:
    assert tolerance_note(make_run(trials=3)) == (
        "--tolerance has no effect: no network of this run is confirmed, so there is no best to be behind"
    )


def test_a_tolerance_of_confirmed_networks_needs_no_note(make_run: MakeRun) -> None:
    assert tolerance_note(confirmed_run(make_run)) == ""


def test_a_single_confirmed_network_has_nothing_to_be_behind(make_run: MakeRun) -> None:
    one = {"t000": MEMBERS["t000"]}
    assert "too few confirmed networks" in tolerance_note(confirmed_run(make_run, one))
