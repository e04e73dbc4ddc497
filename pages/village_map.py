"""村庄一张图: every village and natural village, by where it stands, and one of them by a click."""

from collections.abc import Callable
from enum import StrEnum
from pathlib import Path
from typing import TypeVar

import streamlit as st

from components import cached
from components import village_map as parts
from components.links import page_path
from components.navigation import REPORTERS, VILLAGE_FILERS
from components.overview_html import legend_html
from components.session import page_frame, require_actor
from components.url_parameters import choice_parameter, set_parameter
from components.watch import watch
from data_access import village_map
from data_access.change_listener import Topic, mark
from data_access.database import transaction
from data_access.layers import Extent
from data_access.village_map import VillageCard
from domain.clock import today

STYLE = Path(__file__).parents[1] / "assets" / "village_map.css"
PLACE, FLOWN, LINKED = "village-map-place", "village-map-flown", "village-map-linked"

Choice = TypeVar("Choice", bound=StrEnum)


@st.fragment
def board(view: parts.View) -> None:
    """Draw everything that moves with the data; only this part is drawn again when it moves."""
    actor = require_actor(*REPORTERS)
    version = parts.version_of(actor)
    code = parts.asked_code()
    with transaction(actor, read_only=True) as connection:
        card = village_map.find_village(connection, code) if code else None
    counts = parts.counts_of(actor, view, version)
    with st.container(key="village-map-card", gap=None):
        watch(version, key="village-map-watch", url="/api/village-map/version", box=None)
        with st.container(key="village-map"):
            picked = parts.draw(view, card, place_of(view, card), version, actor.prefixes)
        if picked:
            set_parameter("code", picked)
            st.rerun(scope="fragment")
        outside = parts.outside_html(actor)
        st.html(legend_html(parts.legend_of(view, counts), parts.LEGEND_NOTE, outside))
    if card is not None:
        with st.container(key="village-map-told"):
            st.html(parts.card_html(card, actor))
            if card.submission_id and card.state != "draft":
                st.page_link(
                    page_path("submission"),
                    label="查看填报",
                    icon=":material/description:",
                    query_params={"id": str(card.submission_id)},
                )
            if actor.covers(card.division_code) and actor.has_role(*VILLAGE_FILERS):
                st.page_link(
                    page_path("village"),
                    label="村庄评估",
                    icon=":material/cottage:",
                    query_params={"code": card.division_code},
                )


def place_of(view: parts.View, card: VillageCard | None) -> parts.Place | Extent | None:
    """Return where the map looks: a search or a filter moves it, never a click or new data."""
    flown_to = st.session_state.setdefault(FLOWN, view.code)
    asked = view.area, flown_to
    linked = st.query_params.get("at")
    at = parts.asked_place() if linked != st.session_state.get(LINKED) else None
    st.session_state[LINKED] = linked
    if at is not None:
        st.session_state[PLACE] = asked, at
    elif st.session_state.get(PLACE, (None,))[0] != asked:
        extent = cached.extent_of(actor, view.area, today(), str(mark(Topic.MAP)))
        flown = card if card and card.code == flown_to else None
        st.session_state[PLACE] = asked, parts.place_of(flown, extent)
    place: parts.Place | Extent | None = st.session_state[PLACE][1]
    return place


def filters() -> parts.View:
    """Draw the filters in one row, kept in the page's address; return what is chosen."""
    known = parts.areas(mark(Topic.MAP))
    with st.container(key="village-map-filters", horizontal=True, vertical_alignment="center"):
        shown = _choice("shown", list(parts.Shown), parts.SHOWN_WORDS.__getitem__)
        colour_by = _choice("colour_by", list(parts.VillageColour), parts.COLOUR_WORDS.__getitem__)
        cities = [area.code for area in known.values() if area.level == "city"]
        city = _area("city", cities, "全部设区市")
        counties = [
            area.code
            for area in known.values()
            if area.level == "county" and city in (None, area.parent_code)
        ]
        county = _area("county", counties, "全部县（市、区）")
        _search(known[county or city].prefix if county or city else "")
    return parts.View(
        parts.Shown(shown), parts.VillageColour(colour_by), city, county, parts.asked_code()
    )


def _choice(name: str, options: list[Choice], words: Callable[[Choice], str]) -> Choice:
    chosen = st.segmented_control(
        name,
        options,
        default=choice_parameter(name, options) or options[0],
        required=True,
        format_func=lambda option: words(type(options[0])(option)),
        label_visibility="collapsed",
        key=f"village-map-{name}",
    )
    set_parameter(name, None if chosen == options[0] else chosen)
    return chosen


def _area(name: str, codes: list[str], every: str) -> str | None:
    known = parts.areas(mark(Topic.MAP))
    asked = choice_parameter(name, codes)
    chosen = st.selectbox(
        every,
        codes,
        index=codes.index(asked) if asked else None,
        placeholder=every,
        format_func=lambda code: known[code].name,
        label_visibility="collapsed",
        width=160,
        key=f"village-map-{name}-{hash(tuple(codes))}",
    )
    if chosen != asked:
        st.session_state[FLOWN] = None
    set_parameter(name, chosen)
    return chosen


def _search(prefix: str) -> None:
    """Draw the search; what is chosen from what it found is flown to."""
    words = st.text_input(
        "查找",
        placeholder="按村名或代码查找",
        label_visibility="collapsed",
        width=200,
        key="village-map-words",
    ).strip()[:40]
    if not words:
        return
    with transaction(actor, read_only=True) as connection:
        found = village_map.search_villages(connection, words, prefix)
    if not found:
        st.caption("没有找到，请核对村名或代码。")
        return
    names = {each.code: f"{each.name}（{each.above or ''} {each.village_name}）" for each in found}
    st.selectbox(
        "查找结果",
        list(names),
        index=None,
        placeholder=f"找到 {len(found)} 个，请选择"
        if len(found) < village_map.MOST_FOUND
        else f"前 {len(found)} 个，请选择",
        format_func=names.get,
        label_visibility="collapsed",
        width=300,
        key=f"village-map-found-{words}",
        on_change=_fly,
        args=(f"village-map-found-{words}",),
    )


def _fly(key: str) -> None:
    code = st.session_state[key]
    st.session_state[FLOWN] = code
    set_parameter("code", code)
    if code:
        shown = parts.Shown.VILLAGE if len(code) == 12 else parts.Shown.NATURAL_VILLAGE
        st.session_state["village-map-shown"] = shown


actor = require_actor(*REPORTERS)
st.html(Path(__file__).parents[1] / "assets" / "overview.css")
st.html(STYLE)
page_frame("村庄一张图")
board(filters())
