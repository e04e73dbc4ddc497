"""A workbook goes out, comes back, and becomes drafts: all that was meant, and nothing else."""

from concurrent.futures import Future
from threading import Thread

import pytest
from openpyxl import load_workbook

from data_access import (
    decisions,
    jobs,
    reporting,
    workbook_apply,
    workbook_batches,
    workbook_check,
)
from data_access.database import transaction
from data_access.jobs import RunningJob
from data_access.workbook_layout import ERROR_SHEET
from data_access.workbook_scopes import get_period, list_scopes
from domain.access import Role
from domain.errors import InvalidAction, NotFound, StaleVersion, WorkbookRefused
from domain.jobs import JobKind
from domain.workbook_diff import BatchRefusal, BatchState, Because, Decision, EntryKind
from domain.workflow import ReviewAction
from tests.actors import COUNTY, make_actor
from tests.patience import wait_until
from tests.reports import LAUNCH, act
from tests.workbooks import brought, counts, draft, launch, rows_of, save, taken, typed

pytestmark = pytest.mark.usefixtures("store")


@pytest.fixture
def workbook(submission, county, period_id):
    return taken(county, period_id, COUNTY)


@pytest.fixture
def key(plan_id):
    return f"{plan_id}/{LAUNCH}"


def kinds(actor, batch_id):
    return [(row.field_code, row.kind) for row in rows_of(actor, batch_id)]


def apply(actor, batch_id):
    with transaction(actor, action="workbook.apply") as connection:
        return workbook_apply.apply(connection, actor, batch_id)


def test_an_untouched_workbook_says_nothing(workbook, county):
    batch_id = brought(county, workbook)
    assert rows_of(county, batch_id) == []
    with transaction(county) as connection:
        assert workbook_batches.get_batch(connection, batch_id).unchanged_count > 20
    assert counts(county, batch_id).to_write == 0


def test_what_was_typed_is_previewed_then_written_with_its_trail(
    workbook, county, submission, key, owner, tmp_path
):
    before = draft(county, submission)
    path = typed(
        workbook,
        {(COUNTY, key, "late_reason"): "招标流标", (COUNTY, key, "note"): "已印发方案"},
        tmp_path / "a.xlsx",
    )
    batch_id = brought(county, path)
    assert kinds(county, batch_id)[:2] == [
        ("late_reason", EntryKind.CHANGED),
        ("note", EntryKind.NEW),
    ]
    assert draft(county, submission) == before

    assert apply(county, batch_id) == 1
    after = draft(county, submission)
    row = launch(after.content)
    assert (row["late_reason"], row["note"]) == ("招标流标", "已印发方案")
    assert row["evidence"] == launch(before.content)["evidence"]
    assert after.draft_version == before.draft_version + 1
    trail = owner.execute(
        "SELECT table_name, user_id, after FROM row_change WHERE action = 'workbook.apply'"
        " ORDER BY row_change_id"
    ).fetchall()
    assert {name for name, _, _ in trail} == {"submission_draft", "workbook_batch"}
    assert {user_id for _, user_id, _ in trail} == {county.user_id}
    source = next(after for name, _, after in trail if name == "workbook_batch")
    assert len(source["sha256"]) == 64
    assert source["export_id"]


def test_the_same_file_again_changes_nothing(workbook, county, submission, key, tmp_path):
    path = typed(workbook, {(COUNTY, key, "note"): "已印发方案"}, tmp_path / "a.xlsx")
    apply(county, brought(county, path))
    saved = draft(county, submission)
    again = brought(county, path)
    assert counts(county, again).to_write == 0
    assert [row for row in rows_of(county, again) if row.kind != EntryKind.UNCHANGED] == []
    assert draft(county, submission) == saved


@pytest.mark.parametrize(
    ("decision", "kept"), [(Decision.MINE, "工作簿"), (Decision.THEIRS, "他人")]
)
def test_a_conflict_waits_for_a_decision(
    workbook, county, submission, key, tmp_path, decision, kept
):
    save(county, submission, note="他人")
    path = typed(
        workbook,
        {(COUNTY, key, "note"): "工作簿", (COUNTY, key, "late_reason"): "新"},
        tmp_path / "a.xlsx",
    )
    batch_id = brought(county, path)
    conflict = next(row for row in rows_of(county, batch_id) if row.kind == "conflicting")
    assert (conflict.old_value, conflict.new_value) == ("他人", "工作簿")
    with pytest.raises(InvalidAction):
        apply(county, batch_id)
    with transaction(county) as connection:
        workbook_batches.decide(connection, batch_id, decision, conflict.entry_no)
    apply(county, batch_id)
    row = launch(draft(county, submission).content)
    assert (row["note"], row["late_reason"]) == (kept, "新")


