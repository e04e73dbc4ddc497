"""What a form takes, refuses and says: in Chinese, beside the field, with what was typed."""

import re
from dataclasses import replace
from datetime import date

import pytest

from domain import plan_form as spanning
from domain.form_diff import ChangeKind, diff
from domain.form_rules import BrokenRule, check, without_hidden
from domain.form_shape import unfit
from domain.form_texts import mask, text_of
from domain.form_values import normal_value, normalise, typed_value
from domain.forms import (
    UNDELIVERED,
    Context,
    Field,
    File,
    Form,
    Rule,
    Severity,
    label_of,
    split_path,
    with_all_rows,
)
from tests.forms import TODAY, county_context, filled, plan_form

FORM = plan_form()
LAUNCH = "milestone[1/LAUNCH]"
FILES = (File(7, "工作方案", "a.pdf", "aa"), File(8, "领导小组文件", "b.pdf", "bb"))
DONE = {
    "state": "completed",
    "planned_on": "2026-10-31",
    "completed_on": "2026-10-31",
    "evidence": {"工作方案": 7, "领导小组文件": 8},
}


def problems_of(content, context=None, form=FORM):
    context = context or county_context(files=FILES)
    found = [*check(form, content, context), *spanning.problems(form, content, context)]
    return {problem.path: problem.message for problem in found if problem.severity == "error"}


def hints_of(content, context=None):
    context = context or county_context(files=FILES)
    found = [*check(FORM, content, context), *spanning.problems(FORM, content, context)]
    return {problem.path: problem.message for problem in found if problem.severity == "hint"}


def one_field(data_type="integer", **changes):
    item = Field("form", "amount", "数量", data_type, **changes)
    return Form("f", 1, "表", "2020", 1, (item,), {"yes_no": {"1": "有", "2": "无"}})


# VALUES


def test_a_complete_report_has_no_problem():
    assert problems_of(filled(LAUNCH=DONE)) == {}


@pytest.mark.parametrize(
    ("data_type", "typed", "normal"),
    [
        ("date", "2026年3月1日", "2026-03-01"),
        ("date", "２０２６／３／１", "2026-03-01"),
        ("date", " 2026.3.1 ", "2026-03-01"),
        ("date", "20260301", "2026-03-01"),
        ("date", "2026-03-01 00:00:00", "2026-03-01"),
        ("date", "2026-13-01", "2026-13-01"),
        ("integer", "１，２３４", 1234),
        ("integer", "3.0", 3),
        ("integer", "3.5", "3.5"),
        ("integer", "三", "三"),
        ("decimal", "0012.50", "12.5"),
        ("decimal", 0.1, "0.1"),
        ("decimal", "1e9", "1e9"),
        ("phone", "138 0000 0000", "13800000000"),
        ("phone", "0791—8888 8888", "0791-88888888"),
        ("text", "　张三\t", "张三"),
        ("text", "\u3000", None),
        ("text", "a\x00b\ud800", "a\ufffdb\ufffd"),
        ("boolean", "是", True),
    ],
)
def test_what_was_pasted_comes_into_one_form_or_stays_as_it_was(data_type, typed, normal):
    form = one_field(data_type)
    assert normal_value(form, form.fields[0], typed) == normal


@pytest.mark.parametrize(
    ("data_type", "unit", "typed", "normal"),
    [
        ("decimal", "%", "45%", "45"),
        ("decimal", "%", "４５．５ ％", "45.5"),
        ("integer", "人", "１，２３４ 人", 1234),
        ("decimal", "公顷", "12.5公顷", "12.5"),
        ("decimal", "公顷", "12.5亩", "12.5亩"),
        ("decimal", "公顷", "1.5万公顷", "1.5万公顷"),
        ("integer", "人", "约120人", "约120人"),
        ("integer", "人", "人", "人"),
    ],
)
def test_a_number_may_be_typed_with_the_unit_of_its_field(data_type, unit, typed, normal):
    form = one_field(data_type)
    assert normal_value(form, replace(form.fields[0], unit=unit), typed) == normal


def test_the_name_of_a_code_becomes_the_code():
    assert normalise(FORM, filled(LAUNCH={"state": "已完成"}))["milestone"][0]["state"] == (
        "completed"
    )


