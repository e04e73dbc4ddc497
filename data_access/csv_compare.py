"""What a staged file changes, asked of the database as one question a group.

The questions are made from the form's description: a column a field, so that a row of a hundred
values is compared by comparing values and not by taking a document apart. Names come from
`form_field` and stand quoted; values never stand in a question.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any, LiteralString
from uuid import UUID

import psycopg
from psycopg.sql import SQL, Composable, Composed, Identifier, Literal
from sqlalchemy import Connection

from data_access.csv_batches import CsvBatch
from data_access.csv_cells import free_fields, widest
from domain.clock import today
from domain.csv_data import CsvFile, CsvKey, CsvReason
from domain.forms import FORM_GROUP, IDENTITY, Content, Field, Form
from domain.receipts import canonical

_FILE_ROOM = 10_000_000  # entries are numbered file by file: more than a file may have rows
_UNIT_DIGITS = 12  # of the code of a village, with which those of its natural villages begin
_CASTS: dict[str, LiteralString] = {"integer": "numeric", "boolean": "boolean"}


def _cursor(connection: Connection) -> "psycopg.Cursor[Any]":
    """Return a cursor of the driver, within the transaction of the connection."""
    driver: psycopg.Connection[Any] = connection.connection.driver_connection  # type: ignore[assignment]
    return driver.cursor()


# WHAT IS LAID SIDE BY SIDE


def stage_rows(connection: Connection, form: Form) -> None:
    """Make the table that the lines of the file go into; it ends with the transaction."""
    columns = SQL(", ").join(SQL("{} text").format(_place(i)) for i in range(widest(form)))
    with _cursor(connection) as cursor:
        cursor.execute(
            SQL(
                "CREATE TEMP TABLE csv_stage (file integer, row_no integer, group_code text"
                ", code text, faults text, problems text, {}) ON COMMIT DROP"
            ).format(columns)
        )


@contextmanager
def copying(connection: Connection) -> Iterator[Callable[[bytes], None]]:
    """Yield what takes the lines of the file, bytes as they come."""
    with _cursor(connection) as cursor, cursor.copy("COPY csv_stage FROM STDIN") as copy:
        yield copy.write


def stage_units(
    connection: Connection, period_id: int, codes: Sequence[str], export_id: UUID | None
) -> None:
    """Lay beside the file what stands for each unit it names, and what was handed out of it."""
    with _cursor(connection) as cursor:
        cursor.execute("ANALYZE csv_stage (group_code, code)")
        cursor.execute(
            "CREATE TEMP TABLE csv_twice ON COMMIT DROP AS"
            " SELECT group_code, code, min(row_no) AS first_no, max(row_no) AS last_no"
            " FROM csv_stage WHERE code <> '' GROUP BY group_code, code HAVING count(*) > 1"
        )
        cursor.execute(
            "CREATE TEMP TABLE csv_unit ON COMMIT DROP AS"
            " SELECT division.code AS unit_code, division.code = ANY (%(codes)s) AS is_mine"
            "      , submission.submission_id"
            "      , coalesce(submission.state IN ('draft', 'returned'), true) AS in_hand"
            "      , coalesce(draft.draft_version, 0) AS seen_version"
            "      , CASE WHEN coalesce(submission.state IN ('draft', 'returned'), true)"
            "             THEN draft.content ELSE filed.content END AS content"
            "      , handed.content AS base, handed.export_id IS NOT NULL AS has_base"
            "      , CASE WHEN handed.export_id IS NOT NULL"
            "             THEN handed.content IS DISTINCT FROM"
            "                  CASE WHEN coalesce(submission.state IN ('draft', 'returned'), true)"
            "                       THEN draft.content ELSE filed.content END"
            "             ELSE coalesce(draft.draft_version, 0) > 1 END AS is_moved"
            "   FROM (SELECT DISTINCT left(code, 12) AS code FROM csv_stage) AS named"
            "   JOIN admin_division AS division USING (code)"
            "   LEFT JOIN submission ON submission.period_id = %(period_id)s"
            "        AND submission.division_code = division.code"
            "   LEFT JOIN submission_draft AS draft USING (submission_id)"
            "   LEFT JOIN submission_version AS filed"
            "          ON filed.submission_id = submission.submission_id"
            "         AND filed.version_no = submission.version_no"
            "   LEFT JOIN workbook_export_unit AS handed ON handed.export_id = %(export_id)s"
            "        AND handed.division_code = division.code",
            {"codes": list(codes), "period_id": period_id, "export_id": export_id},
        )
        cursor.execute("ANALYZE csv_unit (unit_code)")


def units_without_report(connection: Connection) -> list[str]:
    """Return the units of the file that are the actor's and have no content of the period yet."""
    with _cursor(connection) as cursor:
        cursor.execute(
            "SELECT unit_code FROM csv_unit WHERE content IS NULL AND is_mine ORDER BY unit_code"
        )
        return [code for (code,) in cursor]


