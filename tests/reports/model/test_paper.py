"""The paper's claims beside invented counts and times: what is joined, judged and remarked on."""

import dataclasses
import json
import math

import pytest

from reports.model.paper import paper_findings, remarks
from reports.published.numbers import Attribute, published
from reports.text.paper_json import paper_json
from reports.text.paper_text import WIDTH, paper_text
from suite.runs.paper_measurement import NetworkSize, NetworkTimes, PaperMeasurement, TimingMachine
from suite.statistics.spread import Spread

SIZES = {"vgg16": 36_000, "resnet50": 6_390, "thin": 1_000, "tiny": 250}


def counted(network: str, attribute: Attribute, bins: int) -> NetworkSize:
    size = SIZES[network]
    return NetworkSize(network, attribute, bins, params=size, macs_at_224=1000 * size, bytes=4 * size + 100)


def timed(batch_size: int, thin: Spread, **changes: object) -> NetworkTimes:
    """Thin as given over both references, Tiny and the references themselves invented."""
    one = Spread(1.0, 1.0, 1.0)
    speedups = {"vgg16": one, "resnet50": one, "thin": thin, "tiny": Spread(5.4, 5.2, 5.45)}
    base = NetworkTimes(
        batch_size=batch_size,
        resolution=224,
        rounds=7,
        others=0.02,
        ms_per_image={key: 100 / spread.value for key, spread in speedups.items()},
        speedups={key: {"vgg16": spread, "resnet50": spread} for key, spread in speedups.items()},
    )
    return dataclasses.replace(base, **changes)


def measured(*timings: NetworkTimes) -> PaperMeasurement:
    machine = TimingMachine(device="cpu", processor="a processor", threads=2, torch="2.13.0")
    sizes = [counted(key, "age", 101) for key in SIZES]
    sizes += [counted(key, "attractiveness", 41) for key in ("thin", "resnet50")]
    return PaperMeasurement(machine, tuple(sizes), timings)


AS_PUBLISHED = Spread(2.3, 2.0, 2.7)  # holds 2.6 and 2.1
SLOWER = Spread(1.5, 1.4, 1.6)


def test_sizes_and_their_ratios_are_exact_and_of_the_claims_own_bins() -> None:
    found = {(f.claim.of, f.claim.over, f.claim.quantity): f for f in paper_findings(measured())}
    assert found["thin", "vgg16", "params"].here == pytest.approx(
        Spread(36.0, math.nan, math.nan), nan_ok=True
    )
    assert found["thin", "vgg16", "params"].how == "counted, 101 bins"
    assert found["thin", "resnet50", "params"].here.value == pytest.approx(6.39)
    assert found["thin", "resnet50", "params"].how == "counted, 41 bins"
    assert found["tiny", "", "bytes"].here.value == 1100
    assert found["tiny", "vgg16", "params"].verdict == "yes"
    assert found["tiny", "", "params"].verdict == "no"


def test_every_claim_is_told_and_a_speed_up_once_for_each_batch_size() -> None:
    claims = published().claims
    assert [f.claim for f in paper_findings(measured())] == list(claims)
    twice = paper_findings(measured(timed(1, SLOWER), timed(32, AS_PUBLISHED)))
    assert len(twice) == len(claims) + sum(claim.quantity == "speedup" for claim in claims)
    thin = [f for f in twice if (f.claim.of, f.claim.over, f.claim.quantity) == ("thin", "vgg16", "speedup")]
    assert [(f.claim.value, f.here) for f in thin] == [
        (3, SLOWER), (3, AS_PUBLISHED), (2.6, SLOWER), (2.6, AS_PUBLISHED)
    ]  # fmt: skip
    assert [f.verdict for f in thin] == ["no", "within spread", "no", "within spread"]
    assert thin[0].how == "batch 1, 224 px, 7 rounds"


def test_without_timing_the_speed_claims_stay_open_and_nothing_is_remarked_on_them() -> None:
    speeds = [f for f in paper_findings(measured()) if f.claim.quantity == "speedup"]
    assert all(math.isnan(f.here.value) and f.how == "not timed" for f in speeds)
    assert not any("faster" in remark for remark in remarks(measured()))


def test_a_ratio_that_differs_is_remarked_with_the_arithmetic_and_the_reasons() -> None:
    text = "\n".join(remarks(measured(timed(1, SLOWER), timed(32, AS_PUBLISHED))))
    assert (
        "ThinAgeNet, faster than VGG-16: 42% less here than the 2.6x published (batch 1, 224 px, 7 rounds)"
    ) in text
    assert "ThinAgeNet, faster than VGG-16: 50% less here than the 3x published (batch 1, 224 px" in text
    assert "VGG-16 has 36.00 times its multiply-adds" in text
    assert "ThinAgeNet, faster than VGG-16: 12% less" not in text  # its spread holds what was published
    assert "the authors' released code times a GPU at batch 32" in text
    assert "counted with 41 bins" in text
    assert "the networks were timed with 101 bins" in text


