"""The review queue over HTTP: its pages, the whole of a choice, decisions on many, kept filters."""

from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import BaseRoute, Route

from components.navigation import REVIEWERS
from components.review_queue import describe_bulk, describe_choices, describe_row
from components.routes.auth import require
from components.routes.responses import no_store, read_json
from components.township_review import describe_signs
from data_access import bulk_review, portal_settings, review_queue, township_review
from data_access.bulk_review import BulkDecision
from data_access.database import Connection, transaction
from domain.access import Actor
from domain.bulk_review import ACTIONS, MOST_AT_ONCE
from domain.review_filter import PAGE_SIZE, QueueFilter, read_filter, read_query
from domain.workflow import ReviewAction

_LONGEST_BODY = 1024 * 1024  # bytes: 20,000 reports with their versions are some 300 kB
_LONGEST_COMMENT = 500
_BAD = "请求不完整，请刷新页面后重试。"


# READING


def read_queue(request: Request) -> Response:
    """Answer with one page of the filtered queue, the counts, and what the filter may become."""
    actor = require(request, *REVIEWERS)
    asked = read_filter(request.query_params)
    with transaction(actor, read_only=True) as connection:
        count = review_queue.count_queue(connection, actor, asked)
        rows = review_queue.list_page(connection, actor, asked)
        choices = describe_choices(
            review_queue.list_periods(connection),
            review_queue.list_steps(connection, actor),
            review_queue.list_saved_filters(connection),
        )
        reasons = portal_settings.read_settings(connection).get("return_reasons")
        recent = [_told(connection, bulk) for bulk in bulk_review.list_recent(connection, actor)]
        signs = _signs(connection, actor, asked, [row.submission_id for row in rows])
    return _answer(
        {
            "query": asked.to_query(),
            "page": asked.page,
            "pages": max(1, -(-count.waiting // PAGE_SIZE)),
            "waiting": count.waiting,
            "overdue": count.overdue,
            "is_narrow": asked.is_narrow,
            "rows": [
                describe_row(row, at_desk=asked.desk) | signs.get(row.submission_id, {})
                for row in rows
            ],
            "recent": recent,
            "reasons": reasons if isinstance(reasons, list) else [],
            **choices,
        }
    )


def _signs(
    connection: Connection, actor: Actor, asked: QueueFilter, ids: Sequence[int]
) -> dict[int, dict[str, Any]]:
    """Return what the page of townships shows of each village beside what every queue shows."""
    if not asked.desk or asked.period is None or not asked.unit.isdigit():
        return {}
    signs = township_review.list_signs(connection, actor, ids)
    odd = township_review.list_outliers(connection, asked.period, asked.unit, ids)
    return {number: describe_signs(each, odd.get(number, [])) for number, each in signs.items()}


def read_choice(request: Request) -> Response:
    """Answer with every report that the filter leaves, in the version that stands now."""
    actor = require(request, *REVIEWERS)
    asked = read_filter(request.query_params)
    with transaction(actor, read_only=True) as connection:
        seen = review_queue.list_seen(connection, actor, asked)
    return _answer({"seen": list(seen.items()), "most": MOST_AT_ONCE})


def read_bulk(request: Request) -> Response:
    """Answer with where a bulk decision stands, and what it left out."""
    actor = require(request, *REVIEWERS)
    number = int(request.path_params["bulk_decision_id"])
    with transaction(actor, read_only=True) as connection:
        return _answer(_told(connection, bulk_review.get(connection, number)))


def _told(connection: Connection, bulk: BulkDecision) -> dict[str, Any]:
    seconds = (bulk.effect_at - datetime.now(UTC)).total_seconds()
    left_out = bulk_review.list_items(connection, bulk.bulk_decision_id) if bulk.left_out else []
    return describe_bulk(bulk, left_out, seconds)


# DECIDING


async def decide(request: Request) -> Response:
    """Ask for one decision on every report seen: `seen` holds pairs of id and version."""
    actor = await run_in_threadpool(require, request, *REVIEWERS)
    body = await read_json(request, _LONGEST_BODY)
    action, comment, seen = body.get("action"), body.get("comment", ""), _seen(body.get("seen"))
    if action not in ACTIONS or not isinstance(comment, str) or not seen:
        raise HTTPException(400, _BAD)
    if len(comment) > _LONGEST_COMMENT:
        raise HTTPException(422, f"理由共 {len(comment)} 字，最多 {_LONGEST_COMMENT} 字，请精简。")
    clean = comment.replace("\x00", "")
    return await _acting(
        actor,
        "review.bulk",
        lambda connection: _told(
            connection,
            bulk_review.decide(connection, actor, ReviewAction(action), clean, seen),
        ),
    )


async def undo(request: Request) -> Response:
    """Take back what has not taken effect: all of a bulk decision, or the reports named."""
    actor = await run_in_threadpool(require, request, *REVIEWERS)
    ids = (await read_json(request, _LONGEST_BODY)).get("ids")
    if ids is not None and not (isinstance(ids, list) and all(type(one) is int for one in ids)):
        raise HTTPException(400, _BAD)
    number = int(request.path_params["bulk_decision_id"])

    def act(connection: Connection) -> dict[str, Any]:
        bulk_review.undo(connection, actor, number, ids)
        return _told(connection, bulk_review.get(connection, number))

    return await _acting(actor, "review.undo", act)


def _seen(pairs: object) -> dict[int, int]:
    """Return id to version of the pairs a browser sent; {} for what is none."""
    if not isinstance(pairs, list) or len(pairs) > MOST_AT_ONCE:
        return {}
    good = [p for p in pairs if isinstance(p, list) and len(p) == 2 and _are_ids(p)]
    return {pair[0]: pair[1] for pair in good} if len(good) == len(pairs) else {}


def _are_ids(pair: list[object]) -> bool:
    return all(type(one) is int and 0 < one < 2**31 for one in pair)


# FILTERS


async def save_filter(request: Request) -> Response:
    """Keep a filter under a name; one of that name is replaced."""
    actor = await run_in_threadpool(require, request, *REVIEWERS)
    body = await read_json(request, _LONGEST_BODY)
    name, query = body.get("name"), body.get("query")
    if not isinstance(name, str) or not isinstance(query, str):
        raise HTTPException(400, _BAD)
    clean, asked = name.replace("\x00", "")[:100], read_query(query)
    return await _acting(
        actor,
        "filter.save",
        lambda connection: {"id": review_queue.save_filter(connection, actor, clean, asked)},
    )


def remove_filter(request: Request) -> Response:
    """Forget a kept filter."""
    actor = require(request, *REVIEWERS)
    with transaction(actor, action="filter.remove") as connection:
        review_queue.remove_filter(connection, int(request.path_params["saved_filter_id"]))
    return Response(status_code=204)


async def _acting(
    actor: Actor, action: str, act: Callable[[Connection], Mapping[str, Any]]
) -> Response:
    def run() -> Response:
        with transaction(actor, action=action) as connection:
            return _answer(act(connection))

    return await run_in_threadpool(run)


def _answer(content: Mapping[str, Any]) -> Response:
    return no_store(JSONResponse(content))


ROUTES: list[BaseRoute] = [
    Route("/api/review/queue", read_queue, methods=["GET"]),
    Route("/api/review/choice", read_choice, methods=["GET"]),
    Route("/api/review/bulk", decide, methods=["POST"]),
    Route("/api/review/bulk/{bulk_decision_id:int}", read_bulk, methods=["GET"]),
    Route("/api/review/bulk/{bulk_decision_id:int}/undo", undo, methods=["POST"]),
    Route("/api/review/filters", save_filter, methods=["PUT"]),
    Route("/api/review/filters/{saved_filter_id:int}", remove_filter, methods=["DELETE"]),
]