@pytest.mark.parametrize(
    ("data_type", "length", "typed", "sentence"),
    [
        ("integer", None, "约三百", "“约三百”不是整数，请只填整数。"),
        ("integer", None, "1e5", "“1e5”是科学计数的写法，请写出全部数字，如 100000。"),
        ("decimal", "9,2", "１Ｅ５", "“１Ｅ５”不是数字，请只填数字。"),
        ("decimal", "9,2", "1.5E-3", "“1.5E-3”是科学计数的写法，请写出全部数字，如 100000。"),
        ("decimal", "9,2", "NaN", "“NaN”不是数字，请只填数字。"),
        ("decimal", "9,2", "1_000", "“1_000”不是数字，请只填数字。"),
        ("decimal", "9,2", "12,5", "“12,5”不是数字，请只填数字。"),
        ("integer", "3", "1234", "“1234”位数过多，整数部分最多 3 位。"),
        ("decimal", "5,2", "1.234", "“1.234”小数位数过多，最多 2 位。"),
        ("date", None, "明年三月", "“明年三月”不是日期，请按 2026-03-01 的样式填写。"),
        ("text", "3", "一二三四", "共 4 字，最多 3 字，请精简。"),
        ("boolean", None, "也许", "“也许”无法识别，请选择“是”或“否”。"),
        ("code", None, "3", "“3”不在可选范围内，可选：有、无。"),
        (
            "phone",
            None,
            "12345",
            "“12345”不是电话号码，请填 11 位手机号码，或“区号-号码”的固定电话。",
        ),
    ],
)
def test_a_value_that_does_not_fit_is_quoted(data_type, length, typed, sentence):
    form = one_field(data_type, length=length, code_table="yes_no")
    with pytest.raises(ValueError, match=re.escape(sentence)):
        typed_value(form, form.fields[0], typed)
    assert problems_of({"form": {"amount": typed}}, Context(TODAY), form) == {
        "form.amount": sentence
    }


# REQUIRED, VISIBLE, RULES


def test_a_completed_stage_needs_its_date_and_one_file_for_each_item():
    found = problems_of(filled(LAUNCH={"state": "completed", "evidence": {"工作方案": 7}}))
    assert found == {
        f"{LAUNCH}.completed_on": "请填写实际完成日期。",
        f"{LAUNCH}.evidence": "还缺佐证材料：领导小组文件（每项须有一个可打开的文件）。",
    }


def test_a_file_of_another_stage_is_no_evidence():
    found = problems_of(filled(LAUNCH=DONE | {"evidence": {"工作方案": 7, "领导小组文件": 99}}))
    assert found == {f"{LAUNCH}.evidence": "“领导小组文件”所附文件不存在或已移除，请重新上传。"}


@pytest.mark.parametrize(
    ("changes", "field", "sentence"),
    [
        (
            {"completed_on": "2026-12-01", "planned_on": "2026-12-31"},
            "completed_on",
            "实际完成日期 2026-12-01 晚于今天（2026-11-22），请核对。",
        ),
        (
            {"started_on": "2026-11-01"},
            "completed_on",
            "实际完成日期 2026-10-31 早于实际开始日期 2026-11-01，请核对。",
        ),
    ],
)
def test_dates_say_which_date_they_conflict_with(changes, field, sentence):
    assert problems_of(filled(LAUNCH=DONE | changes)) == {f"{LAUNCH}.{field}": sentence}


@pytest.mark.parametrize(("completed_on", "fits"), [("2026-10-30", False), ("2026-10-31", True)])
def test_a_public_notice_lasts_thirty_days(completed_on, fits):
    notice = {
        "state": "completed",
        "planned_on": completed_on,
        "started_on": "2026-10-01",
        "completed_on": completed_on,
        "evidence": {"公示公告": 9},
    }
    context = county_context(files=(*FILES, File(9, "公示公告", "c.pdf", "cc")))
    skipped = {"state": "skipped", "skip_reason": "合并办理"}
    content = filled(LAUNCH=skipped, SCHEME=skipped, PUBLIC=notice)
    found = problems_of(content, context)
    path = "milestone[1/PUBLIC].completed_on"
    assert found == ({} if fits else {path: found.get(path)})
    assert fits or "不得少于 30 日：2026-10-01 至 2026-10-30" in found[path]


