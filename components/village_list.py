"""The list of villages behind a figure: its ratio, its pages, its table, also as a workbook."""

from collections.abc import Callable, Mapping, Sequence
from html import escape

import streamlit as st

from components.charts import link
from components.download import workbook_button
from components.labels import label
from components.village_figures import Figure, address, names_of, ratio_sentence
from data_access.table_workbook import Column
from data_access.village_overview import Village, Year
from domain.forms import Form
from domain.workflow import SubmissionState

ROWS_OF_PAGE = 50


def ratio_html(figure: Figure, keep: Mapping[str, str], here: str) -> str:
    """Return numerator, denominator and ratio, with a link to the villages of the denominator.

    `here` is the address of the list: who opened it is brought to it.
    """
    whole = ""
    if figure.whole_opens:
        opens = address({**keep, "show": figure.whole_opens})
        whole = link(opens, escape(f"查看{figure.whole_title}（{figure.whole or 0:,}）"))
    said = f"<span>{escape(ratio_sentence(figure))}</span>{whole}"
    return f'<p class="ratio" data-portal-list="{escape(here)}">{said}</p>'


def pages_html(page: int, pages: int, keep: Mapping[str, str]) -> str:
    """Return the way to the pages before and after."""
    steps = [("首页", 1), ("上一页", page - 1), ("下一页", page + 1), ("末页", pages)]
    links = [
        link(address({**keep, "page": str(number)}), name)
        for name, number in steps
        if 1 <= number <= pages and number != page
    ]
    return f'<p class="pages"><span>第 {page} / {pages} 页</span>{"".join(links)}</p>'


COLUMNS = (
    Column("行政村", width=16),
    Column("乡镇", width=16),
    Column("县（市、区）", width=14),
    Column("代码", width=16),
    Column("状态", width=10),
    Column("村庄分类", width=16),
    Column("规划编制", width=14),
    Column("评估结论", width=18),
    Column("地灾隐患点", "0", 12),
    Column("受洪涝威胁", width=12),
    Column("自然村", "0", 10),
    Column("户籍人口", "#,##0", 12),
    Column("常住人口", "#,##0", 12),
    Column("回执", width=26),
)

_CONFIG = {
    "评估结论": st.column_config.TextColumn(width=130),
    **{
        column.head: st.column_config.NumberColumn(format="localized")
        for column in COLUMNS
        if column.number_format
    },
}


def village_table(villages: Sequence[Village], form: Form, key: str) -> str | None:
    """Draw the villages; return the code of the chosen one."""
    rows = [_cells(village, form) for village in villages]
    # What is accepted of none of them would be columns of nothing.
    told = [at for at in range(len(COLUMNS)) if any(row[at] is not None for row in rows)]
    chosen = st.dataframe(
        [{COLUMNS[at].head: row[at] for at in told} for row in rows],
        column_config=_CONFIG,
        hide_index=True,
        on_select="rerun",
        selection_mode="single-row",
        key=key,
        height=min(38 + 35 * max(len(villages), 1), 560),
        placeholder="—",
    )
    picked = [villages[at] for at in chosen["selection"]["rows"] if at < len(villages)]
    return picked[0].code if picked else None


def _cells(village: Village, form: Form) -> tuple[object, ...]:
    def named(measure: str, code: str | None) -> str | None:
        return names_of(form, measure).get(code, code).partition("(")[0] if code else None

    flood = village.flood_risk
    return (
        village.name,
        village.town_name,
        village.county_name,
        village.code,
        label(SubmissionState(village.state)) if village.state else "未报",
        named("village_class", village.village_class),
        named("plan_status", village.plan_status),
        named("eval_conclusion", village.eval_conclusion),
        village.geohazard_points,
        None if flood is None else "是" if flood else "否",
        village.natural_cnt,
        village.hukou_pop,
        village.resident_pop,
        village.receipt_no or None,
    )


def download(
    title: str, year: Year, figure: Figure, form: Form, read: Callable[[], Sequence[Village]]
) -> None:
    """Offer every village of the list as a workbook, read when it is asked for."""

    workbook_button(
        title,
        lambda: f"{year.name}，{ratio_sentence(figure)}",
        COLUMNS,
        lambda: [_cells(village, form) for village in read()],
        suffix=str(year.year),
        key="village-overview-download",
    )
