"""Plans of a unit: its master plan, the ones it declares, and what Form A knows about them."""

import pytest

from data_access import plans
from data_access.database import transaction
from domain.access import Role
from domain.errors import InvalidContent, NotFound, NotPermitted, RuleViolation
from domain.workflow import ReviewAction
from tests.actors import CITY, COUNTY, make_actor
from tests.reports import act

NAME = "安义县综合交通专项规划"


def declare(actor, name=NAME, plan_type="SPECIAL", division_code=COUNTY):
    with transaction(actor) as connection:
        return plans.declare(connection, actor, division_code, plan_type, name)


def names(actor, division_code=COUNTY):
    with transaction(actor, read_only=True) as connection:
        return [plan.name for plan in plans.list_plans(connection, division_code)]


def test_a_declared_plan_stands_behind_the_master_plan(county, plan_id):
    declare(county, f"　{NAME} ")
    assert names(county)[1:] == [NAME]
    with transaction(county, read_only=True) as connection:
        context = plans.form_context(connection, COUNTY)
    headline, special = context.rows["plan"]
    assert (headline.is_open, special.is_open, special.badge) == (True, False, "专项规划")
    stages = [row for row in context.rows["milestone"] if row.parent == ("plan", special.key)]
    assert len(stages) == 8


def test_a_plan_is_declared_once(county, plan_id):
    declare(county)
    with pytest.raises(RuleViolation) as refused:
        declare(county)
    assert refused.value.details == {"constraint": "plan_once_by_name"}


@pytest.mark.parametrize("name", ["", "　", "长" * 61])
def test_a_plan_needs_a_name_of_some_length(county, name):
    with pytest.raises(InvalidContent):
        declare(county, name)


@pytest.mark.parametrize("plan_type", ["MASTER_COUNTY", "MASTER_CITY", "nothing"])
def test_a_master_plan_cannot_be_declared(county, plan_type):
    with pytest.raises(NotFound):
        declare(county, plan_type=plan_type)


def test_nobody_declares_for_another_unit(owner, county, city, bureau):
    other = make_actor(owner, "jinxian", Role.COUNTY, "360124")
    for actor in (other, city, bureau):
        with pytest.raises(NotPermitted):
            declare(actor)


@pytest.mark.parametrize(
    ("role", "code", "name"),
    [
        (Role.COUNTY, COUNTY, "安义县国土空间总体规划"),
        (Role.CITY, CITY, "南昌市国土空间总体规划"),
    ],
)
def test_a_unit_gets_its_master_plan_once(owner, role, code, name):
    actor = make_actor(owner, "filer", role, code)
    for _ in range(2):
        with transaction(actor) as connection:
            plans.ensure_headline(connection, actor, code)
    assert names(actor, code) == [name]


def test_the_form_knows_an_accepted_baseline(owner, submission, county, city, bureau):
    number = submission.submission_id
    act(county, number, ReviewAction.SUBMIT)
    act(city, number, ReviewAction.APPROVE)
    act(bureau, number, ReviewAction.APPROVE)
    with transaction(county, read_only=True) as connection:
        context = plans.form_context(connection, COUNTY)
    launch, second, *_ = context.rows["milestone"]
    assert (launch.badge, launch.locked, launch.is_accepted) == (
        "省级已认定",
        frozenset({"planned_on"}),
        True,
    )
    assert launch.values["baseline_on"] is not None
    assert [file.item for file in launch.files] == ["工作方案", "领导小组文件"]
    assert (second.badge, second.locked, second.is_accepted) == ("", frozenset(), False)
