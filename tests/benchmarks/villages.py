"""Villages on the last days before a deadline: drafts typed, reports filed, pages looked at.

Saves and submissions go over HTTP through the proxy to two web processes, as a province runs it;
client, proxy and database share the machine with them.
"""

import asyncio
import multiprocessing
import os
import random
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from statistics import median
from typing import Any

import psycopg
from sqlalchemy import Engine, event

from tests.benchmarks.figures import Figure, percentile
from tests.benchmarks.portal import BenchPortal
from tests.benchmarks.processes import (
    backends_of,
    command_of,
    cpu_seconds,
    family_of,
    processes_beside,
)
from tests.benchmarks.sessions import Tab, reruns
from tests.benchmarks.village_work import Officer, Report, reports_in_hand, tokens_of

_OFFICERS, _TYPING = 50, 20.0  # seconds of typing
_PAUSE = 2.0  # seconds between two saves of one officer
_WRITERS, _ROUNDS = 16, 3
_WARM_UP = 300  # villages filed before it is measured
_RERUNS = 30
_BARE_SECONDS = 4.0


def village_figures(portal: BenchPortal) -> list[Figure]:
    """Measure saves of drafts, submissions, the two pages of an officer, the leader's page."""
    with processes_beside(portal, 2, {}) as running:
        return [
            *_save_figures(running),
            *_submit_figures(running),
            *_page_figures(running),
            *_leader_figures(portal),
        ]


# SAVING


def _save_figures(portal: BenchPortal) -> list[Figure]:
    reports = reports_in_hand(portal)
    chosen = random.Random(1).sample(reports, _OFFICERS)
    times = asyncio.run(_typing(portal, chosen))
    rate = len(times) / _TYPING
    beside = f"{rate:.0f} saves a second, p50 {median(times):.0f} ms"
    return [
        Figure(
            f"draft save, {_OFFICERS} typing, p95", percentile(times, 0.95), "ms", 60, beside=beside
        )
    ]


async def _typing(portal: BenchPortal, reports: list[Report]) -> list[float]:
    tokens = tokens_of(portal, reports)
    each = [_type(portal.url, tokens[report.username], report) for report in reports]
    return [taken for times in await asyncio.gather(*each) for taken in times]


async def _type(url: str, token: str, report: Report) -> list[float]:
    """Save over and over with the pauses of somebody who types; the first save warms up."""
    officer, times = Officer(url), list[float]()
    until = time.monotonic() + _TYPING
    await asyncio.sleep(random.uniform(0, _PAUSE))
    while time.monotonic() < until:
        report.content["form"]["remark"] = f"第 {len(times)} 次保存"
        body = {"draft_version": report.draft_version, "content": report.content}
        path = f"/api/drafts/{report.submission_id}"
        status, answer, taken = await officer.ask(token, "PUT", path, body)
        assert status == 200, answer
        report.draft_version = answer["draft_version"]
        times.append(taken)
        await asyncio.sleep(_PAUSE * random.uniform(0.5, 1.5))
    officer.leave()
    return times[1:]


# FILING


def _submit_figures(portal: BenchPortal) -> list[Figure]:
    rates, times, cpu = [], list[float](), ""
    # Every connection plans its statements once; on the last evening that is long done.
    asyncio.run(_filing(portal, reports_in_hand(portal, _WARM_UP)))
    for _ in range(_ROUNDS):
        reports = reports_in_hand(portal)
        before = _cpu_by_kind(portal)
        seconds, taken = asyncio.run(_filing(portal, reports))
        cpu = _cpu_words(before, _cpu_by_kind(portal), len(reports))
        rates.append(len(reports) / seconds)
        times += taken
    bare = _bare_rate(portal)
    beside = (
        f"after {_WARM_UP}; bare inserts of the same rows with their trail {bare:,.0f}/s; {cpu}"
    )
    return [
        Figure(
            f"villages filed, {_WRITERS} writers", median(rates), "/s", 160, at_least=True,
            beside=beside,
        ),
        Figure(
            "the same, p95", percentile(times, 0.95), "ms", 150,
            beside=f"p50 {median(times):.0f} ms, load {os.getloadavg()[0]:.1f}",
        ),
    ]  # fmt: skip


