"""Pages as their users meet them: a real session row behind each, Streamlit's own test client."""

from collections.abc import Callable

import psycopg
import pytest
from streamlit.runtime.context import ContextProxy
from streamlit.testing.v1 import AppTest

from components import session
from domain.access import Actor
from tests.actors import session_token
from tests.paths import ROOT

OpenPage = Callable[..., AppTest]


@pytest.fixture
def open_page(owner: psycopg.Connection, monkeypatch: pytest.MonkeyPatch) -> OpenPage:
    """Sign the actor in (None is a stranger) and open a page by its file name and parameters."""

    def open_as(actor: Actor | None, name: str, **query: str) -> AppTest:
        token = session_token(owner, actor) if actor else None
        monkeypatch.setattr(session, "browser_token", lambda: token)
        monkeypatch.setattr(ContextProxy, "cookies", {})  # the client has none of its own
        session.read_facts.clear()
        portal = AppTest.from_file(ROOT / "components" / "portal.py", default_timeout=30)
        portal.run()
        for key, value in query.items():
            portal.query_params[key] = value
        return portal.switch_page(f"../pages/{name}.py").run()

    return open_as
