"""The signed-in actor of this browser, the frame of a page, and how errors reach the screen."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import streamlit as st

from components.labels import error_message
from data_access import portal_settings, sessions
from data_access.change_listener import Topic, mark
from data_access.database import transaction
from domain.access import Actor, Role
from domain.errors import PortalError

SESSION_COOKIE = "portal_session"
_ACTOR = "_actor"


@dataclass(frozen=True, slots=True)
class PortalFacts:
    """What every screen says about the installation."""

    system_name: str
    province_name: str
    is_demo: bool


def browser_token() -> str | None:
    """Return the session token that the browser's cookie brought when the page was opened."""
    return st.context.cookies.get(SESSION_COOKIE)


def browser_address() -> str:
    """Return the address of the browser; the server believes X-Forwarded-For of loopback alone."""
    return st.context.ip_address or "127.0.0.1"


def begin_run() -> Actor | None:
    """Look up who is there, once a run, and forget everything of whoever was there before."""
    token = browser_token()
    actor = sessions.find_actor(token) if token else None
    before = st.session_state.get(_ACTOR)
    if before is not None and (actor is None or actor.user_id != before.user_id):
        st.session_state.clear()
    st.session_state[_ACTOR] = actor
    return actor


def require_actor(*roles: Role, before_password_change: bool = False) -> Actor:
    """Return the signed-in actor; stop the page for strangers and for the wrong role."""
    actor = st.session_state.get(_ACTOR) or begin_run()
    if actor is None:
        st.info("请先登录。")
        st.stop()
    if actor.must_change_password and not before_password_change:
        st.warning("请先修改初始口令，再使用其他功能。")
        st.stop()
    if roles and not actor.has_role(*roles):
        st.error("您的账号无权访问此页面。如确需使用，请联系信息中心调整授权。")
        st.stop()
    return actor


@contextmanager
def errors_shown(*, stop: bool = False) -> Iterator[None]:
    """Show a PortalError as a sentence; let every other exception through to the log.

    `stop` ends the page there: for the read without which there is nothing to draw.
    """
    try:
        yield
    except PortalError as error:
        st.error(error_message(error))
        if stop:
            st.stop()


def page_frame(title: str, note: str = "") -> None:
    """Draw the one line on top of a page: its title, 演示数据 where data is invented, a note."""
    with st.container(key="page-frame", horizontal=True, vertical_alignment="center", gap="small"):
        st.title(title, anchor=False, width="content")
        demo_badge()
        if note:
            st.caption(note, width="content")


def demo_badge() -> None:
    """Draw the mark 演示数据 where the portal holds invented data."""
    if portal_facts().is_demo:
        st.badge("演示数据", color="orange")


def portal_facts() -> PortalFacts:
    """Return the names of the installation and whether its data is invented."""
    return read_facts(mark(Topic.SETTINGS))


@st.cache_resource(ttl="1h", max_entries=4, show_spinner=False)
def read_facts(marked: int) -> PortalFacts:
    """Read the facts; they hold until the mark of the settings moves."""
    with transaction(None, read_only=True) as connection:
        settings = portal_settings.read_settings(connection)
    return PortalFacts(
        system_name=str(settings.get("system_name", "")),
        province_name=str(settings.get("province_name", "")),
        is_demo=bool(settings.get("is_demo")),
    )