def test_a_public_notice_without_its_start_is_incomplete():
    found = problems_of(filled(PUBLIC=DONE | {"evidence": None}))
    assert found["milestone[1/PUBLIC].started_on"] == "请填写实际开始日期。"


def test_an_accepted_baseline_stays_and_replanning_needs_a_reason():
    context = county_context(baseline_on=date(2026, 6, 30), files=FILES)
    moved = filled(LAUNCH={"planned_on": "2026-12-31", "replanned_on": "2027-01-31"})
    found = problems_of(moved, context)
    assert "基准计划日期已认定为 2026-06-30" in found[f"{LAUNCH}.planned_on"]
    assert found[f"{LAUNCH}.replan_reason"] == "请填写调整理由。"


def test_only_a_district_merges_and_says_why():
    merged = filled() | {"plan": [{"key": "1", "plan_id": 1, "disposition": "merged"}]}
    county, district = problems_of(merged), problems_of(merged, county_context("市辖区"))
    assert "仅适用于市辖区，安义县（县）须单独编制" in county["plan[1].disposition"]
    assert district == {"plan[1].disposition_reason": "请填写并入理由。"}


def test_a_merged_plan_asks_for_no_milestones():
    merged = filled(LAUNCH={"state": "completed"}) | {
        "plan": [
            {"key": "1", "plan_id": 1, "disposition": "merged", "disposition_reason": "市政府令"}
        ]
    }
    context = county_context("市辖区")
    assert problems_of(merged, context) == {}
    row = without_hidden(FORM, with_all_rows(FORM, merged, context), context)["milestone"][0]
    assert (row["state"], row["completed_on"]) == (None, None)


def test_what_is_not_shown_is_not_filed():
    content = filled(LAUNCH={"state": "running", "completed_on": "2026-01-01"})
    context = county_context()
    filed = without_hidden(FORM, with_all_rows(FORM, content, context), context)
    assert filed["milestone"][0]["completed_on"] is None
    assert filed["milestone"][0]["state"] == "running"


# BETWEEN THE ROWS


def test_completion_dates_do_not_run_backwards():
    context = county_context(files=(*FILES, File(9, "方案文本", "c.pdf", "cc")))
    later = DONE | {"completed_on": "2026-10-01", "evidence": {"方案文本": 9}}
    found = problems_of(filled(LAUNCH=DONE, SCHEME=later), context)
    assert found == {
        "milestone[1/SCHEME].completed_on": (
            "实际完成日期 2026-10-01 早于前面阶段“启动部署”的完成日期 2026-10-31，请核对两处日期。"
        )
    }


def test_a_stage_left_out_is_named_until_it_is_skipped_with_a_reason():
    context = county_context(files=(*FILES, File(9, "方案文本", "c.pdf", "cc")))
    later = DONE | {"evidence": {"方案文本": 9}}
    found = problems_of(filled(SCHEME=later), context)
    assert list(found) == [f"{LAUNCH}.state"]
    assert "后面的阶段“规划方案”已完成" in found[f"{LAUNCH}.state"]
    skipped = problems_of(filled(LAUNCH={"state": "skipped"}, SCHEME=later), context)
    assert skipped == {f"{LAUNCH}.skip_reason": "请填写跳过理由。"}


def test_a_late_stage_is_asked_why_and_an_unplanned_plan_is_said():
    late = hints_of(filled(LAUNCH={"planned_on": "2026-11-02"}))
    assert late[f"{LAUNCH}.late_reason"] == (
        "比计划完成日期 2026-11-02 已晚 20 天，请填写滞后原因。"
    )
    nothing = {key: {"planned_on": None} for key in ("LAUNCH", "SCHEME", "PUBLIC")}
    assert "将列为“未定计划”" in hints_of(filled(**nothing))[f"{LAUNCH}.planned_on"]


def test_the_same_file_twice_is_flagged():
    twice = (FILES[0], replace(FILES[1], sha256="aa"))
    found = hints_of(filled(LAUNCH=DONE), county_context(files=twice))
    assert "是同一个文件" in found[f"{LAUNCH}.evidence"]


