"""What a search space's author meets: a space, or one sentence with the place of the fault."""

import json
import os
import re
import subprocess
import sys
import tempfile
from collections.abc import Callable, Sequence
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from search_spaces import (
    PRESETS,
    Choices,
    FloatRange,
    IntRange,
    SearchSpace,
    SearchSpaceError,
    find,
    load,
    load_dict,
    shipped,
)

SPACE = """\
name: small
data: faces
objectives: [val_mae, params]
trials: 4
base:
  epochs: 2
  resolution: 48
vary:
  widths:
    - {low: 4, high: 24, step: 4}
    - {low: 8, high: 48, step: 8}
    - {low: 16, high: 96, step: 16}
    - {low: 16, high: 160, step: 16}
    - {low: 16, high: 160, step: 16}
  lambda_l1: {low: 0.01, high: 1.0, log: true}
  pooling: {choices: [hybrid, average]}
first:
  - {network: tiny}
"""

Load = Callable[..., SearchSpace]


@pytest.fixture
def load_text(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Load:
    """Loads a space from text, as ``space.yaml`` in the current directory."""
    monkeypatch.chdir(tmp_path)

    def load_it(text: str, overrides: Sequence[str] = ()) -> SearchSpace:
        path = tmp_path / "space.yaml"
        path.write_text(text, encoding="utf-8")
        return load(path, overrides=overrides)

    return load_it


def replaced(old: str, new: str) -> str:
    """The small space with one piece of text replaced."""
    assert SPACE.count(old) == 1
    return SPACE.replace(old, new)


def test_a_space_is_read_as_it_is_written(load_text: Load) -> None:
    space = load_text(SPACE)
    assert (space.name, space.trials, space.sampler, space.seed) == ("small", 4, "tpe", 0)
    assert space.objectives == ("val_mae", "params")
    assert (space.base.epochs, space.base.resolution) == (2, 48)
    assert isinstance(space.vary["widths"], tuple)
    assert space.vary["widths"][1] == IntRange(low=8, high=48, step=8)
    assert space.vary["lambda_l1"] == FloatRange(low=0.01, high=1.0, log=True)
    assert space.vary["pooling"] == Choices(values=("hybrid", "average"))


def test_a_preset_becomes_its_widths_and_depths(load_text: Load) -> None:
    space = load_text(SPACE)
    assert space.first == ({"widths": PRESETS["tiny"]["widths"]},)  # depths are fixed at tiny's
    assert space.flat(space.first[0]) == {
        f"widths[{stage}]": width for stage, width in enumerate((16, 32, 64, 128, 128))
    }


def test_a_trial_is_base_with_the_dimensions_laid_over_it(load_text: Load) -> None:
    space = load_text(SPACE)
    values = {"widths[0]": 4, "widths[1]": 8, "widths[2]": 16, "widths[3]": 32, "widths[4]": 48}
    fields = space.trial_fields({**values, "lambda_l1": 0.5, "pooling": "average"})
    assert set(values) | {"lambda_l1", "pooling"} == set(space.dimensions())
    assert fields["widths"] == (4, 8, 16, 32, 48)
    assert (fields["lambda_l1"], fields["pooling"], fields["epochs"]) == (0.5, "average", 2)
    assert fields["label_low"] is None
    assert "seed" not in fields


def test_whole_networks_may_be_choices(load_text: Load) -> None:
    space = load_text(
        replaced("  pooling:", "  depths: {choices: [[1, 1, 1, 1, 1], [2, 2, 3, 3, 3]]}\n  pooling:")
    )
    assert space.vary["depths"] == Choices(values=((1, 1, 1, 1, 1), (2, 2, 3, 3, 3)))
    assert space.first[0]["depths"] == (2, 2, 3, 3, 3)
    assert space.flat(space.first[0])["depths"] == (2, 2, 3, 3, 3)


def test_a_preset_in_base_is_the_compact_network_with_its_widths(load_text: Load) -> None:
    text = "name: a\ndata: faces\nobjectives: [val_mae]\ntrials: 2\n"
    text += "base: {network: thin-128}\nvary: {method: {choices: [dex, dldl]}}\n"
    space = load_text(text)
    assert (space.base.network, space.base.widths) == ("compact", (32, 64, 128, 128, 128))
    assert load_dict(json.loads(json.dumps(space.to_dict()))) == space


def test_networks_and_presets_may_be_choices(load_text: Load) -> None:
    text = "name: a\ndata: faces\nobjectives: [val_mae]\ntrials: 3\nbase: {epochs: 2}\n"
    text += (
        "vary: {network: {choices: [vgg16-bn, thin, tiny]}}\nfirst: [{network: thin}, {network: vgg16-bn}]\n"
    )
    space = load_text(text)
    assert space.first == ({"network": "thin"}, {"network": "vgg16-bn"})
    thin = space.trial_fields({"network": "thin"})
    assert (thin["network"], thin["widths"]) == ("compact", PRESETS["thin"]["widths"])
    assert space.trial_fields({"network": "vgg16-bn"})["network"] == "vgg16-bn"
    assert load_dict(json.loads(json.dumps(space.to_dict()))) == space


def test_a_preset_tried_first_is_a_compact_network_where_the_network_varies(load_text: Load) -> None:
    space = load_text(
        replaced("pooling: {choices: [hybrid, average]}", "network: {choices: [resnet50, compact]}")
    )
    assert space.first == ({"widths": PRESETS["tiny"]["widths"], "network": "compact"},)


def test_a_float_may_be_written_without_a_point(load_text: Load) -> None:
    space = load_text(replaced("low: 0.01, high: 1.0", "low: 1e-2, high: 1"))
    assert space.vary["lambda_l1"] == FloatRange(low=0.01, high=1.0, log=True)


def test_every_shipped_space_loads_and_starts_with_points_of_its_own() -> None:
    assert "tiny" in shipped()
    for name in shipped():
        space = load(find(name))
        assert space.name == name
        for point in space.first:
            assert set(space.flat(point)) <= set(space.dimensions())


def test_a_space_survives_json(load_text: Load) -> None:
    for space in (load(find("tiny")), load_text(SPACE, ["base.lambda_l1=0.5", "trials=9"])):
        assert load_dict(json.loads(json.dumps(space.to_dict()))) == space


def test_what_json_gives_back_is_checked_too() -> None:
    fields = load(find("tiny")).to_dict() | {"trials": 0}
    with pytest.raises(SearchSpaceError, match=r"^run.json: trials is 0; it must be at least 1$"):
        load_dict(fields, where="run.json")


FAULTS = {
    "bounds the wrong way round": (
        "{low: 16, high: 96, step: 16}",
        "{low: 40, high: 24}",
        "12: vary.widths[2].low is 40 and high is 24; low must not be above high",
    ),
    "a width of 0": ("{low: 4,", "{low: 0,", "10: vary.widths[0].low is 0; it must be at least 1"),
    "a log range from 0": (
        "low: 0.01",
        "low: 0",
        "15: vary.lambda_l1.low is 0.0 and log is true; a log range starts above 0",
    ),
    "a step of 0": ("step: 4", "step: 0", "10: vary.widths[0].step is 0; it must be at least 1"),
    "a step past the end": (
        "step: 4",
        "step: 3",
        "10: vary.widths[0].high is 24, which steps of 3 from 4 pass by; set high to 22 or 25",
    ),
    "no choices": (
        "[hybrid, average]",
        "[]",
        "16: vary.pooling.choices is []; it must be a list of at least one value",
    ),
    "a choice twice": (
        "[hybrid, average]",
        "[hybrid, hybrid]",
        '16: vary.pooling.choices[1] is "hybrid" once more; list each value once',
    ),
    "a choice that a trial cannot have": (
        "[hybrid, average]",
        "[hybrid, avrage]",
        "16: vary.pooling.choices[1] is \"avrage\"; it must be 'hybrid' or 'average'; "
        'did you mean "average"?',
    ),
    "an unknown method": (
        "epochs: 2",
        "epochs: 2\n  method: dldlv2",
        "7: base.method is \"dldlv2\"; it must be 'mr-l1', 'mr-l2', 'dex', 'ranking-bce', 'ranking-mse', "
        "'dldl', 'er', 'dldl-v2', 'mean-variance' or 'coral'; did you mean \"dldl-v2\"?",
    ),
    "an unknown method among choices": (
        "  pooling: {choices: [hybrid, average]}",
        "  method: {choices: [dex, rank]}",
        "16: vary.method.choices[1] is \"rank\"; it must be 'mr-l1'",
    ),
    "a negative weight": (
        "epochs: 2",
        "epochs: 2\n  lambda_variance: -1",
        "7: base.lambda_variance is -1; it must be at least 0",
    ),
    "an unknown network": (
        "epochs: 2",
        "epochs: 2\n  network: resnet",
        "7: base.network is \"resnet\"; it must be 'compact', 'vgg16', 'vgg16-bn' or 'resnet50', or a "
        'preset: thin, tiny, micro or thin-128; did you mean "resnet50"?',
    ),
    "widths beside a preset": (
        "epochs: 2",
        "depths: [1, 1, 1, 1, 1]\n  network: thin",
        "6: base.depths is set and base.network is thin, which has its own; leave one of them out",
    ),
    "widths that vary beside a network that has its own": (
        "epochs: 2",
        "network: resnet50",
        "9: widths varies and base.network is resnet50, which has its own; choose compact, or do not "
        "vary widths",
    ),
    "widths that vary and no choice that has them": (
        "pooling: {choices: [hybrid, average]}",
        "network: {choices: [vgg16, thin]}",
        "9: widths varies and vary.network has only vgg16 and thin, which have their own; choose compact",
    ),
    "a warm-up as long as the training": (
        "epochs: 2",
        "epochs: 2\n  warmup_epochs: 2\n  warmup_method: dldl",
        "7: warmup_epochs is 2 and epochs is 2; warmup_epochs must be below epochs",
    ),
    "a warm-up without a method": (
        "epochs: 2",
        "epochs: 2\n  warmup_epochs: 1",
        "7: warmup_epochs is above 0 and warmup_method is missing; name a method",
    ),
    "a warm-up of no length": (
        "epochs: 2",
        "epochs: 2\n  warmup_method: dldl",
        "7: warmup_method is set and warmup_epochs is 0; raise warmup_epochs or drop warmup_method",
    ),
    "a warm-up with another output layer": (
        "epochs: 2",
        "epochs: 2\n  warmup_epochs: 1\n  warmup_method: coral",
        "8: warmup_method coral has another output layer than method dldl-v2, which may follow dex, dldl, "
        "er, dldl-v2 or mean-variance",
    ),
    "a method among others that cannot follow the warm-up": (
        "vary:",
        "  warmup_epochs: 1\n  warmup_method: dldl\nvary:\n  method: {choices: [er, mr-l1]}",
        "11: warmup_method dldl has another output layer than method mr-l1, which may follow mr-l1 or mr-l2",
    ),
    "an unknown warm-up": (
        "epochs: 2",
        "epochs: 2\n  warmup_epochs: 1\n  warmup_method: dldx",
        "8: base.warmup_method is \"dldx\"; it must be 'mr-l1'",
    ),
    "a backbone that is not there": (
        "epochs: 2",
        "epochs: 2\n  backbone: faces.safetensors",
        '7: base.backbone is "faces.safetensors", which is not a file; it must be a file of weights, such as '
        "'suite pretrain' writes",
    ),
    "a backbone among others that is not there": (
        "pooling: {choices: [hybrid, average]}",
        "backbone: {choices: [null, a.pt]}",
        '16: vary.backbone.choices[1] is "a.pt", which is not a file',
    ),
    "a range of words": (
        "{choices: [hybrid, average]}",
        "{low: 1, high: 2}",
        "16: vary.pooling.low is unknown; allowed are choices",
    ),
    "an unknown key": (
        "trials: 4",
        "trials: 4\nsampel: tpe",
        "5: sampel is unknown; allowed are name, description, data, objectives, trials, sampler, seed, "
        "seeds, confirm_seeds, confirm_epochs, confirm_neighbours, base, stopping, bounds, sharing, latency, vary, "
        'first; did you mean "sampler"?',
    ),
    "an unknown key of a dimension": (
        "log: true",
        "lg: true",
        '15: vary.lambda_l1.lg is unknown; allowed are low, high, log; did you mean "log"?',
    ),
    "an unknown objective": (
        "params]",
        "parms]",
        "3: objectives[1] is \"parms\"; it must be 'val_mae', 'worst_group_mae', 'params', 'macs' or "
        "'bytes'; "
        'did you mean "params"?',
    ),
    "a resolution that is pooled away": (
        "resolution: 48",
        "resolution: 31",
        "7: base.resolution is 31; it must be at least 32",
    ),
    "no trials": ("trials: 4", "trials: 0", "4: trials is 0; it must be at least 1"),
    "a wrong type": ("epochs: 2", 'epochs: "2"', '6: base.epochs is "2"; it must be a whole number'),
    "truth for a number": ("trials: 4", "trials: true", "4: trials is true; it must be a whole number"),
    "a duplicate key": (
        "epochs: 2",
        "epochs: 2\n  epochs: 3",
        "7: base.epochs is given twice, first at space.yaml:6",
    ),
    "a field fixed and varied": (
        "epochs: 2",
        "lambda_l1: 2",
        "15: lambda_l1 is both in base and in vary; a field is fixed in the one or varies in the other",
    ),
    "an unknown data set": (
        "data: faces",
        "data: facez",
        "2: data is \"facez\"; it must be faces, or a folder that 'suite data pack' made; "
        'did you mean "faces"?',
    ),
    "a preset outside of the ranges": (
        "network: tiny",
        "network: thin",
        "18: first[0].widths[0] is 32, outside vary.widths[0], which ranges from 4 to 24 in steps of 4 "
        "(and 4 more)",
    ),
    "a first value off the grid": (
        "network: tiny",
        "widths: [5, 8, 16, 16, 16]",
        "18: first[0].widths[0] is 5, outside vary.widths[0], which ranges from 4 to 24 in steps of 4",
    ),
    "an unknown preset": (
        "network: tiny",
        "network: tinny",
        '18: first[0].network is "tinny"; it must be thin, tiny, micro or thin-128; did you mean "tiny"?',
    ),
    "a first value of what does not vary": (
        "network: tiny",
        "epochs: 3",
        "18: first[0].epochs sets a field that does not vary; fix it in base, or vary it",
    ),
    "a list where a mapping belongs": ("name: small", "- name: small", "2: this is not YAML"),
    "a value with no end": (
        "name: small",
        "name: &a [*a]",
        "1: an alias includes itself here, which has no end",
    ),
    "an object to construct": (
        "name: small",
        "name: !!python/object/apply:os.getcwd []",
        "1: name is []; it must be text",
    ),
}


@pytest.mark.parametrize("fault", FAULTS)
def test_a_fault_is_named_with_its_line(load_text: Load, fault: str) -> None:
    old, new, message = FAULTS[fault]
    with pytest.raises(SearchSpaceError) as caught:
        load_text(replaced(old, new))
    assert str(caught.value).startswith(f"space.yaml:{message}")
    assert "\n" not in str(caught.value)


def test_the_seed_of_a_trial_is_not_for_a_space_to_set(load_text: Load) -> None:
    with pytest.raises(SearchSpaceError, match=r'base\.seed is unknown.*"seed" belongs at the top level'):
        load_text(replaced("epochs: 2", "seed: 2"))


def test_several_faults_are_counted(load_text: Load) -> None:
    with pytest.raises(SearchSpaceError, match=r"trials is 0; it must be at least 1 \(and 2 more\)$"):
        load_text(
            replaced("trials: 4", "trials: 0").replace("epochs: 2", "epochs: 0").replace("low: 4", "low: 0")
        )


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "space.yaml: this file is empty"),
        (b"# nothing\n", "space.yaml: this file is empty"),
        (b"- 1\n", "space.yaml:1: this is not a mapping"),
        (b"name: [1, 2\nseed: }", "space.yaml:2: this is not YAML"),
        (b"\x89PNG\r\n\x1a\n\x00\x01", "space.yaml: this file is not text in UTF-8"),
        (b"name: \x00", "space.yaml: this is not YAML"),
        (b"a: " + b"[" * 3000, "space.yaml: this YAML cannot be read"),
        (b"name: 2020-13-45", "space.yaml:1: name is"),
        (b"trials: " + b"9" * 5000, "space.yaml:1: trials is"),
    ],
)
def test_a_file_that_is_not_a_search_space_is_refused_in_one_sentence(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, content: bytes, message: str
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("space.yaml").write_bytes(content)
    with pytest.raises(SearchSpaceError) as caught:
        load(Path("space.yaml"))
    assert str(caught.value).startswith(message)


def test_aliases_cannot_make_a_file_grow_without_bound(load_text: Load) -> None:
    lines = ["a0: &a0 [1, 1, 1, 1, 1, 1, 1, 1, 1, 1]"]
    lines += [f"a{i}: &a{i} [{', '.join([f'*a{i - 1}'] * 10)}]" for i in range(1, 12)]
    with pytest.raises(SearchSpaceError, match="there are over 10,000 values"):
        load_text("\n".join(lines))


def test_a_missing_file_a_folder_and_a_device_are_refused(tmp_path: Path) -> None:
    for path in (tmp_path / "none.yaml", tmp_path, Path(os.devnull)):
        with pytest.raises(SearchSpaceError) as caught:
            load(path)
        assert str(path) in str(caught.value)


@given(st.binary(max_size=200))
def test_no_file_ends_in_another_error(content: bytes) -> None:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "space.yaml"
        path.write_bytes(content)
        with pytest.raises(SearchSpaceError):
            load(path)


def test_a_packed_folder_is_data(load_text: Load, tmp_path: Path) -> None:
    with pytest.raises(SearchSpaceError, match="data is"):
        load_text(SPACE, ["data=packed"])
    (tmp_path / "packed").mkdir()
    with pytest.raises(SearchSpaceError, match=r'data is "packed", a folder without a store\.json'):
        load_text(SPACE, ["data=packed"])
    (tmp_path / "packed" / "store.json").write_text("{}")
    assert load_text(SPACE, ["data=packed"]).data == "packed"


@pytest.mark.parametrize("setting", ["base.epochs=5", "epochs=5"])
def test_a_setting_replaces_a_value_of_base(load_text: Load, setting: str) -> None:
    assert load_text(SPACE, [setting]).base.epochs == 5


def test_settings_reach_into_dimensions(load_text: Load) -> None:
    space = load_text(SPACE, ["vary.lambda_l1.high=2", "vary.widths[0].low=8", "seed=4"])
    assert space.vary["lambda_l1"] == FloatRange(low=0.01, high=2.0, log=True)
    assert isinstance(space.vary["widths"], tuple)
    assert space.vary["widths"][0] == IntRange(low=8, high=24, step=4)
    assert space.seed == 4


def test_fixing_a_field_takes_it_out_of_vary_and_the_reverse(load_text: Load) -> None:
    fixed = load_text(SPACE, ["lambda_l1=0.5"])
    assert "lambda_l1" not in fixed.vary
    assert fixed.base.lambda_l1 == 0.5
    varied = load_text(SPACE, ["vary.epochs={low: 2, high: 5}"])
    assert varied.vary["epochs"] == IntRange(low=2, high=5)


def test_a_preset_must_fit_what_is_fixed(load_text: Load) -> None:
    with pytest.raises(
        SearchSpaceError, match=r"first\[0\] has the widths \[16, 32, 64, 128, 128\] of tiny, and base"
    ):
        load_text(SPACE, ["widths=[8, 16, 32, 64, 64]"])
    space = load_text(SPACE, ["widths=[16, 32, 64, 128, 128]"])
    assert space.first == ()  # nothing of the point is left to vary


def test_fixing_a_field_takes_it_out_of_the_points_tried_first(load_text: Load) -> None:
    points = "first:\n  - {network: tiny, lambda_l1: 0.3}\n  - {lambda_l1: 0.2}\n"
    space = load_text(SPACE.split("first:")[0] + points, ["lambda_l1=0.5"])
    assert space.base.lambda_l1 == 0.5
    assert [set(point) for point in space.first] == [{"widths"}]


def test_a_point_tried_first_that_is_not_a_mapping_is_still_refused(load_text: Load) -> None:
    with pytest.raises(SearchSpaceError, match=r"first\[0\] is 3"):
        load_text(SPACE.split("first:")[0] + "first: [3]\n", ["lambda_l1=0.5"])
    assert load_text(SPACE, ["widths=[8, 16, 32, 64, 64]", "first=[]"]).first == ()


@pytest.mark.parametrize(
    ("setting", "message"),
    [
        ("base.epochs=abc", 'base.epochs is "abc"; it must be a whole number'),
        ("vary.lambda_l1.low=3", "vary.lambda_l1.low is 3.0 and high is 1.0; low must not be above high"),
        ("epochs", "a setting has the form key=value, such as trials=8"),
        ("trials=", "there is no value behind the equals sign"),
        ("trials=[1", "this is not YAML"),
        ("trails=3", "trails is unknown"),
        ("vary.widths[7].low=8", "there is no vary.widths[7] to set"),
        ("name.x=3", "there is no name.x to set"),
        ("a b=3", '"a b" is not a key'),
    ],
)
def test_a_wrong_setting_is_named(load_text: Load, setting: str, message: str) -> None:
    with pytest.raises(SearchSpaceError) as caught:
        load_text(SPACE, [setting])
    assert str(caught.value).startswith(f"--set {setting}: {message}")


@pytest.mark.parametrize(
    ("text", "read"),
    [
        ("1:30", "base 60 as 90; write 90"),
        ("1:30.5", "base 60 as 90.5"),
        ("010", "base 8 as 8; write 10, or 8"),
    ],
)
def test_a_number_that_yaml_reads_in_another_base_is_refused(load_text: Load, text: str, read: str) -> None:
    with pytest.raises(SearchSpaceError, match=rf"--set epochs={text}: .*base\.epochs is .*{read}"):
        load_text(SPACE, [f"epochs={text}"])
    with pytest.raises(SearchSpaceError, match=rf"space\.yaml:\d+: .*trials is .*{read}"):
        load_text(re.sub(r"(?m)^trials: .*$", f"trials: {text}", SPACE))
    with pytest.raises(SearchSpaceError, match=read):
        load_text(SPACE, [f"base={{epochs: [2, {text}]}}"])


def test_ordinary_numbers_keep_their_meaning(load_text: Load) -> None:
    for text, value in (("10", 10), ("+7", 7), ("0x10", 16), ("1_0", 10)):
        assert load_text(SPACE, [f"epochs={text}"]).base.epochs == value
    assert load_text(SPACE, ["weight_decay=0.05"]).base.weight_decay == 0.05


@pytest.mark.parametrize(
    ("key", "reason"),
    [
        ("<<", "merges mappings, which search spaces do not have"),
        ("on", "as true or false"),
        ("3", "no.* a word"),
    ],
)
def test_a_key_that_yaml_takes_for_something_else_is_refused_with_the_reason(
    load_text: Load, key: str, reason: str
) -> None:
    with pytest.raises(SearchSpaceError, match=reason):
        load_text(SPACE + f"\n{key}: {{epochs: 3}}\n")
    with pytest.raises(SearchSpaceError, match=reason):
        load_text(SPACE, [f"base={{{key}: {{epochs: 3}}}}"])


def test_find_knows_names_and_paths(tmp_path: Path) -> None:
    path = tmp_path / "mine.yaml"
    path.write_text(SPACE)
    assert find(str(path)) == path
    assert find("tiny").is_file()
    with pytest.raises(SearchSpaceError, match=r'^"tinny" is neither a search space that ships \(.*tiny.*\)'):
        find("tinny")


def test_loading_brings_in_nothing_heavy_and_of_the_suite_only_trial_and_presets() -> None:
    looked_at = ("torch", "ray", "pandas", "optuna", "numpy", "suite")
    code = f"import search_spaces, sys; print(*(m for m in sys.modules if m.split('.')[0] in {looked_at}))"
    here = Path(__file__).parents[2]
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=here)
    assert set(done.stdout.split()) == {"suite", "suite.trial", "suite.presets"}
