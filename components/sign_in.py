"""The sign-in screen, and the way out.

The form is streamlit-authenticator's; who may come in is asked of the database. Its own cookie is
set by JavaScript and stays good after sign-out, so it is left out: the browser trades a one-time
ticket for an HttpOnly cookie at /api/session.
"""

from pathlib import Path
from typing import Any

import streamlit as st
from streamlit_authenticator import Authenticate  # type: ignore[import-untyped]
from streamlit_authenticator.controllers import (  # type: ignore[import-untyped]
    AuthenticationController,
)
from streamlit_authenticator.models import AuthenticationModel  # type: ignore[import-untyped]

from components.labels import error_message
from components.session import browser_address, browser_token, portal_facts
from data_access import sessions
from domain.errors import PortalError, SignInRefused

_FIELDS = {"Form name": "登录", "Username": "用户名", "Password": "口令", "Login": "登录"}
_LEAVING = "_leaving"
_ENDED = "登录已过期，请重新登录。没有上传的填写内容保留在本机，登录后回到原来的页面，自动恢复。"
_door = st.components.v2.component(
    "portal_door",
    js=(Path(__file__).parents[1] / "assets" / "sign_in.js").read_text("utf-8"),
)


class _DatabaseModel(AuthenticationModel):  # type: ignore[misc]
    """The authenticator's model with the portal's accounts behind it."""

    def __init__(self) -> None:
        super().__init__(credentials={"usernames": {}}, auto_hash=False)
        self.ticket: str | None = None
        self.refusal: PortalError | None = None

    def check_credentials(self, username: str, password: str) -> bool:
        try:
            self.ticket = sessions.sign_in(username, password, browser_address())
        except PortalError as refusal:
            self.refusal = refusal
            return False
        self.credentials["usernames"][username] = {"name": username}
        return True


class _NoCookie:
    def get_cookie(self) -> None:
        """Find no cookie: the portal's own is not for scripts."""

    def set_cookie(self) -> None:
        """Set no cookie: the route sets the portal's own."""


class _Door(Authenticate):  # type: ignore[misc]
    """streamlit-authenticator's form, without its cookie."""

    def __init__(self, model: _DatabaseModel) -> None:
        self.attrs: dict[str, Any] = {"login_sleep_time": 0}
        self.path = None
        self.secret_key = ""
        self.cookie_controller = _NoCookie()
        self.authentication_controller = AuthenticationController(
            {"usernames": {}}, auto_hash=False
        )
        self.authentication_controller.authentication_model = model


def sign_in_page() -> None:
    """Ask who is there; whoever knows the password gets a session and this same address again."""
    facts = portal_facts()
    with st.container(key="sign-in"):
        st.title(facts.system_name, anchor=False)
        place = st.empty()
        model = _DatabaseModel()
        st.session_state["authentication_status"] = None
        with place.container():
            if browser_token():
                st.info(_ENDED)
            _Door(model).login(fields=_FIELDS, key="sign-in-form")
            _explain(model)
        if model.ticket:
            place.empty()
            _door(key="sign-in-door", data={"act": "sign_in", "ticket": model.ticket})
        st.caption(_hint(is_demo=facts.is_demo))


def _explain(model: _DatabaseModel) -> None:
    if model.refusal is not None:
        st.error(error_message(model.refusal))
    elif model.ticket is None and st.session_state["authentication_status"] is False:
        st.error(error_message(SignInRefused()))


def _hint(*, is_demo: bool) -> str:
    if is_demo:
        return "演示数据。演示账号见服务器数据目录下的 demo_accounts.csv。"
    return "账号由信息中心开通；忘记口令请联系信息中心重置。"


def sign_out() -> None:
    """End the session at once; the next run lets the browser forget what it holds."""
    token = browser_token()
    if token:
        sessions.close_session(token, browser_address())
    st.session_state.clear()
    st.session_state[_LEAVING] = True


def is_leaving() -> bool:
    """Tell whether the actor has just signed out in this tab."""
    return bool(st.session_state.get(_LEAVING))


def farewell() -> None:
    """Let the browser drop its cookie and its storage, and go to the sign-in."""
    with st.container(key="sign-in"):
        st.info("正在退出…")
        _door(key="sign-out-door", data={"act": "sign_out"})
