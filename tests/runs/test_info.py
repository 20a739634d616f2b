"""``run.json``: what is written and read, and what is refused."""

import dataclasses
import json
from pathlib import Path

import pytest

from suite.errors import RequestError
from suite.runs.info import Resources, write_info
from suite.runs.tables import read_run
from tests.support.sample_rows import INFO


def test_a_run_that_has_only_begun_can_be_read(tmp_path: Path) -> None:
    write_info(tmp_path, INFO)
    assert read_run(tmp_path).trials.empty


def test_a_folder_without_a_run_is_refused_in_one_sentence(tmp_path: Path) -> None:
    with pytest.raises(RequestError, match="is not a run folder"):
        read_run(tmp_path)


@pytest.mark.parametrize("text", ["", '{"schema_ver', "\0"])
def test_a_run_json_that_was_cut_off_is_damaged(tmp_path: Path, text: str) -> None:
    (tmp_path / "run.json").write_text(text)
    with pytest.raises(RequestError, match=r"incomplete or damaged .* restore it from a backup"):
        read_run(tmp_path)


@pytest.mark.parametrize("text", ["[]", "5", '["schema_version"]', '{"a": 1}'])
def test_a_run_json_of_another_program_is_refused_in_one_sentence(tmp_path: Path, text: str) -> None:
    (tmp_path / "run.json").write_text(text)
    with pytest.raises(RequestError, match="is not a run folder"):
        read_run(tmp_path)


def test_another_schema_version_is_refused(tmp_path: Path) -> None:
    fields = dataclasses.asdict(INFO) | {"schema_version": 99}
    (tmp_path / "run.json").write_text(json.dumps(fields))
    with pytest.raises(RequestError, match="schema version 99"):
        read_run(tmp_path)


@pytest.mark.parametrize("version", ["1", None, True, 1.0, [1] * 99])
def test_a_schema_version_that_is_no_whole_number_is_told_as_that(tmp_path: Path, version: object) -> None:
    fields = dataclasses.asdict(INFO) | {"schema_version": version}
    (tmp_path / "run.json").write_text(json.dumps(fields))
    with pytest.raises(RequestError, match=r"its schema_version is .*, which is no whole number"):
        read_run(tmp_path)


def test_a_run_json_without_a_required_field_is_refused_in_one_sentence(tmp_path: Path) -> None:
    fields = dataclasses.asdict(INFO)
    del fields["data"]
    (tmp_path / "run.json").write_text(json.dumps(fields))
    with pytest.raises(RequestError, match=r"run\.json"):
        read_run(tmp_path)


def test_a_run_json_without_resources_can_be_read(tmp_path: Path) -> None:
    fields = dataclasses.asdict(INFO)
    del fields["resources"]
    (tmp_path / "run.json").write_text(json.dumps(fields))
    assert read_run(tmp_path).info.resources == Resources()


def test_the_requested_resources_are_read_back(tmp_path: Path) -> None:
    info = dataclasses.replace(INFO, resources=Resources(0.5, 0.25, 3, "host:6379"))
    write_info(tmp_path, info)
    assert read_run(tmp_path).info == info


def test_a_command_line_that_is_not_utf8_can_be_read_back(tmp_path: Path) -> None:
    write_info(tmp_path, dataclasses.replace(INFO, command=["suite", "caf\udce9"], search_file="\udce9.yaml"))
    assert read_run(tmp_path).info.command == ["suite", "caf\\udce9"]


def test_a_data_folder_that_could_not_be_read_back_is_refused_before_the_search(tmp_path: Path) -> None:
    data = dataclasses.replace(INFO.data, folder="/data/caf\udce9")
    with pytest.raises(RequestError, match="not UTF-8"):
        write_info(tmp_path, dataclasses.replace(INFO, data=data))
    assert not list(tmp_path.iterdir())


def test_the_keys_of_run_json_are_documented() -> None:
    text = (Path(__file__).parents[2] / "docs" / "runs.md").read_text(encoding="utf-8")
    for key in dataclasses.asdict(INFO):
        assert f"`{key}`" in text, f"docs/runs.md does not name {key} of run.json"


