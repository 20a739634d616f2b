"""How a trial was trained: the part of its configuration that the report shows."""

from dataclasses import dataclass

from reports.model.cells import Row, number, words

#: The methods whose loss has a target distribution and its Kullback-Leibler divergence.
WITH_KL = ("dldl", "dldl-v2")
WITH_L1_WEIGHT = ("dldl-v2",)


@dataclass(frozen=True)
class Recipe:
    """The training of one trial; ``resolution`` and ``shift_pixels`` are in pixels."""

    method: str
    methods: tuple[str, ...]  # the method, and the one that warms up before it
    kl_over_bins: str  # "mean" or "sum"; empty for methods without KL
    epochs: int
    resolution: int
    train_images: int
    augmentation: str  # "light" or "paper"
    flip: bool
    shift_pixels: int
    pretrained: bool  # starts from the weights of a file


def recipe(row: Row, resolution: int, stored: int) -> Recipe:
    """Read the recipe from a row of ``trials.parquet``.

    Args:
        row: The row; a missing column, as in runs of earlier versions, means the default.
        resolution: The run's, in pixels a side.
        stored: Training images of the data set; a trial without a number of its own uses all.
    """
    method = words(row, "method", "dldl-v2")
    methods = (method, *filter(None, [words(row, "warmup_method")]))
    images = number(row, "train_images")
    return Recipe(
        method=method,
        methods=methods,
        kl_over_bins=words(row, "kl_over_bins", "mean") if set(methods) & set(WITH_KL) else "",
        epochs=int(row["epochs"]),
        resolution=_whole(row, "resolution", resolution),
        train_images=min(int(images), stored) if images > 0 else stored,
        augmentation=words(row, "augmentation", "light"),
        flip=bool(row.get("flip", True)),
        shift_pixels=_whole(row, "shift_pixels", 2),
        pretrained=bool(words(row, "backbone")),
    )


def _whole(row: Row, column: str, default: int) -> int:
    value = number(row, column)
    return int(value) if value >= 0 else default
