"""A report on its way: what several folders of tests start from."""

from datetime import timedelta
from typing import Any

import psycopg

from data_access import decisions, drafts, reporting
from data_access.database import transaction
from domain.access import Actor
from domain.clock import today
from domain.workflow import ReviewAction
from tests.actors import COUNTY

LAUNCH = "MASTER_COUNTY_01_LAUNCH"


def opened(actor: Actor, period_id: int) -> reporting.Submission:
    with transaction(actor) as connection:
        return drafts.open_submission(connection, actor, period_id, COUNTY)


def complete_launch(owner: psycopg.Connection, actor: Actor, submission: Any) -> None:
    """Fill in the first stage as completed, with its evidence, and save the draft."""
    content = submission.draft_content
    row = next(row for row in content["milestone"] if row["stage_code"] == LAUNCH)
    row |= {
        "state": "completed",
        "planned_on": (today() - timedelta(days=40)).isoformat(),
        "started_on": (today() - timedelta(days=60)).isoformat(),
        "completed_on": (today() - timedelta(days=30)).isoformat(),
        "late_reason": "资料收集较慢",
        "evidence": {
            item: add_evidence(owner, actor, row["plan_id"], item, number)
            for number, item in enumerate(("工作方案", "领导小组文件"))
        },
    }
    content["form"] |= {
        "contact_name": "张三",
        "contact_phone": "13800000000",
        "responsible_name": "李四",
        "work_summary": "已启动编制工作。",
    }
    with transaction(actor) as connection:
        drafts.save_draft(
            connection, actor, submission.submission_id, content, submission.draft_version
        )


def wanted_file(owner: psycopg.Connection, plan_id: int) -> dict[str, str]:
    """Return where the first file belongs that a stage of the county's plan wants as proof."""
    found = owner.execute(
        "SELECT stage_code, evidence_items FROM plan_stage JOIN plan USING (plan_type)"
        " WHERE plan_id = %s AND evidence_items <> '{}' ORDER BY stage_order",
        [plan_id],
    ).fetchone()
    assert found is not None
    return {
        "form_code": "plan_progress",
        "division_code": COUNTY,
        "group": "milestone",
        "key": f"{plan_id}/{found[0]}",
        "item": found[1][0],
    }


def add_evidence(
    owner: psycopg.Connection, actor: Actor, plan_id: int, item: str, number: int
) -> int:
    sha256 = f"{number:064x}"
    owner.execute(
        "INSERT INTO stored_file (sha256, size, media_type) VALUES (%s, 10, 'application/pdf')",
        [sha256],
    )
    row = owner.execute(
        "INSERT INTO evidence (form_code, group_code, row_key, plan_id, division_code, stage_code"
        ", item, sha256, file_name, uploaded_by) VALUES ('plan_progress', 'milestone', %s, %s, %s"
        ", %s, %s, %s, 'a.pdf', %s) RETURNING evidence_id",
        [f"{plan_id}/{LAUNCH}", plan_id, COUNTY, LAUNCH, item, sha256, actor.user_id],
    ).fetchone()
    assert row is not None
    return int(row[0])


def act(actor: Actor, submission_id: int, action: ReviewAction, comment: str = "", remarks=()):
    with transaction(actor) as connection:
        seen = reporting.get_submission(connection, submission_id)
        if action is ReviewAction.SUBMIT:
            return decisions.submit(connection, actor, submission_id, seen.lock_version)
        if action is ReviewAction.WITHDRAW:
            return decisions.withdraw(connection, actor, submission_id, seen.lock_version)
        return decisions.review(
            connection, actor, submission_id, seen.lock_version, action, comment, remarks
        )
