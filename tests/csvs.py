"""The rows of villages as CSV: taken, changed, brought back."""

import csv
import io
import zipfile
from collections.abc import Mapping, Sequence

from data_access import (
    csv_batches,
    csv_check,
    csv_exports,
    csv_rules,
    uploads,
    workbook_exports,
    workbook_scopes,
)
from data_access.csv_batches import CsvRow
from data_access.database import transaction
from domain.access import Actor

Rows = list[dict[str, str]]


def handed_out(actor: Actor, period_id: int) -> dict[str, Rows]:
    """Take the widest download of the actor; return the rows by the name of their file."""
    with transaction(actor, action="csv.export") as connection:
        period = workbook_scopes.get_period(connection, period_id)
        scopes = workbook_scopes.list_scopes(connection, actor, period)
        scope = max(scopes, key=lambda each: len(each.units))
        export = workbook_exports.begin(connection, actor, period, scope)
        path = csv_exports.write(connection, actor, export, lambda done, total: None)
    with zipfile.ZipFile(path) as archive:
        return {
            name.partition("_")[2].removesuffix(".csv"): list(
                csv.DictReader(io.TextIOWrapper(archive.open(name), "utf-8-sig", newline=""))
            )
            for name in archive.namelist()
            if name.endswith(".csv")
        }


def as_csv(rows: Sequence[Mapping[str, str]], encoding: str = "utf-8-sig") -> bytes:
    """Return the rows as a file."""
    text = io.StringIO()
    writer = csv.DictWriter(text, list(rows[0]))
    writer.writeheader()
    writer.writerows(rows)
    return text.getvalue().encode(encoding)


def as_zip(files: Mapping[str, bytes]) -> bytes:
    target = io.BytesIO()
    with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in files.items():
            archive.writestr(name, content)
    return target.getvalue()


def sent(actor: Actor, content: bytes, name: str) -> str:
    """Upload a file as the page does; return its checksum."""
    with transaction(actor) as connection:
        upload_id = uploads.begin(
            connection, actor, use="csv", file_name=name, size=len(content), target={}
        )
    with uploads.receiving(actor, upload_id, 0) as reception:
        reception.append(content)
        return str(reception.finish()["sha256"])


def checked(actor: Actor, period_id: int, content: bytes) -> int:
    """Upload a file, and let it be read, compared and judged; return its batch."""
    sha256 = sent(actor, content, "村.zip" if content.startswith(b"PK") else "村.csv")
    with transaction(actor, action="csv.upload") as connection:
        batch_id = csv_batches.request(connection, actor, period_id, sha256)
    csv_check.check(actor, batch_id, quietly)
    csv_rules.judge(actor, batch_id, quietly)
    return batch_id


def quietly(done: int, total: int, message: str) -> None:
    """Tell nobody."""


def rows_of(actor: Actor, batch_id: int) -> list[CsvRow]:
    with transaction(actor, read_only=True) as connection:
        return csv_batches.list_rows(connection, batch_id, limit=1000)
