"""The rules of forms on a page: how one reads, what its names mean, and what a change would do."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal
from typing import Literal

import streamlit as st

from components.labels import label
from components.session import errors_shown
from data_access import check_rules, rule_changes, rule_preview
from data_access.check_rules import RuleVersion
from data_access.database import transaction
from data_access.rule_preview import Preview
from domain.access import Actor
from domain.check_rules import STRENGTHS, Basis, CheckRule, names_of
from domain.clock import moment
from domain.errors import PortalError
from domain.form_rules import fill
from domain.forms import FORM_GROUP, Form, Severity, label_of, path_of
from domain.rule_names import Kind, find_derived, rule_of

_Colour = Literal["red", "orange", "blue"]
_COLOURS: Mapping[Severity, _Colour] = {
    Severity.ERROR: "red",
    Severity.WARNING: "orange",
    Severity.HINT: "blue",
}
_NOTICE = "rules-notice"
_DERIVED = {
    Kind.COUNT: "行数",
    Kind.SUM: "各行合计",
    Kind.MISSING: "未填的行数",
    Kind.LAST: "上次认定的值",
}


@dataclass(frozen=True, slots=True)
class RuleBook:
    """A form with all its rules, those switched off too."""

    form: Form
    rules: Sequence[CheckRule]


def group_words(form: Form, group: str) -> str:
    """Return what a rule of the group is asked of: the report, or each row of a group."""
    return "整表" if group == FORM_GROUP else f"逐行（{_GROUPS.get(group, form.title)}）"


_GROUPS = {
    "natural_village": "自然村",
    "contract": "合同",
    "plan": "规划",
    "milestone": "阶段",
}


def field_words(form: Form, rule: CheckRule) -> str:
    """Return the label of the field that a rule speaks of."""
    return label_of(form, path_of(rule.group_code, "", rule.field_code)).rpartition(" · ")[2]


def sentence(rule: CheckRule) -> str:
    """Return the rule's sentence with its thresholds, and … for the values it would quote."""
    return fill(rule.as_rule(), _Dots())


class _Dots(dict[str, object]):
    def __missing__(self, name: str) -> object:
        return "…"


def threshold_words(rule: CheckRule) -> str:
    """Return the thresholds as a person reads them: 3 倍、10 人."""
    return "、".join(
        f"{_figure(each['value'])} {each['unit']}" for each in rule.thresholds.values()
    )


def _figure(value: object) -> str:
    return f"{value:,}"


def book_sentence(book: RuleBook) -> str:
    """Return what the rules of a form are, in one sentence."""
    on = [rule for rule in book.rules if rule.is_enabled]
    counts = "、".join(
        f"{label(strength)} {sum(rule.strength is strength for rule in on)}"
        for strength in STRENGTHS
    )
    return (
        f"**{book.form.title}共 {len(book.rules)} 条规则**，启用 {len(on)} 条（{counts}），"
        f"现行规则集第 {book.form.rule_version} 版。"
    )


def show_notice() -> None:
    """Say what the last change did."""
    if notice := st.session_state.pop(_NOTICE, None):
        st.success(notice)


def rule_panel(actor: Actor, book: RuleBook, rule: CheckRule) -> None:
    """Draw one rule: what it says and rests on, its change, and its past."""
    _head(book.form, rule)
    changed = _inputs(book.form, rule)
    if changed != rule:
        _show_preview(actor, book, rule, changed)
    reason = st.text_area(
        "改动理由 *", key=_key(rule, "reason"), height=68, placeholder="为什么改，依据什么"
    )
    if st.button("保存为新版本", type="primary", key=_key(rule, "save"), disabled=changed == rule):
        _save(actor, changed, reason)
    with transaction(actor, read_only=True) as connection:
        versions = check_rules.list_versions(connection, rule.form_code, rule.rule_code)
    _past(versions)


def _key(rule: CheckRule, part: str) -> str:
    """An input belongs to the version it was filled in for."""
    return f"rules-{rule.rule_code}-{rule.version}-{part}"


def _head(form: Form, rule: CheckRule) -> None:
    with st.container(horizontal=True, vertical_alignment="center", gap="small"):
        st.markdown(f"**{rule.rule_code} {field_words(form, rule)}**", width="content")
        st.badge(label(rule.strength), color=_COLOURS[rule.strength])
        if not rule.is_enabled:
            st.badge("已停用", color="gray")
        if rule.basis is not Basis.SOURCED:
            st.badge(label(rule.basis), color="gray")
    st.markdown(sentence(rule))
    st.caption(
        f"{group_words(form, rule.group_code)} · 归口 {rule.owner} · 第 {rule.version} 版"
        + (f" · 依据：{rule.basis_note}" if rule.basis_note else "")
    )


