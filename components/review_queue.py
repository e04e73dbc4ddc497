"""The review queue as an element: it asks /api/review for rows and keeps the address in step."""

from pathlib import Path
from typing import Any

import streamlit as st

from components.labels import label
from components.village_map import where_lies
from data_access.bulk_review import BulkDecision, BulkItem
from data_access.review_queue import QueuePeriod, QueueStep, SavedFilter, WaitingReport
from domain.bulk_review import LeftOut
from domain.clock import moment, today
from domain.review_filter import PAGE_SIZE, QueueFilter, QueueOrder
from domain.workflow import ReviewAction

_ASSETS = Path(__file__).parents[1] / "assets"
_STYLES = ("theme.css", "review_queue.css")
_element = st.components.v2.component(
    "review_queue",
    css="\n".join((_ASSETS / name).read_text("utf-8") for name in _STYLES),
    js=(_ASSETS / "review_queue.js").read_text("utf-8"),
)


def review_queue(user_id: int, asked: QueueFilter, key: str = "review-queue") -> int | None:
    """Draw the queue; return the report that was opened in this run, else None.

    With `desk` it shows what the page of townships shows of a village, and reruns the page when
    something has left it.
    """
    result: Any = _element(
        key=key,
        data={
            "user_id": user_id,
            "query": asked.to_query(),
            "page_size": PAGE_SIZE,
            "orders": {order.value: label(order) for order in QueueOrder},
            "desk": asked.desk,
        },
        on_open_change=lambda: None,
        on_changed_change=lambda: None,
    )
    opened = result.get("open")
    return opened if isinstance(opened, int) else None


def describe_row(row: WaitingReport, *, at_desk: bool = False) -> dict[str, Any]:
    """Return one row as the browser draws it; a count that nobody has made is null.

    A desk shows one county: of its villages the township says enough.
    """
    return {
        "id": row.submission_id,
        "seen": row.lock_version,
        "unit": row.division_name,
        "code": row.division_code,
        "parent": row.parent_name if at_desk else where_lies(row.division_code, row.parent_name),
        "form": row.form_title,
        "period": row.period_name,
        "step": row.step_name,
        "round": row.round_no,
        "no_change": row.no_change,
        "filer": row.filer_name,
        "submitted": moment(row.submitted_at),
        "due": row.due_on.isoformat() if row.due_on else None,
        "days_left": (row.due_on - today()).days if row.due_on else None,
        "errors": row.errors,
        "warnings": row.warnings,
        "changes": row.changes,
        "attachments": row.attachments,
        "new_attachments": row.new_attachments,
        "pending": _pending(row),
        "undo": row.pending_id if row.is_own_pending else None,
    }


def _pending(row: WaitingReport) -> str | None:
    if row.pending_action is None or row.pending_at is None:
        return None
    action = label(ReviewAction(row.pending_action))
    return f"{row.pending_by}已批量{action}，{row.pending_at:%H:%M:%S} 生效"


def describe_bulk(bulk: BulkDecision, left_out: list[BulkItem], seconds: float) -> dict[str, Any]:
    """Return a bulk decision as the browser tells it; `seconds` until it takes effect."""
    return {
        "id": bulk.bulk_decision_id,
        "action": bulk.action.value,
        "word": label(bulk.action),
        "chosen": bulk.chosen,
        "pending": bulk.pending,
        "done": bulk.done,
        "undone": bulk.undone,
        "seconds": max(0.0, seconds),
        "decided": moment(bulk.decided_at),
        "left_out": [describe_item(item) for item in left_out],
        "left_out_count": bulk.left_out,
        "unseen": bulk.chosen - bulk.pending - bulk.done - bulk.left_out - bulk.undone,
    }


def describe_item(item: BulkItem) -> dict[str, Any]:
    """Return one report of a bulk decision, with why it was left out."""
    return {
        "id": item.submission_id,
        "what": f"{item.division_name} · {item.form_title} · {item.period_name}",
        "why": label(LeftOut(item.reason)) if item.reason else "",
    }


def describe_choices(
    periods: list[QueuePeriod], steps: list[QueueStep], saved: list[SavedFilter]
) -> dict[str, Any]:
    """Return what a filter may be set to, and the filters that are kept."""
    return {
        "forms": [
            {"code": code, "name": name}
            for code, name in {p.form_code: p.form_title for p in periods}.items()
        ],
        "periods": [{"id": p.period_id, "form": p.form_code, "name": p.name} for p in periods],
        "steps": [{"form": s.form_code, "no": s.step_no, "name": s.name} for s in steps],
        "saved": [{"id": s.saved_filter_id, "name": s.name, "query": s.query} for s in saved],
    }
