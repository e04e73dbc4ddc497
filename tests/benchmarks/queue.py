"""The review queue with 15,000 reports waiting, and 500 of them accepted at once.

It works in a database of its own beside the portal's: 111 units × 136 months, the province's turn.
"""

import os
import time
from collections.abc import Callable
from statistics import median
from typing import TypeVar

import psycopg
from sqlalchemy import make_url

from tests.benchmarks.figures import Figure
from tests.benchmarks.portal import BenchPortal
from tests.queues import make_waiting

Filled = TypeVar("Filled")
_DATABASE = "bench_queue"
_MONTHS = 136
_ACCEPTED = 500
_PERIODS = """
INSERT INTO reporting_period (form_code, name, starts_on, ends_on, deadline_at, form_version
     , workflow_version)
SELECT 'plan_progress', to_char(month, 'YYYY年MM月'), month
     , month + interval '1 month' - interval '1 day', month + interval '25 days', 1, 1
  FROM generate_series(date '2015-01-01', date '2015-01-01' + (%s - 1) * interval '1 month'
                     , interval '1 month') AS month
RETURNING period_id
"""
_PLANS = """
INSERT INTO plan (division_code, plan_type, name, is_headline)
SELECT code, CASE level WHEN 'city' THEN 'MASTER_CITY' ELSE 'MASTER_COUNTY' END, code, true
  FROM unnest(%s::text[]) AS unit (code) JOIN admin_division USING (code)
"""
# Each report says something new of one stage, so that accepting it writes a fact.
_FILED = """
INSERT INTO filed_milestone (submission_id, version_no, division_code, plan_id, stage_code, state
     , planned_on, started_on, completed_on, late_reason)
SELECT submission_id, 1, submission.division_code, plan_id, stage_code
     , CASE WHEN stage_order <= 4 THEN 'completed' ELSE 'not_started' END
     , CASE WHEN stage_order <= 4 THEN date '2024-01-01' END
     , CASE WHEN stage_order <= 4 THEN date '2024-01-01' END
     , CASE WHEN stage_order <= 4 THEN date '2024-03-01' END
     , CASE WHEN stage_order = 1 THEN 'month ' || period_id END
  FROM submission JOIN plan USING (division_code) JOIN plan_stage USING (plan_type)
"""


def queue_figures(portal: BenchPortal) -> list[Figure]:
    """Measure the first page, the count, and a bulk accept beside its bare statements."""
    return measure(portal.owner_url, portal.portal_url)


