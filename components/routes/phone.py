"""The phone page: the villages of an officer and one village, without Streamlit's weight.

Reading and saving a report are the form's own requests (/api/drafts); here are the pages, their
files, and the sign-in that hands out the same one-time ticket as the portal's.
"""

from collections.abc import Callable
from functools import cache

from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.middleware.gzip import GZipMiddleware
from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, Response
from starlette.routing import BaseRoute, Route

from components import phone_page
from components.labels import error_message
from components.routes import auth
from components.routes.responses import Packed, no_store, pack, read_json
from components.session import portal_facts
from data_access import drafts, sessions, village_worklist
from data_access.database import transaction
from domain.access import Actor, Role
from domain.errors import NoOpenPeriod, NotFound, NotPermitted, PortalError

_OFFICERS = (Role.TOWNSHIP, Role.COUNTY)
_LONGEST_SIGN_IN = 4096  # bytes
_LONGEST_WORDS = 50
_MOST_PAGES = 1000
_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:;"
    " connect-src 'self'; worker-src 'self'; form-action 'self'; base-uri 'none';"
    " frame-ancestors 'none'"
)


# PAGES


def read_worklist(request: Request) -> Response:
    """Answer with the officer's villages, or with the sign-in."""
    return _for_officer(request, _worklist)


def _worklist(request: Request, actor: Actor) -> str:
    words = request.query_params.get("q", "").replace("\0", "").strip()[:_LONGEST_WORDS]
    state = phone_page.state_of(request.query_params.get("state"))
    page = _page_number(request.query_params.get("page", "1"))
    with transaction(actor, read_only=True) as connection:
        returned = village_worklist.list_returned(connection, actor)
        try:
            held = village_worklist.read_held(connection, actor)
        except NoOpenPeriod as error:
            if not returned:
                raise
            return phone_page.between_page(portal_facts(), actor, error_message(error), returned)
    work = held.worklist(words, state, page)
    return phone_page.worklist_page(portal_facts(), actor, work, returned, words, state, page)


def _page_number(text: str) -> int:
    known = text.isascii() and text.isdigit() and len(text) < 5
    return min(max(int(text), 1), _MOST_PAGES) if known else 1


def read_village(request: Request) -> Response:
    """Answer with the page of one village, whose report is opened where it was not yet."""
    return _for_officer(request, _village)


def _village(request: Request, actor: Actor) -> str:
    code = str(request.path_params["division_code"])
    asked = request.path_params.get("period_id")
    with transaction(actor, read_only=True) as connection:
        period, village, following = village_worklist.find_village(connection, actor, code, asked)
    submission_id = village.submission_id
    if submission_id is None:
        with transaction(actor, action="draft.open") as connection:
            opened = drafts.open_submission(connection, actor, period.period_id, code)
        submission_id = opened.submission_id
    return phone_page.village_page(portal_facts(), actor, period, village, submission_id, following)


def _for_officer(request: Request, draw: Callable[[Request, Actor], str]) -> Response:
    """Answer with the page, the sign-in, or the sentence that says why not."""
    actor = auth.actor_of(request)
    if actor is None:
        return _html(phone_page.door(portal_facts()), 401)
    try:
        auth.require(request, *_OFFICERS)
        return _html(draw(request, actor), 200, actor)
    except HTTPException as refusal:
        return _html(phone_page.notice(portal_facts(), refusal.detail), refusal.status_code)
    except (NoOpenPeriod, NotFound, NotPermitted) as error:
        return _html(phone_page.notice(portal_facts(), error_message(error)), 404)
    except PortalError as error:
        return _html(phone_page.notice(portal_facts(), error_message(error)), 503)


def _html(text: str, status: int, actor: Actor | None = None) -> Response:
    response = no_store(HTMLResponse(text, status))
    response.headers["Content-Security-Policy"] = _POLICY
    if actor:
        response.headers["X-Portal-User"] = str(actor.user_id)
    return response


# FILES


def read_file(request: Request) -> Response:
    """Answer with the script or style, which is kept for good under the address of its content."""
    name = str(request.path_params["name"])
    if name not in phone_page.files():
        raise HTTPException(404, "没有这个文件。")
    packed = _packed(name)
    is_current = request.url.path == phone_page.address_of(name)
    kept = "public, max-age=31536000, immutable" if is_current else "no-store"
    headers = {"Cache-Control": kept, "Vary": "Accept-Encoding"}
    if "gzip" not in request.headers.get("accept-encoding", ""):
        return Response(packed.body, media_type=packed.media_type, headers=headers)
    headers["Content-Encoding"] = "gzip"
    return Response(packed.compressed, media_type=packed.media_type, headers=headers)


@cache
def _packed(name: str) -> Packed:
    media_type, text = phone_page.files()[name]
    return pack(text.encode(), media_type)


def read_worker(request: Request) -> Response:
    """Answer with the service worker, which may serve the list as well as what is below it."""
    headers = {"Cache-Control": "no-cache", "Service-Worker-Allowed": "/phone"}
    return Response(phone_page.worker_script(), media_type="text/javascript", headers=headers)


# SIGN-IN


async def sign_in(request: Request) -> Response:
    """Answer with a one-time ticket for /api/session, to whoever knows the password."""
    auth.refuse_other_sites(request)
    given = await read_json(request, _LONGEST_SIGN_IN)
    username, password = given.get("username"), given.get("password")
    if not isinstance(username, str) or not isinstance(password, str):
        raise HTTPException(400, "请填写用户名和口令。")
    address = request.client.host if request.client else "127.0.0.1"
    ticket = await run_in_threadpool(sessions.sign_in, username, password, address)
    return no_store(JSONResponse({"ticket": ticket}))


_PACKED = [Middleware(GZipMiddleware, minimum_size=1000, compresslevel=5)]
ROUTES: list[BaseRoute] = [
    Route("/phone", read_worklist, methods=["GET"], middleware=_PACKED),
    Route("/phone/assets/{digest}/{name}", read_file, methods=["GET"]),
    Route("/phone/worker.js", read_worker, methods=["GET"]),
    Route("/phone/sign-in", sign_in, methods=["POST"]),
    Route("/phone/{division_code}", read_village, methods=["GET"], middleware=_PACKED),
    Route(
        "/phone/{division_code}/{period_id:int}",
        read_village,
        methods=["GET"],
        middleware=_PACKED,
    ),
]
