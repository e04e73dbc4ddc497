"""The portal's own routes as a browser meets them: all of them, behind their middleware."""

from collections.abc import Callable, Mapping

import psycopg
import pytest
from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.testclient import TestClient

from components.middleware import SecurityHeaders, SessionRequired
from components.routes import ROUTES, auth
from components.session import SESSION_COOKIE
from domain.access import Actor
from domain.errors import PortalError
from tests.actors import session_token


@pytest.fixture
def application() -> Starlette:
    return Starlette(
        routes=ROUTES,
        middleware=[Middleware(SecurityHeaders), Middleware(SessionRequired)],
        exception_handlers={PortalError: auth.portal_error, HTTPException: auth.http_error},
    )


@pytest.fixture
def browser_of(owner: psycopg.Connection, application: Starlette) -> Callable[..., TestClient]:
    """Sign an actor in (None is a stranger); return the browser."""

    def sign_in(actor: Actor | None = None, headers: Mapping[str, str] | None = None) -> TestClient:
        cookies = {SESSION_COOKIE: session_token(owner, actor)} if actor else {}
        return TestClient(application, cookies=cookies, headers=headers)

    return sign_in