async def _filing(portal: BenchPortal, reports: list[Report]) -> tuple[float, list[float]]:
    """File all reports; return the seconds of the whole and the milliseconds of each."""
    tokens, waiting = tokens_of(portal, reports), list(reports)
    random.Random(2).shuffle(waiting)
    began = time.perf_counter()
    each = [_file(portal.url, tokens, waiting) for _ in range(_WRITERS)]
    times = [taken for part in await asyncio.gather(*each) for taken in part]
    return time.perf_counter() - began, times


async def _file(url: str, tokens: dict[str, str], waiting: list[Report]) -> list[float]:
    officer, times = Officer(url), list[float]()
    while waiting:
        report = waiting.pop()
        body = {"draft_version": report.draft_version, "lock_version": report.lock_version}
        path = f"/api/drafts/{report.submission_id}/submit"
        status, answer, taken = await officer.ask(tokens[report.username], "POST", path, body)
        assert status == 200, answer
        times.append(taken)
    officer.leave()
    return times


def _cpu_by_kind(portal: BenchPortal) -> dict[str, float]:
    """Return the CPU seconds used so far by web, proxy, database and this client."""
    family = family_of(portal)
    web = [each for each in family if "streamlit" in command_of(each)]
    proxy = [each for each in family if "nginx" in command_of(each)]
    return {
        "web": cpu_seconds(web),
        "proxy": cpu_seconds(proxy),
        "database": cpu_seconds(backends_of(portal)),
        "client": time.process_time(),
    }


def _cpu_words(before: dict[str, float], after: dict[str, float], count: int) -> str:
    """Say what one submission cost; a wall clock on a busy machine says less."""
    spent = (f"{kind} {(after[kind] - before[kind]) / count * 1000:.1f}" for kind in before)
    return "CPU of one: " + ", ".join(spent) + " ms"


# The rows of one submission, nothing else: no policy, no foreign key, no check, no sum.
_BARE_TABLES = (
    "submission", "submission_version", "filed_village_evaluation",
    "filed_natural_village_evaluation", "review_event", "submission_check",
)  # fmt: skip
_BARE_TRAIL = 15  # entries of one submission


def _bare_rate(portal: BenchPortal) -> float:
    with psycopg.connect(portal.owner_url, autocommit=True) as owner:
        for table in _BARE_TABLES:
            owner.execute(f"CREATE UNLOGGED TABLE IF NOT EXISTS bare_seed_{table} AS"
                          f" SELECT * FROM {table} LIMIT 0")  # fmt: skip
            owner.execute(f"CREATE TABLE IF NOT EXISTS bare_{table} (LIKE {table})")
            owner.execute(f"TRUNCATE bare_seed_{table}, bare_{table}")
            owner.execute(
                f"INSERT INTO bare_seed_{table} SELECT * FROM {table}"
                " WHERE submission_id = (SELECT submission_id FROM filed_natural_village_evaluation"
                f" GROUP BY submission_id, version_no HAVING count(*) = 10 LIMIT 1)"
                f" LIMIT {10 if 'natural' in table else 1}"
            )
            owner.execute(
                f"CREATE INDEX IF NOT EXISTS bare_{table}_id ON bare_{table} (submission_id)"
            )
        owner.execute("CREATE TABLE IF NOT EXISTS bare_trail (LIKE row_change INCLUDING INDEXES)")
    # Sixteen fresh interpreters would take the machine for longer than they measure.
    with multiprocessing.get_context("fork").Pool(_WRITERS) as pool:
        pool.starmap(_bare_count, [(portal.owner_url, n, 0.2) for n in range(_WRITERS)])
        counts = pool.starmap(
            _bare_count, [(portal.owner_url, n, _BARE_SECONDS) for n in range(_WRITERS)]
        )
    return sum(counts) / _BARE_SECONDS


def _bare_count(url: str, number: int, seconds: float) -> int:
    """Insert the rows of a submission over and over, a transaction each; return how often."""
    trail = (
        "INSERT INTO bare_trail (row_change_id, chain_no, chain_seq, table_name, row_key, operation"
        ", after, database_login, transaction_id, happened_at, previous_hash, hash)"
        " SELECT (%s::bigint << 40) + %s * 100 + n, %s, %s * 100 + n, 'x', 'x', 'INSERT'"
        ", to_jsonb(seed), 'x', pg_current_xact_id(), now(), '', ''"
        " FROM bare_seed_filed_village_evaluation AS seed, generate_series(1, %s) AS n"
    )
    with psycopg.connect(url, autocommit=True, prepare_threshold=0) as owner:
        count, start, until = 0, time.time_ns() // 1_000_000, time.perf_counter() + seconds
        while time.perf_counter() < until:
            with owner.transaction():
                for table in _BARE_TABLES:
                    owner.execute(f"INSERT INTO bare_{table} SELECT * FROM bare_seed_{table}")
                place = start + count
                owner.execute(trail, [number, place, number + 1, place, _BARE_TRAIL])
            count += 1
    return count


