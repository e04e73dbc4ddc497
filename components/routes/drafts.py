"""Drafts over HTTP: what a form's page reads, saves while somebody types, and files.

Every answer that refuses carries `error` (the class) and `message` (the sentence). Saving checks
softly: whatever is wrong comes back beside the draft that was stored all the same.
"""

from collections.abc import Callable
from datetime import datetime
from typing import Any

from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.middleware.gzip import GZipMiddleware
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import BaseRoute, Route

from components.form_editor import (
    accepted_values,
    describe,
    describe_problems,
    describe_rows,
    describe_values,
    grid_digest,
    grid_script,
    labels,
    taken_over,
)
from components.labels import error_message
from components.routes.auth import require
from components.routes.responses import no_store, read_json
from components.routes.turns import Turns
from data_access import decisions, filing
from data_access.database import transaction
from data_access.filing import FilingState
from data_access.reporting import Remark
from data_access.reporting_forms import find_form
from data_access.uploads import EVIDENCE, get_use
from domain import clock
from domain.access import Actor, Role
from domain.clock import moment
from domain.errors import DraftConflict, InvalidContent, NotFound, PeriodClosed
from domain.form_options import excluded_options
from domain.form_values import changed_by_normalising, flatten
from domain.forms import FORM_GROUP
from domain.workflow import ReviewAction

_FILERS = (Role.CITY, Role.COUNTY, Role.TOWNSHIP, Role.DEPARTMENT)
_LONGEST_BODY = 2 * 1024 * 1024  # bytes: a form of 119 fields has some ten thousand
_LONGEST_REPLY = 500
_AT_ONCE = Turns(3)  # saves and moves under way in one process


# READING


def read_draft(request: Request) -> Response:
    """Answer with everything the form's page draws: description, rows, content, problems."""
    actor = require(request, *_FILERS)
    submission_id = _number(request, "submission_id")
    with transaction(actor, read_only=True) as connection:
        state = filing.read_state(connection, actor, submission_id)
        accept = get_use(connection, EVIDENCE).media_types
    return no_store(JSONResponse({**_drawn(state), "accept": ",".join(accept)}))


def _drawn(state: FilingState) -> dict[str, Any]:
    submission, form, context = state.submission, state.form, state.context
    submits = ReviewAction.SUBMIT in state.actions and not submission.is_too_late
    named = labels(form, state.content, context)
    return {
        "submission": {
            "form_code": submission.form_code,
            "period_id": submission.period_id,
            "division_code": submission.division_code,
            "lock_version": submission.lock_version,
            "state": submission.state.value,
            "no_change": submission.no_change,
        },
        "can": {
            "save": state.is_editable,
            "submit": submits,
            "no_change": submits and _has_accepted(state),
            # What is withdrawn after its period closed would never come back.
            "withdraw": ReviewAction.WITHDRAW in state.actions and not submission.period_closed,
        },
        "too_late": _too_late(submission.is_too_late),
        "form": describe(form),
        "rows": describe_rows(form, context),
        "excluded": excluded_options(form, context),
        "sums": dict(find_form(submission.form_code).SUMS),
        "values": describe_values({"today": context.today, **context.values}),
        "labels": named,
        "content": state.content,
        "draft_version": submission.draft_version,
        "saved_by": submission.saved_by_name,
        "saved_at_text": _saved_at(submission.saved_at) if state.is_editable else "",
        "taken_over": taken_over(submission.starts_on, submission.ends_on),
        "accepted": accepted_values(form, state.accepted, context),
        "problems": describe_problems(state.problems),
        "returned": _returned(state),
        "sent_back": flatten(form, state.sent_back) if state.sent_back else {},
        "remarks": [_remark(remark, named) for remark in state.remarks],
    }


def _has_accepted(state: FilingState) -> bool:
    """Return whether there is something that may stand without a change."""
    rows = (lines for group, lines in state.accepted.items() if group != FORM_GROUP)
    return state.context.is_accepted or any(rows)


