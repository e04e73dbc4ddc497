"""Values of the status assessment: filed as forms, or put in force at once for what is computed."""

from collections.abc import Iterable, Mapping
from decimal import Decimal
from typing import Any

import psycopg

from data_access import drafts, filing, reporting
from data_access.database import transaction
from domain.access import Actor
from tests.actors import COUNTY

FORM = "status_assessment"
LAND = {"CULT_LAND": {"value": "31.2", "source": "三调"}}
Figure = Decimal | int | str | tuple[int | str, int | str]

# The counties of one city.
NANCHANG = (
    "360102",
    "360103",
    "360104",
    "360111",
    "360112",
    "360113",
    "360121",
    "360123",
    "360124",
)


def open_year(owner: psycopg.Connection, year: int) -> int:
    """Open the period in which the figures of a data year are filed: the year after."""
    row = owner.execute(
        "INSERT INTO reporting_period (form_code, name, starts_on, ends_on, deadline_at"
        ", form_version, workflow_version)"
        " VALUES (%s, %s, make_date(%s, 1, 1), make_date(%s, 12, 31), make_timestamptz(%s, 12, 25"
        ", 23, 59, 59, 'Asia/Shanghai'), 1, 1) RETURNING period_id",
        [FORM, f"{year + 1}年", year + 1, year + 1, year + 1],
    ).fetchone()
    assert row is not None
    return int(row[0])


def accept(
    owner: psycopg.Connection,
    year: int,
    figures: Mapping[str, Mapping[str, Figure | None]],
    user_id: int = 1,
) -> None:
    """Put figures of units in force: unit to code to value, or to numerator and denominator."""
    found = owner.execute(
        "SELECT period_id FROM reporting_period WHERE form_code = %s AND starts_on ="
        " make_date(%s, 1, 1)",
        [FORM, year + 1],
    ).fetchone()
    period = found[0] if found else open_year(owner, year)
    for unit, values in figures.items():
        number, version = _next_version(owner, period, unit, user_id)
        for code, figure in values.items():
            if figure is not None:
                _add(owner, (number, version, unit, year, code, user_id), figure)


def _next_version(
    owner: psycopg.Connection, period: int, unit: str, user_id: int
) -> tuple[int, int]:
    [number] = _one(
        owner,
        "INSERT INTO submission (form_code, period_id, division_code) VALUES (%s, %s, %s)"
        " ON CONFLICT ON CONSTRAINT submission_one_per_unit_and_period"
        " DO UPDATE SET form_code = excluded.form_code RETURNING submission_id",
        [FORM, period, unit],
    )
    [version] = _one(
        owner,
        "INSERT INTO submission_version (submission_id, version_no, division_code, round_no"
        ", form_version, rule_version, code_version, workflow_version, content, content_sha256"
        ", submitted_by) SELECT %s, coalesce(max(version_no), 0) + 1, %s, 1, 1, 1, '2020', 1, '{}'"
        ", '', %s FROM submission_version WHERE submission_id = %s RETURNING version_no",
        [number, unit, user_id, number],
    )
    return number, version


def _add(owner: psycopg.Connection, key: tuple[Any, ...], figure: Figure) -> None:
    number, version, unit, year, code, user_id = key
    above, below = figure if isinstance(figure, tuple) else (None, None)
    plain = None if isinstance(figure, tuple) else Decimal(figure)
    owner.execute(
        "WITH told AS (INSERT INTO filed_indicator_value (submission_id, version_no"
        ", division_code, report_year, canonical_code, numerator, denominator, value, unit)"
        " SELECT %s, %s, %s, %s, canonical_code, %s, %s"
        ", coalesce(%s, round(CAST(%s AS numeric) * scale / CAST(%s AS numeric), 6)), unit"
        "  FROM indicator_canonical WHERE canonical_code = %s RETURNING *)"
        " INSERT INTO accepted_indicator_value SELECT told.*, %s FROM told",
        [number, version, unit, year, above, below, plain, above, below, code, user_id],
    )


def _one(owner: psycopg.Connection, query: str, values: list[Any]) -> tuple[Any, ...]:
    row = owner.execute(query, values).fetchone()
    assert row is not None
    return row


def assess(owner: psycopg.Connection, *codes: str, raising: bool = False) -> int:
    """Compute every year of some codes anew, or of all; return how many results changed."""
    wanted = list(codes) or None
    return int(_one(owner, "SELECT assess(codes => %s, raising => %s)", [wanted, raising])[0])


def opened(actor: Actor, period_id: int, unit: str = COUNTY) -> reporting.Submission:
    with transaction(actor) as connection:
        return drafts.open_submission(connection, actor, period_id, unit)


def opened_after_a_year(
    owner: psycopg.Connection, actor: Actor, accepter: Actor
) -> reporting.Submission:
    """Return a report of 2025, opened where one figure of 2024 is in force."""
    accept(owner, 2024, {COUNTY: {"CULT_LAND": "31.5"}}, accepter.user_id)
    return opened(actor, open_year(owner, 2025))


def fill(
    actor: Actor, submission: reporting.Submission, figures: Mapping[str, Mapping[str, object]]
) -> filing.CheckedDraft:
    """Save figures over the draft; every basic indicator left out says why it is missing."""
    with transaction(actor, action="draft.save") as connection:
        state = filing.read_state(connection, actor, submission.submission_id)
        content = state.content
        content["form"] |= {"contact_name": "张三", "contact_phone": "13800000000"}
        for row in content["indicator"]:
            given = figures.get(row["key"])
            row |= given if given is not None else {"explanation": "本年没有统计。"}
        return filing.save_checked(
            connection,
            actor,
            submission.submission_id,
            content,
            state.submission.draft_version or 0,
        )


def levels(owner: psycopg.Connection, year: int, code: str) -> dict[str, str]:
    """Return each unit's level of an indicator in a year."""
    rows = owner.execute(
        "SELECT division_code, level FROM assessment_result WHERE report_year = %s"
        " AND canonical_code = %s AND rule_version = assessment_rules_of(%s)",
        [year, code, year],
    ).fetchall()
    return dict(rows)


def result(owner: psycopg.Connection, unit: str, year: int, code: str) -> dict[str, Any]:
    """Return one result as the table has it."""
    with owner.cursor(row_factory=psycopg.rows.dict_row) as cursor:
        found = cursor.execute(
            "SELECT * FROM assessment_result WHERE division_code = %s AND report_year = %s"
            " AND canonical_code = %s AND rule_version = assessment_rules_of(%s)",
            [unit, year, code, year],
        ).fetchone()
    assert found is not None
    return found


def set_target(
    owner: psycopg.Connection,
    unit: str,
    code: str,
    year: int,
    value: Figure | None,
    base: tuple[int, Figure] | None = None,
) -> None:
    """Issue a target, or say with None that it is not issued."""
    owner.execute(
        "INSERT INTO indicator_target (division_code, canonical_code, target_year, state"
        ", base_year, base_value, target_value) VALUES (%s, %s, %s, %s, %s, %s, %s)",
        [unit, code, year, "not_issued" if value is None else "issued",
         *(base or (None, None)), value],
    )  # fmt: skip


def everywhere(units: Iterable[str], figure: Figure, code: str) -> dict[str, dict[str, Figure]]:
    """Return one figure of every unit."""
    return {unit: {code: figure} for unit in units}