def test_other_programs_that_took_the_processor_cast_doubt() -> None:
    quiet, disturbed = timed(32, AS_PUBLISHED), timed(32, AS_PUBLISHED, others=0.4)
    assert not any("quiet machine" in remark for remark in remarks(measured(quiet)))
    assert any("quiet machine" in remark for remark in remarks(measured(disturbed)))
    disturbed_rows = [f.how for f in paper_findings(measured(disturbed)) if f.claim.quantity == "speedup"]
    assert all(how.endswith("7 rounds, disturbed") for how in disturbed_rows)
    assert "40% of the processor taken by other programs" in paper_text(measured(disturbed))


def test_a_network_that_was_not_counted_is_named() -> None:
    with pytest.raises(KeyError, match="vgg16 was not counted for attractiveness"):
        measured().size_of("vgg16", "attractiveness")


def test_the_text_has_every_claim_with_its_source_and_how_it_was_timed() -> None:
    text = paper_text(measured(timed(1, SLOWER), timed(32, AS_PUBLISHED, resolution=112)))
    claims = text.split("\nClaims of the paper\n")[1].split("\nOur arithmetic")[0]
    for claim in published().claims:
        name = published().networks[claim.of].name
        lines = [line for line in claims.splitlines() if line.startswith(f"{name}: {claim.claim} ")]
        assert any(f" {claim.source} " in line for line in lines) is claim.is_published
    assert "2.6x ijcai " in claims
    assert "5.5x unseen " in claims
    assert "unseen: source not seen" in text
    assert "undecided  batch 32" in claims
    assert "1.50x (1.40 to 1.60)" in claims
    assert "Timed on cpu (a processor), 2 threads" in text
    assert "Batch 1, 224 px, 7 rounds" in text
    assert "Batch 32, 112 px, 7 rounds" in text
    assert "--seconds" in text
    assert "2007.01771" in text
    assert max(map(len, text.splitlines())) <= WIDTH + 20


def test_published_numbers_are_printed_with_the_digits_that_they_were_published_with() -> None:
    text = paper_text(measured())
    for printed in ("36x abs", "3x abs", "0.9 M abs", "3.8 MB abs", "6x copy", "144x", "15.47 G"):
        assert f" {printed} " in text


def test_our_arithmetic_stands_apart_from_what_was_published() -> None:
    text = paper_text(measured())
    claimed, ours = text.split("\nClaims of the paper\n")[1].split("\nOur arithmetic on the published")
    assert "144x" not in claimed
    assert "15.47 G" not in claimed
    told = paper_json(measured())
    (ratio,) = (claim for claim in told["claims"] if claim["worked_out"] == 144)
    assert "144x" in ours
    assert ratio["published"] is None
    assert [claim["worked_out"] is None for claim in told["claims"]] == [True] * 8 + [False] * 4


def test_the_json_has_the_numbers_in_full_and_null_where_there_is_none() -> None:
    told = json.loads(json.dumps(paper_json(measured()), allow_nan=False))
    thin = next(claim for claim in told["claims"] if (claim["of"], claim["quantity"]) == ("thin", "params"))
    assert (thin["published"], thin["source"], thin["here"], thin["verdict"]) == (36.0, "abs", 36.0, "yes")
    assert thin["here_low"] is None
    speed = next(claim for claim in told["claims"] if claim["quantity"] == "speedup")
    assert (speed["here"], speed["verdict"]) == (None, "open")
    networks = {(row["network"], row["attribute"]): row for row in told["networks"]}
    assert networks["tiny", "age"]["worked_out"]["params"] == 934_869
    assert networks["thin", "attractiveness"]["worked_out"] is None
    assert told["latency"] == []


def test_the_json_of_the_timing_is_a_row_a_network_and_batch_size() -> None:
    told = paper_json(measured(timed(1, SLOWER), timed(32, AS_PUBLISHED)))
    rows = {(row["network"], row["batch_size"]): row for row in told["latency"]}
    assert len(rows) == 8
    thin = rows["thin", 32]
    assert (thin["resolution"], thin["rounds"], thin["disturbed"]) == (224, 7, False)
    assert thin["speedup_vs_vgg16"] == 2.3
    assert (thin["speedup_vs_resnet50_low"], thin["speedup_vs_resnet50_high"]) == (2.0, 2.7)
    assert told["machine"]["threads"] == 2
