"""Collect rows, number them, and copy them in with one trail entry a table."""

import hashlib
import json
from collections.abc import Iterable, Sequence
from datetime import date, datetime
from typing import Any

import psycopg
from psycopg import sql

_ESCAPES = str.maketrans({"\\": "\\\\", "\t": "\\t", "\n": "\\n", "\r": "\\r"})

FILED_CONTRACT = (
    "submission_id", "version_no", "division_code", "plan_id", "progress_stage",
    "contract_status", "purchase_method", "tender_date", "bid_date", "contract_no",
    "contract_amount", "contract_sign_date", "contract_end_date", "is_consortium", "unit1_uscc",
    "unit1_name", "unit1_type", "unit1_grade", "unit1_cert_no", "unit1_cert_valid",
    "unit1_province", "unit2_uscc", "unit2_name", "unit2_type", "unit2_grade", "unit2_cert_no",
    "unit2_cert_valid", "unit2_province", "leader_name", "leader_title", "leader_reg_planner",
    "leader_phone", "team_size", "reg_planner_cnt", "disciplines", "site_staff", "owner_dept",
    "owner_contact", "owner_phone", "performance_score", "evidence_ids", "remark",
)  # fmt: skip
# Parents before children. An identity column stands first in its table.
TABLES: dict[str, tuple[str, ...]] = {
    "account": (
        "user_id", "username", "display_name", "organisation", "phone", "password_hash",
        "password_changed_at", "must_change_password", "is_demo", "created_at",
    ),
    "account_grant": (
        "grant_id", "user_id", "role", "division_code", "prefix", "subject", "valid_from",
    ),
    "reporting_period": (
        "period_id", "form_code", "name", "starts_on", "ends_on", "deadline_at", "form_version",
        "workflow_version", "opened_at", "opened_by", "closed_at",
    ),
    "period_extension": (
        "period_extension_id", "period_id", "division_code", "deadline_at", "reason",
        "granted_by", "granted_at",
    ),
    "plan": (
        "plan_id", "division_code", "plan_type", "name", "is_headline", "declared_at",
        "declared_by",
    ),
    "stored_file": ("sha256", "size", "media_type", "stored_at"),
    "evidence": (
        "evidence_id", "form_code", "group_code", "row_key", "plan_id", "division_code",
        "stage_code", "item", "sha256", "file_name", "uploaded_by", "uploaded_at",
    ),
    "submission": (
        "submission_id", "form_code", "period_id", "division_code", "state", "step_no",
        "round_no", "version_no", "lock_version", "no_change", "filer_id", "submitted_at",
        "first_submitted_at", "filed_at", "receipt_no", "receipt_hash", "created_at",
        "waiting_since",
    ),
    "submission_draft": (
        "submission_id", "division_code", "content", "draft_version", "saved_at", "saved_by",
    ),
    "submission_version": (
        "submission_id", "version_no", "division_code", "round_no", "form_version",
        "rule_version", "code_version", "workflow_version", "content", "content_sha256",
        "no_change", "submitted_by", "submitted_at",
    ),
    "submission_receipt": (
        "submission_id", "version_no", "division_code", "receipt_no", "receipt_hash", "filed_at",
    ),
    "review_event": (
        "review_event_id", "submission_id", "division_code", "version_no", "round_no", "step_no",
        "action", "from_state", "to_state", "to_step_no", "comment", "user_id", "role",
        "happened_at",
    ),
    "review_remark": (
        "review_remark_id", "review_event_id", "submission_id", "division_code", "field_path",
        "reason", "reply", "replied_by", "replied_at",
    ),
    "filed_milestone": (
        "submission_id", "version_no", "division_code", "plan_id", "stage_code", "state",
        "planned_on", "replanned_on", "replan_reason", "started_on", "completed_on",
        "skip_reason", "late_reason", "note", "evidence_ids",
    ),
    "accepted_milestone": (
        "accepted_milestone_id", "plan_id", "division_code", "stage_code", "state",
        "baseline_on", "replanned_on", "replan_reason", "started_on", "completed_on",
        "skip_reason", "late_reason", "evidence_ids", "submission_id", "version_no",
        "accepted_by", "accepted_at",
    ),
    "accepted_disposition": (
        "accepted_disposition_id", "plan_id", "division_code", "disposition", "reason",
        "submission_id", "version_no", "accepted_by", "accepted_at",
    ),
    "compile_unit": (
        "uscc", "name", "unit_type", "grade", "cert_no", "cert_valid", "province", "updated_at",
    ),
    "filed_contract": FILED_CONTRACT,
    "accepted_contract": (*FILED_CONTRACT, "accepted_by", "accepted_at"),
    "reminder": (
        "reminder_id", "division_code", "topic", "message", "sent_by", "sent_at",
        "answer_due_on", "acknowledged_by", "acknowledged_at", "reply", "escalated_at",
    ),
    "supervision_item": (
        "supervision_item_id", "division_code", "title", "requirement", "responsible",
        "deadline_on", "state", "lock_version", "opened_by", "opened_at", "closed_by",
        "closed_at",
    ),
    "supervision_note": (
        "supervision_note_id", "supervision_item_id", "division_code", "kind", "body",
        "written_by", "written_at",
    ),
    "inbox_message": (
        "inbox_message_id", "role", "division_code", "title", "body", "link", "sent_at",
        "source_table", "source_id",
    ),
}  # fmt: skip


