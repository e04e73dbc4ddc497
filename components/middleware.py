"""What stands in front of every request: security headers, the session, and its end.

Plain ASGI, so that nothing is held in memory while a large file streams through.
"""

import asyncio
import re
from contextlib import suppress

from starlette.concurrency import run_in_threadpool
from starlette.datastructures import MutableHeaders
from starlette.exceptions import HTTPException
from starlette.requests import HTTPConnection, Request
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from components.routes import auth
from components.session import SESSION_COOKIE
from data_access import sessions
from domain.errors import PortalError

_HOST = re.compile(r"[A-Za-z0-9.:\[\]_-]+")
_ROUND = 0.5  # seconds between two looks at the sessions of open pages


class SecurityHeaders:
    """Adds to every answer what keeps the browser from talking to anybody else."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request with the headers added to its answer."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        added = _headers(Request(scope))

        async def send_with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                for name, value in added.items():
                    headers.setdefault(name, value)
            await send(message)

        await self.app(scope, receive, send_with_headers)


def _headers(request: Request) -> dict[str, str]:
    host = request.headers.get("host", "")
    sockets = f" ws://{host} wss://{host}" if _HOST.fullmatch(host) else ""
    # Streamlit, deck.gl and plotly need inline styles, generated code and blob workers.
    policy = (
        "default-src 'self'; script-src 'self' 'unsafe-inline' 'unsafe-eval' blob:;"
        " style-src 'self' 'unsafe-inline'; img-src 'self' data: blob:; font-src 'self' data:;"
        f" connect-src 'self' blob: data:{sockets}; worker-src 'self' blob:;"
        " frame-src 'self' blob:; object-src 'none'; base-uri 'self'; form-action 'self';"
        " frame-ancestors 'self'"
    )
    headers = {
        "Content-Security-Policy": policy,
        "X-Content-Type-Options": "nosniff",
        "X-Frame-Options": "SAMEORIGIN",
        "Referrer-Policy": "same-origin",
        "Permissions-Policy": "camera=(), microphone=(), geolocation=(), payment=()",
        "Cross-Origin-Opener-Policy": "same-origin",
    }
    if request.url.scheme == "https":
        headers["Strict-Transport-Security"] = "max-age=31536000"
    return headers


class SessionRequired:
    """Lets nobody without a session reach a route of ours, whatever the route itself asks."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve the request when somebody stands behind it; else refuse it."""
        if scope["type"] != "http" or not _is_guarded(scope["path"]):
            await self.app(scope, receive, send)
            return
        request = Request(scope)
        try:
            auth.refuse_other_sites(request)
            actor = await run_in_threadpool(auth.actor_of, request)
            if actor is None:
                raise HTTPException(401, "登录已失效，请重新登录。")
        except HTTPException as refusal:
            await auth.http_error(request, refusal)(scope, receive, send)
        except PortalError as error:
            await auth.portal_error(request, error)(scope, receive, send)
        else:
            scope.setdefault("state", {})["actor"] = actor
            await self.app(scope, receive, send)


def _is_guarded(path: str) -> bool:
    return path.startswith(("/api/", "/tiles/")) and path != "/api/session"


class OpenPages:
    """The websockets of open pages, by the session that opened them."""

    def __init__(self) -> None:
        self._ended: dict[bytes, set[asyncio.Event]] = {}

    def enter(self, token: str, ended: asyncio.Event) -> None:
        """Remember a page until it leaves."""
        self._ended.setdefault(sessions.digest(token), set()).add(ended)

    def leave(self, token: str, ended: asyncio.Event) -> None:
        """Forget a page."""
        key = sessions.digest(token)
        self._ended.get(key, set()).discard(ended)
        if not self._ended.get(key):
            self._ended.pop(key, None)

    async def watch(self) -> None:
        """Close the pages of sessions that were revoked or ran out, within a second, for ever."""
        while True:
            await asyncio.sleep(_ROUND)
            with suppress(Exception):  # a database that is away ends nobody's work
                await self._close_ended()

    async def _close_ended(self) -> None:
        known = list(self._ended)
        if not known:
            return
        alive = await run_in_threadpool(sessions.alive_tokens, known)
        for key in set(known) - alive:
            for ended in self._ended.pop(key, set()):
                ended.set()


OPEN_PAGES = OpenPages()


class SessionEndsPages:
    """Closes a page's websocket when its session ends: the browser asks again, and signs in."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one websocket until it or its session ends."""
        token = None
        if scope["type"] == "websocket":
            token = HTTPConnection(scope).cookies.get(SESSION_COOKIE)
        if token is None:
            await self.app(scope, receive, send)
            return
        ended = asyncio.Event()
        OPEN_PAGES.enter(token, ended)
        try:
            await self.app(scope, _until(ended, receive, send), send)
        finally:
            OPEN_PAGES.leave(token, ended)


def _until(ended: asyncio.Event, receive: Receive, send: Send) -> Receive:
    """Return a `receive` that reports a disconnect once the session has ended."""

    async def receive_until_ended() -> Message:
        message, over = (
            asyncio.ensure_future(_message(receive)),
            asyncio.ensure_future(ended.wait()),
        )
        await asyncio.wait({message, over}, return_when=asyncio.FIRST_COMPLETED)
        over.cancel()
        if not ended.is_set():
            return message.result()
        message.cancel()
        with suppress(Exception):  # the browser may be gone already
            await send({"type": "websocket.close", "code": 4401})
        return {"type": "websocket.disconnect", "code": 4401}

    return receive_until_ended


async def _message(receive: Receive) -> Message:
    return await receive()
