"""Vector tiles of the registry's layers, by the shortest way through the portal.

Plain ASGI: of a tile that is in memory nothing else is asked than who wants it.
"""

import asyncio
import gzip
import re
from dataclasses import replace
from time import monotonic

from starlette.datastructures import Headers
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route
from starlette.types import ASGIApp, Receive, Scope, Send

from components.routes import auth
from components.routes.responses import refusal
from components.session import SESSION_COOKIE
from components.tile_store import TILES, Tile
from data_access import sessions
from domain.access import Actor
from domain.errors import PortalError

_ADDRESS = re.compile(r"/tiles/(?P<layer>\w{1,64})/(?P<z>\d{1,2})/(?P<x>\d{1,8})/(?P<y>\d{1,8})")
_TYPE = (b"content-type", b"application/vnd.mapbox-vector-tile")
# What one account may see, another may not: a shared computer asks each time, with the ETag.
_KEPT = ((b"cache-control", b"private, no-cache"), (b"vary", b"Cookie, Accept-Encoding"))
_LOOK = 0.5  # seconds for which a session that held is believed to hold
_MOST_SESSIONS = 4096


class _Sessions:
    """Who stands behind the tokens that lately asked for tiles, looked up twice a second."""

    def __init__(self) -> None:
        self._known: dict[str, tuple[float, Actor]] = {}
        self._looking: dict[str, asyncio.Future[Actor | None]] = {}

    async def actor(self, token: str) -> Actor | None:
        """Return who the token stands for; one revoked is out within half a second."""
        known = self._known.get(token)
        now = monotonic()
        if known is not None and now - known[0] < _LOOK:
            return known[1]
        actor = await asyncio.shield(self._look(token))
        self._known.pop(token, None)
        if actor is not None:
            if len(self._known) >= _MOST_SESSIONS:
                self._known.clear()
            self._known[token] = (now, actor)
        return actor

    def _look(self, token: str) -> asyncio.Future[Actor | None]:
        """Look a token up once, however many tiles its page asks for."""
        looking = self._looking.get(token)
        if looking is None:
            looking = asyncio.ensure_future(sessions.ask_actor(token, touch=False))
            self._looking[token] = looking
            looking.add_done_callback(lambda _: self._looking.pop(token, None))
        return looking


class Tiles:
    """Answers with one tile; 204 where the layer has nothing or is not drawn at that zoom."""

    def __init__(self) -> None:
        self._sessions = _Sessions()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request for a tile."""
        try:
            actor = await self._actor(scope)
            found = await _find(actor, scope["path"])
        except HTTPException as refused:
            found = auth.http_error(Request(scope), refused)
        except PortalError as error:
            found = auth.portal_error(Request(scope), error)
        if isinstance(found, Response):
            await found(scope, receive, send)
        else:
            await _send_tile(found, Headers(scope=scope), send)

    async def _actor(self, scope: Scope) -> Actor:
        known = scope.get("state", {}).get("actor")
        actor = known if isinstance(known, Actor) else None
        token = Request(scope).cookies.get(SESSION_COOKIE)
        if actor is None and token:
            actor = await self._sessions.actor(token)
        if actor is None:
            raise HTTPException(401, "登录已失效，请重新登录。")
        if actor.must_change_password:
            raise HTTPException(403, "请先修改初始口令。")
        return actor


async def _find(actor: Actor, path: str) -> Tile | Response:
    asked = _ADDRESS.fullmatch(path)
    z, x, y = (int(asked[name]) for name in ("z", "x", "y")) if asked else (0, 0, 0)
    if asked is None or z > 22 or max(x, y) >= 2**z:
        return refusal("没有这个瓦片。", 404)
    layer = (await TILES.catalogue()).layers.get(asked["layer"])
    if layer is None:
        return refusal("没有这个图层。请从图层目录中选择。", 404)
    if layer.format != "tile":
        return refusal("该图层整层提供，不分瓦片。", 404)
    if not layer.min_zoom <= z <= layer.max_zoom:
        return Response(status_code=204)
    if layer.has_answers and actor.is_department:  # its grant is on indicators, not on villages
        actor = replace(actor, grants=())
    tile = await TILES.tile(actor, layer, z, x, y)
    return tile if tile.compressed else Response(status_code=204)


async def _send_tile(tile: Tile, headers: Headers, send: Send) -> None:
    shown = [*_KEPT, (b"etag", tile.etag.encode())]
    known = headers.get("if-none-match", "").replace("W/", "").split(", ")
    if tile.etag in known:
        await send({"type": "http.response.start", "status": 304, "headers": shown})
        await send({"type": "http.response.body"})
        return
    if "gzip" in headers.get("accept-encoding", ""):
        body = tile.compressed
        shown.append((b"content-encoding", b"gzip"))
    else:
        body = gzip.decompress(tile.compressed)
    shown += [_TYPE, (b"content-length", str(len(body)).encode())]
    await send({"type": "http.response.start", "status": 200, "headers": shown})
    await send({"type": "http.response.body", "body": body})


_TILES = Tiles()


class TilesFirst:
    """Leads requests for tiles past everything that they do not need."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request for a tile; pass everything else on."""
        is_tile = (
            scope["type"] == "http"
            and scope["path"].startswith("/tiles/")
            and scope["method"] in ("GET", "HEAD")
        )
        await (_TILES if is_tile else self.app)(scope, receive, send)


ROUTES = [Route("/tiles/{layer}/{z:int}/{x:int}/{y:int}", _TILES, methods=["GET"])]
