"""The private parts of Optuna that the suite uses are still there; a failure names the version that broke one."""

import inspect
from importlib import metadata, util

import optuna

VERSION = f"Optuna {metadata.version('optuna')}"


def test_the_journal_has_operations_for_the_parameters_of_a_suggestion() -> None:
    assert util.find_spec("optuna.storages.journal._storage"), f"{VERSION} has moved the journal's storage"
    from optuna.storages.journal import _storage

    for name in ("SET_TRIAL_PARAM", "SET_TRIAL_SYSTEM_ATTR"):
        assert hasattr(_storage.JournalOperation, name), f"{VERSION} has no JournalOperation.{name}"


def test_an_operation_of_the_journal_has_its_number_under_op_code() -> None:
    from optuna.storages.journal import _storage

    source = inspect.getsource(_storage)
    assert '"op_code"' in source, f"{VERSION} calls the number of an operation other than op_code"


def test_a_running_trial_can_be_reopened() -> None:
    study = optuna.create_study()
    study.ask()
    assert hasattr(study.trials[0], "_trial_id"), f"{VERSION} has no FrozenTrial._trial_id"
    assert hasattr(optuna.Trial, "_suggest"), f"{VERSION} has no Trial._suggest"
    parameters = list(inspect.signature(optuna.Trial).parameters)
    assert parameters[:2] == ["study", "trial_id"], f"{VERSION} makes a Trial from {parameters}"


def test_a_suggestion_may_carry_constraints() -> None:
    study = optuna.create_study()
    trial = study.ask()
    assert hasattr(trial, "set_constraint"), f"{VERSION} has no Trial.set_constraint"
