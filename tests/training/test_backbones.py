import dataclasses
import hashlib
from collections import OrderedDict
from pathlib import Path

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import nn

from suite.data.dataset import Dataset
from suite.errors import RequestError
from suite.networks import CompactNet, ResNet50
from suite.networks.weights import write_tensors
from suite.training.backbones import layers_of, match_layers, start_from
from suite.training.fit import fit
from suite.trial import TrialConfig

WIDTHS, DEPTHS = (16, 32, 64, 128, 128), (2, 2, 2, 3, 3)


class PublishedElsewhere(nn.Module):
    """A VGG-like network with names of its own: conv1_1, bn1_1, ..., fc."""

    def __init__(self, *, normalisations_last: bool = False) -> None:
        super().__init__()
        self.names = [f"{i}_{j}" for i, depth in enumerate(DEPTHS, 1) for j in range(1, depth + 1)]
        leaving = [width for width, depth in zip(WIDTHS, DEPTHS, strict=True) for _ in range(depth)]
        norms = {}
        for name, left, right in zip(self.names, [3, *leaving], leaving, strict=False):
            self.add_module(f"conv{name}", nn.Conv2d(left, right, 3, padding=1, bias=False))
            norms[f"bn{name}"] = nn.BatchNorm2d(right)
            if not normalisations_last:
                self.add_module(f"bn{name}", norms[f"bn{name}"])
        if normalisations_last:
            for name, norm in norms.items():
                self.add_module(name, norm)
        self.fc = nn.Linear(WIDTHS[-1], 101)
        for norm in norms.values():  # as a trained network has them
            nn.init.uniform_(norm.weight, 0.5, 1.5)
            nn.init.normal_(norm.bias)
            norm.running_mean.normal_()
            norm.running_var.uniform_(0.5, 2.0)

    def embed(self, images: torch.Tensor) -> torch.Tensor:
        features = images
        for name, following in zip(self.names, [*self.names[1:], "end"], strict=True):
            convolution, norm = self.get_submodule(f"conv{name}"), self.get_submodule(f"bn{name}")
            features = torch.relu(norm(convolution(features)))
            if following[0] != name[0]:
                features = nn.functional.max_pool2d(features, 2)
        return nn.functional.adaptive_avg_pool2d(features, 1).flatten(1)


def foreign(**options: bool) -> PublishedElsewhere:
    torch.manual_seed(3)
    return PublishedElsewhere(**options).eval()


def compact(depths: tuple[int, ...] = DEPTHS) -> CompactNet:
    torch.manual_seed(4)
    return CompactNet(WIDTHS, depths).eval()


@pytest.mark.parametrize("normalisations_last", [False, True])
@pytest.mark.parametrize("wrapping", ["", "state_dict", "model"])
def test_a_network_published_elsewhere_gives_the_same_features(
    wrapping: str, normalisations_last: bool, tmp_path: Path
) -> None:
    published, path = foreign(normalisations_last=normalisations_last), tmp_path / "published.pth"
    assert sum(p.numel() for p in published.parameters()) == 897_877
    state = published.state_dict()
    torch.save({wrapping: state, "epoch": 3} if wrapping else state, path)
    ours = compact()
    head = ours.head.weight.clone()
    transfer = start_from(ours, path)
    images = torch.randn(2, 3, 64, 64)
    assert torch.equal(ours.embed(images), published.embed(images))
    assert torch.equal(ours.head.weight, head)
    assert (len(transfer.taken), transfer.kept, transfer.share) == (24, (), 1.0)
    assert transfer.left == ("fc (101, 101x128)",)
    assert transfer.taken[0][0] == "conv1_1"


def test_every_tensor_taken_is_equal_to_its_source(tmp_path: Path) -> None:
    published, path, ours = foreign(), tmp_path / "published.pt", compact()
    torch.save(published.state_dict(), path)
    transfer = start_from(ours, path)
    theirs, mine = published.state_dict(), ours.state_dict()
    for source, target in transfer.taken:
        for ending in ("weight", "bias", "running_mean", "running_var"):
            if f"{target}.{ending}" in mine:
                assert torch.equal(mine[f"{target}.{ending}"], theirs[f"{source}.{ending}"])


