"""Form B against its own description: what is asked, what cannot be right, what is doubtful."""

from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain import compile_form
from domain.form_rules import check
from domain.forms import Context, File, Problem, Row, with_all_rows, with_facts
from domain.uscc import check_character, is_uscc
from tests.contracts import LEAD, MEMBER, signed, uscc
from tests.forms import TODAY
from tests.forms import compile_form as read_form

FORM = read_form()
FILES = {"合同扫描件": 1, "资质证书扫描件": 2}
KNOWN = {uscc(LEAD): {"name": "演示规划设计研究院", "grade": "1", "cert_no": "甲-001"}}
FACTS = {
    "county_code": "360123", "county_name": "安义县", "plan_type": "11", "plan_level": "3",
    "plan_name": "安义县总体规划", "progress_stage": "启动部署",
}  # fmt: skip
ALPHABET = st.sampled_from("0123456789ABCDEFGHJKLMNPQRTUWXY")


def county(references=None) -> Context:
    row = Row(
        key="1",
        label="安义县总体规划",
        identity={"plan_id": 1},
        values=FACTS,
        files=tuple(File(number, item, "a.pdf") for item, number in FILES.items()),
        file_items=compile_form.ATTACHMENTS,
    )
    second = Row(key="2", label="综合交通专项规划", identity={"plan_id": 2}, values=FACTS)
    return Context(TODAY, {}, {"contract": [row, second]}, references or {})


def problems(references=None, **changes) -> list[Problem]:
    row = {"key": "1", "plan_id": 1, **signed(FILES, **changes)}
    other = {"key": "2", "plan_id": 2, "contract_status": "1"}
    form = {"contact_name": "张三", "contact_phone": "13800000000"}
    context = county(references)
    content = with_all_rows(FORM, {"form": form, "contract": [row, other]}, context)
    return [*check(FORM, content, context), *compile_form.problems(FORM, content, context)]


def test_a_contract_filled_in_as_a_clerk_would_has_no_problem():
    assert problems() == []


@pytest.mark.parametrize("status", ["1", "2"])
def test_before_signing_nothing_of_a_contract_is_asked(status):
    row = {"key": "1", "contract_status": status, "purchase_method": "5"}
    other = {"key": "2", "contract_status": "1"}
    form = {"contact_name": "张三", "contact_phone": "13800000000"}
    content = {"form": form, "contract": [row, other]}
    assert check(FORM, with_all_rows(FORM, content, county()), county()) == []


@pytest.mark.parametrize(
    ("changes", "field", "said"),
    [
        ({"unit1_uscc": uscc(LEAD)[:-1] + "0"}, "unit1_uscc", "校验码"),
        ({"contract_amount": "5000.01"}, "contract_amount", "超过 5000 万元"),
        ({"contract_amount": "0"}, "contract_amount", "大于 0"),
        ({"contract_amount": "12.345"}, "contract_amount", "小数位数过多"),
        ({"team_size": 2}, "team_size", "少于 3 人"),
        ({"reg_planner_cnt": 13}, "reg_planner_cnt", "多于项目组人数"),
        ({"performance_score": 101}, "performance_score", "0 至 100"),
        ({"leader_phone": "12345"}, "leader_phone", "不是电话号码"),
        ({"bid_date": "2020-01-01"}, "bid_date", "早于招标公告日期"),
        ({"contract_end_date": "2020-01-01"}, "contract_end_date", "应晚于合同签订日期"),
        ({"unit1_cert_valid": "2020-01-01"}, "unit1_cert_valid", "签订时资质已过期"),
        ({"is_consortium": True}, "unit2_name", "请填写联合体成员名称"),
        ({"attachments": None}, "attachments", "合同扫描件、资质证书扫描件"),
        ({"contract_status": "2", "purchase_method": None}, "purchase_method", "请填写采购方式"),
    ],
)
def test_what_cannot_be_right_is_said_beside_its_field(changes, field, said):
    found = [problem for problem in problems(**changes) if problem.path.endswith(f".{field}")]
    assert any(said in problem.message for problem in found)
    assert any(problem.severity == "error" for problem in found)


def test_a_member_is_asked_of_a_consortium_alone():
    member = {
        "unit2_uscc": uscc(MEMBER), "unit2_name": "演示测绘院", "unit2_type": "4",
        "unit2_grade": "2",
    }  # fmt: skip
    assert problems(is_consortium=True, **member) == []
    missing = [problem.path for problem in problems(is_consortium=True)]
    assert missing == [f"contract[1].{name}" for name in member]


def test_a_member_that_leads_too_is_refused():
    member = {"unit2_uscc": uscc(LEAD), "unit2_name": "x", "unit2_type": "4", "unit2_grade": "2"}
    [problem] = problems(is_consortium=True, **member)
    assert "相同" in problem.message


def test_what_differs_from_what_is_known_is_said_and_does_not_stand_in_the_way():
    found = problems(KNOWN, unit1_name="另一个名称", unit1_grade="2")
    assert [(p.path, p.severity.value) for p in found] == [
        ("contract[1].unit1_name", "hint"),
        ("contract[1].unit1_grade", "hint"),
    ]
    assert "登记的名称是“演示规划设计研究院”" in found[0].message
    assert "名录中的“甲级”" in found[1].message


def test_an_expired_certificate_is_doubtful():
    expired = (TODAY - timedelta(days=9)).isoformat()
    [problem] = problems(unit1_cert_valid=expired)
    assert (problem.severity.value, "现已过期" in problem.message) == ("hint", True)


def test_the_facts_of_a_row_stand_whatever_is_sent():
    content = {"contract": [{"key": "1", "plan_id": 1, "county_name": "别的县"}]}
    [row] = with_facts(FORM, content, county())["contract"]
    assert row["county_name"] == "安义县"


def test_contacts_are_masked_and_who_compiles_is_not():
    masked = {item.code for item in FORM.fields if item.sensitivity == "contact"}
    assert masked == {
        "contact_name", "contact_phone", "leader_phone", "owner_contact", "owner_phone"
    }  # fmt: skip


@given(st.text(ALPHABET, min_size=17, max_size=17), st.integers(0, 17), ALPHABET)
def test_one_wrong_character_of_a_credit_code_is_always_noticed(body, place, wrong):
    code = body + check_character(body)
    assert is_uscc(code)
    changed = code[:place] + wrong + code[place + 1 :]
    assert is_uscc(changed) == (changed == code)


@given(st.text(ALPHABET, min_size=17, max_size=17), st.integers(0, 15))
def test_two_neighbours_that_changed_places_are_noticed(body, place):
    code = body + check_character(body)
    swapped = code[:place] + code[place + 1] + code[place] + code[place + 2 :]
    assert is_uscc(swapped) == (swapped == code)


@given(st.one_of(st.text(), st.none(), st.integers()))
def test_nothing_else_is_a_credit_code(anything):
    assert is_uscc(anything) in (True, False)
