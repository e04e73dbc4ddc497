"""Where a village and its natural villages lie: visible to everyone signed in."""

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import BaseRoute, Route

from components.routes.auth import require
from data_access import village_places
from data_access.database import transaction


def places(request: Request) -> Response:
    """Answer with the village and its natural villages as points with their names."""
    actor = require(request)
    with transaction(actor, read_only=True) as connection:
        found = village_places.list_places(connection, request.path_params["code"][:12])
    features = [
        {
            "type": "Feature",
            "properties": {"code": each.code, "name": each.name, "is_village": each.is_village},
            "geometry": {"type": "Point", "coordinates": [each.longitude, each.latitude]},
        }
        for each in found
    ]
    body = {"type": "FeatureCollection", "features": features}
    return JSONResponse(body, headers={"Cache-Control": "no-store"})


ROUTES: list[BaseRoute] = [Route("/api/villages/{code}.geojson", places, methods=["GET"])]
