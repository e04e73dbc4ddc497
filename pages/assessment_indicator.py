"""评估指标: one indicator over all units: what it is, how it is spread, who stands where."""

from pathlib import Path

import streamlit as st

from components import assessment_charts as charts
from components import assessment_indicator as parts
from components import assessment_province as province
from components import assessment_reading as reading
from components.assessment import follow_links
from components.assessment_figure import definitions_html, rule_html
from components.assessment_filters import (
    back_link,
    segments,
    select,
    stop_without_years,
    year_of,
)
from components.download import workbook_button
from components.links import page_path
from components.navigation import WORKERS
from components.session import page_frame, require_actor
from components.supervision_view import load_styles
from components.url_parameters import decimal_parameter

ASSETS = Path(__file__).parents[1] / "assets"

actor = require_actor(*WORKERS)
load_styles()
st.html(ASSETS / "overview.css")
st.html(ASSETS / "assessment.css")
known = reading.canonicals(actor)
canonical = known.get(st.query_params.get("code", ""))
if canonical is None:
    page_frame("评估指标")
    st.info("没有指明指标，或没有这个指标。请从“现状评估”的矩阵点一个指标名。")
    back_link()
    st.stop()
code = canonical.canonical_code
page_frame(canonical.name, f"{code} · {parts.unit_text(canonical.unit)} · {canonical.dimension}")
stop_without_years(actor)
with st.container(key="assessment-filters", horizontal=True, vertical_alignment="center"):
    level = segments("level", parts.LEVELS, "county")
    year = year_of(actor)
    back_link()
    st.page_link(
        page_path("assessment"),
        label="在地图上看",
        icon=":material/map:",
        query_params={"view": "map", "by": code, "year": str(year), "level": level},
    )
assert year is not None
asked = parts.Asked(canonical, year, level)
spread = parts.spread_of(actor, asked)
defined = reading.definition_of(actor, code, year)

st.html(f'<p class="unit-headline">{parts.answer(asked, spread)}</p>')
if reading.ranking(actor) is None:
    st.caption("以下只列您数据范围内的单位；全省值由全省各县合计。")
left, right = st.columns([0.6, 0.4], gap="medium")
with left:
    if len(spread.known) >= parts.FEWEST:
        figure, table = parts.histogram(actor, asked, spread)
        charts.draw(figure, f"{canonical.name}{year}年分布", "assessment-histogram")
        low, high = decimal_parameter("low"), decimal_parameter("high")
        if low is not None and high is not None:
            st.html(parts.bin_html(asked, spread, low, high))
        if not asked.compares_province:
            st.caption("总量指标的全省值是各县之和，与单个单位不可比，不在分布图上标出。")
        with st.expander("各段单位数"):
            st.html(table)
    else:
        st.info(f"{year} 年有认定数据的单位不足 {parts.FEWEST} 个，不画分布。")
    others = {
        each.canonical_code: each.name
        for each in known.values()
        if each.is_applicable and each.canonical_code != code
    }
    same = [each for each in others if known[each].dimension == canonical.dimension]
    against = select("against", others, (same or list(others))[0], 420)
    cloud = parts.scatter(actor, asked, known[against], spread)
    if cloud is None:
        st.info(f"同时有这两项数据的单位不足 {parts.FEWEST} 个，不画散点，可换一个指标。")
    else:
        figure, table = cloud
        charts.draw(figure, f"{canonical.name}与{known[against].name}", "assessment-cloud")
        st.caption(parts.CLOUD_NOTE)
        with st.expander("两项指标的数值"):
            st.html(table)
with right, st.container(key="assessment-ranking"):
    with st.container(horizontal=True, vertical_alignment="center"):
        st.subheader(f"{parts.LEVELS[level]}排名（{asked.unit}）", anchor=False, width="content")
        workbook_button(
            f"{canonical.name}{year}年{parts.LEVELS[level]}排名",
            lambda: f"{canonical.name}（{code}）　{year} 年　{parts.LEVELS[level]}",
            parts.workbook_columns(asked),
            lambda: parts.workbook_rows(spread),
            suffix=code,
            key="assessment-ranking-table",
        )
    st.html(parts.ranking_html(actor, asked, spread))

left, right = st.columns([0.6, 0.4], gap="medium")
with left:
    figure = province.years_figure(actor, asked)
    charts.draw(figure, f"全省{canonical.name}历年", "assessment-province")
with right:
    st.subheader("历年", anchor=False)
    st.html(province.years_html(actor, asked))
st.subheader("指标是什么", anchor=False)
left, right = st.columns([0.5, 0.5], gap="medium")
with left:
    st.html(parts.facts_html(defined))
with right:
    st.markdown(f"**{year} 年的评级规则**")
    st.html(rule_html(defined.rules, defined.profile))
st.markdown("**各指标集中的定义**")
st.html(definitions_html(defined.definitions, defined.standards))
follow_links(parts.PAGE)
