"""The status assessment in the database: the matrix, computing anew, one changed value, growth."""

import os
import time
from collections.abc import Callable
from statistics import median

import psycopg

from tests.benchmarks.figures import Figure
from tests.benchmarks.portal import BenchPortal

_TIMES = 10
_TENFOLD = (
    """
    INSERT INTO admin_division (code, level, prefix)
    SELECT (50 + copy) || substr(code, 3), level, (50 + copy) || substr(prefix, 3)
      FROM admin_division CROSS JOIN generate_series(1, 9) AS copy
     WHERE level IN ('city', 'county')
    """,
    """
    INSERT INTO admin_division_version (code, valid_from, valid_to, name, kind, parent_code)
    SELECT (50 + copy) || substr(code, 3), valid_from, valid_to, name || copy, kind
         , CASE WHEN level = 'city' THEN parent_code ELSE (50 + copy) || substr(parent_code, 3) END
      FROM admin_division_version JOIN admin_division USING (code)
     CROSS JOIN generate_series(1, 9) AS copy
     WHERE level IN ('city', 'county')
    """,
    """
    INSERT INTO accepted_indicator_value
    SELECT submission_id + copy * 10000000, version_no, (50 + copy) || substr(division_code, 3)
         , report_year, canonical_code, numerator, denominator, value, unit, source, explanation
         , accepted_by, accepted_at
      FROM accepted_indicator_value CROSS JOIN generate_series(1, 9) AS copy
    """,
    """
    INSERT INTO indicator_target
    SELECT (50 + copy) || substr(division_code, 3), canonical_code, target_year, state, base_year
         , base_value, target_value, document_no, issued_on
      FROM indicator_target CROSS JOIN generate_series(1, 9) AS copy
    """,
    "ANALYZE admin_division, admin_division_version, accepted_indicator_value, indicator_target",
)


def assessment_figures(portal: BenchPortal) -> list[Figure]:
    """Measure the matrix of 111 units and 60 indicators, and what an acceptance computes."""
    os.environ["PORTAL_DATABASE_URL"] = portal.portal_url
    matrix = _matrix(portal)
    with psycopg.connect(portal.owner_url) as owner:
        owner.execute("SET statement_timeout = 0")
        anew = _timed(lambda: owner.execute("DELETE FROM assessment_result") and _assess(owner))
        again = _timed(lambda: _assess(owner))
        one = median(_timed(lambda n=n: _change(owner, n)) for n in range(_TIMES))
        derived = median(_timed(lambda n=n: _change(owner, n, "WATER_TOTAL")) for n in range(3))
        plain = _timed(lambda: _assess(owner, only_counted=True))
        plain_one = _timed(lambda: _assess(owner, only_counted=True, code="CULT_LAND"))
        _grow(owner)
        tenfold = _timed(lambda: _assess(owner, only_counted=True))
        single = _timed(lambda: _assess(owner, only_counted=True, code="CULT_LAND"))
        owner.rollback()
    return [
        Figure("matrix 111 x 60, in the database", matrix, "ms", 60),
        Figure("all indicators and warnings, 5 years, anew", anew / 1000, "s", 5),
        Figure("the same with nothing changed", again / 1000, "s", 5),
        Figure("one changed value with what depends on it", one, "ms", 50),
        Figure("one changed value that formulas use", derived, "ms", 50),
        Figure("10 times the units: levels of 5 years, times as long", tenfold / plain, "x", 10),
        Figure("10 times the units: one indicator, times as long", single / plain_one, "x", 10),
    ]


def _matrix(portal: BenchPortal) -> float:
    from data_access import assessment, indicators
    from data_access.database import transaction
    from tests.benchmarks.database import actor_of

    actor = actor_of(portal, "leader")
    times = []
    with transaction(actor, read_only=True) as connection:
        year = assessment.list_years(connection)[-1]
        offered = indicators.list_indicators(connection, "TDT1063-2021")
        codes = [each.canonical_code for each in offered if each.is_applicable][:60]
        for _ in range(_TIMES):
            began = time.perf_counter()
            cells = assessment.list_cells(connection, year, codes)
            times.append((time.perf_counter() - began) * 1000)
    assert len(cells) == 111 * 60
    return median(times)


def _assess(owner: psycopg.Connection, *, only_counted: bool = False, code: str = "") -> None:
    if not only_counted:
        owner.execute("SELECT assess()")
        return
    codes = "ARRAY['CULT_LAND']" if code else "array_agg(canonical_code)"
    # The grid of several provinces' units is not written: their divisions are none of ours.
    owner.execute(f"SET LOCAL enable_nestloop = {'on' if code else 'off'}")
    owner.execute(
        "SELECT count(*) FROM assessed_levels((SELECT min(year) FROM unnest(assessment_years())"
        " AS year), (SELECT max(year) FROM unnest(assessment_years()) AS year)"
        f", (SELECT {codes} FROM indicator_canonical{' LIMIT 1' if code else ''}), NULL)"
    )


def _change(owner: psycopg.Connection, number: int, code: str = "CULT_LAND") -> None:
    """Let one accepted value be another, as a correction would, and compute what depends on it."""
    owner.execute(
        "UPDATE accepted_indicator_value SET value = value * 1.001 WHERE canonical_code = %s"
        " AND (division_code, report_year) = (SELECT division_code, max(report_year)"
        " FROM accepted_indicator_value WHERE canonical_code = %s GROUP BY division_code"
        " ORDER BY division_code OFFSET %s LIMIT 1)",
        [code, code, number],
    )
    owner.execute(
        "SELECT assess(ARRAY[(SELECT max(report_year) FROM accepted_indicator_value"
        " WHERE canonical_code = %s)], ARRAY[%s], raising => true)",
        [code, code],
    )


def _grow(owner: psycopg.Connection) -> None:
    """Give the province ten times its units, in a transaction that is rolled back."""
    owner.execute("SET LOCAL app.bulk_load = 'on'")
    owner.execute("SET LOCAL session_replication_role = 'replica'")
    for statement in _TENFOLD:
        owner.execute(statement)


def _timed(work: Callable[[], object]) -> float:
    began = time.perf_counter()
    work()
    return (time.perf_counter() - began) * 1000
