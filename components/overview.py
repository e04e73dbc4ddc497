"""What the overview is asked: filters kept in its address, and the links that change them."""

from collections.abc import Mapping, Sequence
from html import escape
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import streamlit as st

from components import cached
from components.links import address, page_path
from components.map import ColourBy, Level
from components.overview_reading import Filters
from components.url_parameters import choice_parameter, day_input, set_parameter
from domain.access import Actor
from domain.clock import moment, month_day, now, today
from domain.progress import UnitProgress

_OPENS = ("unit", "figures")


def filter_row(units: Sequence[UnitProgress]) -> Filters:
    """Draw the filters in one row, kept in the page's address; return what is chosen."""
    cities = {unit.code: unit.name for unit in units if unit.level == Level.CITY}
    kinds = list(dict.fromkeys(unit.kind for unit in units))
    with st.container(key="overview-filters", horizontal=True, vertical_alignment="center"):
        colour_by = _switch("着色", "colour_by", COLOUR_WORDS, ColourBy.RATIO)
        level = _switch("层级", "level", _LEVEL_WORDS, Level.COUNTY)
        city = _choice("设区市", "city", cities, 150)
        kind = _choice("类型", "kind", {kind: kind for kind in kinds}, 130)
        as_of = day_input("overview-as-of")
        st.button(
            "清除筛选",
            key="overview-clear",
            icon=":material/filter_alt_off:",
            on_click=clear_filters,
            disabled=city is None and kind is None and as_of is None,
        )
        if as_of:
            st.html('<p class="past">正在查看历史日期，催办等操作停用</p>', width="content")
    return Filters(
        level=Level(level or Level.COUNTY),
        colour_by=ColourBy(colour_by or ColourBy.RATIO),
        city=city,
        kind=kind,
        as_of=as_of,
    )


COLOUR_WORDS = {
    ColourBy.RATIO: "按进度",
    ColourBy.STAGE: "按阶段",
    ColourBy.LATENESS: "按滞后",
}
_LEVEL_WORDS = {Level.COUNTY: "县级", Level.CITY: "市级"}


def _switch(name: str, parameter: str, words: Mapping[Any, str], default: str) -> str | None:
    chosen: str | None = st.segmented_control(
        name,
        list(words),
        required=True,
        format_func=words.__getitem__,
        label_visibility="collapsed",
        **_kept(parameter, list(words), default),
    )
    return chosen


def _choice(name: str, parameter: str, words: Mapping[str, str], width: int) -> str | None:
    chosen: str | None = st.selectbox(
        name,
        list(words),
        index=None,
        placeholder=f"全部{name}",
        format_func=lambda option: words.get(option, option),
        label_visibility="collapsed",
        width=width,
        **_kept(parameter, list(words), None),
    )
    return chosen


def _kept(name: str, options: Sequence[str], default: str | None) -> dict[str, Any]:
    """Return the arguments of a widget that begins with the address and writes into it.

    A widget bound by Streamlit would put the Chinese words into the address, not the code.
    """
    key = f"overview-{name}"
    asked = choice_parameter(name, list(options))
    if asked is None:
        set_parameter(name, None)
    # Another address than the last one: a link or the browser's way back was followed.
    if key not in st.session_state or st.session_state.get(f"{key}-address") != asked:
        st.session_state[key] = next((o for o in options if o == asked), default)
        st.session_state[f"{key}-address"] = asked
    return {"key": key, "on_change": _keep, "args": (name, default)}


def _keep(name: str, default: str | None) -> None:
    value = st.session_state[f"overview-{name}"]
    _remember(name, None if value == default else value)


def _remember(name: str, value: str | None) -> None:
    set_parameter(name, value)
    st.session_state[f"overview-{name}-address"] = value


def clear_filters() -> None:
    """Show every unit as of today again."""
    narrow({})
    set_parameter("as_of", None)


def narrow(query: Mapping[str, str]) -> None:
    """Filter by the city and the kind of a query, by nothing where it names none."""
    for name in ("city", "kind"):
        st.session_state[f"overview-{name}"] = query.get(name)
        _remember(name, query.get(name))


def title_note(actor: Actor, frame: cached.Frame, filters: Filters) -> str:
    """Return period, day and freshness, as HTML; the browser keeps the moment fresh."""
    period = cached.period_at(actor, filters.as_of, frame.version)
    name = (
        f"{escape(period.name)}填报期，{moment(period.deadline_at)} 截止"
        if period
        else "尚未开启填报期"
    )
    day = filters.as_of or today()
    if filters.as_of:
        fresh = f"历史情况：{day.year}年{month_day(day)} 24:00"
    else:
        fresh = f"数据截至 <time data-portal-fresh>{moment(now())}</time>"
    document = f'<a href="{briefing_address(filters)}" download>下载简报</a>'
    return f'<p class="title-note"><span>{name}</span><span>{fresh}</span>{document}</p>'


def briefing_address(filters: Filters) -> str:
    """Return the address of the document that says what the page shows."""
    shown = {"level": filters.level, "colour_by": filters.colour_by}
    return escape(address("/api/briefing.docx", {**shown, **filters.query()}))


def follow(opened: str) -> None:
    """Open a page by an address that `address` made, or filter this one; others lead nowhere."""
    parts = urlsplit(opened)
    if parts.path == "overview":
        st.rerun()
    if parts.path in _OPENS:
        st.switch_page(page_path(parts.path), query_params=dict(parse_qsl(parts.query)))


def narrow_to_opened(key: str) -> None:
    """Take the filters of an opened link to this page: called before anything is drawn."""
    parts = urlsplit(str(st.session_state[key].get("open") or ""))
    if parts.path == "overview":
        narrow(dict(parse_qsl(parts.query)))
