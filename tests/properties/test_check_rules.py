"""Rules as data: one that is switched off finds nothing, and none disturbs another."""

from contextlib import suppress
from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st

from data_access import rule_reference
from domain.check_rules import CheckRule, Sample, count_hits, names_of, require_sound
from domain.errors import InvalidRule
from domain.form_rules import check
from domain.forms import Context, Form, Row, Severity, with_all_rows, with_facts
from domain.rule_names import rule_of
from tests.forms import REFERENCE, TODAY, reference_form
from tests.villages import complete

FORM = reference_form("village_evaluation", "村庄规划评估")
RULES = [
    rule
    for rule in rule_reference.read(REFERENCE / "check_rule.csv")
    if rule.form_code == FORM.form_code
]
KEYS = [f"36012310020{number:04}" for number in range(3)]
FACTS = {"report_year": 2026, "inside_county": True, "longitude": "115.1", "latitude": "28.1"}
CONTEXT = Context(
    TODAY,
    FACTS,
    {"natural_village": [Row(key, key, values=FACTS) for key in KEYS]},
    last={"form": {"hukou_pop": 1000, "construction_area": "10", "plan_status": "1"}},
)
CONTENT = complete(with_facts(FORM, with_all_rows(FORM, {}, CONTEXT), CONTEXT))
NUMBERS = ("hukou_pop", "resident_pop", "households", "resident_households", "idle_homestead_cnt")
counts = st.dictionaries(st.sampled_from(NUMBERS), st.integers(-5, 5000))
contents = st.builds(
    lambda village, natural: {
        "form": CONTENT["form"] | village,
        "natural_village": [
            row | changes for row, changes in zip(CONTENT["natural_village"], natural, strict=True)
        ],
    },
    counts,
    st.lists(counts, min_size=3, max_size=3),
)


def form_of(rules: list[CheckRule]) -> Form:
    """Return the form with these rules, each named in its own sentence."""
    fields = tuple(
        replace(
            item,
            rules=tuple(
                replace(rule, message=rule.rule_code).as_rule()
                for rule in rules
                if (rule.group_code, rule.field_code) == (item.group, item.code)
            ),
        )
        for item in FORM.fields
    )
    return replace(FORM, fields=fields)


def findings(content, rules):
    """Return which rules find something, and where."""
    codes = {rule.rule_code for rule in RULES}
    found = check(form_of(rules), content, CONTEXT)
    return {(each.message, each.path) for each in found if each.message in codes}


@given(contents, st.sets(st.sampled_from([rule.rule_code for rule in RULES])))
def test_a_rule_switched_off_finds_nothing_and_the_others_find_what_they_found(content, off):
    left = [rule for rule in RULES if rule.rule_code not in off]
    found = findings(content, left)
    assert {code for code, _ in found} & off == set()
    asks = {rule.rule_code for rule in left if {rule_of(n) for n in names_of(rule)} & off}
    before = {(code, path) for code, path in findings(content, RULES) if code not in off}
    assert {each for each in found if each[0] not in asks} == {
        each for each in before if each[0] not in asks
    }


@given(contents, st.permutations(RULES))
def test_the_order_of_the_rules_does_not_matter(content, shuffled):
    assert findings(content, shuffled) == findings(content, RULES)


@given(contents, st.sampled_from(RULES))
def test_the_forecast_says_what_the_check_says(content, rule):
    """A rule that looks at nothing but what is filed hits exactly where it would find something."""
    hits = count_hits(FORM, rule, RULES, [Sample(content, CONTEXT.last, TODAY)])
    found = {code for code, _ in findings(content, RULES)}
    shown = rule.field_code not in {i.code for i in FORM.fields if i.visible_when}
    if hits is not None and shown:
        assert hits == (rule.rule_code in found)


@given(contents)
def test_a_row_with_a_warning_asks_for_its_explanation_and_no_other_does(content):
    found = check(FORM, content, CONTEXT)
    warned = {p.path.rpartition(".")[0] for p in found if p.severity is Severity.WARNING}
    asked = {p.path.rpartition(".")[0] for p in found if p.path.endswith(".explanation")}
    assert asked == warned


NAMES = ("hukou_pop", "last_hukou_pop", "natural_village_count", "holds_cz106", "remark")
WORDS = (*NAMES, "0", "1.5", "'甲'", *"+-*/()", "<=", "==", "and", "not", "max(")


@given(st.text(max_size=40) | st.lists(st.sampled_from(WORDS), max_size=9).map(" ".join))
def test_any_expression_is_refused_or_judges(text):
    rule = replace(next(r for r in RULES if r.rule_code == "CZ140"), expression=text)
    with suppress(InvalidRule):
        require_sound(FORM, rule, RULES, {}, "试")
        hits = count_hits(FORM, rule, RULES, [Sample(CONTENT, CONTEXT.last, TODAY)])
        assert hits in (None, 0, 1)
