"""A workbook is made for whoever asks: as a file at once, by a job, of what he may read."""

import pytest

from data_access import jobs, workbook_batches, workbook_exports, workbook_scopes
from data_access.database import transaction
from data_access.jobs import RunningJob
from data_access.workbook_scopes import get_period
from domain.access import Role
from domain.errors import NotFound, NotPermitted
from domain.jobs import JobKind
from domain.workflow import ReviewAction
from tests.actors import COUNTY, make_actor
from tests.reports import act
from tests.workbooks import brought, counts, launch, rows_of, save, taken

pytestmark = pytest.mark.usefixtures("store")


@pytest.fixture
def workbook(submission, county, period_id):
    return taken(county, period_id, COUNTY)


def test_a_large_workbook_is_made_by_a_job_for_who_asked(
    submission, county, bureau, period_id, monkeypatch
):
    monkeypatch.setattr(workbook_exports, "MOST_AT_ONCE", 0)
    with pytest.raises(NotPermitted):
        workbook_exports.make(county, period_id, COUNTY)
    with transaction(county) as connection:
        period = get_period(connection, period_id)
        scope = workbook_scopes.get_scope(connection, county, period, COUNTY)
        export = workbook_exports.request(connection, county, period, scope)
    job = RunningJob(export.job_id, JobKind.EXPORT_WORKBOOK, 1)
    workbook_exports.run_job(job, str(export.export_id))
    with transaction(county, read_only=True) as connection:
        path, name = workbook_exports.open_made(connection, county, export.export_id)
    assert name.endswith("_安义县.xlsx")
    assert counts(county, brought(county, path)).to_write == 0
    with transaction(bureau, read_only=True) as connection, pytest.raises(NotFound):
        workbook_exports.open_made(connection, bureau, export.export_id)


def test_who_does_not_file_for_a_unit_gets_what_was_filed_and_no_telephone(
    submission, county, leader, period_id, owner
):
    act(county, submission.submission_id, ReviewAction.SUBMIT)
    owner.execute("UPDATE submission SET state = 'returned', step_no = 0")
    save(county, submission, note="还没有报送")
    taken(leader, period_id, COUNTY)
    (content,) = owner.execute("SELECT content FROM workbook_export_unit").fetchone()
    assert launch(content)["note"] is None
    assert content["form"]["contact_phone"] == "138****0000"


def test_what_nobody_wants_any_more_is_forgotten(workbook, county, owner):
    brought(county, workbook)
    owner.execute("UPDATE workbook_batch SET expires_at = now() - interval '1 day'")
    owner.execute("UPDATE workbook_export SET taken_at = now() - interval '1 year'")
    with transaction(jobs.system_actor(), action="workbook.forget") as connection:
        workbook_exports.forget_old(connection)
    for table in ("workbook_batch", "workbook_batch_unit", "workbook_export"):
        assert owner.execute(f"SELECT count(*) FROM {table}").fetchone() == (0,)


@pytest.mark.parametrize("form_code", ["plan_progress", "compile_unit"])
def test_what_goes_out_of_any_form_comes_back_unchanged(owner, county, form_code):
    (period,) = owner.execute(
        "INSERT INTO reporting_period (form_code, name, starts_on, ends_on, deadline_at"
        ", form_version, workflow_version)"
        " VALUES (%s, '本期', '2026-10-01', '2026-12-31', now() + interval '3 days', 1, 1)"
        " RETURNING period_id",
        [form_code],
    ).fetchone()
    batch_id = brought(county, taken(county, period, COUNTY))
    assert rows_of(county, batch_id) == []
    with transaction(county, read_only=True) as connection:
        assert workbook_batches.get_batch(connection, batch_id).unchanged_count > 5


def test_who_took_which_workbook_is_known_to_him_and_to_the_units_in_it(
    workbook, county, city, owner
):
    def seen(actor):
        with transaction(actor, read_only=True) as connection:
            return connection.exec_driver_sql("SELECT count(*) FROM workbook_export").scalar_one()

    other = make_actor(owner, "other", Role.COUNTY, "360121")
    assert [seen(actor) for actor in (county, city, other)] == [1, 1, 0]
