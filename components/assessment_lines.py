"""The lines of a unit's years in a chart; every dot opens the record it stands for."""

from collections.abc import Sequence

from components.assessment_charts import Line
from components.assessment_figure import figure_address
from components.labels import label
from data_access.assessment import Point, UnitResult


def line_of(name: str, points: Sequence[Point], *, is_rated: bool = True) -> Line:
    """Return the years of a unit as a line, each dot opening its record, `is_rated` with levels."""
    return Line(
        name,
        tuple(point.report_year for point in points),
        tuple(None if point.value is None else float(point.value) for point in points),
        tuple(_opened_by(point) for point in points),
        tuple(point.level for point in points) if is_rated else (),
        tuple(label(point.level) for point in points) if is_rated else (),
    )


def _opened_by(point: Point) -> str:
    return figure_address(point.division_code, point.canonical_code, point.report_year)


def targets_of(points: Sequence[Point], result: UnitResult | None) -> list[Line]:
    """Return what was due each year, and the target itself at its year; they open the records."""
    due = [point for point in points if point.reference_kind == "target"]
    lines = [
        Line(
            "当年应达",
            tuple(point.report_year for point in due),
            tuple(float(point.reference) for point in due if point.reference is not None),
            tuple(_opened_by(point) for point in due if point.reference is not None),
        )
    ]
    if result and result.target_value is not None and result.target_year:
        year = result.target_year
        opens = (_opened_by(points[-1]),) if points else ()
        lines.append(Line(f"{year} 年目标", (year,), (float(result.target_value),), opens))
    return [line for line in lines if line.years]
