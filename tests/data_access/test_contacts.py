"""Who reads a unit's telephone, and who reads stars."""

import pytest

from data_access import contacts
from data_access.database import transaction
from domain.access import Actor
from domain.clock import now
from tests.actors import COUNTY
from tests.standing import file_report


@pytest.fixture
def filed(owner, county, period_id):
    """安义县's filed contacts."""
    file_report(
        owner,
        COUNTY,
        period_id,
        county,
        contact_name="张三丰",
        contact_phone="13812345678",
        note="无",
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
