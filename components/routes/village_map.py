"""What the map of villages asks every few seconds: whether it must be drawn again."""

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from components.routes.auth import require
from components.routes.responses import no_store
from components.village_map import version_of
from domain.clock import moment, now


def version(request: Request) -> Response:
    """Answer with what moves when a village moved, and the moment of asking."""
    actor = require(request)
    return no_store(JSONResponse({"version": version_of(actor), "at": moment(now())}))


ROUTES = [Route("/api/village-map/version", version)]
