"""The published numbers: complete, sourced, and consistent with each other."""

import pytest

from reports.published import SOURCES, published


def test_every_number_has_a_source_and_the_paper_is_cited() -> None:
    paper = published()
    assert any("2007.01771" in citation for citation in paper.papers)
    assert any("IJCAI 2018" in citation for citation in paper.papers)
    for network in paper.networks.values():
        assert {error.source for error in network.mae} <= set(SOURCES)
        for number in (network.params, network.macs_at_224, network.bytes, network.speedup_vs_vgg16):
            assert number.source in SOURCES
            assert number.value > 0


def test_published_ratios_follow_from_the_published_sizes() -> None:
    networks = published().networks
    ratios = {
        (claim.of, claim.quantity): claim.value
        for claim in published().claims
        if claim.over and claim.quantity == "params"
    }
    for (of, _), ratio in ratios.items():
        counted = networks["vgg16"].params.value / networks[of].params.value
        assert counted == pytest.approx(ratio, rel=2e-3)
    assert len(ratios) == 2


def test_sizes_are_four_bytes_a_parameter() -> None:
    for network in published().networks.values():
        assert network.bytes.value == 4 * network.params.value


def test_errors_are_found_by_data_set() -> None:
    vgg16, tiny = published().networks["vgg16"], published().networks["tiny"]
    assert [error.value for error in vgg16.errors_on("ChaLearn15")] == [5.369, 3.252]
    assert [error.value for error in tiny.errors_on("SCUT-FBP5500")] == [0.183]
    assert vgg16.errors_on("SCUT-FBP5500") == ()
