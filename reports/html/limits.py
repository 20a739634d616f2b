"""What keeps a run's numbers from being the last word: every way in which it fell short of the full task."""

from collections.abc import Iterator, Sequence

from reports.formatting import span
from reports.html.markup import count
from reports.model.recipe import Recipe
from reports.model.timing import PAPER_RESOLUTION
from reports.model.trials import FrontSummary
from suite.runs.info import RunInfo


def limits(info: RunInfo, summary: FrontSummary) -> list[str]:
    """Plain sentences, as HTML."""
    return [
        *_resolution(info, summary),
        *_images(info, summary),
        *_recipe(summary),
        *_chance(info, summary),
        "The front and the answer above use validation errors only.",
    ]


def _chance(info: RunInfo, summary: FrontSummary) -> Iterator[str]:
    if summary.is_confirmed:
        yield (
            "Errors of the front are <b>means over new seeds</b>; those of all other trials are of <b>one "
            "training with one seed</b>, so that one of them may be better, or worse, than it looks."
        )
    elif info.search.get("seeds", 1) == 1:
        yield (
            "Each point is <b>one training with one seed</b>, so there is no interval: small differences "
            "between trials may be chance."
        )


def _resolution(info: RunInfo, summary: FrontSummary) -> Iterator[str]:
    sides, stored = summary.resolutions, info.data.side
    if sides != (stored,):
        at = f"<b>{span(sides)} px</b>"
        yield f"Trials train and are validated at {at}; the images are stored at {stored} px."
    if sides[-1] > stored:
        which = "The images are" if sides[0] > stored else f"For trials above {stored} px, the images are"
        yield f"{which} <b>enlarged</b> from {stored} px, which adds multiply-adds and no detail."
    if len(sides) > 1:
        yield (
            "The resolution <b>differs between trials</b>: each trial's multiply-adds are counted, and its "
            "error is taken, at its own."
        )
    if sides[0] < PAPER_RESOLUTION:
        yield f"The paper works at {PAPER_RESOLUTION} px; this run at {span(sides)} px."


def _images(info: RunInfo, summary: FrontSummary) -> Iterator[str]:
    data, used = info.data, summary.train_images
    if len(used) > 1:
        yield (
            f"Trials train on <b>different numbers of images</b>: on {span(used)} of the "
            f"{data.train_images_stored:,} for training."
        )
    elif used[0] < data.train_images_stored:
        yield (
            f"Every trial trains on <b>{used[0]:,} of {data.train_images_stored:,}</b> "
            f"training images ({used[0] / data.train_images_stored:.0%}), the same ones."
        )
    if data.skipped:
        yield (
            f"<b>{count(data.skipped, 'image')}</b> of the source could not be read and "
            f"{'was' if data.skipped == 1 else 'were'} skipped."
        )


def _recipe(summary: FrontSummary) -> Iterator[str]:
    """How the training compares with the paper's."""
    recipes = [trial.recipe for trial in summary.trials]
    if not recipes:
        return
    epochs = sorted({recipe.epochs for recipe in recipes})
    length = f"{span(epochs)} epoch{'' if epochs == [1] else 's'}"
    pretrained = {recipe.pretrained for recipe in recipes}
    start = "some from scratch, some from pretrained weights"
    if len(pretrained) == 1:
        start = "from pretrained weights" if pretrained == {True} else "from scratch"
    fuller = "" if all(recipe.augmentation == "paper" for recipe in recipes) else ", with fuller augmentation"
    yield (
        f"Trials train for <b>{length}, {start}</b>, and {_augmentation(recipes)}. The paper trains for 60 "
        f"epochs, from a network pretrained on face recognition{fuller}."
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
    known = " and ".join(filter(None, (flips, shift)))
    return f"{known} are the only augmentation" if known else "without augmentation"
