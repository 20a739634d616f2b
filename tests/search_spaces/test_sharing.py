"""What a search space may say of sharing weights."""

from typing import Any

import pytest

from search_spaces import SearchSpaceError, find, load, load_dict
from search_spaces.settings import Sharing

STAGED = [{"low": 4, "high": 8, "step": 4}] * 5


def fields(**changes: Any) -> dict[str, Any]:
    return {
        "name": "shared",
        "data": "faces",
        "objectives": ["val_mae", "params"],
        "trials": 4,
        "base": {"epochs": 2, "resolution": 32},
        "vary": {"widths": STAGED, "learning_rate": {"choices": [1e-3, 1e-2]}},
        "sharing": {},
        **changes,
    }


def test_a_space_shares_nothing_unless_it_says_so() -> None:
    assert load(find("tiny")).sharing is None
    assert load_dict(fields()).sharing == Sharing()
    assert load(find("tiny"), overrides=["sharing={}"]).sharing == Sharing()
    assert load(find("tiny"), overrides=["sharing.epochs=7"]).sharing == Sharing(epochs=7)


def test_sharing_comes_back_from_json() -> None:
    space = load_dict(fields(sharing={"epochs": 3, "random_slices": 2, "confirm": "scratch"}))
    assert space.sharing == Sharing(epochs=3, random_slices=2, confirm="scratch")
    assert load_dict(space.to_dict()) == space
    alone = load_dict(fields(sharing=None))
    assert load_dict(alone.to_dict()) == alone


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        (
            {"base": {"network": "vgg16"}, "vary": {"learning_rate": {"choices": [1e-3]}}},
            "base.network is vgg16",
        ),
        ({"vary": {"learning_rate": {"choices": [1e-3]}}}, "neither widths nor depths vary"),
        ({"vary": {"widths": {"choices": [[4] * 5, [8] * 5]}}}, "vary.widths chooses whole networks"),
        ({"base": {}, "vary": {"widths": STAGED, "resolution": {"choices": [32, 64]}}}, "resolution varies"),
        ({"vary": {"widths": STAGED, "pooling": {"choices": ["hybrid", "average"]}}}, "pooling varies"),
        ({"vary": {"widths": STAGED, "network": {"choices": ["compact", "vgg16"]}}}, "network varies"),
        ({"vary": {"widths": STAGED, "method": {"choices": ["dldl-v2", "coral"]}}}, "several output layers"),
        ({"base": {"backbone": "b.safetensors"}}, "so is base.backbone"),
        ({"base": {"pruned_from": "p.safetensors"}}, "so is base.pruned_from"),
        ({"sampler": "grid", "vary": {"widths": [{"choices": [4, 8]}] * 5}}, "sampler is grid"),
        ({"objectives": ["params"]}, "objectives lack val_mae"),
        ({"sharing": {"epochs": 0}}, "sharing.epochs is 0"),
        ({"sharing": {"distillation": 2}}, "sharing.distillation is 2"),
        ({"sharing": {"slices": 2}}, "sharing.slices is unknown"),
        ({"sharing": {"workers": 0}}, "sharing.workers is 0"),
        (
            {"base": {"batch_size": 7}, "sharing": {"workers": 4}},
            "a batch may have 7 images, which is less than 2 for each; lower workers to 3, or raise batch_size",
        ),
        (
            {"vary": {"widths": STAGED, "batch_size": {"choices": [64, 4]}}, "sharing": {"workers": 4}},
            "a batch may have 4 images",
        ),
        ({"sharing": 3}, "sharing is 3"),
    ],
)
def test_a_space_whose_networks_cannot_share_is_refused(changes: dict[str, Any], sentence: str) -> None:
    with pytest.raises(SearchSpaceError) as refused:
        load_dict(fields(**changes))
    assert sentence in str(refused.value)
    assert len(str(refused.value).splitlines()) == 1


def test_workers_may_share_a_batch_that_they_do_not_divide() -> None:
    space = load_dict(fields(base={"batch_size": 7}, sharing={"workers": 3}))
    assert space.sharing == Sharing(workers=3)


def test_methods_of_one_output_layer_may_vary() -> None:
    space = load_dict(fields(vary={"widths": STAGED, "method": {"choices": ["dldl-v2", "dex"]}}))
    assert space.sharing is not None
