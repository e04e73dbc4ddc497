"""The choices of the pages of the assessment: drawn in one row, kept in the address."""

from collections.abc import Mapping, Sequence

import streamlit as st

from components.assessment_matrix import list_sets, list_years
from components.links import page_path
from components.url_parameters import choice_parameter, set_parameter
from domain.access import Actor
from domain.assessment import Tier

TIERS = {Tier.BASIC.value: "基本指标", "all": "全部指标"}


def segments(name: str, words: Mapping[str, str], default: str) -> str:
    """Draw a few choices side by side; return the chosen one."""
    chosen = st.segmented_control(
        name,
        list(words),
        default=choice_parameter(name, list(words)) or default,
        format_func=words.__getitem__,
        required=True,
        label_visibility="collapsed",
        key=f"assessment-{name}-{st.query_params.get(name)}",
    )
    return _kept(name, chosen, default)


def select(
    name: str, words: Mapping[str, str], default: str | None, width: int, nothing: str = ""
) -> str:
    """Draw a list of choices; return the chosen one, '' for `nothing`."""
    options = list(words)
    asked = choice_parameter(name, options) or default
    chosen = st.selectbox(
        name,
        options,
        index=options.index(asked) if asked else None,
        format_func=lambda code: words.get(code, code),
        placeholder=nothing,
        label_visibility="collapsed",
        width=width,
        key=f"assessment-{name}-{st.query_params.get(name)}",
    )
    return _kept(name, chosen, default)


def several(
    name: str, words: Mapping[str, str], default: Sequence[str], most: int, nothing: str
) -> list[str]:
    """Draw a list of which up to `most` are chosen, parted by commas in the address."""
    given = [code for code in st.query_params.get(name, "").split(",") if code in words]
    asked = list(dict.fromkeys(given))[:most] or list(default)
    chosen = st.multiselect(
        name,
        list(words),
        default=asked,
        format_func=lambda code: words.get(code, code),
        max_selections=most,
        placeholder=nothing,
        label_visibility="collapsed",
        key=f"assessment-{name}-{st.query_params.get(name)}",
    )
    _kept(name, ",".join(chosen), ",".join(default))
    return chosen


def set_and_tier(actor: Actor) -> tuple[str, Tier | None]:
    """Draw the sets of indicators and the tiers of the chosen one; None is every tier."""
    sets = {each.set_code: each for each in list_sets(actor)}
    titles = {code: each.title for code, each in sets.items()}
    set_code = select("set", titles, next(iter(sets)), 270)
    # The indicators of plans are not parted into tiers.
    has_tiers = sets[set_code].purpose != "plan"
    tier = segments("tier", TIERS, Tier.BASIC.value) if has_tiers else "all"
    return set_code, None if tier == "all" else Tier(tier)


def year_of(actor: Actor) -> int | None:
    """Draw the data years, the newest chosen; None before any was opened."""
    years = [str(year) for year in list_years(actor)]
    if not years:
        return None
    return int(select("year", {year: f"{year} 年" for year in years}, years[0], 110))


def stop_without_years(actor: Actor) -> None:
    """End the page with a sentence where no year was opened for filing yet."""
    if not list_years(actor):
        st.info("还没有开放过现状评估的填报期。由省厅规划处在“填报期”中开放后，各市县即可填报。")
        back_link()
        st.stop()


def back_link() -> None:
    """Draw the way back to the matrix."""
    st.page_link(page_path("assessment"), label="返回现状评估", icon=":material/monitoring:")


def _kept(name: str, chosen: str | None, default: str | None) -> str:
    """Keep what was chosen in the address; a change draws the page again under it."""
    wanted = None if chosen == default else chosen
    if (wanted or None) != st.query_params.get(name):
        set_parameter(name, wanted)
        st.rerun()
    return chosen or ""
