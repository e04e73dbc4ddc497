"""Uploads that stream to the disk and go on after a cut, and the evidence they become.

The words are those of the tus protocol (Upload-Offset, HEAD, PATCH); docs/decisions says why it is
not tus as a whole.
"""

import asyncio
import json
import sys
from collections.abc import AsyncIterator, Callable
from contextlib import ExitStack, asynccontextmanager
from typing import Any
from urllib.parse import quote
from uuid import UUID

from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect, Request
from starlette.responses import FileResponse, JSONResponse, Response
from starlette.routing import BaseRoute, Route

from components.labels import error_message
from components.routes.auth import require
from data_access import evidence, file_store, uploads
from data_access.database import transaction
from data_access.evidence import Evidence
from data_access.uploads import Reception, Upload
from domain.access import Actor
from domain.errors import UploadRefused
from domain.files import SHOWN_INLINE, FileFault, MediaType

PIECE = 8 << 20  # bytes the browser sends in one request
_BLOCK = 1 << 20  # bytes gathered before a thread writes them
_SAVED_EVERY = 64 << 20  # bytes after which a long request notes how far it came
_LONGEST_BODY = 16_384
_STATUS = {
    FileFault.BUSY: 409,
    FileFault.WRONG_OFFSET: 409,
    FileFault.TOO_LARGE: 413,
    FileFault.TYPE_NOT_TAKEN: 415,
    FileFault.NO_SPACE: 507,
}
# A file is shown, it never acts: no scripts, no forms, no address of ours.
_SANDBOX = "default-src 'none'; img-src 'self'; style-src 'unsafe-inline'; sandbox"


async def begin(request: Request) -> Response:
    """Open an upload: `use`, `file_name`, `size`, and what the use asks for beside them."""
    actor = require(request)
    asked = await _json(request)
    try:
        use, name, size = str(asked.pop("use")), str(asked.pop("file_name")), int(asked.pop("size"))
    except (KeyError, TypeError, ValueError, OverflowError):
        raise HTTPException(400, "上传请求不完整，请刷新页面后重新选择文件。") from None
    try:
        upload_id = await run_in_threadpool(_begin, actor, use, name, size, asked)
    except UploadRefused as refusal:
        return _refused(refusal)
    return JSONResponse(
        {"upload_id": str(upload_id), "offset": 0, "size": size, "piece": PIECE},
        status_code=201,
        headers={"Location": f"/api/uploads/{upload_id}", "Upload-Offset": "0"},
    )


def _begin(actor: Actor, use: str, name: str, size: int, target: dict[str, Any]) -> UUID:
    with transaction(actor, action="upload.begin") as connection:
        return uploads.begin(connection, actor, use=use, file_name=name, size=size, target=target)


async def _json(request: Request) -> dict[str, Any]:
    body = b""
    async for part in request.stream():
        body += part
        if len(body) > _LONGEST_BODY:
            raise HTTPException(413, "请求内容过长。")
    try:
        asked = json.loads(body)
    except ValueError:
        asked = None
    if not isinstance(asked, dict):
        raise HTTPException(400, "请求内容有误，请刷新页面后重试。")
    return asked


def standing(request: Request) -> Response:
    """Say how far an upload has come; a finished one gives its answer again."""
    actor = require(request)
    with transaction(actor, read_only=True) as connection:
        upload = uploads.get(connection, _upload_id(request))
    return _answer(upload, upload.received, upload.result)


async def receive(request: Request) -> Response:
    """Take the bytes from Upload-Offset on; the last ones bring the answer of the whole file."""
    actor = require(request)
    offset = _offset(request)
    try:
        async with _receiving(actor, _upload_id(request), offset) as reception:
            await _stream(request, reception)
            result = await run_in_threadpool(reception.finish) if reception.is_complete else None
            return _answer(reception.upload, reception.offset, result)
    except UploadRefused as refusal:
        return _refused(refusal)
    except ClientDisconnect:
        return Response(status_code=204)  # nobody reads it; what came is kept


@asynccontextmanager
async def _receiving(actor: Actor, upload_id: UUID, offset: int) -> AsyncIterator[Reception]:
    """The blocking `uploads.receiving`, entered and left in threads."""
    stack = ExitStack()
    reception = await run_in_threadpool(
        stack.enter_context, uploads.receiving(actor, upload_id, offset)
    )
    try:
        yield reception
    finally:
        leave: Callable[..., object] = stack.__exit__
        await _to_the_end(leave, *sys.exc_info())


async def _to_the_end(function: Callable[..., object], *arguments: object) -> None:
    """Call in a thread; what came is kept also when the request is given up meanwhile."""
    await asyncio.shield(asyncio.ensure_future(run_in_threadpool(function, *arguments)))


