"""数字来源: the list that reproduces a figure of the overview, down to the record."""

import streamlit as st

from components import cached
from components.figures import TITLES, Figure, figure_list, show_figure
from components.navigation import WORKERS
from components.session import page_frame, require_actor
from components.url_parameters import choice_parameter, day_input, set_parameter

actor = require_actor(*WORKERS)
page_frame("数字来源", "分子、分母逐个列出，可直达单位和填报记录")

asked = choice_parameter("figure", list(Figure)) or Figure.MEAN
with st.container(horizontal=True, vertical_alignment="center"):
    figure = st.segmented_control(
        "指标",
        list(Figure),
        default=Figure(asked),
        required=True,
        format_func=TITLES.__getitem__,
        key=f"figures-figure-{asked}",
        label_visibility="collapsed",
    )
    day = day_input("figures-as-of")
if figure and figure != asked:
    set_parameter("figure", figure)
    st.rerun()

frame = cached.read_frame(actor, day)
units = cached.units_on(actor, frame, day)
city = choice_parameter("city", [unit.code for unit in units])
kind = choice_parameter("kind", sorted({unit.kind for unit in units}))
chosen = cached.chosen(units, city, kind)
figures = figure_list(
    Figure(asked),
    chosen,
    frame,
    cached.filings_on(actor, day, frame.version),
    cached.accepted_on(actor, day, frame.version),
)
st.subheader(figures.sentence(), anchor=False)
if city or kind:
    names = [unit.name for unit in units if unit.code == city] + ([kind] if kind else [])
    st.caption(f"范围：{'、'.join(names)}")
show_figure(figures, {"as_of": day.isoformat()} if day else {})
