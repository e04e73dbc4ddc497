"""What a person sees while the database is away: the screen as it was, and a calm word."""

import time
from collections.abc import Iterator
from contextlib import contextmanager

import streamlit as st

from components.labels import ERROR_MESSAGES
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
        notice = st.toast(_sentence(0), icon=":material/cloud_off:", duration="infinite")
        if "_actor" not in st.session_state:
            st.info(ERROR_MESSAGES[DatabaseAway], icon=":material/cloud_off:")
        started = time.monotonic()
        while not database_answers():
            time.sleep(_PAUSE)
            notice.toast(
                _sentence(time.monotonic() - started),
                icon=":material/cloud_off:",
                duration="infinite",
            )
        st.rerun()


def _sentence(seconds: float) -> str:
    return f"{ERROR_MESSAGES[DatabaseAway]}（已等待 {seconds:.0f} 秒）"
