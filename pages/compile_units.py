"""编制单位: who is contracted, who compiles for how many, and how the plans come on."""

from pathlib import Path

import streamlit as st

from components import cached
from components import compile_overview as parts
from components import compile_records as records
from components.navigation import REPORTERS
from components.session import page_frame, require_actor
from components.supervision_view import load_styles
from components.url_parameters import choice_parameter, day_input, set_parameter, warn_of_bad_day
from components.watch import watch

ASSETS = Path(__file__).parents[1] / "assets"

actor = require_actor(*REPORTERS)
load_styles()
st.html(ASSETS / "overview.css")
st.html(ASSETS / "compile_units.css")
warn_of_bad_day()
header = st.container(horizontal=True, vertical_alignment="center", gap="small")
with header:
    title = st.container()
    filters = st.container(width="content")
    day = day_input("compile-units-as-of")
frame = cached.read_frame(actor, day)
everything, form = cached.compile_standing(actor, day, frame.version)
codes = parts.Codes.of(form)
seen = watch(
    None if day else frame.version,
    key=parts.WATCH,
    on_open=lambda: parts.take_link(parts.WATCH),
)
loads = {load.party.uscc: load for load in everything.loads}
asked = st.query_params.get("unit")

if asked is not None and asked not in loads:
    st.warning("没有这家编制单位，或其合同不在您的查看范围内，已显示全部编制单位。")
if load := loads.get(asked or ""):
    with title:
        page_frame(load.party.name, "编制单位详情")
    if st.button("返回编制单位", key="compile-units-back", icon=":material/arrow_back:"):
        set_parameter("unit", None)
        st.rerun()
    st.html(parts.institute_html(load, codes))
    lines = [records.line_of(contract) for contract in load.contracts]
    heading = f"{load.party.name}承担的项目"
    standing = everything
else:
    with title:
        page_frame("编制单位", "以省级认定的合同为准，金额单位为万元")
    with filters:
        city, keep = parts.city_filter(everything)
    standing = parts.narrowed(everything, city)
    st.html(f'<p class="answer">{parts.answer_sentence(standing)}</p>')
    st.html(parts.figures_html(standing, keep))
    left, right = st.columns([3, 2], gap="small")
    left.html(parts.ranking_html(standing, keep))
    right.html(parts.make_up_html(standing, codes, keep))
    if len({unit.city_code for unit in standing.asked}) > 1:
        right.html(parts.cities_html(standing, keep))
    status = choice_parameter("status", list(codes.status))
    shown = choice_parameter("show", list(records.TITLES)) or "contracted"
    lines = records.lines_of(standing, shown, status)
    heading = f"合同状态为“{codes.status[status]}”的项目" if status else records.TITLES[shown]

with st.container(horizontal=True, vertical_alignment="center", key="compile-units-records"):
    st.subheader(f"{heading}（{len(lines)}）", anchor=False, width="stretch")
    if lines:
        records.download(heading, lines, standing, codes)
if lines:
    opened = records.record_table(lines, standing, codes, f"compile-units-{heading}")
    st.caption("点选一行，打开依据的填报和回执。")
    if opened is not None:
        records.open_report(opened)
else:
    st.info(f"目前没有{heading}。")
