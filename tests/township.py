"""Villages of a county that wait for their review, with a few figures each."""

from collections.abc import Mapping, Sequence

import psycopg

from tests.queues import make_waiting
from tests.villages import open_village_period

_FILED = """
INSERT INTO filed_village_evaluation (submission_id, version_no, division_code, report_year
     , hukou_pop, construction_area)
SELECT report.submission_id, report.version_no, report.division_code
     , extract(year FROM period.starts_on), figures.people, figures.area
  FROM submission AS report
  JOIN reporting_period AS period USING (period_id)
  JOIN unnest(%s::text[], %s::integer[], %s::numeric[]) AS figures (code, people, area)
    ON figures.code = report.division_code
 WHERE report.period_id = %s
"""
_LAST_YEAR = """
INSERT INTO accepted_village_evaluation (submission_id, version_no, division_code, report_year
     , hukou_pop, accepted_by)
SELECT submission_id, 1, division_code, %s, people, filer_id
  FROM submission JOIN unnest(%s::text[], %s::integer[]) AS known (code, people)
    ON code = division_code
 WHERE period_id = %s
"""


def sampling_period(
    owner: psycopg.Connection, year: int = 2026, percent: int = 10, least: int = 2
) -> int:
    """Open the evaluation of a year with a sample, and return its period."""
    period_id = open_village_period(owner, year)
    owner.execute(
        "UPDATE reporting_period SET sample_percent = %s, sample_least = %s WHERE period_id = %s",
        [percent, least, period_id],
    )
    return period_id


def villages_waiting(
    owner: psycopg.Connection,
    period_id: int,
    filer_id: int,
    people: Mapping[str, int | None] | Sequence[str],
    step_no: int = 1,
) -> dict[str, int]:
    """Let these villages wait, each with so many people; return their reports by code."""
    figures = people if isinstance(people, Mapping) else dict.fromkeys(people, 1000)
    codes = list(figures)
    make_waiting(owner, filer_id, [period_id], codes, step_no)
    owner.execute(_FILED, [codes, list(figures.values()), [12.5] * len(codes), period_id])
    rows = owner.execute(
        "SELECT division_code, submission_id FROM submission"
        " WHERE period_id = %s AND division_code = ANY (%s)",
        [period_id, codes],
    )
    return dict(rows.fetchall())


def accepted_last_year(
    owner: psycopg.Connection, period_id: int, year: int, people: Mapping[str, int]
) -> None:
    """Let what was accepted of the year before say so many people."""
    owner.execute(_LAST_YEAR, [year, list(people), list(people.values()), period_id])
