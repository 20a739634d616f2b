import pytest

from suite.trial import TrialConfig


def test_a_configuration_survives_json() -> None:
    config = TrialConfig(widths=(1, 2, 3, 4, 5), label_deviation=2.5, train_images=10, flip=False)
    assert TrialConfig.from_json(config.to_json()) == config


def test_an_unknown_field_is_named() -> None:
    with pytest.raises(ValueError, match="colour"):
        TrialConfig.from_json({"colour": 1})
