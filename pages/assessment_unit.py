"""单位评估: one unit in all its indicators, beside its kind and the province, through the years."""

from pathlib import Path

import streamlit as st

from components import assessment_charts as charts
from components import assessment_entries as listing
from components import assessment_history as history
from components import assessment_reading as reading
from components import assessment_unit as parts
from components.assessment import follow_links
from components.assessment_filters import (
    back_link,
    select,
    set_and_tier,
    stop_without_years,
    year_of,
)
from components.assessment_matrix import read_matrix, set_title
from components.download import workbook_button
from components.links import page_path
from components.navigation import WORKERS
from components.session import page_frame, require_actor
from components.supervision_view import load_styles

ASSETS = Path(__file__).parents[1] / "assets"
HOW = (
    "正常率 = 正常的指标数 ÷ 已评级的指标数，按维度计；"
    "同类和全省为各单位项数之和相除，不是各单位比率的平均。"
    "缺数和不评级的不计入；该维度没有已评级的指标时不画点。"
)
SIGNS = (
    "● 约束性指标，在各维度中排前。"
    "点数值看来源、算式和填报认定人；点指标名看各单位；点“历年”换上方的图。"
)

actor = require_actor(*WORKERS)
load_styles()
st.html(ASSETS / "overview.css")
st.html(ASSETS / "assessment.css")
units = reading.units_of(actor)
unit = units.get(st.query_params.get("code", ""))
if unit is None:
    page_frame("单位评估")
    st.info("没有指明单位，或该单位不在您的数据范围内。请从“现状评估”的矩阵或地图打开一个单位。")
    back_link()
    st.stop()
page_frame(unit.name, f"{unit.parent_name} · {unit.kind} · {unit.code}　现状评估")
stop_without_years(actor)
with st.container(key="assessment-filters", horizontal=True, vertical_alignment="center"):
    set_code, tier = set_and_tier(actor)
    year = year_of(actor)
    back_link()
    compared = {"units": unit.code, "year": str(year)}
    st.page_link(
        page_path("assessment_comparison"),
        label="与其他单位对比",
        icon=":material/compare_arrows:",
        query_params=compared,
    )
assert year is not None
matrix = read_matrix(actor, set_code, tier, year)
row = matrix.row_of(unit.code)
if row is None or not matrix.columns:
    st.info("该单位在所选指标集和年度中没有可看的指标，请换一个指标集或年度。")
    st.stop()
asked = parts.Asked(unit, matrix, row, set_code, tier)
whole = read_matrix(reading.comparing(actor), set_code, tier, year)
entries = listing.entries(actor, asked)

st.html(f'<p class="unit-headline">{parts.answer(asked)}</p>')
st.html(parts.cards_html(asked, whole))
names = {entry.column.code: entry.column.name for entry in entries}
first = history.chosen_entry(entries, None)
assert first is not None
dimensions = {each: each for each in reading.dimensions_of(matrix)}
# Who opened a dimension of the radar came for its indicators.
above, below = st.container(), st.container()
if st.query_params.get("dimension") in dimensions:
    above, below = below, above
left, middle, right = above.columns([0.33, 0.4, 0.27], gap="medium")
figure, counts = parts.radar(actor, asked, whole)
with left:
    charts.draw(figure, f"{unit.name}{year}年各维度正常率", "assessment-radar")
    st.caption(HOW)
    with st.expander("各维度的项数"):
        st.html(counts)
with middle:
    entry = history.chosen_entry(entries, select("indicator", names, first.column.code, 420))
    assert entry is not None
    figure, table = history.years(actor, asked, entry)
    charts.draw(figure, f"{unit.name}{entry.column.name}历年", "assessment-years")
    with st.expander("历年数值"):
        st.html(table)
with right:
    st.html(history.peers_html(actor, asked, entry))

of_set = set_title(actor, set_code)
with below:
    st.subheader("各项指标", anchor=False)
    with st.container(horizontal=True, vertical_alignment="center"):
        dimension = select("dimension", dimensions, None, 200, "全部维度")
        st.caption(SIGNS)
        workbook_button(
            f"{unit.name}{year}年现状评估",
            lambda: f"{unit.name}（{unit.code}）　{year} 年　{of_set}　{len(entries)} 项指标",
            listing.workbook_columns(),
            lambda: listing.workbook_rows(entries),
            suffix=set_code,
            key="assessment-unit-table",
        )
    st.html(listing.table_html(actor, asked, dimension))
    if reading.ranking(actor) is None:
        st.caption("位次未对市、县开放，不显示。")
follow_links(parts.PAGE)
