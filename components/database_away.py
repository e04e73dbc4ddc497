"""What a person sees while the database is away: the screen as it was, and a calm word."""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import streamlit as st

from components.words.errors import ERROR_MESSAGES
from data_access.health import database_answers
from domain.errors import DatabaseAway

_PAUSE = 1.0  # seconds between two looks


@contextmanager
def until_the_database_answers() -> Iterator[None]:
    """Run the block; when the database is away, wait inside the run and then run again.

    A run that has not ended leaves the earlier screen where it is, so nothing typed is lost;
    whoever has no earlier screen reads the sentence on an empty one.
    """
    try:
        yield
    except DatabaseAway:
        has_screen = "_actor" in st.session_state
        _wait(_toast() if has_screen else st.empty().info)
        st.rerun()


def _wait(say: Callable[..., Any]) -> None:
    """Wait until the database answers; each word is a moment at which Streamlit may end the run."""
    started = time.monotonic()
    while not database_answers():
        seconds = time.monotonic() - started
        say(
            f"{ERROR_MESSAGES[DatabaseAway]}（已等待 {seconds:.0f} 秒）",
            icon=":material/cloud_off:",
        )
        time.sleep(_PAUSE)
    say("数据库已恢复。", icon=":material/cloud_done:")


def _toast() -> Callable[..., Any]:
    """Return a function that writes into one and the same toast."""
    place = st.toast(ERROR_MESSAGES[DatabaseAway], icon=":material/cloud_off:")
    return place.toast
