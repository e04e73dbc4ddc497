"""Answers that a browser may keep: packed once, named by their content, 304 when unchanged.

And answers that it may not, with the bodies that ask for them.
"""

import gzip
import json
from dataclasses import dataclass
from hashlib import sha256
from typing import Any

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

# What one account may see, another may not: a shared computer asks each time, with the ETag.
_HEADERS = {"Cache-Control": "private, no-cache", "Vary": "Cookie, Accept-Encoding"}


@dataclass(frozen=True, slots=True)
class Packed:
    """A body with its compressed form and its ETag."""

    body: bytes
    compressed: bytes
    etag: str
    media_type: str


def pack(body: bytes, media_type: str) -> Packed:
    """Compress a body and name it by its content."""
    return Packed(
        body=body,
        compressed=gzip.compress(body, compresslevel=6, mtime=0),
        etag=f'"{sha256(body).hexdigest()[:24]}"',
        media_type=media_type,
    )


def answer(request: Request, packed: Packed) -> Response:
    """Answer with the body, or 304 to a browser that has it already."""
    headers = {**_HEADERS, "ETag": packed.etag}
    known = request.headers.get("if-none-match", "").replace("W/", "").split(", ")
    if packed.etag in known:
        return Response(status_code=304, headers=headers)
    if "gzip" in request.headers.get("accept-encoding", ""):
        headers["Content-Encoding"] = "gzip"
        return Response(packed.compressed, media_type=packed.media_type, headers=headers)
    return Response(packed.body, media_type=packed.media_type, headers=headers)


def refusal(sentence: str, status: int) -> Response:
    """Answer with the sentence that says what is wrong."""
    return JSONResponse({"message": sentence}, status_code=status)


def no_store(response: Response) -> Response:
    """Return the answer, which no browser keeps."""
    response.headers["Cache-Control"] = "no-store"
    return response


async def read_json(request: Request, longest: int) -> dict[str, Any]:
    """Return the JSON object of a request; refuse anything else, and more than `longest` bytes."""
    received = b""
    async for part in request.stream():
        received += part
        if len(received) > longest:
            raise HTTPException(413, "内容过多，请分次填写。")
    try:
        body = json.loads(received)
    except (ValueError, RecursionError) as error:
        raise HTTPException(400, "请求无法识别，请刷新页面后重试。") from error
    if not isinstance(body, dict):
        raise HTTPException(400, "请求无法识别，请刷新页面后重试。")
    return body
