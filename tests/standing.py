"""Units that stand somewhere: rows for rules and pictures, records for the database."""

from datetime import date, timedelta

import psycopg
from psycopg.types.json import Jsonb

from domain.access import Actor
from domain.clock import today
from domain.progress import Disposition, PeriodState, UnitProgress
from tests.actors import COUNTY

NEIGHBOUR = "360121"  # 南昌县, in the same city
FAR = "360733"  # 会昌县, in another city
UNIT = UnitProgress(
    code=COUNTY,
    name="安义县",
    level="county",
    kind="县",
    prefix=COUNTY,
    parent_code="360100",
    parent_name="南昌市",
    plan_id=1,
    disposition=Disposition.COMPILING,
    accepted_ratio=0.5,
    pending_ratio=0.1,
    stage_order=7,
    stage_name="征求意见",
    stage_count=14,
    late_days=0,
    late_since=None,
    late_stage_name="",
    planned_stages=14,
    period_state=PeriodState.FILED,
    no_change=False,
    submitted_at=None,
    on_time=True,
    deadline_at=None,
    responsible_name="",
)


def file_report(
    owner: psycopg.Connection, code: str, period_id: int, filer: Actor, **fields: str
) -> int:
    """Let a unit have filed a report, which waits for its review; return its id."""
    content = {"form": {"responsible_name": "李四", **fields}}
    row = owner.execute(
        "INSERT INTO submission (form_code, period_id, division_code, state, step_no, filer_id)"
        " VALUES ('plan_progress', %s, %s, 'submitted', 1, %s) RETURNING submission_id",
        [period_id, code, filer.user_id],
    ).fetchone()
    assert row is not None
    owner.execute(
        "INSERT INTO submission_version (submission_id, version_no, division_code, round_no"
        ", form_version, rule_version, code_version, workflow_version, content, content_sha256"
        ", submitted_by) VALUES (%s, 1, %s, 1, 1, 1, '2020', 1, %s, '', %s)",
        [row[0], code, Jsonb(content), filer.user_id],
    )
    owner.execute(
        "INSERT INTO review_event (submission_id, division_code, version_no, round_no, step_no"
        ", action, from_state, to_state, to_step_no, user_id, role)"
        " VALUES (%s, %s, 1, 1, 0, 'submit', 'draft', 'submitted', 1, %s, 'county')",
        [row[0], code, filer.user_id],
    )
    return int(row[0])


def declare_plan(owner: psycopg.Connection, code: str, days_ago: int = 100) -> int:
    """Let a county have a headline plan, declared some days ago; return its id."""
    row = owner.execute(
        "INSERT INTO plan (division_code, plan_type, name, is_headline, declared_at)"
        " VALUES (%s, 'MASTER_COUNTY', '国土空间总体规划', true, now() - make_interval(days => %s))"
        " RETURNING plan_id",
        [code, days_ago],
    ).fetchone()
    assert row is not None
    return int(row[0])


def accept(
    owner: psycopg.Connection,
    plan_id: int,
    submission_id: int,
    accepter: Actor,
    completed: int,
    late_days: int = 0,
    days_ago: int = 0,
) -> None:
    """Let the province have accepted the first stages; the next one is late by some days."""
    stages = owner.execute(
        "SELECT stage_code, stage_order FROM plan_stage WHERE plan_type = 'MASTER_COUNTY'"
    ).fetchall()
    for stage_code, order in stages:
        if order > completed + 1:
            continue
        done = date(2026, 1, 1) if order <= completed else None
        owner.execute(
            "INSERT INTO accepted_milestone (plan_id, division_code, stage_code, state, baseline_on"
            ", completed_on, submission_id, version_no, accepted_by, accepted_at)"
            " SELECT plan_id, division_code, %s, %s, %s, %s, %s, 1, %s"
            " , now() - make_interval(days => %s) FROM plan WHERE plan_id = %s",
            [
                stage_code,
                "completed" if done else "not_started",
                today() - timedelta(days=late_days),
                done,
                submission_id,
                accepter.user_id,
                days_ago,
                plan_id,
            ],
        )
    owner.execute("INSERT INTO dashboard_change DEFAULT VALUES")