def add_prefills(connection: Connection, contents: Mapping[str, Content]) -> None:
    """Let units without a report stand where a new draft of theirs would start."""
    with _cursor(connection) as cursor:
        cursor.execute(
            "UPDATE csv_unit SET content = CAST(started.content AS jsonb)"
            "     , is_moved = has_base AND base IS DISTINCT FROM CAST(started.content AS jsonb)"
            " FROM unnest(%s::text[], %s::text[]) AS started (code, content)"
            " WHERE csv_unit.unit_code = started.code",
            [list(contents), [canonical(content) for content in contents.values()]],
        )


# ONE GROUP COMPARED


def compare_group(
    connection: Connection,
    batch: CsvBatch,
    form: Form,
    key: CsvKey,
    file: CsvFile,
    names: Sequence[str],
) -> None:
    """Write each row of a group that changes something or is not taken into the batch."""
    fields = free_fields(form, key.group)
    here = [(i, item) for i, item in enumerate(fields) if item.code in file.columns]
    asked = {
        "batch_id": batch.batch_id,
        "user_id": batch.user_id,
        "group": key.group,
        "names": list(names),
        "day": today(),
    }
    with _cursor(connection) as cursor:
        for table, column, which in (
            ("csv_now", "content", "true"),
            ("csv_base", "base", "is_moved"),
        ):
            cursor.execute(SQL("DROP TABLE IF EXISTS {}").format(Identifier(table)))
            cursor.execute(_values_of(table, column, which, key.group, [item for _, item in here]))
            cursor.execute(SQL("ANALYZE {} (row_code)").format(Identifier(table)))
        # Where nobody saved since the download, what went out is what stands there: half the work.
        for is_moved in (False, True):
            cursor.execute(_comparison(key, here, is_moved=is_moved), asked)


def _values_of(
    table: str, column: str, which: LiteralString, group: str, fields: Sequence[Field]
) -> Composed:
    """Make a table of what the units have in a group: a column a field, as text."""
    return SQL(_OF_THE_UNIT if group == FORM_GROUP else _OF_ITS_ROWS).format(
        table=Identifier(table),
        column=Identifier(column),
        group=Literal(group),
        columns=SQL(", ").join(SQL("{} text").format(_name(item)) for item in fields),
        key=Identifier(IDENTITY),
        which=SQL(which),
    )


_NONE: LiteralString = "CAST('{}' AS text[])"
_OF_THE_UNIT: LiteralString = """
CREATE TEMP TABLE {table} ON COMMIT DROP AS
SELECT unit_code AS row_code, row.*
  FROM csv_unit
 CROSS JOIN LATERAL jsonb_to_record({column} -> {group}) AS row ({columns})
 WHERE is_mine AND {which}
"""
_OF_ITS_ROWS: LiteralString = """
CREATE TEMP TABLE {table} ON COMMIT DROP AS
SELECT row.{key} AS row_code, row.*
  FROM csv_unit
 CROSS JOIN LATERAL jsonb_to_recordset({column} -> {group}) AS row ({key} text, {columns})
 WHERE is_mine AND {which}
"""