def _inputs(form: Form, rule: CheckRule) -> CheckRule:
    """Draw what can be changed; return the rule as it stands in the inputs."""
    with st.container(horizontal=True, vertical_alignment="bottom", gap="medium"):
        strength = st.segmented_control(
            "强度", STRENGTHS, default=rule.strength, required=True, format_func=label,
            key=_key(rule, "strength"), width="content",
            help="错误：不能提交。警告：填写核实说明后可以提交。提示：只作提醒。",
        )  # fmt: skip
        enabled = st.toggle("启用", value=rule.is_enabled, key=_key(rule, "enabled"))
    limits = {
        name: Decimal(
            str(
                st.number_input(
                    f"{each['label']}（{each['unit']}）",
                    value=float(each["value"]),
                    step=1.0,
                    format="%g",
                    key=_key(rule, name),
                )
            )
        )
        for name, each in rule.thresholds.items()
    }
    with st.expander("提示语与条件"):
        message = st.text_area(
            "提示语", rule.message, key=_key(rule, "message"), height=68, max_chars=300,
            help="花括号里的名称显示为填报的值，如 {hukou_pop}。",
        )  # fmt: skip
        expression = st.text_area(
            "条件（成立时没有问题）", rule.expression, key=_key(rule, "expression"), height=96,
            max_chars=500,
        )  # fmt: skip
        st.caption("　".join(_names(form, rule)))
    return replace(
        rule.with_limits(limits),
        strength=Severity(strength or rule.strength),
        is_enabled=enabled,
        message=message.strip(),
        expression=expression.strip(),
    )


def _names(form: Form, rule: CheckRule) -> Sequence[str]:
    """Explain the names of a rule."""
    try:
        names = sorted(names_of(rule))
    except PortalError:
        return ()
    own = [f"`{name}` {each['label']}" for name, each in rule.thresholds.items()]
    return [*(f"`{name}` {name_words(form, rule.group_code, name)}" for name in names), *own]


def name_words(form: Form, group: str, name: str) -> str:
    """Return what a name of a rule means."""
    if code := rule_of(name):
        return f"规则 {code} 没有发现问题"
    item = form.find_field(group, name)
    if item:
        return item.label
    derived = find_derived(form, group, name)
    if derived:
        of = f"{derived.field.label}，" if derived.field else ""
        return f"{_GROUPS.get(derived.group, '本表')}：{of}{_DERIVED[derived.kind]}"
    for other in form.groups:
        found = form.find_field(other, name.removeprefix(f"{other}_"))
        if found and name.startswith(f"{other}_"):
            return f"{_GROUPS.get(other, '本表')}的{found.label}"
    return "今天" if name == "today" else "系统已知的情况"


def _show_preview(actor: Actor, book: RuleBook, rule: CheckRule, changed: CheckRule) -> None:
    with errors_shown():
        with transaction(actor, read_only=True) as connection:
            found = rule_preview.preview(connection, book.form, rule, changed, book.rules)
        st.info(preview_words(found), icon=":material/insights:")


def preview_words(found: Preview) -> str:
    """Return what a change would mean for what is filed now."""
    if not found.filed:
        return "本年尚无已报送的填报，无从预估。已报送的不受改动影响，仍按报送时的版本。"
    if found.before is None or found.after is None:
        return "这条规则用到的情况不在报送内容中，无法预估影响。"
    share = "" if found.sampled == found.filed else f"（抽查 {found.sampled:,} 份）"
    return (
        f"本年已报送 {found.filed:,} 份{share}：现行规则命中 {found.before:,} 份，"
        f"改动后命中 {found.after:,} 份。已报送的仍按报送时的版本；草稿立即按新版本校验。"
    )


def _save(actor: Actor, changed: CheckRule, reason: str) -> None:
    with errors_shown():
        with transaction(actor, action="rule.change") as connection:
            version = rule_changes.change_rule(connection, actor, changed, reason)
        st.session_state[_NOTICE] = (
            f"已保存规则 {changed.rule_code} 的新版本（规则集第 {version} 版），"
            "草稿立即按新版本校验。"
        )
        st.rerun()


def _past(versions: Sequence[RuleVersion]) -> None:
    st.markdown("**历次版本**")
    for version, earlier in zip(versions, [*versions[1:], None], strict=True):
        with st.container(border=True, gap=None):
            st.markdown(
                f"第 {version.version} 版（规则集第 {version.set_version} 版）· "
                f"{moment(version.made_at)} · {version.made_by_name or '系统发布'}"
            )
            st.caption("；".join([version.reason, *_differences(version, earlier)]))
            st.caption(f"按此版校验的报送：{version.judged:,} 份")


def _differences(version: RuleVersion, earlier: RuleVersion | None) -> Sequence[str]:
    """Return what a version changed, with thresholds, strength and state before and after."""
    if earlier is None:
        return [f"强度：{label(version.strength)}", *_limit_words(version.thresholds)]
    said = []
    if version.is_enabled != earlier.is_enabled:
        said.append("重新启用" if version.is_enabled else "停用")
    if version.strength != earlier.strength:
        said.append(f"强度：{label(earlier.strength)} → {label(version.strength)}")
    for name, each in version.thresholds.items():
        before = earlier.thresholds.get(name, each)["value"]
        if before != each["value"]:
            said.append(
                f"{each['label']}：{_figure(before)} → {_figure(each['value'])} {each['unit']}"
            )
    if version.message != earlier.message:
        said.append(f"提示语原为“{earlier.message}”")
    if version.expression != earlier.expression:
        said.append(f"条件原为 `{earlier.expression}`")
    return said


def _limit_words(thresholds: Mapping[str, Mapping[str, object]]) -> Sequence[str]:
    return [
        f"{each['label']}：{_figure(each['value'])} {each['unit']}" for each in thresholds.values()
    ]
