"""A clerk with a workbook: takes it, types into it, brings it back."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from openpyxl import load_workbook

from data_access import (
    drafts,
    file_store,
    reporting,
    uploads,
    workbook_batches,
    workbook_check,
    workbook_exports,
)
from data_access.database import transaction
from data_access.workbook_layout import ColumnKind
from domain.access import Actor
from domain.forms import Content
from tests.reports import LAUNCH


def taken(actor: Actor, period_id: int, key: str) -> Path:
    """Return a fresh workbook of this scope."""
    return workbook_exports.make(actor, period_id, key)[0]


def typed(path: Path, cells: Mapping[tuple[str, str, str], object], target: Path) -> Path:
    """Type values into a copy of the workbook: (unit, row key, field code) to value.

    Rows and columns are found by their hidden codes, as a clerk finds them by their headers.
    """
    book = load_workbook(path)
    left = dict(cells)
    for sheet in book.worksheets:
        for row in sheet.iter_rows(min_row=1, max_row=8):
            codes = {cell.value: cell.column for cell in row if isinstance(cell.value, str)}
            if ColumnKind.ROW_ID in codes:
                _type(sheet, row[0].row, codes, left)
    assert not left, left
    book.save(target)
    return target


def _type(sheet, code_row: int, codes: dict[str, int], left: dict) -> None:
    for number in range(code_row + 1, sheet.max_row + 1):
        unit = sheet.cell(number, codes[ColumnKind.UNIT_CODE]).value
        identity = str(sheet.cell(number, codes[ColumnKind.ROW_ID]).value)
        for (code, key, field), value in list(left.items()):
            column = next((c for name, c in codes.items() if name.endswith(f".{field}")), None)
            plain = [name for name in codes if name.endswith(f".{field}") and "@" not in name]
            if plain:
                column = codes[plain[0]]
            if unit == code and identity.endswith(f"|{key}") and plain and column:
                sheet.cell(number, column).value = value
                del left[code, key, field]


def sent(actor: Actor, path: Path, name: str = "填报.xlsx", use: str = "workbook") -> str:
    """Upload the file as the page does; return its checksum."""
    content = path.read_bytes()
    with transaction(actor) as connection:
        upload_id = uploads.begin(
            connection, actor, use=use, file_name=name, size=len(content), target={}
        )
    with uploads.receiving(actor, upload_id, 0) as reception:
        reception.append(content)
        return str(reception.finish()["sha256"])


def brought(actor: Actor, path: Path) -> int:
    """Upload the file and compare it; return its batch."""
    return workbook_check.receive(actor, sent(actor, path))


def empty_store(folder: Path, monkeypatch) -> None:
    """Let the test's files go into a folder of its own."""
    monkeypatch.setenv("PORTAL_DATA_DIR", str(folder))
    file_store.root.cache_clear()


def rows_of(actor: Actor, batch_id: int, **filters: Any) -> list[workbook_batches.BatchRow]:
    """Return the rows of a preview."""
    with transaction(actor, read_only=True) as connection:
        return workbook_batches.list_rows(connection, batch_id, **filters)[0]


def counts(actor: Actor, batch_id: int) -> workbook_batches.Counts:
    with transaction(actor, read_only=True) as connection:
        return workbook_batches.count_rows(connection, batch_id)


def draft(actor: Actor, submission: reporting.Submission) -> drafts.Draft:
    with transaction(actor, read_only=True) as connection:
        return drafts.get_draft(connection, submission.submission_id)


def launch(content: Content) -> dict[str, Any]:
    """Return the row of the first stage."""
    return next(row for row in content["milestone"] if row["stage_code"] == LAUNCH)


def save(actor: Actor, submission: reporting.Submission, **values: object) -> None:
    """Somebody else types into the first stage on the page."""
    found = draft(actor, submission)
    launch(found.content).update(values)
    with transaction(actor) as connection:
        drafts.save_draft(
            connection, actor, submission.submission_id, found.content, found.draft_version
        )
