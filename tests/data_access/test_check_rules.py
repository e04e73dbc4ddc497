"""Rules as data: their keepers change them, drafts follow at once, filed reports keep theirs."""

from decimal import Decimal
from itertools import permutations

import psycopg
import pytest
from sqlalchemy.exc import ProgrammingError

from data_access import check_rules, filing, form_checks, reporting, rule_preview
from data_access.database import transaction
from data_access.forms import load_form
from data_access.reference_data import load_all
from domain.access import Role
from domain.check_rules import RuleFault
from domain.errors import InvalidContent, InvalidRule, NotPermitted, StaleVersion
from domain.forms import Severity
from domain.workflow import ReviewAction
from tests.actors import CITY, COUNTY, PROVINCE, make_actor
from tests.reports import act
from tests.rules import add_rule, change, find_rule
from tests.villages import (
    complete,
    open_village,
    open_village_period,
)

FORM = "village_evaluation"
TIMES, MANY_RESIDENTS, NATURAL = "CZ106", "CZ140", "CZ221"
YEAR = 2026


@pytest.fixture
def opened(owner, village, county) -> reporting.Submission:
    """A village's evaluation of the year, opened by its county."""
    return open_village(county, open_village_period(owner, YEAR), village)


def save(actor, submission, **changes):
    """Fill the draft in completely but for the changes; return what is found in it."""
    with transaction(actor, action="draft.save") as connection:
        state = filing.read_state(connection, actor, submission.submission_id)
        content = complete(state.content)
        content["form"] |= changes
        return filing.save_checked(
            connection, actor, submission.submission_id, content, state.submission.draft_version
        ).problems


def found(problems, path="form.resident_pop"):
    return [
        (problem.severity.value, problem.message) for problem in problems if problem.path == path
    ]


def filed_problems(actor, submission_id):
    """Return what the reviewer's page reads of the newest version."""
    with transaction(actor, read_only=True) as connection:
        version = reporting.list_versions(connection, submission_id)[-1]
        submission = reporting.get_submission(connection, submission_id)
        form = load_form(connection, FORM, version.form_version, version.rule_version)
        return form_checks.check_filed(
            connection,
            form,
            submission_id,
            submission.division_code,
            version.content,
            version.submitted_at,
        )


def test_every_form_starts_with_its_rules(owner):
    rows = owner.execute(
        "SELECT form_code, count(*), count(DISTINCT set_version) FROM check_rule GROUP BY 1"
    ).fetchall()
    assert {code for code, *_ in rows} >= {"plan_progress", "compile_unit", FORM}
    assert all(sets == 1 for _, _, sets in rows)
    owner.execute("DELETE FROM reference_file WHERE name = 'check_rule.csv'")
    load_all(owner)
    assert owner.execute("SELECT max(version) FROM check_rule").fetchone() == (1,)


def test_thresholds_that_were_settings_go_on_and_a_changed_rule_is_left_alone(owner, bureau):
    change(bureau, find_rule(FORM, TIMES), limits={"resident_times_limit": 4})
    owner.execute("DELETE FROM reference_file")
    owner.execute("SET session_replication_role = replica")
    owner.execute("DELETE FROM check_rule WHERE rule_code = 'CZ141'")
    owner.execute("SET session_replication_role = DEFAULT")
    owner.execute(
        "INSERT INTO portal_setting (name, value, description)"
        " VALUES ('village_evaluation_limits', '{\"per_capita_hint\": 180}', '限值')"
    )
    load_all(owner)
    assert find_rule(FORM, "CZ141").limits == {"per_capita_hint": 180}
    assert find_rule(FORM, TIMES).limits == {"resident_times_limit": 4}
    left = owner.execute("SELECT FROM portal_setting WHERE name LIKE 'village_evaluation_limits'")
    assert left.fetchone() is None


def test_a_changed_threshold_judges_the_open_draft_at_once_and_no_filed_report(
    owner, county, bureau, opened
):
    assert (
        found(save(county, opened, resident_pop=3700, explanation="外来务工人员多"))[0][0]
        == "error"
    )
    with pytest.raises(InvalidContent):
        act(county, opened.submission_id, ReviewAction.SUBMIT)
    version = change(bureau, find_rule(FORM, TIMES), limits={"resident_times_limit": 5})
    assert found(save(county, opened, resident_pop=3700, explanation="外来务工人员多")) == [
        ("warning", "常住人口 3700 人，超过户籍人口 1200 人的 150%，请核实并说明。")
    ]
    act(county, opened.submission_id, ReviewAction.SUBMIT)
    kept = owner.execute("SELECT rule_version FROM submission_version").fetchone()
    assert kept == (version,)
    rule = find_rule(FORM, MANY_RESIDENTS)
    change(bureau, rule, limits={"resident_percent_hint": 120}, message="另一句话")
    assert "150%" in found(filed_problems(county, opened.submission_id))[0][1]
    change(bureau, find_rule(FORM, MANY_RESIDENTS), is_enabled=False)
    assert "150%" in found(filed_problems(county, opened.submission_id))[0][1]


