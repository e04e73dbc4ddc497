"""A county's compile-unit report: what several folders of tests start from."""

from datetime import timedelta
from typing import Any

import psycopg

from data_access import drafts, filing, reporting
from data_access.database import transaction
from domain.access import Actor
from domain.clock import today
from domain.uscc import check_character
from tests.actors import COUNTY

FORM = "compile_unit"
LEAD = "91360100MA35YAN01"
MEMBER = "91360100MA35YAN02"


def uscc(body: str) -> str:
    return body + check_character(body)


def open_quarter(owner: psycopg.Connection) -> int:
    """Open the quarter that holds today, its deadline ahead."""
    row = owner.execute(
        "INSERT INTO reporting_period (form_code, name, starts_on, ends_on, deadline_at"
        ", form_version, workflow_version)"
        " SELECT 'compile_unit', '本季度', quarter, CAST(quarter + interval '3 months' AS date) - 1"
        ", now() + interval '30 days', 1, 1"
        "  FROM CAST(date_trunc('quarter', CAST(%s AS timestamp)) AS date) AS quarter"
        " RETURNING period_id",
        [today()],
    ).fetchone()
    assert row is not None
    return int(row[0])


def opened(actor: Actor, period_id: int, code: str = COUNTY) -> reporting.Submission:
    with transaction(actor) as connection:
        return drafts.open_submission(connection, actor, period_id, code)


def signed(files: dict[str, int] | None, **changes: Any) -> dict[str, Any]:
    """Return the fields of a contract that is signed, as a clerk would fill them in."""
    day = today()
    return {
        "contract_status": "3",
        "purchase_method": "1",
        "tender_date": (day - timedelta(days=90)).isoformat(),
        "bid_date": (day - timedelta(days=60)).isoformat(),
        "contract_no": "HT-2026-001",
        "contract_amount": "286.5",
        "contract_sign_date": (day - timedelta(days=50)).isoformat(),
        "contract_end_date": (day + timedelta(days=500)).isoformat(),
        "is_consortium": False,
        "unit1_uscc": uscc(LEAD),
        "unit1_name": "演示规划设计研究院",
        "unit1_type": "1",
        "unit1_grade": "1",
        "unit1_cert_no": "甲-001",
        "unit1_cert_valid": (day + timedelta(days=900)).isoformat(),
        "unit1_province": "江西",
        "leader_name": "周工",
        "leader_reg_planner": True,
        "leader_phone": "13800000001",
        "team_size": 12,
        "reg_planner_cnt": 3,
        "owner_dept": "安义县自然资源局",
        "owner_contact": "吴主任",
        "owner_phone": "0791-8340000",
        "attachments": files,
        **changes,
    }


def add_attachments(owner: psycopg.Connection, actor: Actor, plan_id: int) -> dict[str, int]:
    """Store a file for each of the two attachments of a contract."""
    found = {}
    for number, item in enumerate(("合同扫描件", "资质证书扫描件")):
        sha256 = f"{number + 900:064x}"
        owner.execute(
            "INSERT INTO stored_file (sha256, size, media_type) VALUES (%s, 9, 'application/pdf')"
            " ON CONFLICT DO NOTHING",
            [sha256],
        )
        row = owner.execute(
            "INSERT INTO evidence (form_code, group_code, row_key, plan_id, division_code, item"
            ", sha256, file_name, uploaded_by) VALUES (%s, 'contract', %s, %s, %s, %s, %s, 'a.pdf'"
            ", %s) RETURNING evidence_id",
            [FORM, str(plan_id), plan_id, COUNTY, item, sha256, actor.user_id],
        ).fetchone()
        assert row is not None
        found[item] = int(row[0])
    return found


def fill(owner: psycopg.Connection, actor: Actor, submission: reporting.Submission, **changes: Any):
    """Fill in the first plan's contract as signed, and save the draft; return what is checked."""
    content = submission.draft_content
    assert content is not None
    row = content["contract"][0]
    row |= signed(add_attachments(owner, actor, row["plan_id"]), **changes)
    content["form"] |= {"contact_name": "张三", "contact_phone": "13800000000"}
    with transaction(actor) as connection:
        return filing.save_checked(
            connection, actor, submission.submission_id, content, submission.draft_version or 1
        )