def _comparison(key: CsvKey, here: Sequence[tuple[int, Field]], *, is_moved: bool) -> Composed:
    """Return the question for the units that somebody saved since, or for all others."""
    by_row = key.group != FORM_GROUP
    differs = SQL(" OR ").join(_col("d", item) for _, item in here)
    moved = SQL(" OR ").join(
        SQL("({} AND {})").format(_col("d", item), _col("m", item)) for _, item in here
    )
    return SQL(_COMPARE).format(
        room=Literal(_FILE_ROOM),
        unit_digits=Literal(_UNIT_DIGITS),
        form_group=Literal(FORM_GROUP),
        columns=SQL(", ").join(_compared(here, is_moved=is_moved)),
        any_differs=differs,
        any_moved=moved if is_moved else SQL("false"),
        any_stood=SQL(" OR ").join(
            SQL("({} AND {} IS NOT NULL)").format(_col("d", item), _col("o", item))
            for _, item in here
        ),
        old_values=_document(here, lambda item: _col("o", item)),
        new_values=_document(here, _typed),
        removed=_codes(here, lambda item: SQL("{} IS NULL").format(_col("n", item))),
        conflicts=_codes(here, lambda item: _col("m", item)) if is_moved else SQL(_NONE),
        is_row_known=SQL("village.code IS NOT NULL" if by_row else "true"),
        register=SQL(
            " LEFT JOIN natural_village_on(%(day)s) AS village ON village.code = stage.code"
            if by_row
            else ""
        ),
        base=SQL(" LEFT JOIN csv_base AS base ON base.row_code = stage.code" if is_moved else ""),
        which=SQL("unit.is_moved AND unit.is_mine" if is_moved
                  else "(unit.is_moved AND unit.is_mine) IS NOT TRUE"),
        **{reason.value: Literal(reason.value) for reason in CsvReason},
    )  # fmt: skip


def _compared(here: Sequence[tuple[int, Field]], *, is_moved: bool) -> Iterator[Composed]:
    """Return for each field whether it differs, whether it moved since, its new and old value."""
    for number, item in here:
        new, now = SQL("stage.{}").format(_place(number)), SQL("now.{}").format(_name(item))
        said = SQL("{} IS DISTINCT FROM {} AND (unit.has_base OR {} IS NOT NULL)").format(
            new, now, new
        )
        if is_moved:
            before = SQL("base.{}").format(_name(item))
            yield SQL("({} AND {} IS DISTINCT FROM {}) AS {}").format(
                said, new, before, _col("d", item)
            )
            yield SQL("{} IS DISTINCT FROM {} AS {}").format(now, before, _col("m", item))
        else:
            yield SQL("({}) AS {}").format(said, _col("d", item))
        yield SQL("{} AS {}").format(new, _col("n", item))
        yield SQL("{} AS {}").format(now, _col("o", item))