def _returned(state: FilingState) -> dict[str, Any] | None:
    if state.returned is None:
        return None
    said_below = any(not remark.field_path for remark in state.remarks)
    return {
        "reviewer": state.returned.user_name,
        "at": moment(state.returned.happened_at),
        "round": state.returned.round_no,
        "comment": "" if said_below else state.returned.comment,
    }


def _remark(remark: Remark, named: dict[str, str]) -> dict[str, Any]:
    return {
        "id": remark.review_remark_id,
        "path": remark.field_path,
        "label": named.get(remark.field_path) or "总体意见",
        "reason": remark.reason,
        "reply": remark.reply,
    }


def read_grid_script(request: Request) -> Response:
    """Answer with the script of the grid view, for good under the address of its version."""
    require(request, *_FILERS)
    is_current = request.path_params["digest"] == grid_digest()
    kept = "private, max-age=31536000, immutable" if is_current else "no-store"
    return Response(grid_script(), media_type="text/javascript", headers={"Cache-Control": kept})


# SAVING


async def save_draft(request: Request) -> Response:
    """Save the draft over the version the browser saw, and answer with what is wrong in it."""
    actor = require(request, *_FILERS)
    body = await read_json(request, _LONGEST_BODY)
    version = body.get("draft_version")
    if type(version) is not int or "content" not in body:
        raise HTTPException(400, "请求不完整，请刷新页面后重试。")
    submission_id = _number(request, "submission_id")
    return await _in_turn(lambda: _save(actor, submission_id, body["content"], version))


def _save(actor: Actor, submission_id: int, content: Any, version: int) -> dict[str, Any]:
    with transaction(actor, action="draft.save", planned_once=True) as connection:
        draft = filing.save_checked(connection, actor, submission_id, content, version)
    return {
        "draft_version": draft.saved.draft_version,
        "saved_at_text": _saved_at(draft.saved.saved_at),
        "normal": changed_by_normalising(draft.form, content),
        "problems": describe_problems(draft.problems),
        "too_late": _too_late(draft.is_too_late),
    }


async def save_reply(request: Request) -> Response:
    """Save the answer to one reason of a return."""
    actor = require(request, *_FILERS)
    text = (await read_json(request, _LONGEST_BODY)).get("text")
    if text is not None and not isinstance(text, str):
        raise HTTPException(400, "请求不完整，请刷新页面后重试。")
    if len(text or "") > _LONGEST_REPLY:
        raise HTTPException(422, f"答复共 {len(text or '')} 字，最多 {_LONGEST_REPLY} 字，请精简。")
    remark_id = _number(request, "review_remark_id")
    clean = (text or "").replace("\x00", "").strip()
    return await _in_turn(lambda: _reply(actor, remark_id, clean))


def _reply(actor: Actor, review_remark_id: int, text: str) -> dict[str, Any]:
    with transaction(actor, action="remark.reply") as connection:
        decisions.reply(connection, actor, review_remark_id, text)
    return {"saved_at_text": _saved_at(clock.now())}


# MOVES


async def submit(request: Request) -> Response:
    """File the draft the browser saw, or, with `no_change`, the accepted values as they stand."""
    actor = require(request, *_FILERS)
    body = await read_json(request, _LONGEST_BODY)
    seen, lock_version = body.get("draft_version"), body.get("lock_version")
    if type(lock_version) is not int or type(seen) is not int:
        raise HTTPException(400, "请求不完整，请刷新页面后重试。")
    submission_id, no_change = _number(request, "submission_id"), body.get("no_change") is True
    return await _in_turn(
        lambda: _submit(actor, submission_id, lock_version, seen, no_change=no_change)
    )


def _submit(
    actor: Actor, submission_id: int, lock_version: int, seen: int, *, no_change: bool
) -> dict[str, Any]:
    with transaction(actor, action="submission.submit", planned_once=True) as connection:
        moved = decisions.submit(
            connection,
            actor,
            submission_id,
            lock_version,
            no_change=no_change,
            seen=None if no_change else seen,
        )
    return {"state": moved.state.value, "lock_version": moved.lock_version}


