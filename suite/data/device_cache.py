"""A device cache for the images of a training: in the memory of its GPU if they fit, else left mapped."""

import dataclasses

import torch

from suite.data.dataset import LabelledImages

#: The share of a GPU's free memory for images. Up to four trials share a GPU, each with its own images.
SHARE_OF_FREE = 0.25


def on_device(
    *parts: LabelledImages, device: torch.device, free: int | None = None
) -> tuple[LabelledImages, ...]:
    """Move the images of splits to a device if they fit; an array that splits share is moved once.

    Args:
        parts: The splits.
        device: The device of the training. On a CPU there is nothing to move.
        free: Free bytes of the device; None asks the GPU.

    Returns:
        The splits in the same order; rows, labels and deviations stay on the CPU.
    """
    arrays = {id(part.images): part.images for part in parts}
    if device.type == "cpu":
        return parts
    if free is None:
        free = torch.cuda.mem_get_info(device)[0] if device.type == "cuda" else 0
    if sum(images.nbytes for images in arrays.values()) > SHARE_OF_FREE * free:
        return parts
    moved = {which: images.to(device) for which, images in arrays.items()}
    return tuple(dataclasses.replace(part, images=moved[id(part.images)]) for part in parts)
