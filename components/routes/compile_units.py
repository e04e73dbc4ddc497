"""Compile units that are known, for who fills in a form: found by code or by a part of the name."""

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import BaseRoute, Route

from components.routes.auth import require
from data_access import compile_units
from data_access.database import transaction
from domain.access import Role

_LONGEST_QUESTION = 60


def find(request: Request) -> Response:
    """Answer with at most eight units that `q` is a part of: open to every filer."""
    actor = require(request, Role.CITY, Role.COUNTY)
    asked = request.query_params.get("q", "")[:_LONGEST_QUESTION].replace("\x00", "")
    with transaction(actor, read_only=True) as connection:
        found = compile_units.search(connection, asked)
    units = [unit.fields() for unit in found]
    return JSONResponse({"units": units}, headers={"Cache-Control": "no-store"})


ROUTES: list[BaseRoute] = [Route("/api/compile-units", find, methods=["GET"])]
