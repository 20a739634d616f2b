"""The request in words: dimensions, what the sampler knew, and the limitations of the numbers."""

import re
from html import unescape
from typing import Any

import pytest

from reports.html.limits import limits
from reports.html.search_request import in_words, request_section
from reports.model.trials import summarise
from suite.runs.tables import Run
from tests.support.synthetic_runs import MakeRun


def said(run: Run) -> str:
    """What a reader sees of the section."""
    return re.sub(r"\s+", " ", unescape(re.sub(r"<[^>]+>", " ", request_section(run.info, summarise(run)))))


def noted(run: Run) -> str:
    return re.sub(r"\s+", " ", unescape(re.sub(r"<[^>]+>", "", limits(run.info, summarise(run)))))


@pytest.mark.parametrize(
    ("varied", "words"),
    [
        ({"low": 4, "high": 20, "step": 4, "log": False}, "4 to 20 in steps of 4"),
        ({"low": 1, "high": 3, "step": 1, "log": False}, "1 to 3"),
        ({"low": 0.01, "high": 1.0, "log": True}, "0.01 to 1, by logarithm"),
        ({"choices": ["dex", None, 2.5]}, "one of dex, none, 2.5"),
        ({"choices": [[8, 16], [16, 32]]}, "one of 8-16, 16-32"),
        ([{"low": 1, "high": 2}, {"low": 1, "high": 3}], "1 to 2 | 1 to 3"),
        ("anything else", "anything else"),
        ({"other": 1}, "other: 1"),
    ],
)
def test_a_dimension_is_said_in_a_few_words(varied: Any, words: str) -> None:
    assert in_words(varied) == words


@pytest.mark.parametrize("sampler", ["tpe", "nsga2"])
def test_what_a_sampler_knew_leaves_its_start_up_out(make_run: MakeRun, sampler: str) -> None:
    run = make_run(trials=21)
    run.info.search["sampler"] = sampler
    text = said(run)  # trial n knew n - 2 results: 8 to 18 of them from trial 10 on
    assert "its first suggestions are given or drawn at random" in text
    assert "11 of 21 trials were suggested knowing 8 results or more (median 13)" in text


def test_a_short_search_and_a_random_one_claim_no_knowledge(make_run: MakeRun) -> None:
    short = said(make_run(trials=6))
    assert "given or drawn at random" in short
    assert "knowing" not in short
    run = make_run(trials=21)
    run.info.search["sampler"] = "random"
    assert "knowing" not in said(run)
    assert "suggestions" not in said(run)


def test_enlarged_images_are_called_that(make_run: MakeRun) -> None:
    run = make_run(trials=2, resolution=96)
    assert "The images are enlarged from 64 px" in noted(run)
    assert "enlarged" not in noted(make_run(trials=2))
    both = make_run(trials=2, configs=[{"resolution": 48}, {"resolution": 96}])
    assert "For trials above 64 px, the images are enlarged" in noted(both)


def test_what_differs_between_trials_is_not_said_as_one_number(make_run: MakeRun) -> None:
    varied = [{"resolution": 32, "train_images": 500}, {"resolution": 64, "train_images": 2000}]
    run = make_run(trials=2, configs=varied)
    assert "validated at 32 to 64 px" in noted(run)
    assert "The resolution differs between trials" in noted(run)
    assert "different numbers of images: on 500 to 2,000 of the 4,000" in noted(run)
    assert "the same ones" not in noted(run)
    assert "500 to 2,000 for training" in said(run)


def test_the_recipe_is_held_against_the_papers(make_run: MakeRun) -> None:
    text = noted(make_run(trials=2))
    assert "Trials train for 12 epochs, from scratch, and random flips and shifts of up to 2 px" in text
    assert "60 epochs, from a network pretrained on face recognition" in text
    bare = {"flip": False, "shift_pixels": 0, "backbone": "faces.safetensors", "epochs": 1}
    other = noted(make_run(trials=1, configs=[bare]))
    assert "for 1 epoch, from pretrained weights, and without augmentation" in other
    mixed = noted(make_run(trials=2, configs=[bare]))
    assert "for 1 to 12 epochs, some from scratch, some from pretrained weights" in mixed


def test_the_papers_augmentation_is_said_where_trials_have_it(make_run: MakeRun) -> None:
    full = {"augmentation": "paper"}
    alone = noted(make_run(trials=1, configs=[full]))
    assert "from scratch, and with the paper's augmentation. The paper trains for 60 epochs" in alone
    assert "fuller augmentation" not in alone
    mixed = noted(make_run(trials=2, configs=[full]))
    assert "some with the paper's augmentation; for the others random flips and shifts of up to 2 px" in mixed
    assert "fuller augmentation" in mixed
    unflipped = noted(make_run(trials=1, configs=[full | {"flip": False}]))
    assert "with the paper's augmentation, flips left out." in unflipped


def test_without_a_trial_the_recipe_is_not_guessed(make_run: MakeRun) -> None:
    run = make_run(trials=0)
    assert "Trials train for" not in noted(run)
    assert "this run at 48 px" in noted(run)
