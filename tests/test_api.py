"""The Python API: ``import suite`` is light and names what it offers, and every example in its docstrings runs."""

import doctest
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

import suite
from suite import api
from suite.data.faces import embedded
from suite.data.store import Store
from suite.runs.info import write_info
from tests.support.runs import run_info

HEAVY = ("torch", "ray", "pandas", "optuna", "numpy", "plotly", "rich")


@pytest.fixture
def example_folder(
    run: Path,
    store: Store,
    tmp_path: Path,
    tmp_path_factory: pytest.TempPathFactory,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The current folder of the examples: a run, an image, and embedded faces of a few people only."""
    folder = tmp_path / "examples"
    shutil.copytree(run, folder / "runs" / "example")
    Image.fromarray(np.asarray(store.images[0])).save(folder / "face.png")
    monkeypatch.chdir(folder)
    monkeypatch.setenv("SUITE_CACHE", str(tmp_path_factory.getbasetemp() / "cache-of-few-faces"))
    monkeypatch.setattr(embedded, "PEOPLE", {"train": 10, "val": 3, "test": 3})


@pytest.mark.usefixtures("example_folder")
@pytest.mark.parametrize(
    "name", [name for name in suite.__all__ if getattr(api, name).__module__ == "suite.api"]
)
def test_the_example_of_every_function_runs(name: str) -> None:
    (test,) = doctest.DocTestFinder(recurse=False).find(getattr(api, name), name, module=api)
    assert test.examples
    result = doctest.DocTestRunner().run(test)
    assert result.failed == 0


def test_importing_the_package_loads_no_heavy_package() -> None:
    program = f"import sys, suite\ndir(suite)\nprint([name for name in {HEAVY!r} if name in sys.modules])"
    answer = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert answer.stdout == "[]\n"


def test_reading_a_run_needs_no_torch(run: Path) -> None:
    program = (
        "import sys, suite\n"
        f"print(len(suite.front({str(run)!r})))\n"
        "print([name for name in ('torch', 'ray', 'optuna') if name in sys.modules])"
    )
    answer = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert answer.stdout == "2\n[]\n"


def test_the_package_lists_what_it_offers() -> None:
    assert set(suite.__all__) <= set(dir(suite))
    assert all(hasattr(suite, name) for name in suite.__all__)


def test_a_name_that_is_not_offered_is_an_attribute_error() -> None:
    with pytest.raises(AttributeError, match="module 'suite' has no attribute 'nosuch'"):
        suite.nosuch  # noqa: B018


def test_an_unknown_network_is_refused_with_the_names_of_the_known_ones() -> None:
    with pytest.raises(suite.RequestError, match="there is no network 'huge'; choose from thin, tiny"):
        suite.profile("huge")


@pytest.mark.usefixtures("example_folder")
def test_a_configuration_has_the_labels_of_its_data_unless_they_are_given() -> None:
    data = suite.load_data("faces", attribute="attractiveness", resolution=32)
    config = suite.config_for("tiny", data, label_step=0.5)
    assert (config.attribute, config.label_low, config.label_high, config.label_step) == (
        "attractiveness",
        1,
        5,
        0.5,
    )
    assert suite.profile(config).params < suite.profile("tiny").params  # nine bins, not 101


def test_a_run_that_has_only_begun_has_an_empty_front(tmp_path: Path) -> None:
    write_info(tmp_path, run_info())
    assert suite.front(tmp_path).empty
