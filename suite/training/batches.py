"""Batches of an epoch, none of which is a single image where that can be avoided.

Batch normalisation compares the images of a batch with each other. From one image it has nothing to compare, and where
the feature map is a single pixel, PyTorch refuses it.
"""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager

import torch
from torch import Tensor

from suite.errors import RequestError

#: The beginning of PyTorch's refusal.
REFUSAL = "Expected more than 1 value per channel"


def batches(order: Tensor, size: int) -> Sequence[Tensor]:
    """Split an epoch into batches; a last batch of one image joins the one before it.

    Args:
        order: The images in the order of the epoch, (n,).
        size: Images of a batch, at least 1.

    Returns:
        The batches in order, each (size,), the last one (1..size + 1,). It is (1,) only if there is one image, or if
        ``size`` is 1.
    """
    parts = list(torch.split(order, size))
    if size > 1 and len(parts) > 1 and len(parts[-1]) == 1:
        parts[-2:] = [torch.cat(parts[-2:])]
    return parts


def count_batches(count: int, size: int) -> int:
    """Return how many batches ``batches`` makes of ``count`` images."""
    whole, rest = divmod(count, size)
    return whole if rest == 0 or (rest == 1 and whole > 0) else whole + 1


@contextmanager
def explain_single_image(size: int, resolution: int) -> Iterator[None]:
    """Turn PyTorch's refusal to normalise a batch of one image into a sentence.

    Args:
        size: The batch size of the configuration.
        resolution: Its resolution in pixels.

    Raises:
        RequestError: A batch was a single image.
    """
    try:
        yield
    except ValueError as error:
        if not str(error).startswith(REFUSAL):
            raise
        raise RequestError(
            f"batch normalisation cannot train on a batch of one image at {resolution} pixels (batch_size is {size}); "
            "use at least 2 training images and a batch_size of 2 or more"
        ) from None
