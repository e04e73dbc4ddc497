"""An option that no fact lets stand is said to be out, with the rule's own sentence."""

from dataclasses import replace

from domain.form_options import excluded_options
from domain.forms import UNDELIVERED, Context, Form, Rule
from tests.forms import county_context, plan_form


def excluded_of_plan(form: Form, context: Context) -> dict[str, dict[str, str]]:
    return excluded_options(form, context, "plan", context.rows["plan"][0])


def test_a_county_that_may_not_merge_is_told_why_before_it_chooses():
    excluded = excluded_of_plan(plan_form(), county_context(kind="县"))
    assert list(excluded["disposition"]) == ["merged"]
    assert "仅适用于市辖区，安义县（县）须单独编制" in excluded["disposition"]["merged"]


def test_a_district_may_choose_everything():
    assert excluded_of_plan(plan_form(), county_context(kind="市辖区")) == {}


def test_what_is_not_known_or_may_still_change_rules_nothing_out():
    form = plan_form()
    context = county_context()
    unknown = replace(context, values=context.values | {"unit_kind": UNDELIVERED})
    assert excluded_of_plan(form, unknown) == {}
    rules = (Rule("disposition == disposition_reason", "另一字段"), Rule("(", "坏的规则"))
    fields = tuple(
        replace(item, rules=rules) if item.code == "disposition" else item for item in form.fields
    )
    assert excluded_of_plan(replace(form, fields=fields), context) == {}