def test_planned_dates_do_not_run_backwards():
    found = problems_of(filled(SCHEME={"planned_on": "2027-01-01"}))
    assert "早于前面阶段“启动部署”的计划日期 2027-12-31" in found["milestone[1/SCHEME].planned_on"]


# RULES THAT CANNOT BE ASKED


def rule(expression):
    form = one_field(rules=(Rule(expression, "不合规则"),))
    broken: list[BrokenRule] = []
    content = {"form": {"amount": "5"}}
    found = check(form, content, Context(TODAY, {"limit": UNDELIVERED}), broken.append)
    return found, broken


def test_a_reference_that_is_not_delivered_leaves_the_field_unchecked():
    [problem], broken = rule("amount <= limit")
    assert (problem.severity, broken) == (Severity.UNCHECKED, [])
    assert problem.message == "未校验：所依据的参考数据尚未下达，不影响提交。"


@pytest.mark.parametrize(
    "expression",
    ["amount <=", "amount <= nobody", "amount < 'a'", "amount / 0 > 1", "amount.real", "open('x')"],
)
def test_a_rule_that_fails_is_reported_and_never_passes_silently(expression):
    [problem], [broken] = rule(expression)
    assert problem.severity is Severity.UNCHECKED
    assert (broken.path, broken.expression) == ("form.amount", expression)


def test_a_rule_about_something_missing_is_not_asked():
    form = one_field(rules=(Rule("amount > 3", "太小"),))
    assert check(form, {"form": {}}, Context(TODAY)) == []


# SHAPES


@pytest.mark.parametrize(
    "content",
    [
        [],
        {"other": []},
        {"form": []},
        {"form": {"nobody": 1}},
        {"form": {"contact_name": ["x"]}},
        {"milestone": {}},
        {"milestone": ["x"]},
        {"milestone": [{"key": "2/LAUNCH", "plan_id": 2, "stage_code": "LAUNCH"}]},
        {"milestone": [{"key": "1/LAUNCH", "plan_id": 2, "stage_code": "LAUNCH"}]},
        {"milestone": [{"key": "1/LAUNCH"}, {"key": "1/LAUNCH"}]},
        {"milestone": [{"key": "1/LAUNCH", "evidence": {"工作方案": "7"}}]},
    ],
)
def test_what_is_no_content_of_this_form_is_refused(content):
    assert unfit(FORM, content, county_context())


def test_content_of_the_form_fits():
    assert unfit(FORM, filled(LAUNCH=DONE), county_context()) == []


# COMPARING AND SHOWING


def test_a_change_is_told_with_labels_and_words():
    context = county_context(files=FILES)
    changes = diff(FORM, filled(), filled(LAUNCH=DONE), context)
    told = {change.label: (change.old_text, change.new_text, change.kind) for change in changes}
    assert told["启动部署 · 进展"] == ("未开始", "已完成", ChangeKind.CHANGED)
    assert told["启动部署 · 实际完成日期"] == ("—", "2026-10-31", ChangeKind.ADDED)
    assert told["启动部署 · 佐证材料"][1] == "工作方案（a.pdf）、领导小组文件（b.pdf）"


def test_a_value_typed_in_another_form_is_no_change():
    assert diff(FORM, filled(), filled(LAUNCH={"planned_on": "2027年12月31日"})) == []


def test_a_path_names_its_field():
    context = county_context()
    assert label_of(FORM, f"{LAUNCH}.completed_on", context) == "启动部署 · 实际完成日期"
    assert label_of(FORM, "form.contact_phone", context) == "联系电话"
    assert split_path("milestone[12/A].state") == ("milestone", "12/A", "state")
    assert (split_path("no path"), label_of(FORM, "no path")) == (None, "no path")
    assert text_of(FORM, "no path", None) == "—"


def test_contacts_are_masked_for_who_need_not_see_them():
    masked = mask(FORM, filled(), may_see_contact=False)
    assert masked["form"]["contact_phone"] == "138****0000"
    assert masked["form"]["contact_name"] == "张*"
    assert masked["form"]["responsible_name"] == "李四"
    assert mask(FORM, filled(), may_see_contact=True) == filled()
