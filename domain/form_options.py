"""Which options of a field the facts of a unit rule out, whatever else is filled in."""

from collections.abc import Mapping

from domain.expressions import BadExpression, EvaluationFailed, evaluate
from domain.form_rules import fill
from domain.forms import (
    FORM_GROUP,
    UNDELIVERED,
    Context,
    Field,
    Form,
    Row,
    Rule,
    Severity,
    Values,
)


def excluded_options(
    form: Form, context: Context, group: str = FORM_GROUP, row: Row | None = None
) -> dict[str, dict[str, str]]:
    """Return field to option to the sentence of the rule that no fact lets it meet.

    Only errors count that name the field itself and known facts: what somebody may still change
    or explain rules nothing out.
    """
    facts = {"today": context.today, **context.values, **(row.values if row else {})}
    excluded = {
        item.code: _excluded_of(item, form.options(item), facts)
        for item in form.fields_of(group)
        if item.data_type == "code" and item.rules
    }
    return {code: options for code, options in excluded.items() if options}


def _excluded_of(item: Field, options: Mapping[str, str], facts: Values) -> dict[str, str]:
    reasons = {}
    for option in options:
        names = {**facts, item.code: option}
        broken = [fill(rule, names) for rule in item.rules if _fails(rule, names)]
        if broken:
            reasons[option] = broken[0]
    return reasons


def _fails(rule: Rule, names: Values) -> bool:
    if rule.severity is not Severity.ERROR:
        return False
    try:
        expression = rule.bound
        if any(names.get(name) in (None, UNDELIVERED) for name in expression.names):
            return False
        return not evaluate(expression, names)
    except (BadExpression, EvaluationFailed):
        return False