class Rows:
    """The rows of every table, in memory until they are copied."""

    def __init__(self, first_ids: dict[str, int]) -> None:
        self._next_ids = first_ids
        self._rows: dict[str, list[Sequence[object]]] = {table: [] for table in TABLES}

    def add(self, table: str, *values: object) -> None:
        """Add a row to a table without an identity column."""
        self._rows[table].append(values)

    def number(self, table: str) -> int:
        """Return the next identity of the table."""
        number = self._next_ids[table]
        self._next_ids[table] = number + 1
        return number

    def add_numbered(self, table: str, *values: object) -> int:
        """Add a row behind a new identity and return the identity."""
        number = self.number(table)
        self._rows[table].append((number, *values))
        return number

    def count(self, table: str) -> int:
        return len(self._rows[table])

    def copy_into(self, cursor: psycopg.Cursor[Any]) -> dict[str, str]:
        """Copy every table, each with its entry in the trail; return the digests by table."""
        return {table: self._copy(cursor, table) for table in TABLES}

    def digests(self) -> dict[str, str]:
        """Return the SHA-256 of every table's rows."""
        return {table: _digest(_lines(rows)) for table, rows in self._rows.items()}

    def _copy(self, cursor: psycopg.Cursor[Any], table: str) -> str:
        columns = TABLES[table]
        lines = _lines(self._rows[table])
        digest = _digest(lines)
        statement = sql.SQL("COPY {} ({}) FROM STDIN").format(
            sql.Identifier(table), sql.SQL(", ").join(map(sql.Identifier, columns))
        )
        with cursor.copy(statement) as copy:
            copy.write(lines)
        if table in self._next_ids:
            cursor.execute(
                "SELECT setval(pg_get_serial_sequence(%s, %s), %s)",
                [table, columns[0], max(1, self._next_ids[table] - 1)],
            )
        cursor.execute(
            "SELECT log_bulk_load(%s, %s, %s, 'demo.load')", [table, self.count(table), digest]
        )
        return digest


def _digest(lines: bytes) -> str:
    return hashlib.sha256(lines).hexdigest()


def _lines(rows: Iterable[Sequence[object]]) -> bytes:
    return "".join("\t".join(map(_text, row)) + "\n" for row in rows).encode()


def _text(value: object) -> str:
    if value is None:
        return "\\N"
    if isinstance(value, str):
        return value.translate(_ESCAPES)
    if isinstance(value, bool):
        return "t" if value else "f"
    if isinstance(value, date | datetime):
        return value.isoformat()
    if isinstance(value, dict):
        return json.dumps(value, ensure_ascii=False).translate(_ESCAPES)
    if isinstance(value, list):
        return "{" + ",".join(map(str, value)) + "}"
    return str(value)


def first_ids(cursor: psycopg.Cursor[Any]) -> dict[str, int]:
    """Return the identity that comes next in each table that numbers its rows."""
    found: dict[str, int] = {}
    for table, columns in TABLES.items():
        cursor.execute("SELECT pg_get_serial_sequence(%s, %s)", [table, columns[0]])
        if cursor.fetchall() != [(None,)]:
            query = sql.SQL("SELECT coalesce(max({}), 0) + 1 FROM {}").format(
                sql.Identifier(columns[0]), sql.Identifier(table)
            )
            found[table] = cursor.execute(query).fetchall()[0][0]
    return found
