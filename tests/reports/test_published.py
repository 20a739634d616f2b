"""The published numbers: complete, sourced, and consistent with each other."""

from reports.published import SOURCES, published


def test_every_number_has_a_source_and_the_paper_is_cited() -> None:
    paper = published()
    assert any("2007.01771" in citation for citation in paper.papers)
    assert any("IJCAI 2018" in citation for citation in paper.papers)
    for network in paper.networks.values():
        assert {error.source for error in network.mae} <= set(SOURCES)
        numbers = (network.params, network.macs_at_224, network.bytes, network.speedup_vs_vgg16)
        for number in filter(None, numbers):
            assert number.source in SOURCES
            assert number.value > 0


def test_published_ratios_follow_from_the_published_sizes() -> None:
    networks = published().networks
    claims = [claim for claim in published().claims if claim.over == "vgg16" and claim.quantity == "params"]
    for claim in claims:
        ratio = networks[claim.over].params.value / networks[claim.of].params.value
        assert round(ratio) == claim.value
    assert [claim.value for claim in claims] == [36, 144]


def test_sizes_are_four_bytes_a_parameter() -> None:
    for network in published().networks.values():
        assert network.bytes.value == 4 * network.params.value


def test_errors_are_found_by_data_set() -> None:
    vgg16, tiny = published().networks["vgg16"], published().networks["tiny"]
    assert [error.value for error in vgg16.errors_on("ChaLearn15")] == [5.369, 3.252]
    assert [error.value for error in tiny.errors_on("SCUT-FBP5500")] == [0.183]
    assert vgg16.errors_on("SCUT-FBP5500") == ()


def test_resnet_is_what_attractiveness_is_compared_with() -> None:
    paper = published()
    claims = {claim.quantity: claim for claim in paper.claims if claim.attribute == "attractiveness"}
    assert {quantity: claim.value for quantity, claim in claims.items()} == {"params": 6, "speedup": 2.1}
    assert {(claim.of, claim.over, claim.source) for claim in claims.values()} == {
        ("thin", "resnet50", "abs")
    }
    assert paper.networks["resnet50"].speedup_vs_vgg16 is None


def test_the_later_benchmark_has_every_method_on_every_data_set() -> None:
    benchmark = published().benchmark
    assert "CVPR 2024" in benchmark.paper
    assert benchmark.source in SOURCES
    assert len(benchmark.mae) == 6
    assert {tuple(errors) for errors in benchmark.mae.values()} == {("cross-entropy", "DLDL", "DLDL-v2")}
    # What the finding rests on: but for one data set the methods are within a twentieth of a year.
    apart = {data: max(e.values()) - min(e.values()) for data, e in benchmark.mae.items()}
    assert [data for data, years in apart.items() if years > 0.05] == ["CLAP2016"]
