"""The review of villages by township: every village has reported, one county waits for its review.

It works in a database of its own beside the portal's.
"""

import os
import time
from collections import Counter

import psycopg
from sqlalchemy import make_url

from tests.benchmarks.figures import Figure
from tests.benchmarks.portal import BenchPortal
from tests.benchmarks.queue import fresh_database, milliseconds, person
from tests.township import accepted_last_year, sampling_period, villages_waiting

_DATABASE = "bench_townships"
_YEAR = 2026


def township_figures(portal: BenchPortal) -> list[Figure]:
    """Measure the townships of a county, the cities of the province, and a township accepted."""
    return measure(portal.owner_url, portal.portal_url)


def measure(owner_url: str, portal_url: str) -> list[Figure]:
    """Measure on the server behind these URLs."""
    _, (reviewer_id, bureau_id, county) = fresh_database(owner_url, _DATABASE, _fill)
    here = make_url(portal_url).set(database=_DATABASE)
    os.environ["PORTAL_DATABASE_URL"] = here.render_as_string(hide_password=False)
    from data_access import database
    from data_access.database import transaction
    from data_access.sessions import actor_today

    database.engine.cache_clear()
    with transaction(None, read_only=True) as connection:
        reviewer, bureau = (actor_today(connection, one) for one in (reviewer_id, bureau_id))
    figures = [
        *_list_figures(reviewer, county, "townships of the largest county", 300),
        *_list_figures(bureau, county[:2], "cities of the province", None),
        *_accept_figures(reviewer, county),
    ]
    database.engine().dispose()
    database.engine.cache_clear()
    return figures


def _list_figures(actor, prefix, words, budget):  # type: ignore[no-untyped-def]
    from data_access import township_review
    from data_access.database import transaction

    with transaction(actor, read_only=True) as connection:
        desk = township_review.read_desk(connection, actor)
        place = township_review.find_place(connection, desk, prefix)
        period = desk.period.period_id
        odd = township_review.list_odd(connection, period, prefix)
        outliers = milliseconds(lambda: township_review.list_odd(connection, period, prefix))
        areas = milliseconds(
            lambda: township_review.list_areas(connection, actor, desk, place, odd)
        )
        villages = sum(
            area.villages
            for area in township_review.list_areas(connection, actor, desk, place, odd)
        )
    return [
        Figure(f"{words}: what stands out in {villages:,} villages", outliers, "ms", budget),
        Figure(f"{words}: the list", areas, "ms"),
    ]


def _accept_figures(actor, county):  # type: ignore[no-untyped-def]
    from data_access import bulk_review, review_queue, review_sample, township_review
    from data_access.database import transaction
    from domain.review_filter import QueueFilter
    from domain.workflow import ReviewAction

    with transaction(actor, action="sample.draw") as connection:
        desk = township_review.read_desk(connection, actor)
        began = time.perf_counter()
        review_sample.draw(connection, actor, desk, county, seed=1)
        drawn = (time.perf_counter() - began) * 1000
        asked = QueueFilter("village_evaluation", desk.period.period_id, county, 1)
        seen = review_queue.list_seen(connection, actor, asked)
        signs = township_review.list_signs(connection, actor, list(seen))
        for number in (number for number, each in signs.items() if each.is_sampled):
            review_sample.note_look(connection, actor, number, 1)
        town = _largest(connection, list(seen))
    began = time.perf_counter()
    chosen = {number: seen[number] for number in town}
    with transaction(actor, action="review.bulk") as connection:
        bulk = bulk_review.decide(connection, actor, ReviewAction.APPROVE, "", chosen)
    asking = (time.perf_counter() - began) * 1000
    began = time.perf_counter()
    with transaction(actor, action="submission.approve") as connection:
        bulk_review.carry_out(connection, actor, bulk.bulk_decision_id, bulk_review.CHUNK)
    settled = (time.perf_counter() - began) * 1000
    return [
        Figure(f"sample of a county of {len(seen)} villages drawn", drawn, "ms"),
        Figure(f"bulk accept of a township of {len(town)} villages asked for", asking, "ms"),
        Figure("the same carried out with trail", settled, "ms"),
    ]


def _largest(connection, numbers):  # type: ignore[no-untyped-def]
    """Return the reports of the township that has most of them."""
    from data_access.queries import load_queries

    rows = connection.execute(
        load_queries("bulk_review")["list_candidates"], {"submission_ids": numbers}
    )
    towns = {row.submission_id: row.division_code[:9] for row in rows}
    ((largest, _),) = Counter(towns.values()).most_common(1)
    return [number for number, town in towns.items() if town == largest]


def _fill(owner: psycopg.Connection) -> tuple[int, int, str]:
    """Let the largest county wait for itself, all others for the province."""
    rows = owner.execute("SELECT code FROM admin_division WHERE level = 'village' ORDER BY code")
    codes = [code for (code,) in rows]
    ((county, _),) = Counter(code[:6] for code in codes).most_common(1)
    filer, reviewer, bureau = (person(owner, name) for name in ("filer", "reviewer", "bureau"))
    for user_id, role, prefix in (
        (reviewer, "county", county),
        (bureau, "plan_bureau", county[:2]),
    ):
        owner.execute(
            "INSERT INTO account_grant (user_id, role, division_code, prefix)"
            " SELECT %s, %s, code, prefix FROM admin_division WHERE prefix = %s",
            [user_id, role, prefix],
        )
    period = sampling_period(owner, _YEAR, percent=5, least=2)
    people = {code: 600 + number * 37 % 1900 for number, code in enumerate(codes)}
    mine = {code: count for code, count in people.items() if code.startswith(county)}
    villages_waiting(owner, period, filer, mine)
    others = {code: count for code, count in people.items() if code not in mine}
    villages_waiting(owner, period, filer, others, step_no=3)
    accepted_last_year(
        owner, period, _YEAR - 1, {code: n - n % 7 * 50 for code, n in people.items()}
    )
    return reviewer, bureau, county
