"""GET /health: what a load balancer and the supervisor ask."""

from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.routing import BaseRoute, Route

from data_access.health import database_answers
from data_access.read_replica import replica_state


def health(request: Request) -> JSONResponse:
    """Answer 200 while portal and database work, 503 while the database does not."""
    if database_answers():
        return JSONResponse({"status": "ok", "portal": "ok", "database": "ok", **_replica()})
    return JSONResponse({"status": "away", "portal": "ok", "database": "away"}, status_code=503)


def _replica() -> dict[str, object]:
    """Return how the read replica stands, where there is one: without it the portal is well too."""
    state = replica_state()
    if state is None:
        return {}
    return {"replica": state.health, "replica_lag_seconds": state.lag_seconds}


ROUTES: list[BaseRoute] = [Route("/health", health, methods=["GET"])]
