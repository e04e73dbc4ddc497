"""Sums of villages while many file, take back, return and accept at once and the clock folds."""

from concurrent.futures import ThreadPoolExecutor
from threading import Event

from data_access import village_overview
from data_access.database import transaction
from data_access.filing import read_state, save_checked
from domain.access import Role
from domain.workflow import ReviewAction
from tests.actors import COUNTY, PROVINCE, make_actor
from tests.reports import act
from tests.villages import (
    add_natural_villages,
    complete,
    open_village,
    open_village_period,
    villages_of,
)

WRITERS = 6
WAY = (
    (0, ReviewAction.SUBMIT),
    (0, ReviewAction.WITHDRAW),
    (0, ReviewAction.SUBMIT),
    (1, ReviewAction.RETURN),
    (0, ReviewAction.SUBMIT),
    (1, ReviewAction.APPROVE),
    (2, ReviewAction.APPROVE),
    (3, ReviewAction.APPROVE),
)


def fold_until(done: Event) -> int:
    """Fold as the clock does, over and over; return how many rows that saved."""
    saved = 0
    while not done.is_set():
        with transaction(None) as connection:
            saved += village_overview.fold(connection)
    return saved


def test_sums_are_the_recount_after_writers_at_once_while_the_clock_folds(owner):
    people = [
        make_actor(owner, "filer", Role.COUNTY, COUNTY),
        make_actor(owner, "county_2", Role.COUNTY, COUNTY),
        make_actor(owner, "city_1", Role.CITY, COUNTY[:4] + "00"),
        make_actor(owner, "bureau_1", Role.PLAN_BUREAU, PROVINCE),
    ]
    period_id = open_village_period(owner, 2026)
    villages = villages_of(owner, COUNTY)[:WRITERS]
    for village in villages:
        add_natural_villages(owner, village, 2)

    def write(village: str) -> None:
        report = open_village(people[0], period_id, village)
        with transaction(people[0], action="draft.save") as connection:
            state = read_state(connection, people[0], report.submission_id)
            seen = state.submission.draft_version
            save_checked(connection, people[0], report.submission_id, complete(state.content), seen)
        for person, action in WAY:
            comment = "请核对。" if action is ReviewAction.RETURN else ""
            act(people[person], report.submission_id, action, comment=comment)

    done = Event()
    with ThreadPoolExecutor(WRITERS + 1) as pool:
        folding = pool.submit(fold_until, done)
        try:
            list(pool.map(write, villages))
        finally:
            done.set()
        folding.result()
    assert owner.execute("SELECT * FROM village_rollup_differences()").fetchall() == []
    kept = owner.execute(
        "SELECT measure, code, sum(amount) FROM village_rollup"
        " WHERE division_code = %s AND measure IN ('accepted', 'natural') AND amount <> 0"
        " AND (measure, code) IN (('accepted', ''), ('natural', 'accepted'))"
        " GROUP BY 1, 2 ORDER BY 1",
        [COUNTY],
    ).fetchall()
    assert kept == [("accepted", "", WRITERS), ("natural", "accepted", 2 * WRITERS)]
    with transaction(None) as connection:
        village_overview.fold(connection)
    rows, sums = owner.execute(
        "SELECT count(*), count(DISTINCT (division_code, report_year, measure, code))"
        " FROM village_rollup"
    ).fetchone()
    assert rows == sums
