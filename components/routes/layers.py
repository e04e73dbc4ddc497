"""Routes of the map: layers of the registry, the overview's picture, and what the map needs."""

import json
from datetime import date
from itertools import pairwise

import streamlit as st
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from components import cached
from components.map import (
    CITY_PIXELS,
    COUNTY_PIXELS,
    MARK_PIXELS,
    NO_DATA,
    ColourBy,
    Level,
    Palette,
    Picture,
    rgb,
    tooltip_lines,
)
from components.routes.auth import require
from components.routes.responses import Packed, answer, pack, refusal
from data_access import layers, progress
from data_access.database import Connection
from data_access.layers import DivisionLabel
from data_access.read_replica import read
from domain.access import Actor
from domain.cartography import Name, Placed, Point, borders, fitting, in_tile
from domain.clock import moment, now
from domain.errors import NotFound
from domain.progress import UnitProgress

_GEOJSON = "application/geo+json"
_JSON = "application/json"
_BORDERED = ("county", "city", "province")  # from the lowest level to the highest
# The map has its own background: the page shines through.
_EMPTY_STYLE = {"version": 8, "sources": {}, "layers": []}


def style(request: Request) -> Response:
    """Answer with an empty background style, so that no map service is asked."""
    return JSONResponse(_EMPTY_STYLE, headers={"Cache-Control": "max-age=86400"})


def topology(request: Request) -> Response:
    """Answer the chart that stands in without WebGL, which asks for coasts it does not draw."""
    return JSONResponse(
        {"type": "Topology", "objects": {}, "arcs": []}, headers={"Cache-Control": "max-age=86400"}
    )


def layer(request: Request) -> Response:
    """Answer with a whole layer of the registry; `code` (repeatable) selects, `as_of` dates it."""
    actor = require(request)
    try:
        day = _day(request) or progress.moment_of(None)[1]
        code = request.path_params["layer"]
        entry = read(actor, lambda connection: layers.get_layer(connection, code))
    except ValueError:
        return bad_address()
    except NotFound:
        return refusal("没有这个图层。请从图层目录中选择。", 404)
    scope = actor.prefixes if entry.is_scoped else ()
    keys = tuple(sorted(request.query_params.getlist("code"))) or None
    return answer(
        request, _packed_layer(actor, scope, entry.layer_code, entry.data_version, keys, day)
    )


@st.cache_resource(ttl="6h", max_entries=128, show_spinner=False)
def _packed_layer(
    _actor: Actor,
    scope: tuple[str, ...],
    code: str,
    version: int,
    keys: tuple[str, ...] | None,
    day: date,
) -> Packed:
    wanted = list(keys) if keys else None
    rows = layers.read_as_of(
        _actor, day, lambda connection: layers.list_features(connection, code, wanted)
    )
    return pack(
        _collection([(row.shape, {"code": row.key, **row.fields}) for row in rows]), _GEOJSON
    )


def lines(request: Request) -> Response:
    """Answer with the borders of a day, each piece once: two ends, and the level it belongs to.

    `level` is the lowest that is told: county, or city. They are simplified; `detail=full` as kept.
    """
    actor = require(request)
    try:
        lowest, day = Level(request.query_params.get("level", Level.COUNTY)), _day(request)
    except ValueError:
        return bad_address()
    is_full = request.query_params.get("detail") == "full"
    version = read(actor, layers.boundary_version)
    on = progress.moment_of(day)[1]
    return answer(request, _packed_borders(actor, version, lowest, on, is_full))


@st.cache_resource(ttl="6h", max_entries=32, show_spinner=False)
def _packed_borders(_actor: Actor, version: int, lowest: Level, day: date, is_full: bool) -> Packed:
    above = _BORDERED.index(lowest)
    shapes_of = layers.list_boundaries if is_full else _drawn
    rings = layers.read_as_of(
        _actor,
        day,
        lambda connection: [_rings(shapes_of(connection, code)) for code in _BORDERED[above:]],
    )
    pieces = [
        {"start": border.start, "end": border.end, "level": border.level + above}
        for border in borders(rings)
    ]
    return pack(json.dumps(pieces, separators=(",", ":")).encode(), _JSON)


def _drawn(connection: Connection, code: str) -> list[str]:
    return [row.shape for row in layers.list_features(connection, code)]


def _rings(texts: list[str]) -> list[list[Point]]:
    """Return the rings of polygons given as GeoJSON."""
    shapes = [json.loads(text) for text in texts]
    polygons = [
        polygon
        for shape in shapes
        for polygon in (
            shape["coordinates"] if shape["type"] == "MultiPolygon" else [shape["coordinates"]]
        )
    ]
    return [[(x, y) for x, y, *_ in ring] for polygon in polygons for ring in polygon]


