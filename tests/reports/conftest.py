"""Fixtures of the reports' tests: synthetic runs in the test's own folder, and a browser."""

import dataclasses
import shutil
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from suite.runs.tables import Run
from tests.support.synthetic_runs import MakeRun, Training, run_of_trainings, synthetic_run

if TYPE_CHECKING:
    from playwright.sync_api import Browser


@pytest.fixture(scope="module")
def browser() -> Iterator["Browser"]:
    """A headless Chromium: the machine's own, else the one that playwright has downloaded."""
    from playwright.sync_api import Error, sync_playwright

    names = ("chromium", "chromium-browser", "google-chrome")
    own = next(filter(None, map(shutil.which, names)), None)
    with sync_playwright() as tool:
        try:
            started = tool.chromium.launch(executable_path=own, args=["--no-sandbox", "--disable-gpu"])
        except Error as error:
            if "Executable doesn't exist" not in str(error):
                raise
            pytest.skip("there is no Chromium on this machine; `make test-browser` downloads one")
        yield started
        started.close()


@pytest.fixture(scope="session")
def runs_by_options() -> dict[str, Run]:
    """The synthetic runs so far: most tests ask for one of a few."""
    return {}


@pytest.fixture
def make_run(
    tmp_path: Path, tmp_path_factory: pytest.TempPathFactory, runs_by_options: dict[str, Run]
) -> MakeRun:
    """``synthetic_run`` in the test's own folder; a run of the same options is made once and then copied."""

    def make(**options: Any) -> Run:
        key = repr(sorted(options.items()))
        if key not in runs_by_options:
            runs_by_options[key] = synthetic_run(tmp_path_factory.mktemp("synthetic"), **options)
        made = runs_by_options[key]
        shutil.copytree(made.folder, tmp_path, dirs_exist_ok=True)
        return dataclasses.replace(
            made, folder=tmp_path, trials=made.trials.copy(), epochs=made.epochs.copy()
        )

    return make


@pytest.fixture
def make_points(tmp_path: Path) -> MakeRun:
    """A grid in which each point has fields of its configuration and a validation MAE per seed.

    Further arguments are fields of the ``RunInfo`` to replace.
    """

    def make(
        points: Sequence[tuple[Mapping[str, Any], Sequence[float]]], vary: Mapping[str, Any], **info: Any
    ) -> Run:
        trained = [(fields, seed, mae) for fields, errors in points for seed, mae in enumerate(errors)]
        return run_of_trainings(tmp_path, trained, vary, max(len(errors) for _, errors in points), **info)

    return make


@pytest.fixture
def make_trainings(tmp_path: Path) -> MakeRun:
    """A grid as ``run_of_trainings`` makes it, of three seeds where nothing else is said."""

    def make(trained: Sequence[Training], vary: Mapping[str, Any], seeds: int = 3) -> Run:
        return run_of_trainings(tmp_path, trained, vary, seeds)

    return make
