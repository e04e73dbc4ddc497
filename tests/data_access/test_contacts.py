"""Who reads a unit's telephone, and who reads stars."""

import pytest

from data_access import contacts
from data_access.database import transaction
from domain.access import Actor
from domain.clock import now
from tests.actors import COUNTY


@pytest.fixture
def filed(owner, county, period_id):
    """安义县's filed contacts."""
    [(submission_id,)] = owner.execute(
        "INSERT INTO submission (form_code, period_id, division_code, state, step_no, filer_id)"
        " VALUES ('plan_progress', %s, %s, 'submitted', 1, %s) RETURNING submission_id",
        [period_id, COUNTY, county.user_id],
    ).fetchall()
    owner.execute(
        "INSERT INTO submission_version (submission_id, version_no, division_code, round_no"
        ", form_version, rule_version, code_version, workflow_version, content, content_sha256"
        ", submitted_by) VALUES (%s, 1, %s, 1, 1, 1, '2020', 1, %s, '', %s)",
        [
            submission_id,
            COUNTY,
            '{"form": {"responsible_name": "李四", "contact_name": "张三丰"'
            ', "contact_phone": "13812345678", "note": "无"}}',
            county.user_id,
        ],
    )


def lines(actor: Actor) -> dict[str, str]:
    with transaction(actor, read_only=True) as connection:
        found = contacts.list_contact_lines(
            connection, actor, "plan_progress", COUNTY, COUNTY, now()
        )
    return {line.label: line.value for line in found}


def test_filers_and_reviewers_read_the_telephone(filed, bureau, city, county):
    for actor in (bureau, city, county):
        assert lines(actor) == {
            "责任人": "李四",
            "填报联系人": "张三丰",
            "联系电话": "13812345678",
        }


def test_leader_reads_stars(filed, leader):
    assert lines(leader) == {"责任人": "李四", "填报联系人": "张**", "联系电话": "138****5678"}


def test_unit_that_never_filed_has_no_contact(owner, bureau):
    assert lines(bureau) == {}
