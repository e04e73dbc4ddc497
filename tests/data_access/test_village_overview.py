"""Sums of village evaluations: always what a full recount finds, and the villages behind each."""

from contextlib import suppress
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from data_access import village_overview
from data_access.database import transaction
from data_access.filing import read_state, save_checked
from domain.access import Role
from domain.errors import PortalError
from domain.village_overview import ASKED, FILED, HAZARD, WITH_PLAN, Place
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

YEAR = 2026
STEPS = ("open", "submit", "withdraw", "return", "approve", "extend", "deadline", "fold")


@pytest.fixture
def people(owner):
    """Who files, and who decides at each step."""
    return {
        "filer": make_actor(owner, "filer", Role.COUNTY, COUNTY),
        1: make_actor(owner, "county_2", Role.COUNTY, COUNTY),
        2: make_actor(owner, "city_1", Role.CITY, COUNTY[:4] + "00"),
        3: make_actor(owner, "bureau_1", Role.PLAN_BUREAU, PROVINCE),
    }


@pytest.fixture
def villages(owner) -> list[str]:
    codes = villages_of(owner, COUNTY)
    chosen = [codes[0], codes[1], codes[-1]]
    for code in chosen:
        add_natural_villages(owner, code, 2)
    return chosen


def differences(owner) -> list[object]:
    """Return the sums, and what the map shows, that are not what a full recount finds."""
    return [
        *owner.execute("SELECT * FROM village_rollup_differences()").fetchall(),
        *owner.execute("SELECT * FROM village_map_differences()").fetchall(),
    ]


def fill(filer, report, **said):
    with transaction(filer, action="draft.save") as connection:
        state = read_state(connection, filer, report.submission_id)
        content = complete(state.content)
        content["form"] |= said
        save_checked(
            connection, filer, report.submission_id, content, state.submission.draft_version
        )


def accepted(people, period, village, **said):
    """File a village and accept it at every step."""
    report = open_village(people["filer"], period, village)
    fill(people["filer"], report, **said)
    act(people["filer"], report.submission_id, ReviewAction.SUBMIT)
    for step in (1, 2, 3):
        act(people[step], report.submission_id, ReviewAction.APPROVE)
    return report.submission_id


def play(owner, people, period, village, step):
    """Try one step on one village; what is not permitted now changes nothing."""
    filer = people["filer"]
    row = owner.execute(
        "SELECT submission_id, step_no FROM submission WHERE period_id = %s AND division_code = %s",
        [period, village],
    ).fetchone()
    if step == "open":
        fill(filer, open_village(filer, period, village))
    elif step == "submit" and row:
        act(filer, row[0], ReviewAction.SUBMIT)
    elif step == "withdraw" and row:
        act(filer, row[0], ReviewAction.WITHDRAW)
    elif step in ("return", "approve") and row and row[1]:
        action = ReviewAction.RETURN if step == "return" else ReviewAction.APPROVE
        act(people[row[1]], row[0], action, comment="请核对。")
    elif step == "extend":
        owner.execute(
            "INSERT INTO period_extension (period_id, division_code, deadline_at, reason)"
            " VALUES (%s, %s, now() + %s, '汛情')",
            [period, village, timedelta(days=60)],
        )
    elif step == "deadline":
        owner.execute(
            "UPDATE reporting_period SET deadline_at ="
            " CASE WHEN deadline_at > now() THEN now() - interval '1 day'"
            " ELSE now() + interval '1 day' END WHERE period_id = %s",
            [period],
        )
    elif step == "fold":
        owner.execute("SELECT fold_village_rollup()")


