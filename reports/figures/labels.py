"""Where the labels of points go, so that they cover neither each other nor the points."""

from collections.abc import Sequence
from dataclasses import dataclass

#: plotly's word for a position -> where the label's middle lies, in label widths and heights.
POSITIONS: dict[str, tuple[float, float]] = {
    "top right": (0.5, 1.0),
    "bottom left": (-0.5, -1.0),
    "top center": (0.0, 1.15),
    "bottom center": (0.0, -1.15),
    "middle right": (0.65, 0.0),
    "middle left": (-0.65, 0.0),
    "top left": (-0.5, 1.0),
    "bottom right": (0.5, -1.0),
}
CHARACTER, LINE, MARKER = 7.0, 13.0, 10.0  # pixels
COVERED = 30.0  # square pixels of markers that a label may hide


@dataclass(frozen=True)
class _Box:
    x: float
    y: float
    width: float
    height: float

    def overlap(self, other: "_Box") -> float:
        across = (self.width + other.width) / 2 - abs(self.x - other.x)
        down = (self.height + other.height) / 2 - abs(self.y - other.y)
        return max(across, 0.0) * max(down, 0.0)


def place(
    points: Sequence[tuple[float, float]],
    texts: Sequence[str],
    others: Sequence[tuple[float, float]],
    must: int,
) -> list[str | None]:
    """A plotly text position for each point, or None where its label would cover another, or markers.

    Greedy, in the order given.

    Args:
        points: pixel positions (x to the right, y upwards) of the points that have a text.
        texts: their labels.
        others: pixel positions of further markers to keep clear of.
        must: how many of the first labels may cover markers where nothing else is left.
    """
    markers = [_Box(x, y, MARKER, MARKER) for x, y in [*points, *others]]
    placed: list[_Box] = []
    answer: list[str | None] = []
    for rank, ((x, y), text) in enumerate(zip(points, texts, strict=True)):
        width = CHARACTER * len(text)
        best: tuple[float, str, _Box] | None = None
        for position, (right, up) in POSITIONS.items():
            box = _Box(x + right * width, y + up * LINE, width, LINE)
            if any(box.overlap(label) for label in placed):
                continue
            covered = sum(box.overlap(marker) for marker in markers)
            if best is None or covered < best[0]:
                best = covered, position, box
        if best is None or (best[0] > COVERED and rank >= must):
            answer.append(None)
            continue
        answer.append(best[1])
        placed.append(best[2])
    return answer