# PAGES


def _page_figures(portal: BenchPortal) -> list[Figure]:
    [report] = reports_in_hand(portal, 1)
    county = _largest_county(portal)
    worklist = _rerun_milliseconds(portal, county, "villages", "")
    village = _rerun_milliseconds(portal, report.username, "village", f"code={report.code}")
    p50 = percentile(village, 0.5)
    return [
        Figure("village page rerun, p50", p50, "ms", 60, beside=_alone_words(village)),
        Figure(
            "worklist of the largest county, p50", percentile(worklist, 0.5), "ms", 80,
            beside=_alone_words(worklist),
        ),
    ]  # fmt: skip


def _alone_words(times: Iterable[float]) -> str:
    return f"p95 {percentile(times, 0.95):.0f} ms, load {os.getloadavg()[0]:.1f}"


def _largest_county(portal: BenchPortal) -> str:
    """Return an officer of the county with the most villages."""
    with psycopg.connect(portal.owner_url) as owner:
        row = owner.execute(
            "SELECT min(username) FROM account JOIN account_grant AS post USING (user_id)"
            " WHERE post.role = 'county' AND post.division_code = ("
            " SELECT left(code, 6) FROM admin_division WHERE level = 'village'"
            " GROUP BY 1 ORDER BY count(*) DESC LIMIT 1)"
        ).fetchone()
    assert row is not None
    return str(row[0])


def _rerun_milliseconds(portal: BenchPortal, username: str, page: str, query: str) -> list[float]:
    tab = Tab(portal.url, page, portal.token_of(username), query)

    async def run() -> None:
        await reruns([tab], _RERUNS)
        await tab.close()

    asyncio.run(run())
    return [each.seconds * 1000 for each in tab.runs]


# THE LEADER


def _leader_figures(portal: BenchPortal) -> list[Figure]:
    """Measure every query of the leader's page of villages, one after the other."""
    milliseconds, count = leader_milliseconds(portal, "360000")
    words = f"{count} queries"
    return [Figure("leader's village page, in the database", milliseconds, "ms", 60, beside=words)]


@contextmanager
def _statements(engine: Engine) -> Iterator[list[float]]:
    """Yield a list to which each statement of the engine adds its seconds."""
    seconds: list[float] = []

    class Timed(psycopg.Cursor[Any]):
        def execute(self, *args: Any, **more: Any) -> "Timed":
            began = time.perf_counter()
            super().execute(*args, **more)
            seconds.append(time.perf_counter() - began)
            return self

    def time_all(driver: psycopg.Connection[Any], *_: object) -> None:
        driver.cursor_factory = Timed

    event.listen(engine, "connect", time_all)
    engine.dispose()  # those that are open already would not be timed
    yield seconds
    event.remove(engine, "connect", time_all)


def leader_milliseconds(portal: BenchPortal, code: str, times: int = 7) -> tuple[float, int]:
    """Return the median of all queries of a division's page together, and how many they are."""
    os.environ["PORTAL_DATABASE_URL"] = portal.portal_url
    from data_access import database, village_overview
    from data_access.database import transaction
    from tests.benchmarks.database import actor_of

    database.engine.cache_clear()
    actor = actor_of(portal, portal.usernames("leader")[0])
    taken: list[float] = []
    with _statements(database.engine()) as asked:
        for _ in range(times):
            asked.clear()
            with transaction(actor, read_only=True) as connection:
                years = village_overview.list_years(connection)[:2]
                places = village_overview.list_places(connection, years[0].day, code)
                place = next(one for one in places if one.code == code)
                below = {"province": "city", "city": "county", "county": "township"}[place.level]
                parts = village_overview.list_parts(connection, years[0].day, place, below)
                village_overview.read_standing(connection, place, parts, years)
                village_overview.list_villages(
                    connection, years[0], place.prefix, "state", ["filed"], skipped=0, most=30
                )
            taken.append(sum(asked) * 1000)
    database.engine().dispose()
    database.engine.cache_clear()
    return median(taken), len(asked)
