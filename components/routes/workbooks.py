"""Workbooks over HTTP: a fresh one of a period, one a job has made, one with its errors marked."""

from pathlib import Path
from urllib.parse import quote

from starlette.background import BackgroundTask
from starlette.requests import Request
from starlette.responses import FileResponse, Response
from starlette.routing import BaseRoute, Route

from components.routes.auth import require
from components.workbook_preview import mark_words
from data_access import workbook_batches, workbook_exports
from data_access.database import transaction
from domain.access import Role
from domain.files import MediaType

_FILERS = (Role.CITY, Role.COUNTY, Role.TOWNSHIP, Role.DEPARTMENT)
_TAKERS = (Role.LEADER, Role.PLAN_BUREAU, *_FILERS)


def download(request: Request) -> Response:
    """Make a workbook of `scope` in the period, keep what it was taken from, and answer with it."""
    actor = require(request, *_TAKERS)
    scope = request.query_params.get("scope", "")[:40]
    path, name = workbook_exports.make(actor, int(request.path_params["period_id"]), scope)
    return _file(path, name, is_temporary=True)


def download_made(request: Request) -> Response:
    """Answer with a workbook that a job has made for this actor."""
    actor = require(request, *_TAKERS)
    with transaction(actor, read_only=True) as connection:
        path, name = workbook_exports.open_made(connection, actor, request.path_params["export_id"])
    return _file(path, name)


def download_marked(request: Request) -> Response:
    """Answer with the uploaded workbook, everything to look at marked in it."""
    actor = require(request, *_FILERS)
    batch_id = int(request.path_params["batch_id"])
    path, name = workbook_batches.marked(actor, batch_id, mark_words)
    return _file(path, name, is_temporary=True)


def _file(path: Path, name: str, *, is_temporary: bool = False) -> Response:
    disposition = f"attachment; filename=\"workbook.xlsx\"; filename*=UTF-8''{quote(name, safe='')}"
    return FileResponse(
        path,
        media_type=MediaType.XLSX.value,
        headers={"Content-Disposition": disposition, "Cache-Control": "no-store"},
        background=BackgroundTask(path.unlink, missing_ok=True) if is_temporary else None,
    )


ROUTES: list[BaseRoute] = [
    Route("/api/workbooks/{period_id:int}", download, methods=["GET"]),
    Route("/api/workbooks/made/{export_id:uuid}", download_made, methods=["GET"]),
    Route("/api/workbooks/batches/{batch_id:int}/marked", download_marked, methods=["GET"]),
]
