"""What the charts of the assessment show as tables: for the keyboard, and for exact figures."""

from collections.abc import Sequence
from html import escape

from components.assessment_charts import Line
from components.assessment_distribution import Bin, Dot
from components.assessment_figure import level_html
from components.charts import link


def years_table(charts: Sequence[tuple[str, int, Sequence[Line]]]) -> str:
    """Return the lines of charts as rows and their years as columns; figures open their records.

    A chart is its name, its decimals and its lines.
    """
    years = sorted({year for _, _, lines in charts for line in lines for year in line.years})
    rows = []
    for name, decimals, lines in charts:
        if name:
            rows.append(
                f'<tr class="group"><th colspan="{1 + len(years)}">{escape(name)}</th></tr>'
            )
        rows += [_line_html(line, years, decimals) for line in lines]
    heads = "".join(f'<th class="number">{year}</th>' for year in years)
    return _table(f"<th></th>{heads}", rows)


def _line_html(line: Line, years: Sequence[int], decimals: int) -> str:
    opens = dict(zip(line.years, line.opens or ("",) * len(line.years), strict=True))
    values = dict(zip(line.years, line.values, strict=True))
    cells = "".join(
        f'<td class="number">{_figure(values.get(year), decimals, opens.get(year, ""))}</td>'
        for year in years
    )
    return f"<tr><td>{escape(line.name)}</td>{cells}</tr>"


def bins_table(unit: str, bins: Sequence[Bin], opens: Sequence[str], decimals: int) -> str:
    """Return how many units lie in each bin; the number opens them."""
    rows = [
        f"<tr><td>{escape(one.text(decimals))}</td>"
        f'<td class="number">{link(opened, str(len(one.names))) if one.names else "0"}</td></tr>'
        for one, opened in zip(bins, opens, strict=True)
    ]
    return _table(f'<th>{escape(unit)}</th><th class="number">单位数</th>', rows)


def dots_table(names: tuple[str, str], decimals: tuple[int, int], dots: Sequence[Dot]) -> str:
    """Return the two figures of each unit; each opens its record."""
    rows = [
        f"<tr><td>{escape(dot.name)}</td>"
        f'<td class="number">{_figure(dot.up, decimals[0], dot.opens)}</td>'
        f'<td class="number">{_figure(dot.across, decimals[1], dot.opens_across)}</td>'
        f"<td>{level_html(dot.level)}</td></tr>"
        for dot in dots
    ]
    heads = "".join(f'<th class="number">{escape(name)}</th>' for name in names)
    return _table(f"<th>单位</th>{heads}<th>等级</th>", rows)


def _figure(value: float | None, decimals: int, opens: str) -> str:
    if value is None:
        return "—"
    text = f"{value:,.{decimals}f}"
    return link(opens, text) if opens else text


def _table(heads: str, rows: Sequence[str]) -> str:
    return (
        '<div class="unit-scroll ranked"><table class="unit-table peers counts"><thead><tr>'
        f"{heads}</tr></thead><tbody>{''.join(rows)}</tbody></table></div>"
    )
