"""Opening, following, extending and closing a reporting period, against PostGIS."""

from datetime import date, datetime, timedelta

import psycopg
import pytest
from sqlalchemy import text

from data_access import inbox, periods, progress, reporting
from data_access.database import transaction
from data_access.periods import Filing
from domain.access import Actor, Role
from domain.clock import BEIJING, now, today
from domain.errors import InvalidAction, NotFound, NotPermitted, RuleViolation
from domain.progress import LatenessLimits, PeriodState, summarise
from tests.actors import CITY, COUNTY, make_actor

FORM = "plan_progress"
DECEMBER = date(2026, 12, 1)


def open_december(actor: Actor, deadline_on: date = date(2026, 12, 25)) -> int:
    with transaction(actor, action="reporting_period.open") as connection:
        return periods.open_period(
            connection, actor, FORM, DECEMBER, deadline_on, name="2026年12月", notice="请报送。"
        )


def extend(actor: Actor, period_id: int, *codes: str, days: int = 9, reason: str = "汛情") -> None:
    with transaction(actor, action="period_extension.grant") as connection:
        periods.extend(
            connection,
            actor,
            period_id,
            codes,
            today() + timedelta(days=days),
            reason,
            title="报送截止日期已延期",
            body="延期。",
        )


def filings(actor: Actor, period_id: int) -> list[Filing]:
    with transaction(actor, read_only=True) as connection:
        return periods.list_filing(connection, period_id)


def filing(actor: Actor, period_id: int, code: str) -> Filing:
    return next(each for each in filings(actor, period_id) if each.code == code)


def report(
    owner: psycopg.Connection, period_id: int, filer: Actor, code: str, *actions: str
) -> None:
    """File a unit's report and take the further actions on it."""
    states = {"submit": "submitted", "return": "returned", "withdraw": "draft"}
    [(submission_id,)] = owner.execute(
        "INSERT INTO submission (form_code, period_id, division_code, state, step_no, filer_id)"
        " VALUES ('plan_progress', %s, %s, %s, %s, %s) RETURNING submission_id",
        [period_id, code, states[actions[-1]], int(actions[-1] == "submit"), filer.user_id],
    ).fetchall()
    for action in actions:
        owner.execute(
            "INSERT INTO review_event (submission_id, division_code, version_no, round_no, step_no"
            ", action, from_state, to_state, to_step_no, comment, user_id, role)"
            " VALUES (%s, %s, 1, 1, 0, %s, 'draft', %s, 0, '说明', %s, 'county')",
            [submission_id, code, action, states[action], filer.user_id],
        )


def titles(actor: Actor) -> list[str]:
    with transaction(actor, read_only=True) as connection:
        return [message.title for message in inbox.list_messages(connection)]


def test_deadline_is_prefilled_from_the_setting_and_fits_the_month(bureau, owner):
    with transaction(bureau, read_only=True) as connection:
        assert periods.default_deadline(connection, DECEMBER) == date(2026, 12, 25)
    owner.execute("UPDATE portal_setting SET value = '31' WHERE name = 'period_deadline_day'")
    with transaction(bureau, read_only=True) as connection:
        assert periods.default_deadline(connection, date(2027, 2, 9)) == date(2027, 2, 28)


def test_opened_period_is_current_and_every_unit_is_told(bureau, county, city):
    period_id = open_december(bureau)
    with transaction(bureau, read_only=True) as connection:
        current = reporting.current_period(connection, FORM)
    assert current is not None
    assert (current.period_id, current.ends_on) == (period_id, date(2026, 12, 31))
    assert current.deadline_at == datetime(2026, 12, 25, 23, 59, 59, 999999, tzinfo=BEIJING)
    assert titles(county) == titles(city) == ["2026年12月填报期已开启"]
    assert len(filings(bureau, period_id)) == 111


def test_period_of_a_month_opens_once(bureau):
    open_december(bureau)
    with pytest.raises(RuleViolation) as caught:
        open_december(bureau)
    assert caught.value.details["constraint"] in (
        "reporting_period_once",
        "reporting_period_no_overlap",
    )


def test_deadline_before_the_period_is_refused(bureau):
    with pytest.raises(RuleViolation) as caught:
        open_december(bureau, date(2026, 11, 1))
    assert caught.value.details == {"constraint": "reporting_period_deadline_after_start"}


def test_unknown_form_is_not_found(bureau):
    with pytest.raises(NotFound), transaction(bureau) as connection:
        periods.open_period(connection, bureau, "no_form", DECEMBER, DECEMBER, name="…", notice="…")


def test_units_and_leaders_run_no_period(leader, city, county, period_id):
    for actor in (leader, city, county):
        with pytest.raises(NotPermitted):
            open_december(actor)
        with pytest.raises(NotPermitted):
            extend(actor, period_id, COUNTY)
        with pytest.raises(NotPermitted), transaction(actor) as connection:
            periods.close_period(connection, actor, period_id)


def test_information_centre_may_extend_too(owner, period_id):
    centre = make_actor(owner, "centre", Role.INFORMATION_CENTRE, "360000")
    extend(centre, period_id, COUNTY)
    assert filing(centre, period_id, COUNTY).is_extended