def measure(owner_url: str, portal_url: str) -> list[Figure]:
    """Measure on the server behind these URLs."""
    owner_url, ids = _fill(owner_url)
    os.environ["PORTAL_DATABASE_URL"] = _beside(portal_url)
    from data_access import bulk_review, database, review_queue
    from data_access.database import transaction
    from domain.review_filter import QueueFilter, QueueOrder
    from domain.workflow import ReviewAction

    database.engine.cache_clear()
    bureau = _bureau(owner_url)

    def page(asked: QueueFilter) -> Callable[[], object]:
        return lambda: review_queue.list_page(connection, bureau, asked)

    with transaction(bureau, read_only=True) as connection:
        first = milliseconds(page(QueueFilter()))
        narrow = milliseconds(page(QueueFilter(unit="赣州", warned=True, sort=QueueOrder.DUE)))
        last = milliseconds(page(QueueFilter(page=len(ids) // 50)))
        count = milliseconds(lambda: review_queue.count_queue(connection, bureau, QueueFilter()))
        seen = review_queue.list_seen(connection, bureau, QueueFilter())
    assert len(seen) == len(ids)
    chosen = dict(list(seen.items())[:_ACCEPTED])
    floor = _bare_seconds(owner_url, list(chosen))
    began = time.perf_counter()
    with transaction(bureau, action="review.bulk") as connection:
        bulk = bulk_review.decide(connection, bureau, ReviewAction.APPROVE, "", chosen)
    asked = time.perf_counter() - began
    began = time.perf_counter()
    settled = 1
    while settled:
        with transaction(bureau, action="submission.approve") as connection:
            settled = bulk_review.carry_out(
                connection, bureau, bulk.bulk_decision_id, bulk_review.CHUNK
            )
    accepted = time.perf_counter() - began
    with transaction(bureau, read_only=True) as connection:
        assert bulk_review.get(connection, bulk.bulk_decision_id).done == _ACCEPTED
    database.engine().dispose()
    database.engine.cache_clear()
    beside = f"bare UPDATE and review_event of 500 with their trail {floor:.2f} s"
    return [
        Figure(f"first page of {len(ids):,} waiting reports", first, "ms", 50),
        Figure("the same, filtered and sorted by due date", narrow, "ms", 50),
        Figure("its last page", last, "ms", 50),
        Figure("its count", count, "ms", 50),
        Figure("bulk accept of 500 asked for", asked, "s"),
        Figure("bulk accept of 500 carried out with trail", accepted, "s", 3, beside=beside),
    ]


def milliseconds(read: Callable[[], object]) -> float:
    """Return the median of 15 reads, after five that warm the connection."""
    times = []
    for _ in range(20):
        began = time.perf_counter()
        read()
        times.append((time.perf_counter() - began) * 1000)
    return median(times[5:])


def _beside(url: str) -> str:
    return make_url(url).set(database=_DATABASE).render_as_string(hide_password=False)


def _fill(owner_url: str) -> tuple[str, list[int]]:
    """Make the database with its reports; return its URL and their ids."""
    return fresh_database(owner_url, _DATABASE, _reports)


def fresh_database(
    owner_url: str, name: str, fill: Callable[[psycopg.Connection], Filled]
) -> tuple[str, Filled]:
    """Make a database beside the portal's with its schema and reference data, and fill it."""
    from data_access.migrate import migrate
    from data_access.reference_data import load_all

    with psycopg.connect(owner_url, autocommit=True) as admin:
        admin.execute(f"DROP DATABASE IF EXISTS {name}")
        admin.execute(f"CREATE DATABASE {name}")
    url = make_url(owner_url).set(drivername="postgresql", database=name)
    with psycopg.connect(url.render_as_string(hide_password=False), autocommit=True) as owner:
        migrate(owner)
        load_all(owner)
        with owner.transaction():
            owner.execute("SET LOCAL app.bulk_load = 'on'")
            filled = fill(owner)
        owner.execute("VACUUM ANALYZE")
    return url.render_as_string(hide_password=False), filled


def _reports(owner: psycopg.Connection) -> list[int]:
    units = [
        code
        for (code,) in owner.execute(
            "SELECT code FROM admin_division WHERE level IN ('city', 'county') ORDER BY code"
        )
    ]
    people = [person(owner, name) for name in ("bench_filer", "bench_bureau")]
    owner.execute(
        "INSERT INTO account_grant (user_id, role, division_code, prefix)"
        " SELECT %s, 'plan_bureau', code, prefix FROM admin_division WHERE level = 'province'",
        [people[1]],
    )
    periods = [number for (number,) in owner.execute(_PERIODS, [_MONTHS])]
    owner.execute(_PLANS, [units])
    ids = make_waiting(owner, people[0], periods, units, step_no=2)
    owner.execute(_FILED)
    return ids


def person(owner: psycopg.Connection, name: str) -> int:
    row = owner.execute(
        "INSERT INTO account (username, display_name, password_hash, must_change_password)"
        " VALUES (%s, %s, '!', false) RETURNING user_id",
        [name, name],
    ).fetchone()
    assert row is not None
    return int(row[0])


def _bureau(owner_url: str):  # type: ignore[no-untyped-def]
    from data_access.database import transaction
    from data_access.sessions import actor_today

    with psycopg.connect(owner_url) as owner:
        row = owner.execute(
            "SELECT user_id FROM account WHERE username = 'bench_bureau'"
        ).fetchone()
    assert row is not None
    with transaction(None, read_only=True) as connection:
        return actor_today(connection, row[0])


def _bare_seconds(owner_url: str, ids: list[int]) -> float:
    """Return what the two statements alone take, trail included; they are rolled back."""
    with psycopg.connect(owner_url) as owner:
        began = time.perf_counter()
        owner.execute(
            "UPDATE submission SET state = 'filed', step_no = 0, lock_version = lock_version + 1"
            ", filed_at = now(), receipt_no = 'bench' || submission_id, receipt_hash = 'x'"
            " WHERE submission_id = ANY (%s)",
            [ids],
        )
        owner.execute(
            "INSERT INTO review_event (submission_id, division_code, version_no, round_no, step_no"
            ", action, from_state, to_state, to_step_no, user_id, role)"
            " SELECT submission_id, division_code, 1, 1, 2, 'approve', 'submitted', 'filed', 0"
            ", filer_id, 'plan_bureau' FROM submission WHERE submission_id = ANY (%s)",
            [ids],
        )
        owner.execute("SET CONSTRAINTS ALL IMMEDIATE")
        seconds = time.perf_counter() - began
        owner.rollback()
    return seconds
