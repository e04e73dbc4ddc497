"""评估数字来源: one figure of the assessment, its formula with values put in, and who said so."""

from pathlib import Path

import streamlit as st

from components import assessment_figure as parts
from components import discrepancies
from components.assessment_filters import back_link
from components.indicator_formulas import since_words
from components.labels import error_message, unit_text
from components.links import page_path
from components.navigation import WORKERS
from components.session import page_frame, require_actor
from components.supervision_view import load_styles
from components.url_parameters import number_parameter
from domain.errors import PortalError

ASSETS = Path(__file__).parents[1] / "assets"

actor = require_actor(*WORKERS)
load_styles()
st.html(ASSETS / "assessment.css")
unit_code, code = st.query_params.get("unit", ""), st.query_params.get("code", "")
year = number_parameter("year")
if not unit_code or not code or year is None:
    page_frame("评估数字来源")
    st.info("请从“现状评估”的矩阵中打开一个数字。")
    back_link()
    st.stop()
try:
    figure = parts.read_figure(actor, unit_code, year, code)
except PortalError as error:
    page_frame("评估数字来源")
    st.error(error_message(error))
    back_link()
    st.stop()
record, explained = figure.record, figure.explained

page_frame(f"{figure.unit.name} · {figure.canonical.name}", f"{year} 年 · {code}")
st.html(f'<p class="unit-headline">{parts.sentence(figure)}</p>')
st.html(parts.cards_html(figure))
if not figure.is_sum:
    discrepancies.waiting_line(actor, unit_code, year, code)
with st.container(horizontal=True, gap="small"):
    back_link()
    if not figure.is_sum:
        to_unit = {"code": unit_code, "year": str(year)}
        st.page_link(page_path("assessment_unit"), label="该单位全部指标", query_params=to_unit)
    to_indicator = {"code": code, "year": str(year)}
    st.page_link(
        page_path("assessment_indicator"),
        label="合计的各县" if figure.is_sum else "各单位的该指标",
        query_params=to_indicator,
    )
if explained.sentence:
    st.subheader("算式", anchor=False)
    st.markdown(unit_text(explained.sentence.replace("*", "×")))
    if record.formula_version is not None and record.formula_from_year is not None:
        since = since_words(record.formula_from_year)
        st.caption(f"第 {record.formula_version} 版算式，{since}适用")
    if explained.inputs:
        st.html(parts.inputs_html(figure))
st.subheader("评级规则", anchor=False)
st.html(parts.rule_html(figure.rules, figure.profile))
st.subheader("填报与认定", anchor=False)
if explained.versions:
    st.html(parts.versions_html(figure))
    if record.submission_id is not None:
        st.page_link(
            page_path("submission"),
            label="打开依据的填报和回执",
            icon=":material/description:",
            query_params={"id": str(record.submission_id)},
        )
elif figure.is_sum and not explained.inputs:
    st.caption("由全省各县合计得出，不单独填报；各县的数值见“合计的各县”。")
elif explained.inputs:
    st.caption("由上列指标计算得出，不单独填报。")
else:
    st.caption("该单位该年度没有填报这项指标。")
st.subheader("指标定义", anchor=False)
st.html(parts.definitions_html(figure.definitions, figure.standards))
