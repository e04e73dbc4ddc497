"""The sides that a report can be compared by: what was accepted before it, and its versions."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection

from data_access import reporting
from data_access.queries import load_queries
from data_access.reporting import Remark
from data_access.rows import fetch_all
from domain.comparison import StoredFile
from domain.forms import Content

_SQL = load_queries("comparison")
ACCEPTED = 0


@dataclass(frozen=True, slots=True)
class Side:
    """One side: `number` is the version, 0 what the province accepted before this report."""

    number: int
    round_no: int
    content: Content
    submitted_at: datetime | None
    no_change: bool = False


def list_sides(connection: Connection, submission_id: int) -> list[Side]:
    """Return what was accepted before, then each version, oldest first."""
    accepted = Side(ACCEPTED, 0, reporting.previous_content(connection, submission_id), None)
    return [
        accepted,
        *(
            Side(
                version.version_no,
                version.round_no,
                version.content,
                version.submitted_at,
                version.no_change,
            )
            for version in reporting.list_versions(connection, submission_id)
        ),
    ]


def find_files(connection: Connection, file_ids: Collection[int]) -> dict[int, StoredFile]:
    """Return the files by id, those that were taken out since as well."""
    rows = fetch_all(connection, _SQL["find_files"], StoredFile, file_ids=sorted(file_ids))
    return {row.file_id: row for row in rows}


def remarks_between(remarks: Collection[Remark], left: Side, right: Side) -> list[Remark]:
    """Return the reasons of the rounds from one side to the other, both included."""
    first, last = sorted((left.round_no, right.round_no))
    return [remark for remark in remarks if first <= remark.round_no <= last]
