"""Vector tiles of the registry's layers."""

import streamlit as st
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from components.routes.auth import require
from components.routes.responses import Packed, answer, pack, refusal
from data_access import layers
from data_access.read_replica import read
from domain.access import Actor
from domain.errors import NotFound

_TILE = "application/vnd.mapbox-vector-tile"


def tile(request: Request) -> Response:
    """Answer with one tile; 204 where the layer has nothing or is not drawn at that zoom."""
    actor = require(request)
    z, x, y = (request.path_params[name] for name in ("z", "x", "y"))
    if z > 22 or max(x, y) >= 2**z:
        return refusal("没有这个瓦片。", 404)
    try:
        code = request.path_params["layer"]
        entry = read(actor, lambda connection: layers.get_layer(connection, code))
    except NotFound:
        return refusal("没有这个图层。请从图层目录中选择。", 404)
    if entry.format != "tile":
        return refusal("该图层整层提供，不分瓦片。", 404)
    if not entry.min_zoom <= z <= entry.max_zoom:
        return Response(status_code=204)
    scope = actor.prefixes if entry.is_scoped else ()
    packed = _packed_tile(actor, scope, entry.layer_code, entry.data_version, z, x, y)
    return answer(request, packed) if packed.body else Response(status_code=204)


@st.cache_resource(ttl="6h", max_entries=4096, show_spinner=False)
def _packed_tile(
    _actor: Actor, scope: tuple[str, ...], code: str, version: int, z: int, x: int, y: int
) -> Packed:
    body = read(_actor, lambda connection: layers.read_tile(connection, code, z, x, y))
    return pack(body, _TILE)


ROUTES = [Route("/tiles/{layer}/{z:int}/{x:int}/{y:int}", tile)]
