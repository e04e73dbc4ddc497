"""Pages as their users meet them: a real session row behind each, Streamlit's own test client."""

from collections.abc import Callable

import psycopg
import pytest
from streamlit.testing.v1 import AppTest

from components import session
from data_access.sessions import digest
from domain.access import Actor
from tests.paths import ROOT

OpenPage = Callable[..., AppTest]


@pytest.fixture
def open_page(owner: psycopg.Connection, monkeypatch: pytest.MonkeyPatch) -> OpenPage:
    """Sign the actor in and open a page by its file name, with query parameters."""

    def open_as(actor: Actor, name: str, **query: str) -> AppTest:
        token = f"token-of-{actor.user_id}"
        owner.execute(
            "INSERT INTO portal_session (token_hash, user_id, expires_at)"
            " VALUES (%s, %s, now() + interval '1 hour') ON CONFLICT DO NOTHING",
            [digest(token), actor.user_id],
        )
        owner.execute(
            "UPDATE account SET must_change_password = false WHERE user_id = %s", [actor.user_id]
        )
        monkeypatch.setattr(session, "browser_token", lambda: token)
        session.portal_facts.clear()
        portal = AppTest.from_file(ROOT / "components" / "portal.py", default_timeout=30)
        portal.run()
        for key, value in query.items():
            portal.query_params[key] = value
        return portal.switch_page(f"../pages/{name}.py").run()

    return open_as
