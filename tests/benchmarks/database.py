"""What the database and the access layer do alone: as-of reads, saves with validation and trail."""

import multiprocessing
import os
import time
from datetime import timedelta
from statistics import median

import psycopg

from tests.benchmarks.figures import Figure, percentile
from tests.benchmarks.portal import BenchPortal

_WRITERS = 8
_SECONDS = 6.0


def as_of_figures(portal: BenchPortal) -> list[Figure]:
    """Measure the overview's read of the 111 units, at the end of each of the last 24 months."""
    os.environ["PORTAL_DATABASE_URL"] = portal.portal_url
    from data_access import progress
    from data_access.database import transaction
    from domain.clock import today

    actor = actor_of(portal, "leader")
    slowest, day = 0.0, today()
    for _ in range(24):
        day = day.replace(day=1) - timedelta(days=1)
        times = []
        for _ in range(5):
            began = time.perf_counter()
            with transaction(actor, read_only=True) as connection:
                assert len(progress.list_units(connection, *progress.moment_of(day))) == 111
            times.append((time.perf_counter() - began) * 1000)
        slowest = max(slowest, median(times))
    return [Figure("as-of overview, slowest of 24 months", slowest, "ms", 100)]


def save_figures(portal: BenchPortal) -> list[Figure]:
    """Measure draft saves of Form A with validation and trail, alone and with 8 writers.

    Beside them the bare transaction: one row updated, one row of trail inserted.
    """
    _make_bare_tables(portal)
    alone = _save_times(portal, 0, 3.0)
    with multiprocessing.get_context("spawn").Pool(_WRITERS) as pool:
        pool.starmap(_save_times, [(portal, number, 0.5) for number in range(_WRITERS)])
        many = pool.starmap(_save_times, [(portal, n, _SECONDS) for n in range(_WRITERS)])
        bare = pool.starmap(_bare_count, [(portal, n, _SECONDS) for n in range(_WRITERS)])
    rate = sum(len(times) for times in many) / _SECONDS
    p95 = percentile([seconds * 1000 for seconds in alone], 0.95)
    bare_rate = f"bare two-row transaction {sum(bare) / _SECONDS:,.0f}/s"
    return [
        Figure("save of a progress form, alone, p95", p95, "ms", 30),
        Figure("saves with 8 writers", rate, "/s", 300, at_least=True, beside=bare_rate),
    ]


def _save_times(portal: BenchPortal, number: int, seconds: float) -> list[float]:
    """Save one county's draft over and over; return what each save took, in seconds."""
    os.environ["PORTAL_DATABASE_URL"] = portal.portal_url
    from data_access import drafts, filing, reporting
    from data_access.database import transaction

    username = [name for name in portal.usernames("county") if name.count("_") == 1][number]
    actor = actor_of(portal, username)
    code = actor.grants[0].division_code
    with transaction(actor) as connection:
        period = reporting.current_period(connection, "plan_progress")
        assert period is not None
    _take_back(portal, code)
    with transaction(actor) as connection:
        opened = drafts.open_submission(connection, actor, period.period_id, code)
    content, version = opened.draft_content, opened.draft_version
    assert content is not None
    assert version is not None
    times, until = [], time.perf_counter() + seconds
    while time.perf_counter() < until:
        content["form"]["note"] = f"第 {len(times)} 次保存"
        began = time.perf_counter()
        with transaction(actor, action="draft.save") as connection:
            saved = filing.save_checked(connection, actor, opened.submission_id, content, version)
        times.append(time.perf_counter() - began)
        version = saved.saved.draft_version
    return times


def _take_back(portal: BenchPortal, code: str) -> None:
    """Put the unit's report of the period into its filer's hands, whatever the demo did with it."""
    with psycopg.connect(portal.owner_url, autocommit=True) as owner:
        owner.execute(
            "UPDATE submission SET state = 'draft', step_no = 0, filed_at = NULL"
            ", receipt_no = NULL, receipt_hash = NULL"
            " WHERE division_code = %s AND period_id = (SELECT max(period_id) FROM"
            " reporting_period WHERE form_code = 'plan_progress')",
            [code],
        )
        owner.execute(
            "INSERT INTO submission_draft (submission_id, division_code, content, saved_by)"
            " SELECT submission_id, division_code, content, submitted_by FROM submission_version"
            " JOIN submission USING (submission_id, division_code, version_no)"
            " WHERE division_code = %s AND period_id = (SELECT max(period_id) FROM"
            " reporting_period WHERE form_code = 'plan_progress') ON CONFLICT DO NOTHING",
            [code],
        )


def _make_bare_tables(portal: BenchPortal) -> None:
    with psycopg.connect(portal.owner_url, autocommit=True) as owner:
        owner.execute(
            "CREATE TABLE IF NOT EXISTS bench_row (number int PRIMARY KEY, content jsonb)"
        )
        owner.execute(
            "CREATE TABLE IF NOT EXISTS bench_trail"
            " (id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, before jsonb, after jsonb)"
        )


def _bare_count(portal: BenchPortal, number: int, seconds: float) -> int:
    """Run the bare transaction over and over; return how often."""
    with psycopg.connect(portal.owner_url, autocommit=True) as owner:
        owner.execute("INSERT INTO bench_row VALUES (%s, '{}') ON CONFLICT DO NOTHING", [number])
        count, until = 0, time.perf_counter() + seconds
        while time.perf_counter() < until:
            with owner.transaction():
                owner.execute(
                    "UPDATE bench_row SET content = %s::jsonb WHERE number = %s",
                    [f'{{"save": {count}}}', number],
                )
                owner.execute("INSERT INTO bench_trail (before, after) VALUES ('{}', '{}')")
            count += 1
    return count


def actor_of(portal: BenchPortal, username: str):  # type: ignore[no-untyped-def]
    os.environ["PORTAL_DATABASE_URL"] = portal.portal_url
    from data_access.sessions import find_actor

    actor = find_actor(portal.token_of(username))
    assert actor is not None
    return actor
