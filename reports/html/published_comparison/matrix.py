"""The mean error of every combination of two numeric fields."""

import math
from collections.abc import Mapping
from dataclasses import dataclass

from markupsafe import Markup

from reports.html.templating import render
from reports.model.interval_text import IntervalText, mean_text
from reports.model.paper_choice import papers_point
from reports.model.points import Comparison, Point
from suite.runs.info import RunInfo


@dataclass(frozen=True)
class Matrix:
    """The points by the first field (rows) and the second (columns), both ascending."""

    fields: tuple[str, str]
    rows: tuple[float, ...]
    columns: tuple[float, ...]
    points: Mapping[tuple[float, float], Point]  # a combination that was not trained is missing
    best: str  # label of the point with the lowest mean; empty without one
    papers: str  # label of the point with the paper's choice of both; empty where none has it


def collect(comparison: Comparison, info: RunInfo) -> Matrix | None:
    """Gather the points; None unless exactly two numeric fields varied."""
    points = {}
    for point in comparison.points:
        numbers = tuple(_number(getattr(point.config, field, None)) for field in comparison.varied)
        if len(numbers) != 2 or not all(map(math.isfinite, numbers)):
            return None
        points[numbers[0], numbers[1]] = point
    best, papers = next((p for p in comparison.points if p.errors), None), papers_point(comparison, info)
    return Matrix(
        fields=(comparison.varied[0], comparison.varied[1]),
        rows=tuple(sorted({row for row, _ in points})),
        columns=tuple(sorted({column for _, column in points})),
        points=points,
        best=best.label if best else "",
        papers=papers.label if papers else "",
    )


@dataclass(frozen=True)
class Cell:
    """A combination in the table: its mean, and what it is marked as."""

    mean: IntervalText | None
    marks: tuple[str, ...]


def matrix_table(comparison: Comparison, info: RunInfo) -> Markup:
    """Render the matrix as a table; empty if there is none."""
    matrix = collect(comparison, info)
    if matrix is None:
        return Markup("")
    return render(
        "matrix",
        matrix=matrix,
        unit=info.unit,
        columns=[f"{column:.12g}" for column in matrix.columns],
        rows=[
            (f"{row:.12g}", [_cell(matrix, row, column, info) for column in matrix.columns])
            for row in matrix.rows
        ],
    )


def _cell(matrix: Matrix, row: float, column: float, info: RunInfo) -> Cell:
    point = matrix.points.get((row, column))
    if point is None or not point.errors:
        return Cell(None, ())
    marks = {"lowest mean": matrix.best, "the paper's choice": matrix.papers}
    return Cell(
        mean_text(point.interval, info.unit),
        tuple(mark for mark, label in marks.items() if label == point.label),
    )


def _number(value: object) -> float:
    """A number as float; NaN for anything else."""
    return float(value) if isinstance(value, int | float) and not isinstance(value, bool) else math.nan
