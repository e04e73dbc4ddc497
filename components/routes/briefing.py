"""The route of the briefing: the overview of an address as a document."""

from urllib.parse import quote

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from components.briefing import briefing_file
from components.navigation import WORKERS
from components.overview_reading import Filters
from components.routes.auth import require
from components.routes.layers import asked_picture, bad_address

_DOCX = "application/vnd.openxmlformats-officedocument.wordprocessingml.document"


def briefing(request: Request) -> Response:
    """Answer with the briefing on the units and the day that the address names."""
    actor = require(request, *WORKERS)
    try:
        asked = asked_picture(request)
    except ValueError:
        return bad_address()
    filters = Filters(
        level=asked.level,
        colour_by=asked.colour_by,
        city=asked.city,
        kind=asked.kind,
        as_of=asked.as_of,
    )
    name, content = briefing_file(actor, filters)
    headers = {
        "Content-Disposition": f"attachment; filename*=UTF-8''{quote(name)}",
        "Cache-Control": "private, no-store",
    }
    return Response(content, media_type=_DOCX, headers=headers)


ROUTES: list[BaseRoute] = [Route("/api/briefing.docx", briefing)]
