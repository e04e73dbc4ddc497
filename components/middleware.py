"""What stands in front of every request: security headers, the session, and its end.

Plain ASGI, so that nothing is held in memory while a large file streams through.
"""

import asyncio
import re
from contextlib import suppress
from functools import lru_cache

from google.protobuf.message import DecodeError  # type: ignore[import-untyped]
from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException
from starlette.requests import HTTPConnection, Request
from starlette.responses import RedirectResponse, Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send
from streamlit.proto.BackMsg_pb2 import BackMsg

from components.routes import auth
from components.session import SESSION_COOKIE
from data_access import sessions
from domain.errors import PortalError

_HOST = re.compile(r"[A-Za-z0-9.:\[\]_-]+")
_PROBE = re.compile(r"/[^/]+/_stcore/(?:health|host-config)")
# Pages have one word in their address; what has more is nobody's, or not a page.
_DEEP = re.compile(r"/(?!(?:api|tiles|phone|static|media|component|app|_stcore)/)[^/]+/+[^/].*")
_NO_PAGE = "/404"  # an address without a page: the portal says so, in Chinese
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
        host = next((value for name, value in scope["headers"] if name == b"host"), b"")
        added = _headers(host.decode("latin-1"), scope["scheme"])

        async def send_with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                given = {name.lower() for name, _ in message["headers"]}
                more = [header for header in added if header[0] not in given]
                message["headers"] = [*message["headers"], *more]
            await send(message)

        await self.app(scope, receive, send_with_headers)


@lru_cache(maxsize=64)
def _headers(host: str, scheme: str) -> tuple[tuple[bytes, bytes], ...]:
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
        "Permissions-Policy": "camera=(), microphone=(), geolocation=(self), payment=()",
        "Cross-Origin-Opener-Policy": "same-origin",
    }
    if scheme == "https":
        headers["Strict-Transport-Security"] = "max-age=31536000"
    return tuple((name.lower().encode(), value.encode()) for name, value in headers.items())


class QuietProbes:
    """Answers the browser's search for the portal's base path without an error in its console.

    On a deep link Streamlit asks first whether the portal lives below /<page>/. It does not; 304
    says so as well as 404 does, and browsers do not report it as an error.
    """

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a probe; pass everything else on."""
        if scope["type"] == "http" and _PROBE.fullmatch(scope["path"]):
            await Response(status_code=304)(scope, receive, send)
        else:
            await self.app(scope, receive, send)


class NoSuchAddress:
    """Leads a person at an address of several words to the page that says there is none.

    Streamlit would send its own page, whose scripts are then looked for below the wrong folder.
    """

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Lead a person away; serve everything else."""
        if scope["type"] == "http" and _DEEP.fullmatch(scope["path"]) and _reads(Request(scope)):
            await RedirectResponse(_NO_PAGE, status_code=302)(scope, receive, send)
        else:
            await self.app(scope, receive, send)


def _reads(request: Request) -> bool:
    return request.method in ("GET", "HEAD") and "text/html" in request.headers.get("accept", "")


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
            actor = await auth.ask_actor(request)
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
        """Tell the pages of sessions that were revoked or ran out, within a second, for ever."""
        while True:
            await asyncio.sleep(_ROUND)
            with suppress(Exception):  # a database that is away ends nobody's work
                await self._tell_ended()

    async def _tell_ended(self) -> None:
        known = list(self._ended)
        if not known:
            return
        alive = await run_in_threadpool(sessions.alive_tokens, known)
        for key in set(known) - alive:
            for ended in self._ended.pop(key, set()):
                ended.set()


OPEN_PAGES = OpenPages()


class SessionEndsPages:
    """Draws a page anew when its session ends, so that it turns into the sign-in by itself.

    Nothing else would: fragments, callbacks and dialogs run without the entry script.
    """

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one websocket for as long as it stays open."""
        token = None
        if scope["type"] == "websocket":
            token = HTTPConnection(scope).cookies.get(SESSION_COOKIE)
        if token is None:
            await self.app(scope, receive, send)
            return
        ended = asyncio.Event()
        if await run_in_threadpool(_has_ended, token):
            if _comes_back(HTTPConnection(scope)):
                ended.set()
        else:
            OPEN_PAGES.enter(token, ended)
        try:
            await self.app(scope, _Listener(receive, ended).receive, send)
        finally:
            OPEN_PAGES.leave(token, ended)


def _has_ended(token: str) -> bool:
    try:
        return not sessions.alive_tokens([sessions.digest(token)])
    except PortalError:  # a database that is away ends nobody's work
        return False


def _comes_back(connection: HTTPConnection) -> bool:
    """Tell whether the page was connected before: then it still shows what it showed."""
    protocols = connection.headers.get("sec-websocket-protocol", "").split(",")
    return len(protocols) > 2 and bool(protocols[2].strip())


class _Listener:
    """Passes on what the browser sends and, once the session has ended, asks for a new run."""

    def __init__(self, receive: Receive, ended: asyncio.Event) -> None:
        self._receive = receive
        self._ended = ended
        self._told = False
        self._connected = False
        self._waiting: asyncio.Task[Message] | None = None
        self._latest = BackMsg()

    async def receive(self) -> Message:
        """Return the next message, the browser's or ours."""
        if self._waiting is None:
            self._waiting = asyncio.create_task(_message(self._receive))
        if self._connected and not self._told:
            await self._first_of(self._waiting)
            if self._ended.is_set():
                self._told = True
                return {"type": "websocket.receive", "bytes": _run_again(self._latest)}
        message, self._waiting = await self._waiting, None
        self._connected = True
        self._latest = _run_of(message) or self._latest
        return message

    async def _first_of(self, waiting: asyncio.Task[Message]) -> None:
        over = asyncio.create_task(self._ended.wait())
        try:
            await asyncio.wait({waiting, over}, return_when=asyncio.FIRST_COMPLETED)
        finally:
            over.cancel()


async def _message(receive: Receive) -> Message:
    return await receive()


def _run_of(message: Message) -> BackMsg | None:
    """Return what the browser asks for when it asks for a run."""
    sent = BackMsg()
    with suppress(DecodeError):
        sent.ParseFromString(message.get("bytes") or b"")
    return sent if sent.WhichOneof("type") == "rerun_script" else None


def _run_again(latest: BackMsg) -> bytes:
    """Return the browser's own request for a run of the page it shows, without any click."""
    again, state = BackMsg(), latest.rerun_script
    again.rerun_script.query_string = state.query_string
    again.rerun_script.page_script_hash = state.page_script_hash
    again.rerun_script.page_name = state.page_name
    again.rerun_script.context_info.CopyFrom(state.context_info)
    return bytes(again.SerializeToString())