@settings(
    max_examples=4, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(
    moves=st.lists(st.tuples(st.sampled_from(STEPS), st.integers(0, 2)), min_size=6, max_size=16)
)
def test_sums_are_the_recount_after_any_order_of_filing_and_returning(
    owner, people, villages, moves
):
    period = owner.execute(
        "SELECT period_id FROM reporting_period WHERE form_code = 'village_evaluation'"
    ).fetchone()
    period_id = period[0] if period else open_village_period(owner, YEAR)
    for step, number in moves:
        with suppress(PortalError):
            play(owner, people, period_id, villages[number], step)
        assert differences(owner) == [], (step, number)


def test_a_sum_that_was_tampered_with_is_found_and_counted_anew(owner, people, villages):
    accepted(people, open_village_period(owner, YEAR), villages[0])
    owner.execute("SELECT fold_village_rollup()")
    owner.execute(
        "UPDATE village_rollup SET amount = amount + 1"
        " WHERE measure = 'accepted' AND level IN ('county', 'township')"
    )
    owner.execute("UPDATE village_asked SET villages = 7 WHERE division_code = %s", [COUNTY])
    assert [(row[0], row[2], row[4], row[5]) for row in differences(owner)] == [
        (COUNTY, "asked", 7, len(villages_of(owner, COUNTY))),
        (COUNTY, "accepted", 2, 1),
        (villages[0][:9], "accepted", 2, 1),
    ]
    owner.execute("SELECT rebuild_village_rollup()")
    assert differences(owner) == []


def asked_of(actor, code: str, on: date) -> Decimal:
    here = Place(code, "", {2: "province", 4: "city", 6: "county"}[len(code.rstrip("0"))], code, "")
    year = village_overview.Year(YEAR, "", datetime.now(UTC), on)
    with transaction(actor, read_only=True) as connection:
        return village_overview.read_standing(connection, here, [], [year]).now.of(ASKED)


def test_a_village_is_asked_on_the_days_on_which_it_is(owner, leader):
    village, other = villages_of(owner, COUNTY)[:2]
    before, after = date(2026, 5, 31), date(2026, 6, 1)
    many = {code: asked_of(leader, code, before) for code in (COUNTY, "360100", "360000")}
    assert many[COUNTY] == len(villages_of(owner, COUNTY))
    owner.execute(
        "UPDATE admin_division_version SET valid_to = %s WHERE code = ANY (%s)",
        [after, [village, other]],
    )
    owner.execute(
        "INSERT INTO admin_division_version (code, valid_from, name, kind, parent_code)"
        " SELECT code, %s, name || '新', kind, parent_code FROM admin_division_version"
        "  WHERE code = %s",
        [after, other],
    )
    for code, count in many.items():
        assert (asked_of(leader, code, before), asked_of(leader, code, after)) == (count, count - 1)
    assert differences(owner) == []
    owner.execute("DELETE FROM admin_division_version WHERE code = %s", [other])
    assert differences(owner) == []


def test_the_province_is_what_its_counties_are_whether_folded_or_not(
    owner, people, villages, leader
):
    period = open_village_period(owner, YEAR)
    for filed, village in enumerate(villages[:2], 1):
        accepted(people, period, village)
        for _ in ("as it was filed", "folded"):
            read = []
            for code in (COUNTY, "360100", "360000"):
                now = standing_of(leader, owner, code)[1].now
                read.append({key: count for key, count in now.amounts.items() if key != ASKED})
            assert read[0]["state", "filed"] == filed
            assert read[0] == read[1] == read[2]
            owner.execute("SELECT fold_village_rollup()")


def standing_of(actor, owner, code=COUNTY, year=YEAR):
    with transaction(actor, read_only=True) as connection:
        [this] = [one for one in village_overview.list_years(connection) if one.year == year]
        places = village_overview.list_places(connection, this.day, code)
        place = next(one for one in places if one.code == code)
        below = {"province": "city", "city": "county", "county": "township"}[place.level]
        parts = village_overview.list_parts(connection, this.day, place, below)
        return this, village_overview.read_standing(connection, place, parts, [this])


def test_each_figure_is_as_many_as_the_villages_behind_it(owner, people, villages, leader):
    period = open_village_period(owner, YEAR)
    accepted(people, period, villages[0], geohazard_points=2, geohazard_level="1")
    accepted(people, period, villages[1], flood_risk=True, bus=True, village_class="2")
    open_village(people["filer"], period, villages[2])
    year, standing = standing_of(leader, owner)
    now = standing.now
    asked = len(villages_of(owner, COUNTY))
    assert (now.of(FILED), now.of(ASKED), now.not_reported) == (2, asked, asked - 2)
    assert now.of(HAZARD) == 2
    assert now.of(("sum", "hukou_pop")) == Decimal(1600)
    assert (now.plan_coverage.part, now.plan_coverage.whole) == (now.of(*WITH_PLAN), 2)
    figures = [key for key in now.amounts if key[0] not in ("sum", "natural", "natural_class")]
    with transaction(leader, read_only=True) as connection:
        for measure, code in [*figures, ("unreported", "")]:
            codes = [code] if code else []
            found = village_overview.list_villages(
                connection, year, standing.place.prefix, measure, codes
            )
            counted = now.not_reported if measure == "unreported" else now.of((measure, code))
            assert len(found) == counted, (measure, code)
        page = village_overview.list_villages(
            connection, year, COUNTY, "asked", [], skipped=1, most=2
        )
    assert [village.code for village in page] == villages_of(owner, COUNTY)[1:3]
    towns = {place.code: counts for place, counts in standing.parts}
    assert sum(counts.of(FILED) for counts in towns.values()) == 2


def test_another_county_has_no_sum_and_no_village_of_this_one(owner, people, villages):
    accepted(people, open_village_period(owner, YEAR), villages[0])
    stranger = make_actor(owner, "jinxian", Role.COUNTY, "360124")
    with transaction(stranger, read_only=True) as connection:
        [year] = village_overview.list_years(connection)
        here = Place(COUNTY, "", "county", COUNTY, "")
        standing = village_overview.read_standing(connection, here, [], [year])
        assert standing.now.amounts == {}
        for measure in ("asked", "state", "accepted"):
            assert (
                village_overview.list_villages(connection, year, COUNTY, measure, ["filed"]) == []
            )
    own = make_actor(owner, "anyi_2", Role.COUNTY, COUNTY)
    assert standing_of(own, owner)[1].now.of(FILED) == 1
