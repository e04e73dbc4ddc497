"""现状评估: which units stand badly in which indicators, and what is missing."""

from pathlib import Path

import streamlit as st

from components import assessment as parts
from components import cached, discrepancies
from components.assessment_matrix import draw_matrix, set_title
from components.download import workbook_button
from components.navigation import WORKERS
from components.overview_html import legend_html
from components.session import page_frame, require_actor
from components.supervision_view import load_styles
from components.watch import watch
from data_access.change_listener import Topic, mark

ASSETS = Path(__file__).parents[1] / "assets"
WATCH = "assessment-watch"
NOTE = "● 为约束性指标；◆ 严重　▲ 预警　△ 关注　○ 提示；斜纹为缺数"

actor = require_actor(*WORKERS)
load_styles()
st.html(ASSETS / "overview.css")
st.html(ASSETS / "assessment.css")
page_frame("现状评估", "以省级认定的数据评级；目标未下达的不评级，缺数不计为正常")
found = parts.filter_row(actor)
if found is None:
    st.info("还没有开放过现状评估的填报期。由省厅规划处在“填报期”中开放后，各市县即可填报。")
    st.stop()
asked, matrix = found
rows = asked.narrowed(matrix.rows)
st.html(parts.answer_html(rows, asked))
st.html(parts.figures_html(rows, parts.warnings_in_hand(actor), asked))
discrepancies.link_line(actor, asked.year)

if asked.view == "matrix":
    shown = watch(None, key=WATCH)
    url = asked.url("matrix", city=asked.city, kind=asked.kind)
    opened, order = draw_matrix(
        url, parts.order_parameter(matrix), str(mark(Topic.ASSESSMENT)), "assessment-matrix"
    )
    with st.container(horizontal=True, vertical_alignment="center"):
        st.caption(NOTE)
        workbook_button(
            f"现状评估{asked.year}年预警矩阵",
            lambda: f"{set_title(actor, asked.set_code)}　{asked.year} 年　{len(rows)} 个单位",
            parts.workbook_columns(matrix),
            lambda: parts.workbook_rows(rows),
            suffix=asked.set_code,
            key="assessment-matrix-table",
        )
    if order is not None:
        parts.keep_order(order)
    if opened is not None:
        parts.follow(opened)
else:
    parts.map_filters(matrix, asked)
    frame = cached.read_frame(actor)
    with st.container(key="assessment-map-card", gap=None):
        shown = watch(None, key=WATCH, box="assessment-map")
        on_map = [row for row in rows if row.unit.level == asked.level]
        listed = parts.list_html(asked, on_map, matrix)
        clicked = None
        with st.container(key="assessment-map"):
            if shown.screen.has_webgl:
                extent = cached.extent_of(actor, asked.city, frame.today, frame.version)
                size = shown.screen.width, shown.screen.height
                clicked = parts.draw_map(asked, extent, *size)
            else:
                st.caption("浏览器未启用 WebGL，以下按等级由重到轻列出，点击单位查看详情。")
                st.html(listed)
        st.html(legend_html(parts.legend(on_map, matrix, asked.by), "点击单位查看详情"))
    if shown.screen.has_webgl:
        with st.expander("以列表查看"):
            st.html(listed)
    if clicked:
        parts.follow(f"assessment_unit?code={clicked}&year={asked.year}")
if shown.opened:
    parts.follow(shown.opened)
