"""The limitations of a run: every way in which it falls short of the full task."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from statistics import fmean

from markupsafe import Markup

from reports.formatting import error_with_unit, span
from reports.html.templating import render
from reports.model.recipe import Recipe
from reports.model.timing import PAPER_RESOLUTION
from reports.model.training_length import training_length
from reports.model.trials import FrontSummary, Trial
from suite.runs.info import RunInfo


@dataclass(frozen=True)
class Training:
    """How the trials were trained, in words."""

    length: str
    start: str
    augmentation: str
    papers_augmentation: bool  # all of them with the paper's


def limits(info: RunInfo, summary: FrontSummary, missing: str = "") -> Markup:
    """Render the limitations as a list of sentences.

    ``missing`` says that scored slices of a run that shares weights are unknown; empty: they are not.
    """
    data, sides, images = info.data, summary.resolutions, summary.train_images
    length = training_length(summary)
    fewer = len(images) == 1 and images[0] < data.train_images_stored
    return render(
        "limits",
        stored=data.side,
        resolutions=span(sides),
        trained_at=span(sides) if sides != (data.side,) else "",
        enlarged=_enlarged(sides, data.side),
        resolutions_differ=len(sides) > 1,
        below_paper=sides[0] < PAPER_RESOLUTION,
        paper_resolution=PAPER_RESOLUTION,
        images=span(images),
        images_stored=f"{data.train_images_stored:,}",
        images_differ=len(images) > 1,
        images_share=f"{images[0] / data.train_images_stored:.0%}" if fewer else "",
        skipped=data.skipped,
        missing=missing,
        training=_training(summary.trials),
        confirmed=summary.is_confirmed,
        one_pass=_one_pass(summary.searched_front or summary.front, info),
        shorter=f"after {length.searched}" if length.is_longer else "",
        one_seed=info.search.get("seeds", 1) == 1,
    )


def _one_pass(members: Sequence[Trial], info: RunInfo) -> str:
    """Say how much more, or less, networks err without the mirror images; empty where it was not measured."""
    more = [trial.one_pass - trial.val_mae for trial in members]
    more = [value for value in more if math.isfinite(value)]
    if not more:
        return ""
    mean = fmean(more)
    return f"{error_with_unit(abs(mean), info.unit)} {'more' if mean >= 0 else 'less'}"


def _enlarged(sides: Sequence[int], stored: int) -> str:
    """Return which images are enlarged, as a subject with its verb; empty if none are."""
    if sides[-1] <= stored:
        return ""
    return "The images are" if sides[0] > stored else f"For trials above {stored} px, the images are"


def _training(trials: Sequence[Trial]) -> Training | None:
    """Describe how the trials were trained; None without a trial."""
    recipes = [trial.recipe for trial in trials]
    if not recipes:
        return None
    epochs = sorted({recipe.epochs for recipe in recipes})
    pretrained = {recipe.pretrained for recipe in recipes}
    start = "some from scratch, some from pretrained weights"
    if len(pretrained) == 1:
        start = "from pretrained weights" if pretrained == {True} else "from scratch"
    if all(trial.slice_of for trial in trials):
        start = "from slices of an elastic network"
    return Training(
        length=f"{span(epochs)} epoch{'' if epochs == [1] else 's'}",
        start=start,
        augmentation=_augmentation(recipes),
        papers_augmentation=all(recipe.augmentation == "paper" for recipe in recipes),
    )


def _augmentation(recipes: Sequence[Recipe]) -> str:
    full = [recipe for recipe in recipes if recipe.augmentation == "paper"]
    light = [recipe for recipe in recipes if recipe.augmentation != "paper"]
    papers = "with the paper's augmentation"
    if full and not all(recipe.flip for recipe in full):
        papers += ", flips left out" if not any(recipe.flip for recipe in full) else ", in part without flips"
    if not full:
        return _light_augmentation(light)
    return f"some {papers}; for the others {_light_augmentation(light)}" if light else papers


def _light_augmentation(recipes: Sequence[Recipe]) -> str:
    shifts = sorted({recipe.shift_pixels for recipe in recipes})
    flips = "random flips" if any(recipe.flip for recipe in recipes) else ""
    shift = f"shifts of up to {shifts[-1]} px" if shifts[-1] else ""
    used = " and ".join(filter(None, (flips, shift)))
    return f"{used} are the only augmentation" if used else "without augmentation"