def test_the_report_names_what_was_not_taken_on_both_sides(tmp_path: Path) -> None:
    path = tmp_path / "published.pt"
    torch.save(foreign().state_dict(), path)
    deeper = compact((2, 2, 3, 3, 2))
    transfer = start_from(deeper, path)
    assert len(transfer.taken) == 22
    assert transfer.kept == ("features.20 (64x64x3x3)", "features.21 (64, 64, 64, 64)")
    assert [name.split(" ")[0] for name in transfer.left] == ["conv5_3", "bn5_3", "fc"]
    assert 0.9 < transfer.share < 1
    text = str(transfer)
    assert "22 of 24 layers taken" in text
    assert "  conv1_1 -> features.0" in text
    assert "  freshly initialised: features.20 (64x64x3x3)" in text
    assert "  left in the file: fc (101, 101x128)" in text


def test_a_backbone_of_ours_is_matched_by_name_whatever_order_its_file_has(tmp_path: Path) -> None:
    """safetensors sorts by name: a ResNet's stem comes after its blocks there."""
    torch.manual_seed(0)
    source, path = ResNet50(5), tmp_path / "resnet.safetensors"
    for module in source.modules():
        if isinstance(module, nn.BatchNorm2d):
            nn.init.normal_(module.weight)
    write_tensors({k: v for k, v in source.state_dict().items() if not k.startswith("head")}, {}, path)
    target = ResNet50(7)
    transfer = start_from(target, path)
    assert (transfer.kept, transfer.left) == ((), ())
    assert all(name == other for name, other in transfer.taken)
    assert torch.equal(target.stem[1].weight, source.stem[1].weight)


@settings(deadline=None, max_examples=30)
@given(
    depths=st.tuples(*[st.integers(1, 3)] * 5),
    others=st.tuples(*[st.integers(1, 3)] * 5),
)
def test_matching_keeps_order_and_shapes_and_uses_each_layer_once(
    depths: tuple[int, ...], others: tuple[int, ...]
) -> None:
    widths = (2, 3, 4, 5, 6)
    with torch.device("meta"):
        offered = layers_of(CompactNet(widths, depths).features.state_dict())
        wanted = layers_of(CompactNet(widths, others).features.state_dict(prefix="x."))
    pairs = match_layers(offered, wanted)
    assert all(source.shapes == target.shapes for source, target in pairs)
    for kind in (1, 4):  # normalisations, convolutions
        places = [
            (offered.index(source), wanted.index(target))
            for source, target in pairs
            if source.tensors["weight"].dim() == kind
        ]
        assert places == sorted(places)
        assert len({place for place, _ in places}) == len(places)
        # With widths that differ, a stage gives what both have of it.
        assert len(places) == sum(min(one, other) for one, other in zip(depths, others, strict=True))


def test_a_training_starts_from_its_backbone_and_records_the_file(tmp_path: Path, dataset: Dataset) -> None:
    path = tmp_path / "published.pt"
    torch.save(foreign().state_dict(), path)
    config = TrialConfig(
        widths=WIDTHS, depths=DEPTHS, resolution=32, epochs=1, train_images=32, backbone=str(path)
    )
    training = fit(config, dataset, threads=1, device="cpu")
    assert training.transfer is not None
    assert training.transfer.share == 1
    first = next(iter(foreign().state_dict().values()))
    assert torch.equal(training.network.features[0].weight, first)
    assert training.config.backbone_sha256 == hashlib.sha256(path.read_bytes()).hexdigest()
    losses = [next(fit(config, dataset, threads=1, device="cpu")).train_loss for _ in range(2)]
    assert losses[0] == losses[1]
    assert fit(dataclasses.replace(config, backbone=None), dataset, threads=1).transfer is None


def test_a_file_of_which_nothing_fits_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "other.pt"
    torch.save(OrderedDict(w=torch.zeros(3), **{"a.weight": torch.zeros(5, 3, 7, 7)}), path)
    with pytest.raises(RequestError, match=r"no layer of .* has the shapes .* features\.0 \(16x3x3x3\) here"):
        start_from(compact(), path)


def test_the_names_of_a_strangers_layers_forge_no_line(tmp_path: Path) -> None:
    state = PublishedElsewhere().state_dict()
    name = "x\n  freshly initialised: none\x1b]52;c;eA==\x07" + "y" * 1000
    torch.save({f"{name}.weight": torch.zeros(7), **state}, tmp_path / "theirs.pt")
    told = str(start_from(CompactNet(WIDTHS, DEPTHS), tmp_path / "theirs.pt"))
    (line,) = [line for line in told.splitlines() if r"x\n  freshly" in line]
    assert line.startswith("  left in the file: ")
    assert line.isprintable()
    assert len(line) < 250
