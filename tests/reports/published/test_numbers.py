"""The published numbers: complete, sourced, and consistent with each other."""

import dataclasses
from typing import get_args

from reports.published.numbers import SOURCES, published
from suite.trial import MethodName, TrialConfig


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


def test_ratios_follow_from_the_sizes_that_were_worked_out() -> None:
    networks = published().networks
    claims = [claim for claim in published().claims if claim.over == "vgg16" and claim.quantity == "params"]
    for claim in claims:
        ratio = networks[claim.over].params.value / networks[claim.of].params.value
        assert round(ratio) == claim.value
    assert [claim.value for claim in claims] == [36, 144]


def test_the_abstracts_own_claims_stand_first_and_our_arithmetic_last() -> None:
    claims = published().claims
    first = [(claim.of, claim.quantity, claim.value) for claim in claims if claim.source == "abs"]
    assert first == [
        ("thin", "params", 36), ("thin", "speedup", 3), ("tiny", "params", 0.9e6), ("tiny", "bytes", 3.8e6)
    ]  # fmt: skip
    assert [claim.source for claim in claims[: len(first)]] == ["abs"] * len(first)
    published_first = sorted(claims, key=lambda claim: not claim.is_published)
    assert list(claims) == published_first


def test_what_nobody_can_look_up_says_so() -> None:
    unseen = [claim for claim in published().claims if claim.source == "unseen"]
    assert [(claim.of, claim.value) for claim in unseen] == [("tiny", 5.5)]
    assert SOURCES["unseen"] == "source not seen"


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
        ("thin", "resnet50", "copy")
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


def test_the_age_table_agrees_with_the_networks_of_the_same_paper() -> None:
    paper = published()
    of_networks = {method.network: method for method in paper.methods.rows if method.network}
    for key in ("thin", "tiny"):
        errors = {e.data: e.value for e in paper.networks[key].mae if e.unit == paper.methods.unit}
        assert {data: result.mae for data, result in of_networks[key].results.items()} == errors
    dex = [method.results["ChaLearn15"].mae for method in paper.methods.rows if method.here == ("dex",)]
    assert dex == [error.value for error in paper.networks["vgg16"].errors_on("ChaLearn15")]
    assert paper.methods.data == ("ChaLearn15", "ChaLearn16", "Morph")


def test_published_methods_are_words_of_the_suite() -> None:
    known = set(get_args(MethodName))
    assert {word for method in published().methods.rows for word in method.here} <= known


def test_the_losses_agree_with_the_networks_and_l1_lowers_every_error() -> None:
    losses = published().losses
    rows = {(row.network, row.loss): row for row in losses.rows}
    for key in ("thin", "tiny"):
        alone, joint = rows[key, "KL"], rows[key, "KL + L1"]
        assert [joint.mae] == [e.value for e in published().networks[key].errors_on(losses.data)]
        assert joint.mae < alone.mae
        assert joint.rmse < alone.rmse
        assert joint.pearson > alone.pearson


def test_the_papers_choices_are_fields_of_a_trial() -> None:
    fields = {field.name for field in dataclasses.fields(TrialConfig)}
    for choice in published().choices:
        assert {choice.of, *choice.given} <= fields
    step = {a: published().choice("label_step", a) for a in ("age", "attractiveness")}
    assert {a: choice.value for a, choice in step.items() if choice} == {"age": 1.0, "attractiveness": 0.1}
    assert published().choice("label_deviation", "attractiveness") is None
    assert published().choice("batch_size", "age") is None
