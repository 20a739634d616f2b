"""A contact sheet: images of a store in the order of an attribute, for a look at its content."""

from pathlib import Path

import numpy as np
import numpy.typing as npt
from PIL import Image, ImageDraw, ImageFont

from suite.data.store import Store
from suite.errors import RequestError
from suite.files.atomic import atomic_path

SMALLEST_TILE = 64  # pixels; smaller images are enlarged, so that faces are visible
CAPTION = 16  # pixels beneath each tile
MARGIN = 4  # pixels around each tile
FONT_SIZE = 11  # pixels
LARGEST_SHEET = 100_000_000  # pixels


def write_sheet(
    store: Store, path: Path, *, columns: int = 10, rows: int = 6, attribute: str = "age"
) -> None:
    """Write a PNG of images from the whole range of an attribute, in ascending order, each with its label.

    A store with fewer images than the grid has cells gives a smaller grid.

    Args:
        store: The packed data.
        path: The PNG to write.
        columns: Images a row.
        rows: The number of rows.
        attribute: The attribute that orders the images.

    Raises:
        RequestError: The store lacks the attribute, the grid is empty or too large, or the file cannot be written.
    """
    if attribute not in store.info.attributes:
        known = ", ".join(sorted(store.info.attributes))
        raise RequestError(f"{store.folder} has no labels for {attribute!r}, only for {known}")
    images = store.images  # the side in store.json is only a claim until then
    tile = max(store.info.side, SMALLEST_TILE)
    pitch = (tile + 2 * MARGIN, tile + 2 * MARGIN + CAPTION)
    if columns < 1 or rows < 1 or columns * rows * pitch[0] * pitch[1] > LARGEST_SHEET:
        raise RequestError(
            f"a contact sheet of {columns} columns and {rows} rows cannot be drawn; "
            f"choose at least 1 of each and at most {LARGEST_SHEET // (pitch[0] * pitch[1])} images"
        )
    labels = store.labels[attribute].to_numpy(np.float64)
    chosen = spread(labels, columns * rows)
    if not len(chosen):
        raise RequestError(
            f"no image of {store.folder} has a label for {attribute!r}; choose another --attribute"
        )
    sheet = Image.new("RGB", (columns * pitch[0], -(-len(chosen) // columns) * pitch[1]), "white")
    draw, font = ImageDraw.Draw(sheet), ImageFont.load_default(FONT_SIZE)
    decimals = 0 if np.all(labels[chosen] % 1 == 0) else 1
    for cell, index in enumerate(chosen):
        left, top = cell % columns * pitch[0] + MARGIN, cell // columns * pitch[1] + MARGIN
        image = Image.fromarray(np.asarray(images[index]))
        sheet.paste(image.resize((tile, tile), Image.Resampling.BICUBIC), (left, top))
        centre = (left + tile / 2, top + tile + CAPTION / 2)
        draw.text(centre, f"{labels[index]:.{decimals}f}", fill="black", font=font, anchor="mm")
    try:
        with atomic_path(path) as temporary:
            sheet.save(temporary, format="PNG")
    except OSError as error:
        raise RequestError(
            f"{path} cannot be written ({error.strerror or error}); name a file in a folder that exists"
        ) from None


def spread(labels: npt.NDArray[np.float64], count: int) -> npt.NDArray[np.int64]:
    """Return indices of up to ``count`` images, in ascending order of the label and evenly spaced in that order.

    Images without a label (NaN, or infinite in a forged store) are left out; equal labels keep the order of the store.
    """
    known = np.flatnonzero(np.isfinite(labels))
    order = known[np.argsort(labels[known], kind="stable")]
    positions = np.linspace(0, len(order) - 1, min(count, len(order)))
    return order[np.round(positions).astype(np.int64)].astype(np.int64)
