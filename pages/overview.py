"""总览: where plan preparation stands, who is late, and what to do about it."""

from pathlib import Path

import streamlit as st

from components import cached
from components import overview as parts
from components.links import address
from components.map import draw_flat_map, draw_map
from components.navigation import WORKERS
from components.overview_html import draw_overview
from components.overview_reading import Filters, Overview, palette_of, picture_of, read_overview
from components.session import demo_badge, require_actor
from components.supervision import may_remind, remind_dialog
from components.watch import Screen, watch
from data_access.progress import moment_of
from domain.access import Actor

STYLE = Path(__file__).parents[1] / "assets" / "overview.css"
REMIND, WATCH = "overview-remind", "overview-watch"


@st.fragment
def board(filters: Filters) -> None:
    """Draw everything that moves with the data; only this part is drawn again when it moves."""
    actor = require_actor(*WORKERS)
    frame = cached.read_frame(actor, filters.as_of)
    overview = read_overview(actor, frame, filters)
    remindable = not filters.is_past and may_remind(actor, overview.late)
    drawn = draw_overview(actor, frame, filters, may_remind=remindable)

    st.html(drawn.answer)
    st.html(drawn.figures)
    left, right = st.columns([3, 2], gap="small")
    with right:
        st.html(drawn.funnel)
        st.html(drawn.ranking)
    with left, st.container(key="overview-map-card", gap=None):
        seen = watch(
            None if filters.is_past else frame.version,
            key=WATCH,
            on_open=lambda: parts.narrow_to_opened(WATCH),
        )
        with st.container(key="overview-map"):
            clicked = province_map(actor, frame, overview, filters, seen.screen)
        st.html(drawn.legend)
    with st.container(key="overview-late", gap="xsmall"):
        remind_all = late_head(len(overview.late), remindable)
        st.html(drawn.late)

    if clicked:
        parts.follow(address("unit", {"code": clicked, **filters.day_query()}))
    if seen.opened:
        parts.follow(seen.opened)
    if remind_all or seen.action:
        # Opened by the whole page: a dialog of this fragment would close when the data moves.
        codes = [unit.code for unit in overview.late if seen.action in (None, unit.code)]
        st.session_state[REMIND] = codes
        st.rerun()


def province_map(
    actor: Actor, frame: cached.Frame, overview: Overview, filters: Filters, screen: Screen
) -> str | None:
    """Draw the map, a plain one where the browser has no WebGL; return the unit clicked on."""
    picture = picture_of(filters, frame)
    if screen.has_webgl:
        extent = cached.extent_of(actor, filters.city, moment_of(filters.as_of)[1], frame.version)
        return draw_map(picture, extent, screen.width, screen.height)
    st.caption("浏览器未启用 WebGL，以下为简化地图。")
    return draw_flat_map(picture, palette_of(filters, frame), overview.units, screen.height)


def late_head(count: int, remindable: bool) -> bool:
    """Draw the head of the list of late units; return whether all are to be reminded."""
    with st.container(horizontal=True, vertical_alignment="center"):
        st.html(f"<h3>滞后单位 {count} 个<small>按滞后天数排列</small></h3>")
        return st.button(
            f"催办全部 {count} 个",
            key="overview-remind-all",
            icon=":material/campaign:",
            type="primary",
            disabled=not remindable,
        )


actor = require_actor(*WORKERS)
st.html(STYLE)
frame = cached.read_frame(actor)
title = st.container(key="page-frame", horizontal=True, vertical_alignment="center", gap="small")
filters = parts.filter_row(cached.units_on(actor, frame, None))
with title:
    st.title("总览", anchor=False, width="content")
    demo_badge()
    st.html(parts.title_note(actor, frame, filters))
board(filters)

codes = st.session_state.pop(REMIND, None)
if codes:
    units = cached.units_on(actor, frame, None)
    remind_dialog(actor, [unit for unit in units if unit.code in codes])