def test_a_warning_needs_its_explanation_and_a_hint_needs_nothing(county, bureau, opened):
    problems = save(county, opened, resident_pop=1900)
    assert found(problems)[0][0] == "warning"
    assert found(problems, "form.explanation") == [("error", "有 1 项警告，请填写核实说明。")]
    with pytest.raises(InvalidContent) as refused:
        act(county, opened.submission_id, ReviewAction.SUBMIT)
    assert [each.path for each in refused.value.details["problems"]] == ["form.explanation"]
    change(bureau, find_rule(FORM, MANY_RESIDENTS), strength=Severity.HINT)
    problems = save(county, opened, resident_pop=1900)
    assert [found(problems)[0][0], found(problems, "form.explanation")] == ["hint", []]
    assert act(county, opened.submission_id, ReviewAction.SUBMIT).state == "submitted"


def test_what_was_accepted_last_year_is_a_name(owner, county, village):
    reviewers = [
        make_actor(owner, "county_r", Role.COUNTY, COUNTY),
        make_actor(owner, "city_r", Role.CITY, CITY),
        make_actor(owner, "province_r", Role.PLAN_BUREAU, PROVINCE),
    ]
    first = open_village(county, open_village_period(owner, YEAR - 1), village)
    save(county, first)
    act(county, first.submission_id, ReviewAction.SUBMIT)
    for reviewer in reviewers:
        act(reviewer, first.submission_id, ReviewAction.APPROVE)
    second = open_village(county, open_village_period(owner, YEAR), village)
    changes = {"hukou_pop": 2400, "resident_pop": 1500, "households": 600, "explanation": "并村"}
    said = ("warning", "户籍人口 2400 人，上年为 1200 人，变化超过 50%，请核实并说明。")
    assert said in found(save(county, second, **changes), "form.hukou_pop")
    act(county, second.submission_id, ReviewAction.SUBMIT)
    assert said in found(filed_problems(county, second.submission_id), "form.hukou_pop")


def test_rows_are_judged_each_by_itself(county, bureau, opened):
    change(bureau, find_rule(FORM, NATURAL), limits={"resident_percent_hint": 50})
    problems = save(county, opened)
    paths = [each.path for each in problems if each.severity is Severity.HINT]
    assert len([path for path in paths if path.endswith("].resident_pop")]) == 3


def test_only_its_keepers_change_a_rule_and_the_database_agrees(owner, county, opened):
    with pytest.raises(NotPermitted):
        change(county, find_rule(FORM, TIMES), limits={"resident_times_limit": 9})
    with (
        pytest.raises(ProgrammingError, match="row-level security"),
        transaction(county) as connection,
    ):
        connection.exec_driver_sql(
            "INSERT INTO check_rule_set (form_code, version, reason, made_by)"
            f" VALUES ('{FORM}', 99, '理由', {county.user_id})"
        )
    centre = make_actor(owner, "centre", Role.INFORMATION_CENTRE, PROVINCE)
    assert change(centre, find_rule(FORM, TIMES), limits={"resident_times_limit": 9}) == 2
    with pytest.raises(psycopg.Error):
        owner.execute("SET ROLE portal_app; UPDATE check_rule SET is_enabled = false")


def test_of_two_keepers_at_once_one_is_told_he_is_late(bureau):
    seen = find_rule(FORM, TIMES)
    change(bureau, seen, limits={"resident_times_limit": 4})
    with pytest.raises(StaleVersion):
        change(bureau, seen, is_enabled=False)


def test_every_change_has_its_reason_its_author_and_its_trail(owner, bureau, county, opened):
    change(bureau, find_rule(FORM, TIMES), "按 10 月会议纪要", limits={"resident_times_limit": 4})
    save(county, opened)
    act(county, opened.submission_id, ReviewAction.SUBMIT)
    change(bureau, find_rule(FORM, TIMES), "停用", is_enabled=False)
    with transaction(bureau, read_only=True) as connection:
        versions = check_rules.list_versions(connection, FORM, TIMES)
    said = [(each.version, each.set_version, each.reason, each.judged) for each in versions]
    assert said == [(3, 3, "停用", 0), (2, 2, "按 10 月会议纪要", 1), (1, 1, "随系统发布", 0)]
    assert versions[0].made_by_name == "bureau先生"
    trail = owner.execute(
        "SELECT action, after -> 'is_enabled' FROM row_change WHERE table_name = 'check_rule'"
        " AND operation = 'INSERT' ORDER BY row_change_id"
    ).fetchall()
    assert trail == [("rule.change", True), ("rule.change", False)]