def test_counts_are_those_of_the_overview(owner, bureau, county, city, period_id):
    report(owner, period_id, county, COUNTY, "submit")
    report(owner, period_id, county, "360124", "submit", "return")
    report(owner, period_id, county, "360121", "submit", "withdraw")
    report(owner, period_id, city, CITY, "submit")
    with transaction(bureau, read_only=True) as connection:
        units = progress.list_units(connection, *progress.moment_of(None))
        followed = periods.list_filing(connection, period_id)
    figures = periods.filing_figures(followed)
    summary = summarise(units, LatenessLimits())
    assert (figures.completeness.numerator, figures.completeness.denominator) == (2, 111)
    assert (figures.completeness, figures.timeliness) == (summary.completeness, summary.timeliness)
    assert (figures.returned, figures.no_change) == (1, summary.no_change)
    for followed_unit, unit in zip(followed, units, strict=True):
        assert (followed_unit.code, followed_unit.period_state, followed_unit.deadline_at) == (
            unit.code,
            unit.period_state,
            unit.deadline_at,
        )


def test_county_follows_itself_and_city_its_counties(county, city, period_id):
    assert [each.code for each in filings(county, period_id)] == [COUNTY]
    assert {each.code[:4] for each in filings(city, period_id)} == {"3601"}


def test_extension_moves_the_deadline_of_the_chosen_units_everywhere(
    owner, bureau, county, city, period_id
):
    extend(bureau, period_id, COUNTY, CITY)
    expected = periods.end_of(today() + timedelta(days=9))
    assert filing(bureau, period_id, COUNTY).deadline_at == expected
    assert not filing(bureau, period_id, "360124").is_extended
    with transaction(bureau, read_only=True) as connection:
        unit = progress.get_unit(connection, COUNTY, *progress.moment_of(None))
        [extension] = periods.list_extensions(connection, division_code=COUNTY)
    assert (unit.deadline_at, extension.reason) == (expected, "汛情")
    assert titles(county) == titles(city) == ["报送截止日期已延期"]
    actions = owner.execute(
        "SELECT action, division_code FROM row_change WHERE table_name = 'period_extension'"
        " ORDER BY division_code"
    ).fetchall()
    assert actions == [("period_extension.grant", CITY), ("period_extension.grant", COUNTY)]


def test_later_extension_counts(bureau, period_id):
    extend(bureau, period_id, COUNTY, days=20)
    extend(bureau, period_id, COUNTY, days=30)
    assert filing(bureau, period_id, COUNTY).deadline_at == periods.end_of(
        today() + timedelta(days=30)
    )


def test_extension_to_an_earlier_day_is_refused_for_all(bureau, period_id, county):
    with pytest.raises(RuleViolation) as caught:
        extend(bureau, period_id, COUNTY, CITY, days=1)
    assert caught.value.details == {"constraint": "period_extension_moves_later"}
    assert titles(county) == []


def test_extension_needs_its_reason(bureau, period_id):
    with pytest.raises(RuleViolation) as caught:
        extend(bureau, period_id, COUNTY, reason="  ")
    assert caught.value.details == {"constraint": "period_extension_has_reason"}


def test_report_within_its_extension_is_in_time(owner, bureau, county, period_id):
    owner.execute("UPDATE reporting_period SET deadline_at = %s", [now() - timedelta(hours=1)])
    report(owner, period_id, county, COUNTY, "submit")
    assert not filing(bureau, period_id, COUNTY).on_time
    extend(bureau, period_id, COUNTY)
    assert filing(bureau, period_id, COUNTY).on_time


def test_closed_period_is_neither_extended_nor_closed_again(bureau, period_id):
    with transaction(bureau) as connection:
        periods.close_period(connection, bureau, period_id)
    with pytest.raises(InvalidAction):
        extend(bureau, period_id, COUNTY)
    with pytest.raises(InvalidAction), transaction(bureau) as connection:
        periods.close_period(connection, bureau, period_id)
    with transaction(bureau, read_only=True) as connection:
        assert reporting.current_period(connection, FORM) is None


def test_last_reminder_of_the_period_stands_beside_the_unit(owner, bureau, period_id):
    owner.execute(
        "INSERT INTO reminder (division_code, topic, message, sent_by, answer_due_on)"
        " VALUES (%s, 'not_filed', '请报送', %s, current_date)",
        [COUNTY, bureau.user_id],
    )
    assert filing(bureau, period_id, COUNTY).reminded_at is not None
    assert filing(bureau, period_id, CITY).reminded_at is None


def test_withdrawn_report_counts_as_not_filed(owner, bureau, county, period_id):
    report(owner, period_id, county, COUNTY, "submit", "withdraw")
    assert filing(bureau, period_id, COUNTY).period_state is PeriodState.NOT_FILED


def test_past_moment_knows_no_later_extension(bureau, period_id):
    extend(bureau, period_id, COUNTY)
    with transaction(bureau, read_only=True) as connection:
        moment = connection.execute(text("SELECT now() - interval '1 day'")).scalar_one()
        assert periods.list_extensions(connection, moment=moment) == []