def test_what_was_kept_is_not_asked_again_when_the_same_file_comes_again(
    workbook, county, submission, key, tmp_path
):
    save(county, submission, note="他人")
    cells = {(COUNTY, key, "note"): "工作簿", (COUNTY, key, "late_reason"): "招标流标"}
    path = typed(workbook, cells, tmp_path / "a.xlsx")
    batch_id = brought(county, path)
    with transaction(county) as connection:
        workbook_batches.decide(connection, batch_id, Decision.THEIRS)
    apply(county, batch_id)
    again = counts(county, brought(county, path))
    assert (again.conflicting, again.undecided, again.to_write) == (1, 0, 0)


def test_a_draft_saved_after_the_preview_is_compared_anew_and_nothing_is_written(
    workbook, county, submission, key, tmp_path
):
    path = typed(workbook, {(COUNTY, key, "note"): "工作簿"}, tmp_path / "a.xlsx")
    batch_id = brought(county, path)
    save(county, submission, note="他人")
    with pytest.raises(StaleVersion):
        apply(county, batch_id)
    assert launch(draft(county, submission).content)["note"] == "他人"
    workbook_check.refresh(county, batch_id)
    assert kinds(county, batch_id)[0] == ("note", EntryKind.CONFLICTING)


def test_a_report_that_is_being_filed_is_waited_for_and_then_left_alone(
    owner, workbook, county, submission, key, tmp_path
):
    path = typed(workbook, {(COUNTY, key, "note"): "工作簿"}, tmp_path / "a.xlsx")
    batch_id = brought(county, path)
    before, outcome = draft(county, submission).content, Future[int]()

    def write() -> None:
        try:
            outcome.set_result(apply(county, batch_id))
        except StaleVersion as error:
            outcome.set_exception(error)

    def is_waited_for() -> bool:
        query = "SELECT EXISTS (SELECT FROM pg_locks WHERE NOT granted)"
        return outcome.done() or owner.execute(query).fetchone()[0]

    with transaction(county) as connection:
        seen = reporting.get_submission(connection, submission.submission_id)
        decisions.submit(connection, county, seen.submission_id, seen.lock_version)
        Thread(target=write).start()
        wait_until(is_waited_for)
    with pytest.raises(StaleVersion):
        outcome.result(30)
    assert draft(county, submission).content == before


def test_a_unit_without_a_report_gets_its_draft_when_the_batch_is_written(
    county, plan_id, period_id, key, owner, tmp_path
):
    workbook = taken(county, period_id, COUNTY)
    assert owner.execute("SELECT count(*) FROM submission").fetchone() == (0,)
    path = typed(workbook, {(COUNTY, key, "planned_on"): "2026-12-31"}, tmp_path / "a.xlsx")
    batch_id = brought(county, path)
    assert owner.execute("SELECT count(*) FROM submission").fetchone() == (0,)
    apply(county, batch_id)
    content = owner.execute("SELECT content FROM submission_draft").fetchone()[0]
    assert launch(content)["planned_on"] == "2026-12-31"


def test_a_row_that_is_not_understood_is_refused_and_the_others_are_taken(
    workbook, county, submission, key, plan_id, tmp_path
):
    other = f"{plan_id}/{second_stage(submission)}"
    path = typed(
        workbook,
        {
            (COUNTY, key, "completed_on"): "三月初",
            (COUNTY, key, "note"): "不采用",
            (COUNTY, other, "planned_on"): "２０２７年１月３１日",
        },
        tmp_path / "a.xlsx",
    )
    batch_id = brought(county, path)
    refused = rows_of(county, batch_id, kind=EntryKind.REFUSED)
    assert {row.field_code for row in refused} == {"completed_on", "note"}
    assert "不是日期" in "".join(row.problem for row in refused)
    apply(county, batch_id)
    content = draft(county, submission).content
    assert launch(content)["note"] is None
    assert next(r for r in content["milestone"] if r["key"] == other)["planned_on"] == "2027-01-31"


def second_stage(submission):
    return submission.draft_content["milestone"][1]["stage_code"]


def test_a_report_that_was_filed_takes_nothing(workbook, county, submission, key, tmp_path):
    act(county, submission.submission_id, ReviewAction.SUBMIT)
    path = typed(workbook, {(COUNTY, key, "note"): "晚了"}, tmp_path / "a.xlsx")
    (row,) = rows_of(county, brought(county, path))
    assert (row.kind, row.reason) == (EntryKind.REFUSED, Because.NOT_IN_HAND)


