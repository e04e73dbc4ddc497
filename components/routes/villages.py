"""Where a village and its natural villages lie: seen by everyone, corrected by who files for it."""

from typing import Any

from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import BaseRoute, Route

from components.labels import label
from components.routes.auth import require
from components.routes.responses import no_store, read_json
from data_access import village_places, village_positions
from data_access.database import transaction
from data_access.village_places import Place
from data_access.village_positions import Examined
from domain.access import Actor, Role
from domain.clock import moment
from domain.positions import Position

_OFFICERS = (Role.TOWNSHIP, Role.COUNTY)
_LONGEST_BODY = 4096  # bytes
_LONGEST_REASON = 200
_DEGREES = 4490


# READING


def places(request: Request) -> Response:
    """Answer with the village and its natural villages as points with their names."""
    actor = require(request)
    with transaction(actor, read_only=True) as connection:
        found = village_places.list_places(connection, request.path_params["code"][:12])
    body = {"type": "FeatureCollection", "features": [_feature(each) for each in found]}
    return no_store(JSONResponse(body))


def _feature(place: Place) -> dict[str, Any]:
    named = {"code": place.code, "name": place.name, "is_village": place.is_village}
    if place.moved_at and place.former_longitude is not None:
        named |= {
            "former": [place.former_longitude, place.former_latitude],
            "moved": f"{place.moved_by} {moment(place.moved_at)} 更正",
            "reason": place.reason,
        }
    point = {"type": "Point", "coordinates": [place.longitude, place.latitude]}
    return {"type": "Feature", "properties": named, "geometry": point}


def examine(request: Request) -> Response:
    """Answer with where coordinates lie, how far from the place as it is, and what is doubtful."""
    actor = require(request, *_OFFICERS)
    asked = dict(request.query_params)
    position = village_positions.read_position(
        asked.get("east", ""), asked.get("north", ""), _system(asked)
    )
    with transaction(actor, read_only=True) as connection:
        found = village_positions.examine(connection, actor, _code(request), position)
    return no_store(JSONResponse(_examined(found)))


def _examined(found: Examined) -> dict[str, Any]:
    return {
        "position": list(found.position),
        "metres": None if found.metres is None else round(found.metres),
        "in_county": found.in_county,
        "doubt": label(found.doubt) if found.doubt else "",
    }


# CORRECTING


async def correct(request: Request) -> Response:
    """Correct a position: `east`, `north`, `epsg`, `seen` (what the page showed) and `reason`."""
    actor = await run_in_threadpool(require, request, *_OFFICERS)
    body = await read_json(request, _LONGEST_BODY)
    reason = body.get("reason") or ""
    if not isinstance(reason, str) or len(reason) > _LONGEST_REASON:
        raise HTTPException(422, f"更正理由最多 {_LONGEST_REASON} 字，请精简。")
    return await run_in_threadpool(_correct, actor, _code(request), body, reason)


def _correct(actor: Actor, code: str, body: dict[str, Any], reason: str) -> Response:
    position = village_positions.read_position(
        body.get("east", ""), body.get("north", ""), _system(body)
    )
    seen, clean = _seen(body.get("seen")), reason.replace("\0", "")
    with transaction(actor, action="position.correct") as connection:
        done = village_positions.correct(connection, actor, code, position, seen, clean)
    return no_store(JSONResponse(_examined(done)))


def restore(request: Request) -> Response:
    """Take the last correction of a position back."""
    actor = require(request, *_OFFICERS)
    with transaction(actor, action="position.restore") as connection:
        position = village_positions.restore(connection, actor, _code(request))
    return no_store(JSONResponse({"position": list(position)}))


def _code(request: Request) -> str:
    return str(request.path_params["code"])[:15]


def _system(asked: dict[str, Any]) -> int:
    given = str(asked.get("epsg", _DEGREES))
    return int(given) if given.isascii() and given.isdigit() and len(given) < 6 else 0


def _seen(given: object) -> Position | None:
    if given is None:
        return None
    if (
        isinstance(given, list)
        and len(given) == 2  # longitude and latitude
        and all(type(each) in (int, float) for each in given)
    ):
        return float(given[0]), float(given[1])
    raise HTTPException(400, "请求不完整，请刷新页面后重试。")


_POSITION = "/api/villages/{code}/position"
ROUTES: list[BaseRoute] = [
    Route("/api/villages/{code}.geojson", places, methods=["GET"]),
    Route(_POSITION, examine, methods=["GET"]),
    Route(_POSITION, correct, methods=["PUT"]),
    Route(_POSITION, restore, methods=["DELETE"]),
]