def version(request: Request) -> Response:
    """Answer with what moves when a dashboard must be drawn again, and the moment of asking."""
    actor = require(request)
    return JSONResponse(
        {"version": cached.read_frame(actor).version, "at": moment(now())},
        headers={"Cache-Control": "no-store"},
    )


def picture(request: Request) -> Response:
    """Answer with a layer of the overview's picture: units, hatching or marks."""
    actor = require(request)
    try:
        asked = asked_picture(request)
    except ValueError:
        return bad_address()
    build = PICTURES.get(request.path_params["name"])
    if build is None:
        return refusal("没有这个图层。", 404)
    frame = cached.read_frame(actor, asked.as_of)
    return answer(request, build(actor, frame, cached.scope_of(actor, frame), asked))


def asked_picture(request: Request) -> Picture:
    """Return the picture that the address asks for; ValueError where it cannot be read."""
    query = request.query_params
    return Picture(
        level=Level(query.get("level", Level.COUNTY)),
        colour_by=ColourBy(query.get("colour_by", ColourBy.RATIO)),
        as_of=_day(request),
        city=query.get("city"),
        kind=query.get("kind"),
        version="",
    )


def _shown(actor: Actor, frame: cached.Frame, picture: Picture) -> dict[str, UnitProgress]:
    """Return the units that the picture colours, by code."""
    units = cached.units_on(actor, frame, picture.as_of)
    chosen = cached.chosen(units, picture.city, picture.kind)
    return {unit.code: unit for unit in chosen if unit.level == picture.level}


@st.cache_resource(ttl="15m", max_entries=256, show_spinner=False, hash_funcs=cached.HASH_FRAME)
def _packed_units(
    _actor: Actor, frame: cached.Frame, scope: tuple[str, ...], picture: Picture
) -> Packed:
    palette = Palette(picture.colour_by, frame.limits, frame.milestones)
    shown = _shown(_actor, frame, picture)
    on = progress.moment_of(picture.as_of)[1]
    shapes = cached.shapes_of(_actor, picture.level, on, frame.boundaries)
    return pack(
        _collection(
            [
                (shape, _properties(code, name, shown.get(code), palette))
                for code, (name, shape) in shapes.items()
            ]
        ),
        _GEOJSON,
    )


def _properties(
    code: str, name: str, unit: UnitProgress | None, palette: Palette
) -> dict[str, object]:
    """Return what is drawn and told of a division; without figures where there are none to see."""
    if unit is None:
        plain = {"figure": "", "state": "不在所选范围", "since": ""}
        return {"code": code, "name": name, "fill": rgb(NO_DATA), **plain}
    lines = tooltip_lines(unit, palette.limits)
    return {"code": code, "name": name, "fill": rgb(palette.colour_of(unit)), **lines}


@st.cache_resource(ttl="15m", max_entries=256, show_spinner=False, hash_funcs=cached.HASH_FRAME)
def _packed_hatches(
    _actor: Actor, frame: cached.Frame, scope: tuple[str, ...], picture: Picture
) -> Packed:
    merged = [unit for unit in _shown(_actor, frame, picture).values() if unit.is_merged]
    on = progress.moment_of(picture.as_of)[1]
    hatches = cached.hatches_of(_actor, picture.level, on, frame.boundaries)
    lines = [line for unit in merged for line in _lines(hatches.get(unit.code))]
    pieces = [{"start": start, "end": end} for line in lines for start, end in pairwise(line)]
    return pack(json.dumps(pieces, separators=(",", ":")).encode(), _JSON)


def _lines(shape: str | None) -> list[list[list[float]]]:
    """Return the lines of a hatching; what its strokes only touch are points."""
    if shape is None:
        return []
    geometry = json.loads(shape)
    parts = geometry.get("geometries", [geometry])
    return [
        line
        for part in parts
        if part["type"].endswith("LineString")
        for line in (
            part["coordinates"] if part["type"] == "MultiLineString" else [part["coordinates"]]
        )
    ]


@st.cache_resource(ttl="15m", max_entries=256, show_spinner=False, hash_funcs=cached.HASH_FRAME)
def _packed_marks(
    _actor: Actor, frame: cached.Frame, scope: tuple[str, ...], picture: Picture
) -> Packed:
    palette = Palette(picture.colour_by, frame.limits, frame.milestones)
    shown = _shown(_actor, frame, picture)
    marks = [
        {"position": [place.longitude, place.latitude], "symbol": symbol}
        for place in _places(_actor, frame, picture.level, picture.as_of)
        if (unit := shown.get(place.code)) and (symbol := palette.symbol_of(unit))
    ]
    return pack(json.dumps(marks, ensure_ascii=False).encode(), _JSON)


