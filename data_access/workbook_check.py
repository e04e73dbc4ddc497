"""A workbook that came back, compared: every cell beside what went out and what stands now."""

import json
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any
from uuid import UUID

from sqlalchemy import Connection

from data_access import file_store, uploads, workbook_exports, workbook_scopes
from data_access.collector import collector_waiting
from data_access.database import transaction
from data_access.form_checks import all_problems
from data_access.forms import tell_owner
from data_access.queries import load_queries
from data_access.reporting import load_filers
from data_access.reporting_forms import contexts_of, prefills_of
from data_access.rows import fetch_all
from data_access.workbook_batches import USE, all_rows, get_batch, require_state
from data_access.workbook_exports import IN_HAND, Export, Report
from data_access.workbook_read import read_workbook
from data_access.workbook_scopes import Period
from domain.access import Actor
from domain.clock import today
from domain.errors import NotFound, WorkbookRefused
from domain.form_values import normalise
from domain.forms import (
    Content,
    Context,
    Form,
    Problem,
    Severity,
    cell_label,
    path_of,
    split_path,
    with_all_rows,
)
from domain.receipts import content_sha256
from domain.workbook import Fault, Reading, ReadRow, Stamp
from domain.workbook_diff import (
    BatchRefusal,
    BatchState,
    Because,
    Entry,
    EntryKind,
    UnitDiff,
    applied,
    compare,
)
from domain.workflow import fills

_SQL = load_queries("workbook_batches")
_UNSAID = (None, "")  # most lines have neither reason nor problem: left out, they cost nothing


@dataclass(frozen=True, slots=True)
class _Base:
    division_code: str
    content: Content


@dataclass(frozen=True, slots=True)
class _Kept:
    """A conflict that was decided for what stood there."""

    division_code: str
    group_code: str
    row_key: str
    field_code: str
    old_value: object
    decision: str

    @property
    def path(self) -> str:
        return path_of(self.group_code, self.row_key, self.field_code)


@dataclass(frozen=True, slots=True)
class _Named:
    code: str
    name: str
    prefix: str


def receive(actor: Actor, sha256: str) -> int:
    """Read and compare a workbook the actor has uploaded; return the batch it became.

    Raise WorkbookRefused for a file that is not taken at all; nothing is written then.
    """
    with transaction(actor, read_only=True) as connection:
        file_name = uploads.find_file(connection, USE, sha256)
        if file_name is None:
            raise NotFound(sha256=sha256[:12])
    source: list[tuple[Export, Period, Form]] = []

    def find_form_of(stamp: Stamp) -> Form:
        source.append(_source(actor, stamp))
        return source[0][2]

    with collector_waiting():
        reading = read_workbook(file_store.stored_path(sha256), find_form_of)
    export, period, form = source[0]
    with collector_waiting(), transaction(actor, action="workbook.check") as connection:
        parameters = {
            "export_id": export.export_id,
            "user_id": actor.user_id,
            "file_name": file_name,
            "sha256": sha256,
        }
        kept: _Decided = {
            (row.division_code, row.path, _json(row.old_value)): row.decision
            for row in fetch_all(
                connection, _SQL["list_kept"], _Kept, export_id=export.export_id, sha256=sha256
            )
        }
        batch_id = int(connection.execute(_SQL["add_batch"], parameters).scalar_one())
        _compare(connection, actor, batch_id, export.export_id, period, form, reading, kept)
    return batch_id


def _source(actor: Actor, stamp: Stamp) -> tuple[Export, Period, Form]:
    with transaction(actor, read_only=True) as connection:
        try:
            export_id = UUID(stamp.export_id)
            export = workbook_exports.get_export(connection, export_id)
        except ValueError:
            raise WorkbookRefused(reason=BatchRefusal.UNKNOWN_EXPORT) from None
        except NotFound:
            exists = connection.scalar(_SQL["export_exists"], {"export_id": export_id})
            reason = BatchRefusal.NOT_YOUR_UNITS if exists else BatchRefusal.UNKNOWN_EXPORT
            raise WorkbookRefused(reason=reason) from None
        period = workbook_scopes.get_period(connection, export.period_id)
        form = workbook_exports.form_for(connection, actor, export.form_code, export.form_version)
        return export, period, form