# A cell without a download to go by: whoever saved the draft since it began may have meant what
# stands there, so another value is a conflict; an empty cell says nothing.
_COMPARE: LiteralString = """
INSERT INTO csv_batch_row (batch_id, user_id, entry_no, file, row_no, group_code, division_code
     , row_key, kind, seen_version, old_values, new_values, removed, conflicts, reason, problem)
SELECT %(batch_id)s, %(user_id)s, row.file * {room} + row.row_no
     , (CAST(%(names)s AS text[]))[row.file + 1], row.row_no, %(group)s
     , CASE WHEN row.is_mine THEN row.unit_code END
     , CASE WHEN %(group)s = {form_group} THEN '' ELSE row.code END
     , CASE WHEN row.why <> '' OR NOT row.in_hand THEN 'refused'
            WHEN {any_moved} THEN 'conflicting'
            WHEN {any_stood} THEN 'changed'
            ELSE 'new' END
     , row.seen_version
     , CASE WHEN row.why = '' THEN {old_values} ELSE '{{}}' END
     , CASE WHEN row.why = '' THEN {new_values} ELSE '{{}}' END
     , CASE WHEN row.why = '' THEN {removed} ELSE '{{}}' END
     , CASE WHEN row.why = '' THEN {conflicts} ELSE '{{}}' END
     , CASE WHEN row.why <> '' THEN row.why WHEN NOT row.in_hand THEN {not_in_hand} ELSE '' END
     , coalesce(CASE row.why WHEN {not_understood} THEN row.faults
                             WHEN {duplicate} THEN row.other_no
                             WHEN {unknown_unit} THEN row.code
                             WHEN {not_yours} THEN row.code
                             WHEN {unknown_row} THEN row.code
                             WHEN '' THEN row.problems END, '')
  FROM (SELECT stage.file, stage.row_no, stage.code, stage.faults, stage.problems
             , unit.unit_code, coalesce(unit.is_mine, false) AS is_mine
             , coalesce(unit.in_hand, true) AS in_hand, unit.seen_version
             , CASE WHEN stage.faults IS NOT NULL THEN {not_understood}
                    WHEN twice.code IS NOT NULL THEN {duplicate}
                    WHEN unit.unit_code IS NULL THEN {unknown_unit}
                    WHEN NOT unit.is_mine THEN {not_yours}
                    WHEN NOT ({is_row_known}) THEN {unknown_row}
                    ELSE '' END AS why
             , CAST(CASE WHEN twice.first_no = stage.row_no THEN twice.last_no
                         ELSE twice.first_no END AS text) AS other_no
             , {columns}
          FROM csv_stage AS stage
          LEFT JOIN csv_unit AS unit ON unit.unit_code = left(stage.code, {unit_digits})
          LEFT JOIN csv_twice AS twice
                 ON twice.group_code = stage.group_code AND twice.code = stage.code
          LEFT JOIN csv_now AS now ON now.row_code = stage.code{base}{register}
         WHERE stage.group_code = %(group)s AND {which}
        OFFSET 0) AS row
 WHERE row.why <> '' OR {any_differs}
"""


def _place(number: int) -> Identifier:
    return Identifier(f"c{number}")


def _name(item: Field) -> Identifier:
    return Identifier(item.code)


def _col(prefix: str, item: Field) -> Composable:
    return Identifier(f"{prefix}_{item.code}")


def _typed(item: Field) -> Composable:
    """Return a new value as content has it: whole numbers are numbers, yes and no are booleans."""
    cast = _CASTS.get(item.data_type)
    if cast is None:
        return _col("n", item)
    return SQL("CAST({} AS {})").format(_col("n", item), SQL(cast))


def _document(
    here: Sequence[tuple[int, Field]], value_of: Callable[[Field], Composable]
) -> Composed:
    """Return what makes a document of the values that differ: of few, so their text is short."""
    pairs = SQL(", ").join(
        SQL("CASE WHEN {} THEN {} || to_json({})::text END").format(
            _col("d", item), Literal(f'"{item.code}":'), value_of(item)
        )
        for _, item in here
    )
    return SQL("CAST('{{' || concat_ws(',', {}) || '}}' AS jsonb)").format(pairs)


def _codes(here: Sequence[tuple[int, Field]], holds: Callable[[Field], Composable]) -> Composed:
    """Return what makes a list of the fields that differ and for which something holds."""
    each = SQL(", ").join(
        SQL("CASE WHEN {} AND {} THEN {} END").format(
            _col("d", item), holds(item), Literal(item.code)
        )
        for _, item in here
    )
    return SQL("coalesce(string_to_array(nullif(concat_ws(',', {}), ''), ','), '{{}}')").format(
        each
    )