async def _stream(request: Request, reception: Reception) -> None:
    gathered, unsaved = bytearray(), 0
    try:
        async for part in request.stream():
            gathered += part
            if len(gathered) >= _BLOCK:
                await run_in_threadpool(reception.append, gathered)
                unsaved += len(gathered)
                gathered = bytearray()
            if unsaved >= _SAVED_EVERY:
                await run_in_threadpool(reception.save)
                unsaved = 0
    finally:
        if gathered:
            await _to_the_end(reception.append, gathered)


def _answer(upload: Upload, offset: int, result: dict[str, Any] | None) -> Response:
    headers = {
        "Upload-Offset": str(offset),
        "Upload-Length": str(upload.size),
        "Cache-Control": "no-store",
    }
    answer = {
        "upload_id": str(upload.upload_id),
        "file_name": upload.file_name,
        "size": upload.size,
        "offset": offset,
        "piece": PIECE,
        "finished": result is not None,
        "result": result,
    }
    return JSONResponse(answer, headers=headers)


def _refused(refusal: UploadRefused) -> Response:
    reason = refusal.details.get("reason")
    status = _STATUS.get(reason, 422) if isinstance(reason, FileFault) else 422
    offset = refusal.details.get("offset")
    answer = {"error": "UploadRefused", "reason": reason, "message": error_message(refusal)}
    headers = {} if offset is None else {"Upload-Offset": str(offset)}
    return JSONResponse(answer, status, headers=headers)


async def cancel(request: Request) -> Response:
    """Forget an upload that has not finished."""
    await run_in_threadpool(uploads.cancel, require(request), _upload_id(request))
    return Response(status_code=204)


def _upload_id(request: Request) -> UUID:
    found: UUID = request.path_params["upload_id"]
    return found


def _offset(request: Request) -> int:
    try:
        offset = int(request.headers["upload-offset"])
    except (KeyError, ValueError):
        raise HTTPException(400, "缺少续传位置（Upload-Offset），请刷新页面后重试。") from None
    return offset


def open_evidence(request: Request) -> Response:
    """Answer with the file, to whom the record is open; `download=1` saves it instead."""
    actor = require(request)
    found = _evidence(request, actor)
    etag = f'"{found.sha256}"'
    headers = {"ETag": etag, "Cache-Control": "private, no-cache", "Vary": "Cookie"}
    if etag in request.headers.get("if-none-match", "").replace("W/", "").split(", "):
        return Response(status_code=304, headers=headers)
    path = file_store.stored_path(found.sha256)
    if not path.is_file():
        raise HTTPException(404, "文件不在存储中，请联系信息中心从备份恢复。")
    media_type = MediaType(found.media_type)
    shown = media_type in SHOWN_INLINE and request.query_params.get("download") != "1"
    headers |= {
        "Content-Disposition": _disposition(found, inline=shown),
        "Content-Security-Policy": _SANDBOX,
        "X-Content-Type-Options": "nosniff",
        "Cross-Origin-Resource-Policy": "same-origin",
    }
    return FileResponse(path, media_type=media_type.value, headers=headers)


def _evidence(request: Request, actor: Actor) -> Evidence:
    with transaction(actor, read_only=True) as connection:
        return evidence.get(connection, int(request.path_params["evidence_id"]))


def _disposition(found: Evidence, *, inline: bool) -> str:
    """Return the header with the Chinese name, and a plain one for what cannot read it."""
    suffix = found.file_name.rpartition(".")[2]
    plain = f"evidence-{found.evidence_id}.{suffix}"
    kind = "inline" if inline else "attachment"
    return f"{kind}; filename=\"{plain}\"; filename*=UTF-8''{quote(found.file_name, safe='')}"


def remove_evidence(request: Request) -> Response:
    """Take a piece of evidence off the list; file and record stay."""
    actor = require(request)
    with transaction(actor, action="evidence.remove") as connection:
        evidence.remove(connection, actor, int(request.path_params["evidence_id"]))
    return Response(status_code=204)


ROUTES: list[BaseRoute] = [
    Route("/api/uploads", begin, methods=["POST"]),
    Route("/api/uploads/{upload_id:uuid}", standing, methods=["GET"]),
    Route("/api/uploads/{upload_id:uuid}", receive, methods=["PATCH"]),
    Route("/api/uploads/{upload_id:uuid}", cancel, methods=["DELETE"]),
    Route("/api/evidence/{evidence_id:int}", open_evidence, methods=["GET"]),
    Route("/api/evidence/{evidence_id:int}", remove_evidence, methods=["DELETE"]),
]
