"""Answers that a browser may keep: packed once, named by their content, 304 when unchanged."""

import gzip
from dataclasses import dataclass
from hashlib import sha256

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
