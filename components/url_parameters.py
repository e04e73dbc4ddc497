"""What an address may carry, read with suspicion: anything else gets a sentence, not a fault."""

from datetime import date
from math import isfinite
from urllib.parse import parse_qsl, urlsplit

import streamlit as st

from domain.clock import today

_FIRST_DAY = date(2019, 1, 1)


def warn_of_bad_day() -> None:
    """Say so when the day in the address is none that can be shown; today is shown then."""
    text = st.query_params.get("as_of")
    if text and _day_in_address() is None:
        st.query_params.pop("as_of")
        st.warning(f"“{text[:20]}”不是可以查看的日期，已显示今天的数据。日期格式如 2026-10-31。")


def _day_in_address() -> date | None:
    try:
        day = date.fromisoformat(st.query_params.get("as_of", ""))
    except ValueError:
        return None
    return day if _FIRST_DAY <= day <= today() else None


def number_parameter(name: str) -> int | None:
    """Return the positive whole number in the address, or None where there is none."""
    text = st.query_params.get(name, "")
    return int(text) if text.isascii() and text.isdigit() and len(text) <= 15 else None


def decimal_parameter(name: str) -> float | None:
    """Return the finite number in the address, or None where there is none."""
    try:
        number = float(st.query_params.get(name, "")[:40])
    except ValueError:
        return None
    return number if isfinite(number) else None


def choice_parameter(name: str, options: list[str]) -> str | None:
    """Return the parameter if it is one of the options."""
    text = st.query_params.get(name)
    return text if text in options else None


def set_parameter(name: str, value: str | None) -> None:
    """Put a value into the address, or take it out."""
    if value:
        st.query_params[name] = value
    else:
        st.query_params.pop(name, None)


def take_opened(key: str, page: str) -> None:
    """Take what a link of this page asks, opened under the watch `key`, into the address."""
    parts = urlsplit(str(st.session_state[key].get("open") or ""))
    if parts.path == page:
        asked = dict(parse_qsl(parts.query))
        kept = {"as_of": st.query_params["as_of"]} if "as_of" in st.query_params else {}
        st.query_params.from_dict(kept | asked)


def day_input(key: str = "as-of") -> date | None:
    """Draw the as-of date, kept in the address; return the past day chosen, None for today.

    The widget is not bound to the address: Streamlit would drop a bound parameter on the way to
    another page, and with it the day that the other page is asked for.
    """
    asked = _day_in_address()
    day = asked if asked and asked < today() else None
    chosen = st.date_input(
        "截至日期",
        day or today(),
        min_value=_FIRST_DAY,
        max_value=today(),
        format="YYYY-MM-DD",
        key=f"{key}-{day}",
        label_visibility="collapsed",
        width=150,
    )
    past = chosen if isinstance(chosen, date) and chosen < today() else None
    if past != day:
        set_parameter("as_of", past.isoformat() if past else None)
        st.rerun()
    return past
