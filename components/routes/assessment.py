"""The status assessment over HTTP: the warning matrix of a year, and its map."""

import json

import streamlit as st
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from components import cached
from components.assessment_matrix import (
    COLOURS,
    WORST,
    Matrix,
    describe,
    level_of,
    list_sets,
    list_years,
    read_matrix,
    scope_key,
)
from components.map import NO_DATA, rgb
from components.navigation import WORKERS
from components.routes.auth import require
from components.routes.responses import Packed, answer, pack, refusal
from data_access.change_listener import Topic, mark
from domain.access import Actor
from domain.assessment import Tier

_BAD = "地址中的参数无法识别：请从“现状评估”页面打开。"
_LEVELS = ("county", "city")


def matrix(request: Request) -> Response:
    """Answer with the matrix of `set`, `tier` (none: all) and `year`; a level is one digit."""
    actor = require(request, *WORKERS)
    try:
        asked = _asked(request, actor)
    except ValueError:
        return refusal(_BAD, 400)
    return answer(request, _packed_matrix(actor, scope_key(actor), *asked, mark(Topic.ASSESSMENT)))


def _asked(request: Request, actor: Actor) -> tuple[str, Tier | None, int]:
    """Return set, tier and year of the address; ValueError where there is no such thing."""
    query = request.query_params
    set_code, year = query.get("set", ""), int(query.get("year", ""))
    if set_code not in {each.set_code for each in list_sets(actor)}:
        raise ValueError(set_code)
    if year not in list_years(actor):
        raise ValueError(year)
    return set_code, Tier(query["tier"]) if query.get("tier") else None, year


@st.cache_resource(ttl="15m", max_entries=64, show_spinner=False)
def _packed_matrix(
    _actor: Actor, scope: object, set_code: str, tier: Tier | None, year: int, marked: int
) -> Packed:
    content = describe(read_matrix(_actor, set_code, tier, year))
    body = json.dumps(content, ensure_ascii=False, separators=(",", ":"))
    return pack(body.encode(), "application/json")


def units(request: Request) -> Response:
    """Answer with the outlines of a `level`, filled by the worst level or by that of `by`."""
    actor = require(request, *WORKERS)
    query = request.query_params
    level, by = query.get("level", "county"), query.get("by", WORST)
    try:
        asked = _asked(request, actor)
    except ValueError:
        return refusal(_BAD, 400)
    if level not in _LEVELS:
        return refusal(_BAD, 400)
    frame = cached.read_frame(actor)
    key = f"{frame.key} {level} {by} {query.get('city', '')}"
    return answer(
        request, _packed_units(actor, scope_key(actor), *asked, key, mark(Topic.ASSESSMENT))
    )


@st.cache_resource(ttl="15m", max_entries=128, show_spinner=False)
def _packed_units(
    _actor: Actor,
    scope: object,
    set_code: str,
    tier: Tier | None,
    year: int,
    key: str,
    marked: int,
) -> Packed:
    _, level, by, city = key.rsplit(" ", 3)
    frame = cached.read_frame(_actor)
    shown = read_matrix(_actor, set_code, tier, year)
    features = (
        f'{{"type":"Feature","properties":{_told(code, name, shown, by, city)},"geometry":{shape}}}'
        for code, (name, shape) in cached.shapes_of(
            _actor, level, frame.today, frame.boundaries
        ).items()
    )
    body = '{"type":"FeatureCollection","features":[' + ",".join(features) + "]}"
    return pack(body.encode(), "application/geo+json")


def _told(code: str, name: str, matrix: Matrix, by: str, city: str) -> str:
    """Return what is drawn and told of a division as JSON."""
    row = matrix.row_of(code)
    if row is None or (city and city not in (row.unit.code, row.unit.parent_code)):
        told = {"fill": rgb(NO_DATA), "figure": "不在所选范围", "state": "", "since": ""}
    else:
        level, figure, state = level_of(row, matrix, by)
        told = {"fill": rgb(COLOURS[level]), "figure": figure, "state": state, "since": ""}
    return json.dumps({"code": code, "name": name, **told}, ensure_ascii=False)


ROUTES: list[BaseRoute] = [
    Route("/api/assessment/matrix", matrix, methods=["GET"]),
    Route("/api/assessment/units.geojson", units, methods=["GET"]),
]
