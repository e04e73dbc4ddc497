"""A CSV file read in a process of its own, laid beside the drafts, and compared by the database.

A row of a province has up to a hundred columns that only the form's description names, so the
comparison is put together from it (`csv_compare`); all of it stands in one transaction, and what
is staged goes with it.
"""

import json
import pickle
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass
from pathlib import Path
from tempfile import TemporaryFile
from typing import Any
from uuid import UUID

from sqlalchemy import Connection

from data_access import csv_batches, csv_compare, file_store
from data_access.csv_batches import CsvBatch, Tell
from data_access.csv_cells import Wanted
from data_access.database import transaction
from data_access.forms import load_form
from data_access.queries import load_queries
from data_access.reporting_forms import prefills_of
from data_access.workbook_exports import get_export
from domain.access import Actor
from domain.csv_data import CsvFile, CsvRefusal, CsvState
from domain.errors import CsvRefused, NotFound
from domain.forms import Form

_SQL = load_queries("csv_batches")
_ROOT = Path(__file__).parents[1]
_BLOCK = 1 << 18
_UNITS_AT_ONCE = 500
_PATIENCE = 180  # seconds until a process that neither reads nor ends is ended
_STEPS = 4


@dataclass(frozen=True, slots=True)
class Read:
    """What a file holds, and the downloads that its rows name."""

    files: tuple[CsvFile, ...]
    stamps: tuple[str, ...]


def check(actor: Actor, batch_id: int, tell: Tell) -> None:
    """Read and compare a batch's file, and fill the batch; a file that is not taken is refused."""
    try:
        with transaction(actor, action="csv.check") as connection:
            _run(connection, "allow_time")
            csv_batches.require_state(
                connection, batch_id, CsvState.CHECKING, CsvState.APPLYING, CsvState.OPEN
            )
            _compare(connection, actor, csv_batches.get_batch(connection, batch_id), tell)
    except CsvRefused as refused:
        said = f"{refused.details['reason']}|{refused.details.get('name', '')}"
        with transaction(actor, action="csv.check") as connection:
            _run(connection, "set_refused", batch_id=batch_id, refusal=said)


def _run(connection: Connection, query: str, **parameters: object) -> None:
    connection.execute(_SQL[query], parameters)


def _compare(connection: Connection, actor: Actor, batch: CsvBatch, tell: Tell) -> None:
    form = load_form(connection, batch.form_code, batch.form_version)
    units = csv_batches.writable_units(connection, actor, batch.period_id)
    tell(0, _STEPS, "正在读取文件")
    read = _staged(connection, form, file_store.stored_path(batch.sha256))
    export_id = _export_of(connection, batch, read.stamps)
    tell(1, _STEPS, "正在读取现有草稿")
    csv_compare.stage_units(connection, batch.period_id, units, export_id)
    missing = csv_compare.units_without_report(connection)
    for start in range(0, len(missing), _UNITS_AT_ONCE):
        some = missing[start : start + _UNITS_AT_ONCE]
        started = prefills_of(connection, form.form_code, some, batch.starts_on)
        csv_compare.add_prefills(connection, started)
    tell(2, _STEPS, "正在逐行比对")
    _run(connection, "forget_rows", batch_id=batch.batch_id)
    for key in csv_batches.KEYS[form.form_code]:
        file = next((file for file in read.files if file.group == key.group), None)
        if file is not None:
            csv_compare.compare_group(
                connection, batch, form, key, file, [f.name for f in read.files]
            )
    tell(3, _STEPS, "正在汇总")
    rows = sum(file.row_count for file in read.files)
    counts = asdict(csv_batches.count_rows(connection, batch.batch_id))
    listed = sum(counts[name] for name in ("new", "changed", "conflicting", "refused"))
    _run(
        connection,
        "set_checked",
        batch_id=batch.batch_id,
        export_id=export_id,
        counts=json.dumps({"rows": rows, "unchanged": rows - listed}),
        notes=list(_notes(form, read.files)),
    )


def _notes(form: Form, files: Sequence[CsvFile]) -> Iterator[str]:
    for file in files:
        shown = f"“{file.name}”：" if file.name else ""
        yield f"{shown}读到 {file.row_count:,} 行、{len(file.columns)} 项内容。"
        if file.unread:
            listed = "、".join(file.unread[:8]) + ("等" if len(file.unread) > 8 else "")
            yield f"{shown}{listed}不是可填的内容，未读取。"


def _export_of(connection: Connection, batch: CsvBatch, stamps: Sequence[str]) -> UUID | None:
    """Return the download that the file was taken from, None where it names none."""
    named = [stamp for stamp in stamps if stamp]
    if not named:
        return None
    with suppress(ValueError, NotFound):
        export = get_export(connection, UUID(named[0]))
        if len(named) == 1 and export.period_id == batch.period_id:
            return export.export_id
    raise CsvRefused(reason=CsvRefusal.OTHER_EXPORT)


# THE FILE, READ BESIDE


def _staged(connection: Connection, form: Form, path: Path) -> Read:
    """Let the process that reads write straight into the table of this transaction."""
    csv_compare.stage_rows(connection, form)
    wanted = Wanted(form, csv_batches.KEYS[form.form_code])
    with _reading(path, wanted) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        with csv_compare.copying(connection) as write:
            while block := process.stdout.read(_BLOCK):
                write(block)
        # Less than a pipe holds, so the process never waits for it to be read.
        said = process.stderr.read().decode("utf-8", "replace").rpartition("\n")[2]
        code = process.wait(_PATIENCE)
    return _understood(code, said)


@contextmanager
def _reading(path: Path, wanted: Wanted) -> Iterator["subprocess.Popen[bytes]"]:
    """Start the process that reads; whatever happens here, it does not outlive the block."""
    with TemporaryFile() as given:
        given.write(pickle.dumps(wanted))
        given.seek(0)
        process = subprocess.Popen(
            [sys.executable, "-m", "data_access.csv_cells", str(path.absolute())],
            stdin=given,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            env={"PYTHONPATH": str(_ROOT), "PYTHONUTF8": "1"},
        )
        with process:
            try:
                yield process
            finally:
                process.kill()


def _understood(code: int, said: str) -> Read:
    try:
        answer: dict[str, Any] = json.loads(said)
    except ValueError:
        answer = {"refused": CsvRefusal.DAMAGED if code >= 0 else CsvRefusal.TOO_LARGE}
    if code or "refused" in answer:
        reason = CsvRefusal(answer.get("refused", CsvRefusal.DAMAGED))
        raise CsvRefused(reason=reason, name=str(answer.get("name", "")))
    files = tuple(
        CsvFile(**{**file, "columns": tuple(file["columns"]), "unread": tuple(file["unread"])})
        for file in answer["files"]
    )
    return Read(files, tuple(answer["stamps"]))