async def withdraw(request: Request) -> Response:
    """Take a report back before the first decision."""
    actor = require(request, *_FILERS)
    lock_version = (await read_json(request, _LONGEST_BODY)).get("lock_version")
    if type(lock_version) is not int:
        raise HTTPException(400, "请求不完整，请刷新页面后重试。")
    submission_id = _number(request, "submission_id")
    return await _in_turn(lambda: _withdraw(actor, submission_id, lock_version))


def _withdraw(actor: Actor, submission_id: int, lock_version: int) -> dict[str, Any]:
    with transaction(actor, action="submission.withdraw") as connection:
        moved = decisions.withdraw(connection, actor, submission_id, lock_version)
    return {"state": moved.state.value, "lock_version": moved.lock_version}


# ANSWERS


async def _in_turn(act: Callable[[], dict[str, Any]]) -> Response:
    """Answer with what the act returns, in the order of arrival and few at a time.

    All at once they would take the processor from each other, and all of them end late.
    """
    async with _AT_ONCE:
        return await run_in_threadpool(_answering, act)


def _answering(act: Callable[[], dict[str, Any]]) -> Response:
    """Answer with what the act returns; a conflict and bad content carry what they are about."""
    try:
        return no_store(JSONResponse(act()))
    except DraftConflict as error:
        return _conflict(error)
    except InvalidContent as error:
        return _refusal(error, describe_problems(_problems(error)))


def _problems(error: InvalidContent) -> Any:
    return error.details.get("problems", [])


def _conflict(error: DraftConflict) -> Response:
    saved_at = error.details["saved_at"]
    assert isinstance(saved_at, datetime)
    return no_store(
        JSONResponse(
            {
                "error": "DraftConflict",
                "message": error_message(error),
                "content": error.details["content"],
                "draft_version": error.details["draft_version"],
                "saved_by": error.details["saved_by"],
                "saved_at_text": _saved_at(saved_at),
            },
            409,
        )
    )


def _refusal(error: InvalidContent, problems: list[dict[str, str]]) -> Response:
    message = f"未提交：有 {len(problems)} 处需要修改，请按各字段旁的提示修改后重新提交。"
    return no_store(
        JSONResponse({"error": "InvalidContent", "message": message, "problems": problems}, 422)
    )


def _too_late(is_too_late: bool) -> str:
    """Return why a draft that is kept cannot be filed any more, '' where it can."""
    return error_message(PeriodClosed()) if is_too_late else ""


def _saved_at(saved_at: datetime | None) -> str:
    """Return the second of saving in Beijing, with its day where that is not today."""
    if saved_at is None:
        return ""
    local = saved_at.astimezone(clock.BEIJING)
    time = f"{local:%H:%M:%S}"
    return time if local.date() == clock.today() else f"{local.month}月{local.day}日 {time}"


def _number(request: Request, name: str) -> int:
    """Return a number of the path; what no id can be is not found."""
    text = str(request.path_params[name])
    if not text.isascii() or not text.isdigit() or len(text) > 18:
        raise NotFound(**{name: text[:30]})
    return int(text)


_DRAFT = "/api/drafts/{submission_id}"
_PACKED = [Middleware(GZipMiddleware, minimum_size=1000, compresslevel=5)]  # for slow networks
ROUTES: list[BaseRoute] = [
    Route("/api/form-grid/{digest}.js", read_grid_script, methods=["GET"]),
    Route(_DRAFT, read_draft, methods=["GET"], middleware=_PACKED),
    Route(_DRAFT, save_draft, methods=["PUT"], middleware=_PACKED),
    Route(f"{_DRAFT}/submit", submit, methods=["POST"]),
    Route(f"{_DRAFT}/withdraw", withdraw, methods=["POST"]),
    Route(f"{_DRAFT}/replies/{{review_remark_id}}", save_reply, methods=["PUT"]),
]
