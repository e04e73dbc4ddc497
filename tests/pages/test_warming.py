"""The first look at the overview, which nobody waits for."""

import streamlit as st

from components import cached
from components.warming import warm
from data_access import progress
from domain.clock import today


def test_the_leaders_first_look_reads_nothing_that_was_not_read_beforehand(
    owner, leader, monkeypatch
):
    st.cache_resource.clear()
    warm()
    monkeypatch.setattr(progress, "list_units", lambda *_: pytest_fails())
    frame = cached.read_frame(leader)
    assert len(cached.units_on(leader, frame, None)) == 111
    assert len(cached.units_at_month_ends(leader, frame, today(), 12)) > 10


def pytest_fails() -> None:
    raise AssertionError("the database was asked again")
