"""Where the images of a training live: in the memory of its GPU if they fit, else where they are mapped."""

import dataclasses

import torch

from suite.data.dataset import LabelledImages

#: Of a GPU's free memory: up to four trials share a GPU, each with images of its own.
SHARE_OF_FREE = 0.25


def on_device(
    *parts: LabelledImages, device: torch.device, free: int | None = None
) -> tuple[LabelledImages, ...]:
    """The splits with their images on a device if it has room for them; what they share is moved once.

    Args:
        parts: splits.
        device: where batches are to be. On a CPU there is nothing to move.
        free: bytes that are free there; None asks the GPU.

    Returns:
        The splits, in the same order; rows, labels and deviations stay on the CPU.
    """
    arrays = {id(part.images): part.images for part in parts}
    if device.type == "cpu":
        return parts
    if free is None:
        free = torch.cuda.mem_get_info(device)[0] if device.type == "cuda" else 0
    if sum(images.nbytes for images in arrays.values()) > SHARE_OF_FREE * free:
        return parts
    there = {which: images.to(device) for which, images in arrays.items()}
    return tuple(dataclasses.replace(part, images=there[id(part.images)]) for part in parts)
