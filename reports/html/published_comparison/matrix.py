"""Two fields of numbers against each other: the mean error of every combination, as an HTML table."""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from html import escape

from reports import formatting
from reports.html.markup import scrolling
from reports.model.paper_choice import papers_point
from reports.model.points import Comparison, Point
from suite.runs.info import RunInfo
from suite.statistics.paired import mean_interval


@dataclass(frozen=True)
class Matrix:
    """The points by the numbers of the first field (rows) and of the second (columns), both ascending."""

    fields: tuple[str, str]
    rows: tuple[float, ...]
    columns: tuple[float, ...]
    points: Mapping[tuple[float, float], Point]  # a combination that was not trained is missing
    best: str  # label of the point with the lowest mean; empty without one
    papers: str  # label of the point with the paper's choice of both; empty where none has it


def collect(comparison: Comparison, info: RunInfo) -> Matrix | None:
    """Gather the points; None where what varied is not two fields of numbers."""
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


def matrix_table(comparison: Comparison, info: RunInfo) -> str:
    """The matrix as a table; empty where there is none."""
    matrix = collect(comparison, info)
    if matrix is None:
        return ""
    first, second = map(escape, matrix.fields)
    heads = "".join(f'<th scope="col" class="text">{second} {column:.12g}</th>' for column in matrix.columns)
    rows = "".join(
        f'<tr><th scope="row">{first} {row:.12g}</th>'
        + "".join(_cell(matrix, row, column, info) for column in matrix.columns)
        + "</tr>"
        for row in matrix.rows
    )
    return (
        f"<h3>{first} against {second}</h3>"
        f"<p>Mean validation MAE over the seeds, in {info.unit}, with its 95 % interval. The lowest mean is "
        "called that; the table above says which differences the seeds show.</p>"
        + scrolling(
            f"{matrix.fields[0]} against {matrix.fields[1]}",
            f'<table><thead><tr><th scope="col"></th>{heads}</tr></thead><tbody>{rows}</tbody></table>',
        )
    )


def _cell(matrix: Matrix, row: float, column: float, info: RunInfo) -> str:
    point = matrix.points.get((row, column))
    if point is None or not point.errors:
        return f'<td class="text">{formatting.MISSING}</td>'
    mean = mean_interval(list(point.errors.values()))
    ends = "one seed, no interval"
    if math.isfinite(mean.low):
        ends = f"{formatting.error(mean.low, info.unit)} to {formatting.error(mean.high, info.unit)}"
    marks = {"lowest mean": matrix.best, "the paper's choice": matrix.papers}
    words = "".join(f"<small><b>{mark}</b></small>" for mark, label in marks.items() if label == point.label)
    return f'<td class="text">{formatting.error(mean.mean, info.unit)}<small>{ends}</small>{words}</td>'


def _number(value: object) -> float:
    """NaN for what is no number."""
    return float(value) if isinstance(value, int | float) and not isinstance(value, bool) else math.nan
