"""Streamlit's own scripts and styles, compressed once and not for every visitor.

Streamlit sends them raw, 13 MB for the first page. They never change under their name, so each is
packed when it is first asked for; a proxy in front keeps what it was given.
"""

from dataclasses import dataclass
from functools import cache
from pathlib import Path

import streamlit
from starlette.datastructures import Headers
from starlette.middleware.gzip import GZipMiddleware
from starlette.types import ASGIApp, Message, Receive, Scope, Send

_FOLDER = "/static/"
_LEVEL = 6
_SMALLEST = 1000  # bytes
_MAPS = frozenset({"/overview", "/assessment"})
_MAP_SCRIPT = "js/DeckGlJsonChart.*.js"
_MOST = 16_000_000  # bytes kept in a process; Streamlit's assets come to 5 million


@dataclass(frozen=True, slots=True)
class _Packed:
    start: Message
    body: bytes


class PackedAssets:
    """Keeps the compressed form of every asset that never changes."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app
        self._packing = GZipMiddleware(app, minimum_size=_SMALLEST, compresslevel=_LEVEL)
        self._kept: dict[str, _Packed] = {}
        self._size = 0

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve an asset packed to whoever takes it so; pass everything else on."""
        if not _asks_for_asset(scope):
            await self.app(scope, receive, send)
            return
        kept = self._kept.get(scope["path"])
        if kept is None:
            await self._packing(scope, receive, self._keeping(scope["path"], send))
            return
        await send(kept.start)
        await send({"type": "http.response.body", "body": kept.body})

    def _keeping(self, path: str, send: Send) -> Send:
        """Return a `send` that remembers a whole answer which may be kept."""
        start: Message = {}
        parts: list[bytes] = []

        async def remember(message: Message) -> None:
            nonlocal start
            if message["type"] == "http.response.start":
                start = {**message, "headers": list(message["headers"])}
            elif _is_lasting(start):
                parts.append(message.get("body", b""))
                if not message.get("more_body"):
                    self._keep(path, _Packed(start, b"".join(parts)))
            await send(message)

        return remember

    def _keep(self, path: str, packed: _Packed) -> None:
        if path not in self._kept and self._size + len(packed.body) <= _MOST:
            self._kept[path] = packed
            self._size += len(packed.body)


class MapsAhead:
    """Tells the browser with a page of a map that it needs the script of maps, 3 MB of it.

    It would learn so only when the page's own script has run.
    """

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request; the answer of a page with a map names the script."""
        if scope["type"] != "http" or scope["path"] not in _MAPS:
            await self.app(scope, receive, send)
            return

        async def send_with_link(message: Message) -> None:
            if message["type"] == "http.response.start" and message["status"] == 200:
                message["headers"] = [*message["headers"], *_links()]
            await send(message)

        await self.app(scope, receive, send_with_link)


@cache
def _links() -> list[tuple[bytes, bytes]]:
    folder = Path(streamlit.__file__).parent / "static" / "static"
    return [
        (b"link", f"<{_FOLDER}{path.relative_to(folder)}>; rel=modulepreload".encode())
        for path in folder.glob(_MAP_SCRIPT)
    ]


def _asks_for_asset(scope: Scope) -> bool:
    if scope["type"] != "http" or scope["method"] != "GET":
        return False
    headers = Headers(scope=scope)
    plain = "range" not in headers and "if-none-match" not in headers
    packed = "gzip" in headers.get("accept-encoding", "")
    return bool(scope["path"].startswith(_FOLDER)) and plain and packed


def _is_lasting(start: Message) -> bool:
    headers = Headers(raw=start["headers"])
    packed = headers.get("content-encoding") == "gzip"
    return start["status"] == 200 and packed and "immutable" in headers.get("cache-control", "")
