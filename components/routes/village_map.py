"""What the map of villages asks: every few seconds whether it has changed, and the names on it."""

import json

import streamlit as st
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from components import cached
from components.map import Level
from components.routes.auth import require
from components.routes.responses import Packed, answer, no_store, pack
from components.village_map import areas, version_of
from data_access import layers
from data_access.change_listener import Topic, mark
from data_access.read_replica import read
from domain.access import Actor
from domain.clock import moment, now, today


def version(request: Request) -> Response:
    """Answer with what moves when a village moved, and the moment of asking."""
    actor = require(request)
    return no_store(JSONResponse({"version": version_of(actor), "at": moment(now())}))


def names(request: Request) -> Response:
    """Answer with where the names of cities, then of counties are written, degrees of EPSG:4490."""
    actor = require(request)
    boundaries = read(actor, layers.boundary_version)
    return answer(request, _packed_names(actor, boundaries, mark(Topic.MAP)))


@st.cache_resource(ttl="15m", max_entries=4, show_spinner=False)
def _packed_names(_actor: Actor, boundaries: int, marked: int) -> Packed:
    known = areas(marked)
    told = [
        {
            "name": label.name,
            "level": label.level,
            "prefix": known[label.code].prefix,
            "longitude": label.longitude,
            "latitude": label.latitude,
            "room": round(label.room, 4),
        }
        for level in (Level.CITY, Level.COUNTY)
        for label in cached.labels_of(_actor, level, today(), boundaries)
        if label.code in known
    ]
    return pack(json.dumps(told, ensure_ascii=False).encode(), "application/json")


ROUTES = [Route("/api/village-map/version", version), Route("/api/village-map/names", names)]
