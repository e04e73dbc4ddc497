"""GET /health: what a load balancer and the supervisor ask."""

from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.routing import BaseRoute, Route

from data_access.health import database_answers


def health(request: Request) -> JSONResponse:
    """Answer 200 while portal and database work, 503 while the database does not."""
    if database_answers():
        return JSONResponse({"status": "ok", "portal": "ok", "database": "ok"})
    return JSONResponse({"status": "away", "portal": "ok", "database": "away"}, status_code=503)


ROUTES: list[BaseRoute] = [Route("/health", health, methods=["GET"])]
