"""校验规则: what every form is checked by; switch a rule off, change it, see what that would do."""

import streamlit as st

from components.labels import label
from components.rules import (
    RuleBook,
    book_sentence,
    field_words,
    group_words,
    rule_panel,
    sentence,
    show_notice,
    threshold_words,
)
from components.session import page_frame, require_actor
from components.url_parameters import choice_parameter, set_parameter
from data_access import check_rules, rule_changes
from data_access.database import transaction
from data_access.forms import load_form
from domain.check_rules import STRENGTHS, CheckRule

actor = require_actor(*rule_changes.KEEPERS)
with transaction(actor, read_only=True) as connection:
    forms = {each.form_code: each for each in check_rules.list_forms(connection)}
    form_code = choice_parameter("form", list(forms)) or list(forms)[-1]
    form = load_form(connection, form_code, forms[form_code].version)
    book = RuleBook(form, check_rules.list_rules(connection, form_code))

with st.container(horizontal=True, vertical_alignment="center", gap="small"):
    page_frame("校验规则")
    chosen_form = st.segmented_control(
        "表单", list(forms), format_func=lambda code: forms[code].title, required=True,
        default=form_code, key=f"rules-form-{form_code}", label_visibility="collapsed",
    )  # fmt: skip
    if chosen_form and chosen_form != form_code:
        st.query_params.from_dict({"form": chosen_form})
        st.rerun()
st.markdown(book_sentence(book))
show_notice()

STATES = {
    "全部": lambda rule: True,
    "启用": lambda rule: rule.is_enabled,
    "停用": lambda rule: not rule.is_enabled,
    "改动过": lambda rule: rule.version > 1,
}
with st.container(horizontal=True, vertical_alignment="bottom", key="rules-filters"):
    words = st.text_input("查找", placeholder="编号、字段或提示语", key="rules-words", width=220)
    strength = st.segmented_control(
        "强度", STRENGTHS, format_func=label, key="rules-strength", width="content"
    )
    state = st.segmented_control(
        "状态", list(STATES), default="全部", required=True, key="rules-state", width="content"
    )


def _is_shown(rule: CheckRule) -> bool:
    text = f"{rule.rule_code} {field_words(form, rule)} {rule.message}".lower()
    return (
        STATES[state or "全部"](rule)
        and strength in (None, rule.strength)
        and all(word in text for word in words.lower().split())
    )


shown = [rule for rule in book.rules if _is_shown(rule)]
if not shown:
    st.info("没有符合条件的规则。请换个词查找，或将强度、状态改为全部。")
    st.stop()

table = [
    {
        "编号": rule.rule_code,
        "字段": field_words(form, rule),
        "提示语": sentence(rule),
        "强度": label(rule.strength) if rule.is_enabled else "停用",
        "限值": threshold_words(rule),
        "版本": rule.version,
        "对象": group_words(form, rule.group_code),
    }
    for rule in shown
]
listing, panel = st.columns([3, 2], gap="medium")
chosen = listing.dataframe(
    table,
    hide_index=True,
    on_select="rerun",
    selection_mode="single-row",
    key=f"rules-table-{form_code}-{hash(tuple(rule.rule_code for rule in shown))}",
    column_config={"提示语": st.column_config.TextColumn(width=330)},
    height=min(38 + 35 * len(shown), 620),
)
if chosen["selection"]["rows"]:
    set_parameter("rule", shown[chosen["selection"]["rows"][0]].rule_code)
asked = st.query_params.get("rule")
with panel:
    opened = next((rule for rule in book.rules if rule.rule_code == asked), None)
    if opened:
        rule_panel(actor, book, opened)
    else:
        st.info("点选左侧一行，查看其条件、依据和历次版本，或停用、调整限值与强度。")
