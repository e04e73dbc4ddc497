"""评估对比: up to six units or six years side by side, every indicator as a row."""

from pathlib import Path

import streamlit as st

from components import assessment_charts as charts
from components import assessment_comparison as parts
from components import assessment_reading as reading
from components.assessment import follow_links
from components.assessment_comparison import Asked, Side
from components.assessment_filters import (
    segments,
    select,
    set_and_tier,
    several,
    stop_without_years,
    year_of,
)
from components.assessment_matrix import list_years, set_title
from components.download import workbook_button
from components.navigation import WORKERS
from components.session import page_frame, require_actor
from components.supervision_view import load_styles

ASSETS = Path(__file__).parents[1] / "assets"
BOX = "assessment-multiples"

actor = require_actor(*WORKERS)
load_styles()
st.html(ASSETS / "overview.css")
st.html(ASSETS / "assessment.css")
page_frame("评估对比", f"并列比较至多 {parts.MOST} 个单位或 {parts.MOST} 个年度")
stop_without_years(actor)
units = reading.units_of(actor)
if not units:
    st.info("您的数据范围内没有评估单位。")
    st.stop()
names = parts.names_of(list(units.values()))
first = next(iter(units))
with st.container(key="assessment-filters", horizontal=True, vertical_alignment="center"):
    way = segments("way", parts.WAYS, "units")
    set_code, tier = set_and_tier(actor)
    if way == "units":
        year = year_of(actor)
    else:
        unit = units[select("unit", names, first, 220)]
if way == "units":
    assert year is not None
    chosen = several("units", names, list(units)[:2], parts.MOST, "选至多 6 个单位")
    sides = [Side(units[code].name, units[code], year) for code in chosen]
else:
    years = {str(each): f"{each} 年" for each in reversed(list_years(actor))}
    chosen = several("years", years, list(years)[-parts.MOST :], parts.MOST, "选至多 6 个年度")
    sides = [Side(years[each], unit, int(each)) for each in sorted(chosen)]
if not sides:
    st.info("请在上方选择要比较的单位或年度。")
    st.stop()
asked = Asked(set_code, tier, way, tuple(sides))
found = parts.compare(actor, asked)
if not found.columns:
    st.info("所选指标集中没有您可看的指标，请换一个指标集。")
    st.stop()

st.html(f'<p class="unit-headline">{parts.answer(asked, found)}</p>')
with st.container(horizontal=True, vertical_alignment="center"):
    st.caption("● 约束性指标。点数值看来源；点指标名看各单位；点列名看该单位。缺数不计为正常。")
    workbook_button(
        "现状评估对比",
        lambda: f"{asked.title}　{set_title(actor, set_code)}",
        parts.workbook_columns(asked),
        lambda: parts.workbook_rows(found),
        suffix=set_code,
        key="assessment-comparison-table",
    )
st.html(parts.table_html(actor, asked, found))
dimensions = {column.dimension: column.dimension for column in found.columns}
st.subheader("历年走势", anchor=False)
dimension = select("dimension", dimensions, next(iter(dimensions)), 220)
screen = follow_links(parts.PAGE, BOX)
figure, table = parts.multiples(actor, asked, found, dimension, screen.width)
charts.draw(figure, f"评估对比{dimension}", BOX)
with st.expander("历年数值"):
    st.html(table)
