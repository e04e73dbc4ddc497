"""What an address may carry, read with suspicion: anything else gets a sentence, not a fault."""

from datetime import date

import streamlit as st

from domain.clock import today

_FIRST_DAY = date(2019, 1, 1)


def day_parameter(name: str = "as_of") -> date | None:
    """Return the past day in the address; None is today, and a day that is none is said so."""
    text = st.query_params.get(name)
    if not text:
        return None
    try:
        day = date.fromisoformat(text)
    except ValueError:
        day = None
    if day is None or not _FIRST_DAY <= day <= today():
        st.warning(f"“{text[:20]}”不是可以查看的日期，已显示今天的数据。日期格式如 2026-10-31。")
        return None
    return day if day < today() else None


def number_parameter(name: str) -> int | None:
    """Return the positive whole number in the address, or None where there is none."""
    text = st.query_params.get(name, "")
    return int(text) if text.isascii() and text.isdigit() and len(text) <= 15 else None


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


def day_input(key: str = "as-of") -> date | None:
    """Draw the as-of date, kept in the address; return the past day chosen, None for today.

    The widget is not bound to the address: Streamlit would drop a bound parameter on the way to
    another page, and with it the day that the other page is asked for.
    """
    day = day_parameter()
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