@pytest.mark.parametrize(
    ("changes", "fault"),
    [
        ({"expression": "resident_pop <= ("}, RuleFault.UNREADABLE),
        ({"expression": "resident_pop <= nobody"}, RuleFault.UNKNOWN_NAME),
        ({"expression": "resident_pop <= natural_village_sum_remark"}, RuleFault.UNKNOWN_NAME),
        ({"expression": "holds_cz999 or resident_pop > 0"}, RuleFault.UNKNOWN_NAME),
        ({"expression": "resident_pop / hukou_pop <= 3"}, RuleFault.DIVISION_BY_ZERO),
        ({"expression": "1 / (resident_pop - last_resident_pop) > 0"}, RuleFault.DIVISION_BY_ZERO),
        ({"expression": "remark > 3"}, RuleFault.FAILS),
        ({"expression": "holds_cz106"}, RuleFault.CYCLE),
        ({"expression": "holds_cz140 and resident_pop > 0"}, RuleFault.CYCLE),
        ({"message": "常住人口 {nobody} 人"}, RuleFault.UNKNOWN_PLACEHOLDER),
        ({"message": " "}, RuleFault.NO_MESSAGE),
        ({"limits": {"resident_times_limit": Decimal("1e13")}}, RuleFault.THRESHOLD),
        ({"limits": {"resident_times_limit": Decimal(-1)}}, RuleFault.THRESHOLD),
        ({}, RuleFault.UNCHANGED),
    ],
)
def test_what_could_not_judge_is_refused_and_nothing_changes(owner, bureau, changes, fault):
    with pytest.raises(InvalidRule) as refused:
        change(bureau, find_rule(FORM, TIMES), **changes)
    assert refused.value.details["fault"] is fault
    assert owner.execute("SELECT max(version) FROM check_rule_set").fetchone() == (1,)


def test_a_change_without_a_reason_or_a_warning_nobody_can_explain_is_refused(bureau):
    with pytest.raises(InvalidRule) as refused:
        change(bureau, find_rule(FORM, TIMES), "  ", is_enabled=False)
    assert refused.value.details["fault"] is RuleFault.NO_REASON
    with pytest.raises(InvalidRule) as refused:
        change(bureau, find_rule("plan_progress", "JD101"), strength=Severity.WARNING)
    assert refused.value.details["fault"] is RuleFault.NOT_EXPLAINABLE


def test_a_division_that_only_a_filed_report_meets_is_refused(bureau, county, opened):
    save(county, opened, hukou_pop=1207)
    act(county, opened.submission_id, ReviewAction.SUBMIT)
    with pytest.raises(InvalidRule) as refused:
        change(bureau, find_rule(FORM, TIMES), expression="1 / (hukou_pop - 1207) < 9")
    assert refused.value.details["fault"] is RuleFault.FAILS


def test_a_change_is_tried_on_the_reports_that_its_effect_is_counted_on(
    owner, bureau, county, opened, monkeypatch
):
    """What the preview calls impossible is not kept."""
    asked, read_samples = [], rule_preview.read_samples

    def noted(connection, form, rules, others, most):
        asked.append(most)
        return read_samples(connection, form, rules, others, most)

    monkeypatch.setattr(rule_preview, "read_samples", noted)
    rule = find_rule(FORM, TIMES)
    with transaction(bureau, read_only=True) as connection:
        form = load_form(connection, FORM, 1)
        rules = check_rules.list_rules(connection, FORM)
        rule_preview.preview(connection, form, rule, rule, rules)
    change(bureau, rule, is_enabled=False)
    assert asked[0] == asked[1]


def test_the_effect_of_a_change_is_counted_before_it_is_made(owner, bureau, county, opened):
    save(county, opened, resident_pop=1700)
    act(county, opened.submission_id, ReviewAction.SUBMIT)
    rule = find_rule(FORM, MANY_RESIDENTS)
    with transaction(bureau, read_only=True) as connection:
        form = load_form(connection, FORM, 1)
        rules = check_rules.list_rules(connection, FORM)

        def hits(changed):
            seen = rule_preview.preview(connection, form, rule, changed, rules)
            return seen.filed, seen.sampled, seen.before, seen.after

        assert hits(rule.with_limits({"resident_percent_hint": 130})) == (1, 1, 0, 1)
        inside = next(each for each in rules if each.expression == "inside_county")
        unknown = rule_preview.preview(connection, form, inside, inside, rules)
        assert (unknown.before, unknown.after) == (None, None)


def test_a_rule_added_to_a_form_is_asked(owner, county, opened):
    add_rule(owner, FORM, "natural_village.hukou_pop", "hukou_pop < form_hukou_pop / 9")
    problems = save(county, opened)
    assert sum(each.message == "请核对。" for each in problems) == 3


def test_whatever_is_changed_later_in_whichever_order_a_filed_verdict_stands(
    bureau, county, opened
):
    save(county, opened, resident_pop=1900, explanation="外来务工人员多")
    act(county, opened.submission_id, ReviewAction.SUBMIT)
    verdict = filed_problems(county, opened.submission_id)
    assert found(verdict)[0][0] == "warning"
    changes = [(MANY_RESIDENTS, {"is_enabled": False}), (TIMES, {"strength": Severity.HINT}),
               (NATURAL, {"limits": {"resident_percent_hint": 10}})]  # fmt: skip
    for order in permutations(changes):
        for number, (code, values) in enumerate(order):
            rule = find_rule(FORM, code)
            change(bureau, rule, **(values | {"message": f"{rule.version}.{number}"}))
        assert filed_problems(county, opened.submission_id) == verdict
