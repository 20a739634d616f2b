"""From a search space to its elastic training."""

from typing import Any

from search_spaces import SearchSpace, load_dict
from suite.data.store import LabelRange
from suite.search.proposals import Slice
from suite.search.sharing.elastic_training import elastic_id, elastic_proposal, shared_values, slice_for
from suite.search.trial_factory import TrialFactory

AGES = LabelRange(0, 100, 1)


def space(**changes: Any) -> SearchSpace:
    return load_dict(
        {
            "name": "shared",
            "data": "faces",
            "objectives": ["val_mae", "params"],
            "trials": 4,
            "base": {"epochs": 2, "resolution": 32, "depths": [1, 1, 2, 2, 2]},
            "vary": {
                "widths": [{"low": 4, "high": 12, "step": 4}] * 4 + [{"choices": [8, 32, 16]}],
                "learning_rate": {"low": 1e-3, "high": 1e-1, "log": True},
                "label_deviation": {"low": 1.0, "high": 3.0},
            },
            "sharing": {"epochs": 9, "learning_rate": 0.02},
            **changes,
        }
    )


def test_the_largest_network_of_the_space_is_trained_for_the_epochs_of_sharing() -> None:
    proposal = elastic_proposal(TrialFactory(space(), AGES), 0)
    assert proposal.id == "elastic"
    assert proposal.stage == "elastic"
    assert proposal.config.widths == (12, 12, 12, 12, 32)
    assert proposal.config.depths == (1, 1, 2, 2, 2)
    assert (proposal.config.epochs, proposal.config.learning_rate) == (9, 0.02)
    assert proposal.elastic is not None
    assert proposal.elastic.widths == ((4, 8, 12),) * 4 + ((8, 32, 16),)
    assert proposal.elastic.depths == ((1,), (1,), (2,), (2,), (2,))


def test_what_varies_beside_the_architecture_has_the_first_points_value_or_the_middle() -> None:
    middle = shared_values(space())
    assert set(middle) == {"learning_rate", "label_deviation"}
    assert round(float(middle["learning_rate"]), 9) == 0.01  # type: ignore[arg-type]
    assert middle["label_deviation"] == 2.0
    named = shared_values(space(first=[{"widths": [4, 4, 4, 4, 8], "label_deviation": 1.5}]))
    assert named["label_deviation"] == 1.5
    assert named["learning_rate"] == middle["learning_rate"]


def test_each_seed_has_an_elastic_training_of_its_own() -> None:
    shared = space()
    assert [elastic_id(shared, seed) for seed in (0, 1, 2)] == ["elastic", "elastic-s1", "elastic-s2"]
    assert elastic_proposal(TrialFactory(shared, AGES), 2).config.seed == 2
    assert slice_for(shared, 1) == Slice("elastic-s1", 1024)
    assert slice_for(space(sharing=None), 0) is None