def _places(
    actor: Actor, frame: cached.Frame, level: str, day: date | None
) -> tuple[DivisionLabel, ...]:
    return cached.labels_of(actor, level, progress.moment_of(day)[1], frame.boundaries)


def names(request: Request) -> Response:
    """Answer with the names of one tile: cities at every zoom, counties where they fit."""
    actor = require(request)
    try:
        asked = asked_picture(request)
    except ValueError:
        return bad_address()
    z, x, y = (request.path_params[name] for name in ("z", "x", "y"))
    frame = cached.read_frame(actor, asked.as_of)
    kept = _kept_names(actor, frame, cached.scope_of(actor, frame), asked, min(z, 22))
    features = [_feature(name) for name in kept if in_tile(name.name, z, x, y)]
    return answer(request, pack(_collection(features), _GEOJSON))


def _feature(placed: Placed) -> tuple[str, dict[str, object]]:
    name = placed.name
    properties = {"name": name.text, "size": name.size, "offset": placed.offset}
    return f'{{"type":"Point","coordinates":[{name.longitude},{name.latitude}]}}', properties


@st.cache_resource(ttl="15m", max_entries=512, show_spinner=False, hash_funcs=cached.HASH_FRAME)
def _kept_names(
    _actor: Actor, frame: cached.Frame, scope: tuple[str, ...], picture: Picture, zoom: int
) -> list[Placed]:
    palette = Palette(picture.colour_by, frame.limits, frame.milestones)
    marked = {
        code: unit
        for code, unit in _shown(_actor, frame, picture).items()
        if palette.symbol_of(unit)
    }
    places = _places(_actor, frame, picture.level, picture.as_of)
    marks = [_named(place, "◆", MARK_PIXELS) for place in places if place.code in marked]
    counties = places if picture.level is Level.COUNTY else ()
    cities = _places(_actor, frame, Level.CITY, picture.as_of)
    wanted = [
        *(_named(place, place.name, COUNTY_PIXELS, marked.get(place.code)) for place in counties),
        *(_named(place, place.name, CITY_PIXELS, marked.get(place.code), True) for place in cities),
    ]
    return fitting(wanted, zoom, marks)


def _named(
    place: DivisionLabel,
    text: str,
    size: int,
    unit: UnitProgress | None = None,
    is_kept: bool = False,
) -> Name:
    """Return a name at its place, beside the mark of a late unit; the late ones stay longest."""
    down, across = MARK_PIXELS + 1, len(text) * size // 2 + MARK_PIXELS // 2 + 4
    beside = ((0, down), (across, 0), (-across, 0), (0, -down))
    return Name(
        key=place.code,
        text=text,
        longitude=place.longitude,
        latitude=place.latitude,
        priority=(1e6 if is_kept else 0) + (unit.late_days if unit else 0),
        size=size,
        offsets=beside if unit else ((0, 0), *beside),
        is_kept=is_kept,
        room=None if unit or is_kept else place.room,
    )


PICTURES = {
    "units.geojson": _packed_units,
    "hatch.json": _packed_hatches,
    "marks.json": _packed_marks,
}


def _collection(features: list[tuple[str, dict[str, object]]]) -> bytes:
    """Return a FeatureCollection; geometries are GeoJSON text already and are not parsed again."""
    texts = (
        '{"type":"Feature","properties":'
        + json.dumps(properties, ensure_ascii=False, separators=(",", ":"))
        + f',"geometry":{shape}}}'
        for shape, properties in features
    )
    return ('{"type":"FeatureCollection","features":[' + ",".join(texts) + "]}").encode()


def _day(request: Request) -> date | None:
    text = request.query_params.get("as_of")
    return date.fromisoformat(text) if text else None


def bad_address() -> Response:
    """Answer that the parameters of the address cannot be read."""
    return refusal("地址中的参数无法识别：日期应写作 2026-11-22，层级为 county 或 city。", 400)


ROUTES = [
    Route("/api/style.json", style),
    Route("/api/topojson/{name}", topology),
    Route("/api/layers/{layer}.geojson", layer),
    Route("/api/borders.json", lines),
    Route("/api/overview/version", version),
    Route("/api/overview/names/{z:int}/{x:int}/{y:int}", names),
    Route("/api/overview/{name}", picture),
]