def test_another_countys_file_is_refused_as_a_whole(workbook, owner, county):
    other = make_actor(owner, "other", Role.COUNTY, "360121")
    with pytest.raises(WorkbookRefused) as refused:
        brought(other, workbook)
    assert refused.value.details["reason"] == BatchRefusal.NOT_YOUR_UNITS
    assert owner.execute("SELECT count(*) FROM workbook_batch").fetchone() == (0,)


def test_of_a_citys_file_a_county_brings_its_own_rows_and_no_others(
    submission, county, city, period_id, key, tmp_path
):
    with transaction(city, read_only=True) as connection:
        scopes = list_scopes(connection, city, get_period(connection, period_id))
    whole = next(scope for scope in scopes if len(scope.units) > 1)
    path = typed(
        taken(city, period_id, whole.key),
        {(COUNTY, key, "note"): "县里填的"},
        tmp_path / "a.xlsx",
    )
    batch_id = brought(county, path)
    found = rows_of(county, batch_id)
    own = [row for row in found if row.division_code == COUNTY and row.field_code == "note"]
    assert [row.new_value for row in own] == ["县里填的"]
    foreign = [row for row in found if row.division_code is None]
    assert {row.reason for row in foreign} == {Because.NOT_YOURS}
    assert len(foreign) == len(whole.units) - 1


def test_a_batch_is_its_uploaders_alone(workbook, county, owner):
    batch_id = brought(county, workbook)
    colleague = make_actor(owner, "colleague", Role.COUNTY, COUNTY)
    with transaction(colleague, read_only=True) as connection, pytest.raises(NotFound):
        workbook_batches.get_batch(connection, batch_id)
    sha256 = owner.execute("SELECT sha256 FROM workbook_batch").fetchone()[0]
    with pytest.raises(NotFound):
        workbook_check.receive(colleague, sha256)


def cut_off(actor, batch_id):
    with transaction(actor) as connection:
        workbook_apply.apply(connection, actor, batch_id)
        raise KeyboardInterrupt


def test_a_write_that_is_cut_leaves_nothing(workbook, county, submission, key, tmp_path):
    path = typed(workbook, {(COUNTY, key, "note"): "半途"}, tmp_path / "a.xlsx")
    batch_id = brought(county, path)
    before = draft(county, submission)
    with pytest.raises(KeyboardInterrupt):
        cut_off(county, batch_id)
    assert draft(county, submission) == before
    with transaction(county, read_only=True) as connection:
        assert workbook_batches.get_batch(connection, batch_id).state is BatchState.OPEN


def test_errors_come_back_in_the_workbook(workbook, county, key, tmp_path):
    path = typed(workbook, {(COUNTY, key, "completed_on"): "三月初"}, tmp_path / "a.xlsx")
    batch_id = brought(county, path)
    marked, name = workbook_batches.marked(county, batch_id, lambda row, old, new: row.problem)
    assert name == "填报_已标注.xlsx"
    listed = [str(c.value) for r in load_workbook(marked)[ERROR_SHEET].iter_rows() for c in r]
    assert any("不是日期" in text for text in listed)


def test_all_reports_of_a_batch_are_filed_or_say_why_not(
    workbook, county, submission, key, tmp_path
):
    path = typed(workbook, {(COUNTY, key, "completed_on"): None}, tmp_path / "a.xlsx")
    batch_id = brought(county, path)
    assert counts(county, batch_id).errors >= 1
    apply(county, batch_id)
    (filed,) = workbook_apply.submit_all(county, batch_id)
    assert "completed_on" in "".join(problem.path for problem in filed.problems)


def test_a_job_whose_worker_died_writes_it_all_the_second_time(
    workbook, county, submission, key, tmp_path, monkeypatch
):
    path = typed(workbook, {(COUNTY, key, "note"): "后台"}, tmp_path / "a.xlsx")
    batch_id = brought(county, path)
    before = draft(county, submission)
    with transaction(county) as connection:
        job_id = workbook_apply.request_apply(connection, county, batch_id)
    with monkeypatch.context() as dying:
        dying.setattr(RunningJob, "report", died)
        with pytest.raises(KeyboardInterrupt):
            workbook_apply.run_job(RunningJob(job_id, JobKind.APPLY_WORKBOOK, 1), batch_id)
    assert draft(county, submission) == before
    workbook_apply.run_job(RunningJob(job_id, JobKind.APPLY_WORKBOOK, 2), batch_id)
    assert launch(draft(county, submission).content)["note"] == "后台"
    with transaction(county, read_only=True) as connection:
        assert workbook_batches.get_batch(connection, batch_id).state is BatchState.APPLIED
        assert jobs.get(connection, job_id).ratio == 1


def died(*_: object, **__: object) -> None:
    raise KeyboardInterrupt
