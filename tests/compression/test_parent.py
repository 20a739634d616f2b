"""What ``suite run --parent`` takes from a trial."""

from pathlib import Path

import pytest

from search_spaces import find, load
from suite.cli.main import main
from suite.compression.parent import parent_settings
from suite.data.store import LabelRange, Store
from suite.errors import RequestError
from suite.search.trial_factory import TrialFactory
from tests.support.trained_runs import CONFIG


def test_a_search_has_its_parents_network_recipe_and_data(run: Path, store: Store) -> None:
    data, fields = parent_settings(f"{run}:t0000")
    assert data == str(store.folder)
    space = load(find("compress"), inherited=fields, overrides=[f"data={data}", "epochs=9"])
    own = run / "weights" / "t0000.safetensors"
    assert (space.base.widths, space.base.batch_size, space.base.epochs) == (CONFIG.widths, 32, 9)
    assert (space.base.pruned_from, space.base.teacher) == (str(own), str(own))
    values = {name: 1.0 for name in space.dimensions()} | {"importance": "lamp"}
    whole = TrialFactory(space, LabelRange(0, 100, 1)).config(values)  # type: ignore[arg-type]
    assert (whole.widths, whole.importance) == (CONFIG.widths, "lamp")
    halves = values | {f"keep[{stage}]": 0.5 for stage in range(5)}
    assert TrialFactory(space, LabelRange(0, 100, 1)).config(halves).widths == (8, 8, 8, 8, 8)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("name", "complaint"),
    [
        ("{run}", "names no trial; write it as RUN:ID"),
        ("{run}:t0009", "t0009 of .* is not one of its trials"),
        ("{run}:t0002", "t0002 of .* ended as failed"),
        ("nowhere:t0000", "is not a run folder"),
    ],
)
def test_a_wrong_parent_is_refused_in_one_sentence(name: str, complaint: str, run: Path) -> None:
    with pytest.raises(RequestError, match=complaint):
        parent_settings(name.format(run=run))


def test_the_search_compress_is_refused_without_a_parent(
    tmp_path: Path, store: Store, capsys: pytest.CaptureFixture[str]
) -> None:
    options = ["run", "--search", "compress", "--data", str(store.folder), "--set", "resolution=32"]
    assert main([*options, "--out", str(tmp_path / "run")]) == 2
    assert "add --parent RUN:ID" in capsys.readouterr().err
    assert not (tmp_path / "run").exists()
