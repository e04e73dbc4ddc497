"""Sessions over HTTP: the cookie in and out, and who stands behind a request."""

import json
import logging
import secrets
from typing import Any
from urllib.parse import urlsplit

from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect, Request
from starlette.responses import JSONResponse, Response
from starlette.routing import BaseRoute, Route

from components.labels import error_message
from components.routes.turns import Turns
from components.session import SESSION_COOKIE
from data_access import sessions
from domain import errors
from domain.access import Actor, Role

_SAFE = frozenset({"GET", "HEAD", "OPTIONS"})
_ASKING = Turns(8)  # as many connections a process
_LONGEST_BODY = 4096  # bytes: a ticket has 43 characters
_STATUS: dict[type[errors.PortalError], int] = {
    errors.NotFound: 404,
    errors.NotPermitted: 403,
    errors.InvalidAction: 409,
    errors.StaleVersion: 409,
    errors.DraftConflict: 409,
    errors.SignInRefused: 401,
    errors.AccountLocked: 429,
    errors.DatabaseAway: 503,
}


def actor_of(request: Request) -> Actor | None:
    """Return who stands behind the request, or None; a read does not count as activity."""
    known = request.scope.get("state", {}).get("actor")
    if isinstance(known, Actor):
        return known
    token = request.cookies.get(SESSION_COOKIE)
    return sessions.find_actor(token, touch=request.method not in _SAFE) if token else None


async def ask_actor(request: Request) -> Actor | None:
    """Return what `actor_of` does, asked in the event loop."""
    token = request.cookies.get(SESSION_COOKIE)
    if not token:
        return None
    async with _ASKING:
        return await sessions.ask_actor(token, touch=request.method not in _SAFE)


def require(request: Request, *roles: Role) -> Actor:
    """Return the actor, who has one of `roles` where any are named.

    Raise HTTPException 401 for a stranger, 403 for the wrong role, for an initial password that
    was not changed yet, and for a change that another site asks for.
    """
    refuse_other_sites(request)
    actor = actor_of(request)
    if actor is None:
        raise HTTPException(401, "登录已失效，请重新登录。")
    if actor.must_change_password:
        raise HTTPException(403, "请先修改初始口令。")
    if roles and not actor.has_role(*roles):
        raise HTTPException(403, "您的账号无权执行此操作。")
    return actor


def refuse_other_sites(request: Request) -> None:
    """Raise HTTPException 403 for a change that a page of another site asks for."""
    if request.method not in _SAFE and not _comes_from_here(request):
        raise HTTPException(403, "请求来源不符，请从本系统页面操作。")


def _comes_from_here(request: Request) -> bool:
    """Every browser of today sends one of the two headers with a change; a program sends none."""
    site = request.headers.get("sec-fetch-site")
    origin = request.headers.get("origin")
    if site is not None:
        return site == "same-origin"
    return origin is None or urlsplit(origin).netloc == request.headers.get("host")


async def open_session(request: Request) -> Response:
    """Take the one-time ticket and set the session cookie."""
    refuse_other_sites(request)
    ticket = await _ticket(request)
    session = await run_in_threadpool(
        sessions.open_session,
        ticket,
        request.client.host if request.client else "127.0.0.1",
        request.headers.get("user-agent", ""),
    )
    response = JSONResponse({"signed_in": True})
    response.set_cookie(
        SESSION_COOKIE,
        session.token,
        max_age=session.seconds,
        httponly=True,
        samesite="strict",
        secure=request.url.scheme == "https",
    )
    return response


async def _ticket(request: Request) -> str:
    body = b""
    async for part in request.stream():
        body += part
        if len(body) > _LONGEST_BODY:
            raise HTTPException(413, "请求内容过长。")
    try:
        ticket: Any = json.loads(body)["ticket"]
    except (ValueError, TypeError, KeyError) as error:
        raise HTTPException(400, "登录请求无效，请刷新页面后重新登录。") from error
    return str(ticket)


async def close_session(request: Request) -> Response:
    """End the session and let the browser forget everything of this site."""
    refuse_other_sites(request)
    token = request.cookies.get(SESSION_COOKIE)
    if token:
        await run_in_threadpool(sessions.close_session, token)
    response = JSONResponse({"signed_in": False})
    response.delete_cookie(SESSION_COOKIE, httponly=True, samesite="strict")
    response.headers["Clear-Site-Data"] = '"cache", "cookies", "storage"'
    return response


def portal_error(request: Request, error: errors.PortalError) -> JSONResponse:
    """Answer a PortalError with its sentence."""
    status = _STATUS.get(type(error), 422)
    return JSONResponse({"error": type(error).__name__, "message": error_message(error)}, status)


def http_error(request: Request, error: HTTPException) -> Response:
    """Answer a refusal of our own routes as JSON, with its sentence."""
    if error.status_code in (204, 304):
        return Response(status_code=error.status_code, headers=error.headers)
    return JSONResponse(
        {"error": "Refused", "message": error.detail}, error.status_code, headers=error.headers
    )


def gone(request: Request, error: ClientDisconnect) -> Response:
    """Answer nobody: the browser left in the middle of its request, which is no fault of ours."""
    return Response(status_code=400)


def fault(request: Request, error: Exception) -> JSONResponse:
    """Answer a fault of the program with an apology and the id under which the log has it."""
    number = secrets.token_hex(4)
    logging.getLogger("portal").error("fault %s at %s", number, request.url.path, exc_info=error)
    sentence = f"系统出现故障，未能完成操作，给您带来不便。请将编号 {number} 告知信息中心。"
    return JSONResponse({"error": "Fault", "message": sentence, "id": number}, 500)


ROUTES: list[BaseRoute] = [
    Route("/api/session", open_session, methods=["POST"]),
    Route("/api/session", close_session, methods=["DELETE"]),
]