def refresh(actor: Actor, batch_id: int) -> None:
    """Compare the batch's file anew with what stands now; what was decided stays where it can."""
    with transaction(actor, read_only=True) as connection:
        batch = get_batch(connection, batch_id)
        period = workbook_scopes.get_period(connection, batch.period_id)
        form = workbook_exports.form_for(connection, actor, batch.form_code, batch.form_version)
    with collector_waiting():
        reading = read_workbook(file_store.stored_path(batch.sha256), form)
    with collector_waiting(), transaction(actor, action="workbook.check") as connection:
        require_state(connection, batch_id, BatchState.OPEN, BatchState.APPLYING)
        decided = {
            (row.division_code, row.path, _json(row.old_value)): row.decision
            for row in all_rows(connection, batch_id)
            if row.decision
        }
        for query in ("forget_rows", "forget_units"):
            connection.execute(_SQL[query], {"batch_id": batch_id})
        connection.execute(_SQL["set_state"], {"batch_id": batch_id, "state": BatchState.OPEN})
        _compare(connection, actor, batch_id, batch.export_id, period, form, reading, decided)


_Decided = Mapping[tuple[str | None, str, str], str | None]


def _compare(
    connection: Connection,
    actor: Actor,
    batch_id: int,
    export_id: UUID,
    period: Period,
    form: Form,
    reading: Reading,
    decided: _Decided = {},  # noqa: B006
) -> None:
    """Write what the comparison of every unit of the file found into the batch."""
    comparison = _Comparison(connection, actor, export_id, period, form, reading)
    keep = {"batch_id": batch_id, "user_id": actor.user_id}
    units, lines, unchanged = comparison.run()
    connection.execute(_SQL["add_unit"], [{**keep, **unit} for unit in units])
    for number, line in enumerate(lines, 1):
        line["no"] = number
        path = line.pop("path")
        if decided and line["kind"] == EntryKind.CONFLICTING:
            cell = (line["division_code"], path, _json(line["old_value"]))
            line["decision"] = decided.get(cell)
    said = [{name: line[name] for name in line if line[name] not in _UNSAID} for line in lines]
    connection.execute(_SQL["add_rows"], {**keep, "lines": json.dumps(said, ensure_ascii=False)})
    connection.execute(
        _SQL["set_checked"],
        {"batch_id": batch_id, "unchanged_count": unchanged, "notes": list(reading.notes)},
    )


class _Comparison:
    """One file beside the drafts of its units: what becomes of every cell."""

    def __init__(
        self,
        connection: Connection,
        actor: Actor,
        export_id: UUID,
        period: Period,
        form: Form,
        reading: Reading,
    ) -> None:
        self._connection, self._actor = connection, actor
        self._export_id, self._period = export_id, period
        self._form, self._reading = form, reading

    def run(self) -> tuple[list[dict[str, Any]], list[dict[str, Any]], int]:
        """Return the units, the lines of the preview, and how many cells say nothing."""
        rows = _by_unit(self._reading.rows)
        faults = _by_unit(self._reading.faults)
        codes = sorted({*rows, *faults} - {""})
        filers = load_filers(self._connection, self._form.form_code)
        own = [code for code in codes if fills(filers, code, self._actor)]
        bases = {
            base.division_code: base.content
            for base in fetch_all(
                self._connection,
                _SQL["list_bases"],
                _Base,
                export_id=self._export_id,
                codes=own,
            )
        }
        if not bases:
            raise WorkbookRefused(reason=BatchRefusal.NOT_YOUR_UNITS)
        names = {
            unit.code: unit.name
            for unit in fetch_all(
                self._connection, _SQL["name_units"], _Named, day=today(), codes=codes
            )
        }
        reports = workbook_exports.reports_of(self._connection, self._period.period_id, list(bases))
        asked = self._form.form_code, list(bases), self._period.starts_on
        contexts = contexts_of(self._connection, *asked)
        prefills = prefills_of(self._connection, *asked)
        units: list[dict[str, Any]] = []
        lines = [_general(fault) for fault in faults.get("", ())]
        unchanged = 0
        for code in codes:
            name = names.get(code, code)
            if code not in bases:
                lines.append(_foreign(code, name, rows.get(code, ())))
                continue
            unit, found, same = self._unit(
                code,
                name,
                replace(contexts[code], last=prefills[code]),
                bases[code],
                workbook_exports.standing_content(reports.get(code), prefills[code], files=True),
                reports.get(code),
                rows.get(code, ()),
                faults.get(code, ()),
            )
            units.append(unit)
            lines += found
            unchanged += same
        return units, lines, unchanged

    def _unit(
        self,
        code: str,
        name: str,
        context: Context,
        base: Content,
        standing: Content,
        report: Report | None,
        rows: Sequence[ReadRow],
        faults: Sequence[Fault],
    ) -> tuple[dict[str, Any], list[dict[str, Any]], int]:
        form = self._form
        is_open = report is None or report.state in IN_HAND
        current = with_all_rows(form, normalise(form, standing), context)
        start = with_all_rows(form, base, context)
        diff = compare(form, context, start, current, rows, faults, in_hand=is_open)
        problems = self._problems(context, current, diff) if diff.offered else []
        unit = {
            "division_code": code,
            "unit_name": name,
            "is_open": is_open,
            "submission_id": report.submission_id if report else None,
            "seen_sha256": content_sha256(standing),
            "error_count": sum(p.severity is Severity.ERROR for p in problems),
        }
        return unit, list(self._lines(code, name, context, diff, rows, problems)), diff.unchanged

    def _problems(self, context: Context, current: Content, diff: UnitDiff) -> list[Problem]:
        """Return what would be wrong with the draft if all that is offered were taken."""
        cells = (((e.group, e.key, e.field), e.new) for e in diff.offered)
        content = applied(self._form, context, current, cells)

        def report(broken: Any) -> None:
            tell_owner(self._connection, broken)

        return all_problems(self._form, content, context, report)

    def _lines(
        self,
        code: str,
        name: str,
        context: Context,
        diff: UnitDiff,
        rows: Sequence[ReadRow],
        problems: Sequence[Problem],
    ) -> Iterator[dict[str, Any]]:
        by_path: dict[str, Problem] = {}
        for problem in problems:
            known = by_path.get(problem.path)
            if known is None or known.severity is not Severity.ERROR:
                by_path[problem.path] = problem
        for entry in diff.entries:
            found = None if entry.kind is EntryKind.REFUSED else by_path.pop(entry.path, None)
            yield _line(code, name, label_of_entry(self._form, context, entry), entry, found)
        places = {(row.group, row.key): row for row in rows}
        for path, problem in by_path.items():
            standing = _standing(path, places)
            if standing is not None and problem.severity is Severity.ERROR:
                yield _line(code, name, problem.label, standing, problem)


