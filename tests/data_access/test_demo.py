"""The demo is believable: it obeys every rule the portal holds people to."""

import csv
import stat
from collections import Counter
from collections.abc import Iterator
from datetime import date, datetime
from pathlib import Path
from statistics import fmean

import bcrypt
import psycopg
import pytest

from data_access import database, demo, form_checks, progress
from data_access.cluster import DatabaseUrls
from data_access.database import transaction
from data_access.demo.bulk import Rows, first_ids
from data_access.demo.pdf import make_pdf
from data_access.demo.province import Province
from data_access.demo.reference import read_reference
from data_access.forms import load_form
from data_access.installation import is_empty, prepare
from data_access.settings import Settings
from domain import receipts
from domain.access import Actor, Grant, Role
from domain.clock import BEIJING
from domain.progress import Lateness, LatenessLimits, PeriodState, UnitProgress
from domain.workflow import SubmissionState

TODAY = date(2026, 11, 22)
NOON = datetime(2026, 11, 22, 12, tzinfo=BEIJING)
LIMITS = LatenessLimits()
LEADER = Actor(1, "省厅", (Grant(Role.LEADER, "360000", "36"),))


@pytest.fixture(scope="module")
def demo_dir(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("demo")


@pytest.fixture(scope="module")
def loaded(
    cluster: Path, template: str, demo_dir: Path, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[psycopg.Connection]:
    """Load the demo once; yield the owner's connection, with the portal's engine on the same."""
    with psycopg.connect(f"host={cluster} user=owner dbname=postgres", autocommit=True) as admin:
        admin.execute("DROP DATABASE IF EXISTS portal_demo WITH (FORCE)")
        admin.execute(f"CREATE DATABASE portal_demo TEMPLATE {template}")
        patch = pytest.MonkeyPatch()
        url = f"postgresql+psycopg://portal@/portal_demo?host={cluster}"
        patch.setenv("PORTAL_DATABASE_URL", url)
        patch.setenv("PORTAL_NOW", NOON.isoformat())
        database.engine.cache_clear()
        with psycopg.connect(
            f"host={cluster} user=owner dbname=portal_demo", autocommit=True
        ) as connection:
            demo.load(connection, demo_dir, today=TODAY)
            yield connection
        database.engine().dispose()
        database.engine.cache_clear()
        patch.undo()
        admin.execute("DROP DATABASE portal_demo WITH (FORCE)")


@pytest.fixture(scope="module")
def units(loaded: psycopg.Connection) -> list[UnitProgress]:
    with transaction(LEADER, read_only=True) as connection:
        return progress.list_units(connection, NOON, TODAY)


def count(connection: psycopg.Connection, query: str) -> int:
    return int(connection.execute(query).fetchall()[0][0])


def test_each_of_the_111_units_has_a_headline_plan(units):
    assert len(units) == 111
    assert all(unit.plan_id for unit in units)


def test_percentages_stay_within_0_and_100_and_are_spread(units):
    compiling = [unit for unit in units if not unit.is_merged]
    assert all(0 <= unit.accepted_ratio + unit.pending_ratio <= 1 for unit in compiling)
    assert max(unit.accepted_ratio for unit in compiling) == 1
    assert len({round(unit.accepted_ratio, 1) for unit in compiling}) >= 7


@pytest.mark.parametrize("lateness", list(Lateness))
def test_every_class_of_lateness_has_units(units, lateness):
    assert sum(unit.lateness(LIMITS) is lateness for unit in units) >= 3


@pytest.mark.parametrize("state", list(PeriodState))
def test_the_month_in_hand_has_reports_in_every_state(units, state):
    assert sum(unit.period_state is state for unit in units) >= 5


def test_progress_grows_over_two_years(loaded):
    with transaction(LEADER, read_only=True) as connection:
        months = [
            progress.list_units(connection, moment, moment.date())
            for moment in progress.month_ends(TODAY, 23)
        ]
    ratios = [
        fmean(unit.accepted_ratio for unit in units if not unit.is_merged) for units in months
    ]
    assert ratios == sorted(ratios)
    assert ratios[0] < 0.25
    assert ratios[-1] > 0.6


def test_every_city_has_a_report_to_review(loaded):
    waiting = loaded.execute(
        "SELECT DISTINCT left(division_code, 4) FROM submission"
        " WHERE state = 'submitted' AND step_no = 1"
    ).fetchall()
    assert len(waiting) == 11


def test_what_waits_for_a_decision_passes_the_checks_of_the_form(loaded):
    with transaction(LEADER) as connection:
        for submission_id, form_code, code, content in loaded.execute(
            "SELECT submission_id, form_code, division_code, content FROM submission"
            " JOIN submission_version USING (submission_id, version_no, division_code)"
            " WHERE state = %s",
            [SubmissionState.SUBMITTED],
        ):
            filed, problems, _ = form_checks.prepare(
                connection, load_form(connection, form_code, 1), code, content
            )
            errors = [each for each in problems if each.severity == "error"]
            assert errors == [], submission_id
            assert filed == content


def test_receipts_verify(loaded):
    for number, content, sha256, hashed, filed_at in loaded.execute(
        "SELECT receipt_no, content, content_sha256, receipt_hash, filed_at FROM submission"
        " JOIN submission_version USING (submission_id, version_no) WHERE state = 'filed' LIMIT 50"
    ):
        assert receipts.content_sha256(content) == sha256
        assert receipts.receipt_hash(number, sha256, filed_at) == hashed


RULES = {
    "a completed stage has a file for each item": """
        SELECT count(*) FROM accepted_milestone JOIN plan_stage AS stage USING (stage_code)
         WHERE state = 'completed' AND stage.evidence_items <> ARRAY(
               SELECT item FROM evidence WHERE evidence_id = ANY (evidence_ids)
                ORDER BY array_position(stage.evidence_items, item))""",
    "no accepted file serves two items": """
        SELECT count(*) FROM (
            SELECT FROM evidence
             WHERE evidence_id IN (SELECT unnest(evidence_ids) FROM accepted_milestone)
             GROUP BY sha256 HAVING count(*) > 1) AS repeated""",
    "a public notice lasts its days": """
        SELECT count(*) FROM accepted_milestone JOIN plan_stage USING (stage_code)
         WHERE state = 'completed' AND minimum_days > completed_on - started_on""",
    "dates do not run backwards": """
        SELECT count(*) FROM (
            SELECT completed_on - lag(completed_on) OVER (PARTITION BY plan_id, submission_id
                   ORDER BY stage_order) AS days
              FROM filed_milestone JOIN submission USING (submission_id)
              JOIN plan_stage USING (stage_code)
             WHERE filed_milestone.state = 'completed'
               AND submission.version_no = filed_milestone.version_no
               AND submission.state = 'filed') AS steps
         WHERE days < 0""",
    "planned dates do not run backwards": """
        SELECT count(*) FROM (
            SELECT planned_on - lag(planned_on) OVER (
                       PARTITION BY submission_id, version_no, plan_id ORDER BY stage_order) AS days
              FROM filed_milestone JOIN plan_stage USING (stage_code)) AS steps
         WHERE days < 0""",
    "nothing is completed after it was filed": """
        SELECT count(*) FROM filed_milestone
          JOIN submission_version USING (submission_id, version_no)
         WHERE greatest(completed_on, started_on) > CAST(submitted_at AS date)""",
    "evidence is there before it is filed": """
        SELECT count(*) FROM accepted_milestone AS fact
          JOIN submission_version AS version USING (submission_id, version_no)
          JOIN evidence ON evidence_id = ANY (fact.evidence_ids)
         WHERE uploaded_at >= submitted_at""",
    "decisions follow each other": """
        SELECT count(*) FROM (
            SELECT happened_at - lag(happened_at) OVER (PARTITION BY submission_id
                   ORDER BY review_event_id) AS wait, from_state
                 , lag(to_state) OVER (PARTITION BY submission_id
                   ORDER BY review_event_id) AS before
              FROM review_event) AS steps
         WHERE wait <= interval '0' OR from_state <> before""",
    "nobody reviews what he filed": """
        SELECT count(*) FROM review_event JOIN submission USING (submission_id)
         WHERE review_event.step_no > 0 AND user_id = filer_id""",
    "decisions are taken in working hours": """
        SELECT count(*) FROM review_event
         WHERE extract(hour FROM happened_at AT TIME ZONE 'Asia/Shanghai') NOT BETWEEN 8 AND 17""",
    "acceptance has one time: the last approval": """
        SELECT count(*) FROM accepted_milestone JOIN submission USING (submission_id)
         WHERE accepted_at IS DISTINCT FROM filed_at""",
    "a unit's reports are accepted in the order of their months": """
        SELECT count(*) FROM (
            SELECT filed_at - lag(filed_at) OVER (
                       PARTITION BY division_code, form_code ORDER BY period_id) AS wait
              FROM submission WHERE state = 'filed') AS steps
         WHERE wait <= interval '0'""",
    "a skipped stage has a reason": """
        SELECT count(*) FROM accepted_milestone
         WHERE state = 'skipped' AND coalesce(btrim(skip_reason), '') = ''""",
    "nothing happens after the morning of the load": """
        SELECT count(*) FROM review_event WHERE happened_at >= '2026-11-22 00:00+08'""",
    "a reminder is answered after it was sent": """
        SELECT count(*) FROM reminder
         WHERE acknowledged_at <= sent_at OR escalated_at <= answer_due_on""",
    "a certificate held when the contract was signed": """
        SELECT count(*) FROM accepted_contract WHERE unit1_cert_valid < contract_sign_date""",
    "a contract names a unit that is known": """
        SELECT count(*) FROM accepted_contract LEFT JOIN compile_unit AS known
            ON known.uscc = unit1_uscc
         WHERE unit1_name IS DISTINCT FROM known.name""",
    "whoever signs in has one grant": """
        SELECT count(*) FROM account LEFT JOIN account_grant USING (user_id)
         WHERE is_demo AND grant_id IS NULL""",
}


@pytest.mark.parametrize("rule", list(RULES))
def test_rule_holds_throughout(loaded, rule):
    assert count(loaded, RULES[rule]) == 0


STORIES = {
    "re-planned": "SELECT count(*) FROM accepted_milestone WHERE replanned_on IS NOT NULL",
    "skipped": "SELECT count(*) FROM accepted_milestone WHERE state = 'skipped'",
    "returned twice": "SELECT count(*) FROM submission WHERE round_no > 2",
    "merged": "SELECT count(*) FROM accepted_disposition WHERE disposition = 'merged'",
    "filed late": "SELECT count(*) FROM submission JOIN reporting_period USING (period_id)"
    " WHERE first_submitted_at > deadline_at",
    "no change": "SELECT count(*) FROM submission WHERE no_change",
    "answered remark": "SELECT count(*) FROM review_remark WHERE reply IS NOT NULL",
    "open remark": "SELECT count(*) FROM review_remark WHERE reply IS NULL",
    "escalated": "SELECT count(*) FROM reminder WHERE escalated_at IS NOT NULL",
    "waiting for an answer": "SELECT count(*) FROM reminder WHERE acknowledged_at IS NULL",
    "extended": "SELECT count(*) FROM period_extension",
    "special plan": "SELECT count(*) FROM plan WHERE NOT is_headline",
    "one institute in many counties": "SELECT count(*) FROM (SELECT FROM accepted_contract"
    " GROUP BY unit1_uscc HAVING count(DISTINCT division_code) >= 6) AS busy",
    "every state of a contract": "SELECT 1 FROM accepted_contract"
    " HAVING count(DISTINCT contract_status) = 6",
    "contract of a consortium": "SELECT count(*) FROM accepted_contract WHERE is_consortium",
    "contract under review": "SELECT count(*) FROM submission"
    " WHERE form_code = 'compile_unit' AND state = 'submitted'",
    "contract returned": "SELECT count(*) FROM submission"
    " WHERE form_code = 'compile_unit' AND state = 'returned'",
    "draft": "SELECT count(*) FROM submission WHERE state = 'draft'",
    "one file for two items": "SELECT count(*) FROM (SELECT FROM evidence GROUP BY sha256"
    " HAVING count(*) > 1) AS repeated",
}


@pytest.mark.parametrize("story", list(STORIES))
def test_every_story_is_told(loaded, story):
    assert count(loaded, STORIES[story]) >= 1


def test_every_role_can_sign_in_with_its_written_password(loaded, demo_dir):
    path = demo_dir / "demo_accounts.csv"
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    with path.open(encoding="utf-8", newline="") as file:
        written = list(csv.DictReader(file))
    assert {row["role"] for row in written} == {role.value for role in Role}
    hashes = dict(loaded.execute("SELECT username, password_hash FROM account"))
    for row in written[::15]:
        assert bcrypt.checkpw(row["password"].encode(), hashes[row["username"]].encode())


def test_every_unit_has_somebody_to_file(loaded):
    units = Counter(
        code
        for (code,) in loaded.execute(
            "SELECT division_code FROM account_grant WHERE role IN ('city', 'county')"
        )
    )
    assert len(units) == 111
    assert sum(number >= 2 for number in units.values()) >= 20


def test_evidence_lies_where_its_hash_says_and_opens(loaded, demo_dir):
    stored = loaded.execute("SELECT sha256, size FROM stored_file LIMIT 20").fetchall()
    for sha256, size in stored:
        content = (demo_dir / "uploads" / sha256[:2] / sha256).read_bytes()
        assert len(content) == size
        assert content.startswith(b"%PDF-1.4")
        assert content.endswith(b"%%EOF\n")


def test_a_pdf_finds_its_objects_where_its_table_says():
    content = make_pdf("公示公告", ["安义县"], "演示数据")
    start = int(content.rsplit(b"startxref\n", 1)[1].split()[0])
    assert content[start:].startswith(b"xref")
    offsets = [int(line[:10]) for line in content[start:].splitlines()[3:10]]
    for number, offset in enumerate(offsets, start=1):
        assert content[offset:].startswith(f"{number} 0 obj".encode())


def test_the_load_is_one_trail_entry_a_table(loaded):
    entries = dict(
        loaded.execute(
            "SELECT table_name, after ->> 'row_count' FROM row_change WHERE action = 'demo.load'"
        )
    )
    assert int(entries["accepted_milestone"]) == count(
        loaded, "SELECT count(*) FROM accepted_milestone"
    )
    assert count(loaded, "SELECT count(*) FROM row_change WHERE operation = 'INSERT'") < 100


def test_screens_are_told_that_this_is_a_demo(loaded):
    assert loaded.execute("SELECT value FROM portal_setting WHERE name = 'is_demo'").fetchone() == (
        True,
    )


def test_new_rows_follow_the_loaded_ones(loaded):
    with loaded.transaction(force_rollback=True):
        for table in ("plan", "evidence", "submission", "review_event", "account"):
            key = f"{table}_id" if table != "account" else "user_id"
            following = loaded.execute(
                "SELECT nextval(pg_get_serial_sequence(%s, %s))", [table, key]
            ).fetchone()
            assert following == (count(loaded, f"SELECT max({key}) FROM {table}") + 1,)


def test_without_the_demo_nothing_is_invented(owner, cluster, tmp_path):
    urls = [f"postgresql://{name}@/portal_test?host={cluster}" for name in ("owner", "portal")]
    settings = Settings(tmp_path, database_url=urls[1], owner_database_url=urls[0])
    prepare(settings, DatabaseUrls(*urls), with_demo=False, say=lambda sentence: None)
    assert is_empty(owner)
    assert count(owner, "SELECT count(*) FROM plan") == 0
    assert count(owner, "SELECT count(*) FROM natural_village") == 0
    assert count(owner, "SELECT count(*) FROM division_location") == 0
    assert not (tmp_path / "demo_accounts.csv").exists()


def test_a_seed_and_a_day_tell_one_story(owner, tmp_path):
    first = story(owner, tmp_path, TODAY, seed=7)
    assert story(owner, tmp_path, TODAY, seed=7) == first
    assert story(owner, tmp_path, TODAY, seed=8) != first


def test_on_the_first_days_of_a_month_reviewers_still_have_a_queue(owner, tmp_path):
    demo.load(owner, tmp_path, today=date(2026, 10, 2))
    waiting = count(owner, "SELECT count(*) FROM submission WHERE state = 'submitted'")
    assert waiting > 20
    newest = count(owner, "SELECT max(period_id) FROM reporting_period")
    assert count(owner, f"SELECT count(*) FROM submission WHERE period_id = {newest}") == 0


def story(owner: psycopg.Connection, folder: Path, day: date, *, seed: int) -> dict[str, str]:
    with owner.cursor() as cursor:
        rows = Rows(first_ids(cursor))
        Province(rows, read_reference(cursor, day), folder, day, seed).tell()
    digests = rows.digests()
    digests.pop("account")
    return digests


def test_every_escalated_reminder_reached_the_level_above(loaded):
    missing = loaded.execute(
        "SELECT reminder_id FROM reminder WHERE escalated_at IS NOT NULL AND NOT EXISTS ("
        " SELECT FROM inbox_message WHERE source_table = 'reminder' AND source_id = reminder_id"
        " AND inbox_message.division_code <> reminder.division_code)"
    ).fetchall()
    escalated = loaded.execute("SELECT count(*) FROM reminder WHERE escalated_at IS NOT NULL")
    assert escalated.fetchone() > (0,)
    assert missing == []