def test_a_run_json_far_larger_than_any_run_has_is_refused_unparsed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_info(tmp_path, INFO)
    monkeypatch.setattr("suite.runs.info.LARGEST_DESCRIPTION", 100)
    monkeypatch.setattr("suite.runs.info.parse_json", lambda text: pytest.fail("it was parsed"))
    with pytest.raises(RequestError, match="over the limit of 100"):
        read_run(tmp_path)


@pytest.mark.parametrize(("field", "most"), [("seeds", 1000), ("confirm_seeds", 100)])
def test_a_run_has_no_more_seeds_than_a_search_space_may_have(field: str, most: int, tmp_path: Path) -> None:
    write_info(tmp_path, dataclasses.replace(INFO, search={**INFO.search, field: most}))
    assert read_run(tmp_path).info.search[field] == most
    write_info(tmp_path, dataclasses.replace(INFO, search={**INFO.search, field: most + 1}))
    with pytest.raises(RequestError, match=field):
        read_run(tmp_path)


def test_the_sharing_of_a_search_is_read_and_none_is_none(tmp_path: Path) -> None:
    assert INFO.sharing is None
    block = {"epochs": 4, "random_slices": 2, "candidates": 10, "confirm": "scratch"}
    write_info(tmp_path, dataclasses.replace(INFO, search={**INFO.search, "sharing": block}))
    found = read_run(tmp_path).info.sharing
    assert found is not None
    assert (found.epochs, found.random_slices, found.confirm) == (4, 2, "scratch")


@pytest.mark.parametrize(
    ("confirm", "seeds", "counted", "trainings"),
    [
        ("procedure", 3, "procedure", 3),
        ("scratch", 3, "scratch", 3),
        ("both", 3, "procedure", 6),
        ("both", 1, "procedure", 0),
    ],
)
def test_a_front_that_is_confirmed_both_ways_has_twice_the_trainings_and_one_way_counts(
    confirm: str, seeds: int, counted: str, trainings: int
) -> None:
    search = {**INFO.search, "confirm_seeds": seeds, "sharing": {"confirm": confirm}}
    info = dataclasses.replace(INFO, search=search)
    assert info.sharing is not None
    assert (info.sharing.counted, info.confirmations_of_a_member) == (counted, trainings)
    alone = dataclasses.replace(INFO, search={**INFO.search, "confirm_seeds": 3})
    assert alone.confirmations_of_a_member == 3


@pytest.mark.parametrize(
    ("search", "epochs", "neighbours", "longer"),
    [
        ({"confirm_epochs": "4x", "confirm_neighbours": 4}, 24, 4, True),
        ({"confirm_epochs": 30, "confirm_neighbours": 0}, 30, 0, True),
        (
            {},
            6,
            0,
            False,
        ),  # of a version that confirmed the front alone, with trainings as long as the search's
    ],
)
def test_run_json_says_how_long_what_confirms_trains(
    search: dict[str, object], epochs: int, neighbours: int, longer: bool, tmp_path: Path
) -> None:
    write_info(tmp_path, dataclasses.replace(INFO, search={"confirm_seeds": 3, **search}))
    info = read_run(tmp_path).info
    assert (info.confirming_epochs(6), info.confirmed_neighbours, info.confirms_longer) == (
        epochs,
        neighbours,
        longer,
    )


@pytest.mark.parametrize(
    ("field", "value"),
    [("confirm_epochs", "0x"), ("confirm_epochs", "<b>"), ("confirm_epochs", 0), ("confirm_neighbours", -1)],
)
def test_a_confirmation_that_no_search_can_have_is_refused(field: str, value: object, tmp_path: Path) -> None:
    write_info(tmp_path, dataclasses.replace(INFO, search={**INFO.search, field: value}))
    with pytest.raises(RequestError, match=field):
        read_run(tmp_path)


@pytest.mark.parametrize(
    "block",
    [{"epochs": "many"}, {"random_slices": 10**9}, {"confirm": "<b>"}, {"recalibration_images": 0}, [], 5],
)
def test_a_sharing_that_no_search_has_is_refused_in_one_sentence(tmp_path: Path, block: object) -> None:
    write_info(tmp_path, dataclasses.replace(INFO, search={**INFO.search, "sharing": block}))
    with pytest.raises(RequestError, match=r"run\.json is incomplete or damaged \(field 'sharing"):
        read_run(tmp_path)