def label_of_entry(form: Form, context: Context, entry: Entry) -> str:
    """Return what a person calls the cell, or the row where it is the whole row."""
    if entry.field:
        return cell_label(form, entry.group, entry.key, entry.field, context)
    row = context.find_row(entry.group, entry.key)
    return row.label if row else entry.key


def _standing(path: str, places: Mapping[tuple[str, str], ReadRow]) -> Entry | None:
    """Return an unchanged cell of the file, to say at it what is wrong."""
    parts = split_path(path)
    if parts is None:
        return None
    group, key, code = parts
    row = places.get((group, key))
    if row is None:
        return None
    value = row.values.get(code)
    return Entry(row.sheet, row.row_no, group, key, code, EntryKind.UNCHANGED, value, value)


def _by_unit(items: Iterable[Any]) -> dict[str, list[Any]]:
    found: dict[str, list[Any]] = defaultdict(list)
    for item in items:
        found[item.division_code].append(item)
    return found


def _line(
    code: str | None, name: str, label: str, entry: Entry, problem: Problem | None
) -> dict[str, Any]:
    return {
        "division_code": code,
        "unit_name": name,
        "sheet": entry.sheet,
        "row_no": entry.row_no or None,
        "group_code": entry.group,
        "row_key": entry.key,
        "field_code": entry.field,
        "path": entry.path,
        "label": label,
        "kind": entry.kind.value,
        "old_value": entry.old,
        "new_value": entry.new,
        "reason": entry.because.value if entry.because else "",
        "problem": entry.sentence or (problem.message if problem else ""),
        "severity": problem.severity.value if problem else "",
    }


def _general(fault: Fault) -> dict[str, Any]:
    """Return the line of what belongs to no unit: a column or a sheet that stands there twice."""
    entry = Entry(
        fault.sheet, fault.row_no, "", "", fault.field, EntryKind.REFUSED, sentence=fault.message
    )
    return _line(None, "", fault.details.get("label", ""), entry, None)


def _foreign(code: str, name: str, rows: Sequence[ReadRow]) -> dict[str, Any]:
    """Return the one line of a unit that somebody else files."""
    sheet, row_no = (rows[0].sheet, rows[0].row_no) if rows else ("", 0)
    entry = Entry(sheet, row_no, "", code, "", EntryKind.REFUSED, because=Because.NOT_YOURS)
    return _line(None, name, f"共 {len(rows)} 行", entry, None)


def _json(value: object) -> str:
    return json.dumps(value, ensure_ascii=False, sort_keys=True)
