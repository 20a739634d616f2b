"""What sharing weights requires of a search space, so that every network of it is a slice of one network."""

from collections.abc import Iterator, Mapping
from typing import Any

from search_spaces.dimensions import Choices
from search_spaces.problems import Problem, alternatives
from search_spaces.settings import Settings
from search_spaces.trial_fields import OUTPUT_LAYERS

#: The fields of a trial that the elastic network has one value of.
ONE_VALUE = (
    *("network", "pooling", "attribute", "resolution", "train_images"),
    *("label_low", "label_high", "label_step"),
)
#: Images of a batch that each worker should have at least.
IMAGES_OF_A_WORKER = 2
#: The files that a trial starts from, instead of a slice.
OTHER_STARTS = ("backbone", "pruned_from")


def check_sharing(settings: Settings, vary: Mapping[str, Any]) -> list[Problem]:
    """Return why the networks of a space cannot share weights; nothing where they need not."""
    return [] if settings.sharing is None else list(_problems(settings, vary))


def _problems(settings: Settings, vary: Mapping[str, Any]) -> Iterator[Problem]:
    base, drop = settings.base, "or leave out sharing"
    if base.network != "compact":
        sentence = (
            f"sharing is set and base.network is {base.network}; only the compact network can share weights"
        )
        yield Problem(("base", "network"), f"{sentence}; choose compact, {drop}")
    for field in ONE_VALUE:
        if field in vary:
            sentence = f"sharing is set and {field} varies, but one elastic network has one {field}; fix it"
            yield Problem(("vary", field), f"{sentence} under base, {drop}")
    for field in OTHER_STARTS:
        if field in vary or getattr(base, field) is not None:
            where = "vary" if field in vary else "base"
            sentence = f"sharing is set and so is {where}.{field}, and a trial starts from one of them"
            yield Problem((where, field), f"{sentence}; leave out {field} or sharing")
    if settings.sampler == "grid":
        sentence = "sharing is set and sampler is grid, which trains every point; choose tpe, nsga2 or random"
        yield Problem(("sampler",), f"{sentence}, {drop}")
    if "val_mae" not in settings.objectives:
        yield Problem(("objectives",), f"sharing is set and objectives lack val_mae; add it, {drop}")
    if "worst_group_mae" in settings.objectives:
        sentence = "sharing is set and objectives have worst_group_mae, but slices are scored by their error over all"
        yield Problem(("objectives",), f"{sentence}; leave worst_group_mae out, {drop}")
    yield from _workers(settings, vary)
    yield from _shapes(vary, drop)
    yield from _output_layers(settings, vary, drop)


def _workers(settings: Settings, vary: Mapping[str, Any]) -> Iterator[Problem]:
    assert settings.sharing is not None
    workers, smallest = settings.sharing.workers, settings.base.batch_size
    if isinstance(varied := vary.get("batch_size"), Choices):
        smallest = min(value for value in varied.values if isinstance(value, int))
    elif varied is not None:
        smallest = varied.low
    if workers > 1 and smallest < IMAGES_OF_A_WORKER * workers:
        sentence = (
            f"sharing.workers is {workers} and a batch may have {smallest} images, which is less than "
            f"{IMAGES_OF_A_WORKER} for each"
        )
        remedy = f"lower workers to {max(1, smallest // IMAGES_OF_A_WORKER)}, or raise batch_size"
        yield Problem(("sharing", "workers"), f"{sentence}; {remedy}")


def _shapes(vary: Mapping[str, Any], drop: str) -> Iterator[Problem]:
    if not {"widths", "depths"} & vary.keys():
        yield Problem(("sharing",), f"sharing is set and neither widths nor depths vary; vary one, {drop}")
    for field in ("widths", "depths"):
        if field in vary and not isinstance(vary[field], tuple):
            sentence = f"sharing is set and vary.{field} chooses whole networks, which need not nest"
            yield Problem(
                ("vary", field), f"{sentence}; give a dimension for each of the five stages, {drop}"
            )


def _output_layers(settings: Settings, vary: Mapping[str, Any], drop: str) -> Iterator[Problem]:
    own = OUTPUT_LAYERS[settings.base.method]
    if "method" not in vary:
        return
    layers = {OUTPUT_LAYERS[method] for method in vary["method"].values}
    if len(layers) > 1:
        fit = [method for method in OUTPUT_LAYERS if OUTPUT_LAYERS[method] == own]
        sentence = (
            "sharing is set and vary.method has methods with several output layers; name methods of one"
        )
        yield Problem(("vary", "method"), f"{sentence}, such as {alternatives(fit)}, {drop}")
