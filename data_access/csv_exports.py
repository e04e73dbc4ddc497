"""The rows of a form as CSV, one file for each group in one archive, and what they were taken from.

What is handed out is kept as it is for workbooks, so a file that comes back is compared with three
values a cell. Codes are plain text; the column of the download names what was handed out.
"""

import csv
import io
import zipfile
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import IO
from uuid import UUID

from sqlalchemy import Connection

from data_access import jobs, workbook_exports, workbook_scopes
from data_access.csv_batches import KEYS
from data_access.csv_cells import free_fields
from data_access.database import transaction
from data_access.forms import load_form
from data_access.jobs import RunningJob
from data_access.queries import load_queries
from data_access.reporting_forms import contexts_of, prefills_of
from data_access.rows import fetch_all
from data_access.workbook_exports import Export, Handed
from data_access.workbook_layout import cell_value, header_of, rows_in, shown_codes
from data_access.workbook_scopes import Period, Scope, Unit
from domain.access import Actor
from domain.csv_data import STAMP, CsvKey
from domain.form_texts import mask
from domain.form_values import normalise
from domain.forms import Content, Field, Form, Values, rows_of
from domain.jobs import JobKind
from domain.receipts import canonical

_SQL = load_queries("csv_exports")
_UNITS_AT_ONCE = 400
_NOTE = """这个压缩包里每一级数据一个 CSV 文件（UTF-8）。

1. 用 Excel 或 WPS 打开时请用“数据 → 自文本/CSV”导入，并把代码列设为“文本”；直接双击打开，12 位和
   15 位代码会变成科学计数，末尾数字就丢失了。
2. 列的先后可以变，列可以删去（删去的列不改动）；“下载编号”列请保留，系统凭它判断下载之后谁又改过。
3. 填好后把压缩包，或者其中一个 CSV 文件，在“Excel 填报”页上传。
"""


def request(connection: Connection, actor: Actor, period: Period, scope: Scope) -> Export:
    """Let a job make the file; the page shows how far it is, and the file when it is there."""
    export = workbook_exports.begin(connection, actor, period, scope)
    job_id = jobs.defer(
        connection, JobKind.EXPORT_CSV, {"export_id": str(export.export_id)}, requested_by=actor
    )
    workbook_exports.set_job(connection, export.export_id, job_id)
    return workbook_exports.get_export(connection, export.export_id)


def run_job(job: RunningJob, export_id: str) -> None:
    """Make one archive for whoever asked for it: all of it, or nothing and again."""
    actor = workbook_exports.actor_of(job.requested_by)

    def tell(done: int, total: int) -> None:
        with job.transaction() as beside:
            job.report(beside, done, total, "正在导出")

    with transaction(actor, action="csv.export") as connection:
        export = workbook_exports.get_export(connection, UUID(export_id))
        if export.ready_at is None:
            write(connection, actor, export, tell)
            workbook_exports.set_ready(connection, export.export_id)


def write(
    connection: Connection, actor: Actor, export: Export, tell: "workbook_exports.Progress"
) -> Path:
    """Write the archive of an export and keep what went into it; return where it lies."""
    period = workbook_scopes.get_period(connection, export.period_id)
    form = load_form(connection, period.form_code, period.form_version)
    wanted = set(export.unit_codes)
    units = [u for u in workbook_scopes.list_units(connection, period) if u.code in wanted]
    path = workbook_exports.made_path(export.export_id, ".zip")
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED, compresslevel=3) as archive:
        archive.writestr("说明.txt", "\ufeff" + _NOTE)
        for key in KEYS[form.form_code]:
            with archive.open(f"{form.title}_{_level(form, key)}.csv", "w") as raw:
                _Writer(connection, actor, export, period, form, key, raw).write(units, tell)
    return path


def _level(form: Form, key: CsvKey) -> str:
    """Return what the rows of a group are called: 行政村, 自然村."""
    item = form.find_field(key.group, key.field)
    return item.label.removesuffix("代码") if item else key.group


class _Writer:
    """Writes the rows of one group, some units at a time."""

    def __init__(
        self,
        connection: Connection,
        actor: Actor,
        export: Export,
        period: Period,
        form: Form,
        key: CsvKey,
        raw: IO[bytes],
    ) -> None:
        self._connection, self._actor, self._export = connection, actor, export
        self._period, self._form, self._key = period, form, key
        self._raw = raw
        self._fields = free_fields(form, key.group)
        self._facts = [item for item in form.fields_of(key.group) if item.read_only]
        self._shown = {item.code: shown_codes(form.options(item)) for item in self._fields}

    def write(self, units: Sequence[Unit], tell: "workbook_exports.Progress") -> None:
        text = io.TextIOWrapper(self._raw, "utf-8-sig", newline="")
        lines = csv.writer(text)
        heads = [header_of(item).lstrip("*△") for item in (*self._facts, *self._fields)]
        lines.writerow([*heads, STAMP])
        for start in range(0, len(units), _UNITS_AT_ONCE):
            tell(start, len(units))
            lines.writerows(self._lines(units[start : start + _UNITS_AT_ONCE]))
        text.flush()
        text.detach()

    def _lines(self, units: Sequence[Unit]) -> Iterator[list[object]]:
        codes = [unit.code for unit in units]
        contents = self._contents(codes)
        contexts = contexts_of(
            self._connection, self._form.form_code, codes, self._period.starts_on
        )
        stamp = str(self._export.export_id)
        for unit in units:
            may_see = self._actor.may_see_contact(unit.prefix)
            content = mask(
                self._form, normalise(self._form, contents[unit.code]), may_see_contact=may_see
            )
            context = contexts[unit.code]
            values = dict(rows_of(content, self._key.group))
            for row in rows_in(context, self._key.group):
                facts = {**context.values, **row.values}
                yield [*self._cells(facts, values.get(row.key, {})), stamp]

    def _contents(self, codes: Sequence[str]) -> dict[str, Content]:
        """Return what stands for each unit, kept when the first group asks for it."""
        key = {"export_id": self._export.export_id, "codes": list(codes)}
        period = {"period_id": self._export.period_id}
        self._connection.execute(_SQL["add_units"], {**key, **period})
        kept = self._kept(codes)
        missing = [code for code in codes if code not in kept]
        if missing:
            new = prefills_of(
                self._connection, self._form.form_code, missing, self._period.starts_on
            )
            texts = [canonical(new[code]) for code in missing]
            self._connection.execute(
                _SQL["add_prefilled"], {**key, "codes": missing, "contents": texts}
            )
            kept |= new
        return kept

    def _kept(self, codes: Sequence[str]) -> dict[str, Content]:
        rows = fetch_all(
            self._connection,
            _SQL["list_contents"],
            Handed,
            export_id=self._export.export_id,
            codes=list(codes),
        )
        return {row.division_code: row.content for row in rows}

    def _cells(self, facts: Values, values: Values) -> Iterator[object]:
        for item in self._facts:
            yield _text(facts.get(item.code))
        for item in self._fields:
            yield _text(self._cell(item, values.get(item.code)))

    def _cell(self, item: Field, value: object) -> object:
        if value is None:
            return ""
        return cell_value(self._form, item, value, self._shown[item.code])


def _text(value: object) -> str:
    return "" if value is None else str(value)
