"""A deadline ends with its day in Beijing, on a server and in a database that count in UTC."""

from datetime import date

import pytest

from data_access import periods
from data_access.database import transaction
from domain.access import Role
from domain.errors import PeriodClosed
from domain.workflow import ReviewAction
from tests.actors import COUNTY, make_actor
from tests.data_access.test_village_evaluation import saved
from tests.reports import act
from tests.villages import open_village, open_village_period

YEAR, DUE = 2026, date(2026, 11, 25)
MOMENTS = {
    "2026-11-25T15:59:59Z": True,
    "2026-11-25T15:59:59.7Z": True,
    "2026-11-25T16:00:00Z": False,
}


@pytest.fixture
def period_of_year(owner, in_utc) -> int:
    period_id = open_village_period(owner, YEAR)
    owner.execute(
        "UPDATE reporting_period SET deadline_at = %s WHERE period_id = %s",
        [periods.end_of(DUE), period_id],
    )
    return period_id


def file(owner, officer, period_id, village, moment) -> None:
    """File a village, and let it have been at the moment."""
    opened = open_village(officer, period_id, village)
    saved(officer, opened)
    act(officer, opened.submission_id, ReviewAction.SUBMIT)
    owner.execute("UPDATE review_event SET happened_at = %s", [moment])
    owner.execute("UPDATE submission SET submitted_at = %s", [moment])


@pytest.mark.parametrize(("moment", "in_time"), MOMENTS.items())
def test_a_village_is_in_time_until_midnight_in_beijing(
    owner, officer, village, period_of_year, moment, in_time
):
    file(owner, officer, period_of_year, village, moment)
    counted = owner.execute("SELECT division_code FROM village_in_time").fetchall()
    assert counted == ([(village,)] if in_time else [])
    county = make_actor(owner, "county", Role.COUNTY, COUNTY)
    with transaction(county, read_only=True) as connection:
        standing = {each.code: each for each in periods.list_filing(connection, period_of_year)}
    assert standing[village].on_time is in_time


def test_after_the_deadline_a_report_is_late_and_after_the_close_it_is_refused(
    owner, officer, village, period_of_year
):
    opened = open_village(officer, period_of_year, village)
    saved(officer, opened)
    owner.execute("UPDATE reporting_period SET deadline_at = now() - interval '1 second'")
    owner.execute("UPDATE reporting_period SET closed_at = now()")
    with pytest.raises(PeriodClosed):
        act(officer, opened.submission_id, ReviewAction.SUBMIT)
    owner.execute("UPDATE reporting_period SET closed_at = NULL")
    act(officer, opened.submission_id, ReviewAction.SUBMIT)
    assert owner.execute("SELECT count(*) FROM village_in_time").fetchone() == (0,)
