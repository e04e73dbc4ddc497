"""The warning rules on a page: versions in words, a new one typed and tried, limits, formulas."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import replace
from html import escape
from typing import Any

import streamlit as st

from components.assessment_figure import band_text, basis_text, level_html, stacked_cells
from components.assessment_matrix import SYMBOLS
from components.labels import label
from components.session import errors_shown
from data_access import assessment_rules
from data_access.assessment_rules import LevelChange, RulesVersion
from data_access.database import transaction
from data_access.indicators import Canonical, WarningLevel, WarningProfile
from domain.access import Actor, Role
from domain.assessment import Level, Measure
from domain.clock import moment
from domain.errors import InvalidFormula, InvalidWarningRules
from domain.warning_rules import (
    BANDS,
    COLOUR_WORDS,
    SHARES,
    ProfileDraft,
    RulesDraft,
    TypedBand,
    profile_problems,
)

RULES, DRAFT, LIMITS, FORMULAS = "rules", "draft", "limits", "formulas"
VIEWS = {RULES: "现行与历次规则", DRAFT: "制定新版", LIMITS: "处置时限", FORMULAS: "指标算式"}
_NOTICE = "assessment-rules-notice"
_BASES = ("source", "known", "assumed")
_WITHOUT = {"none": "不评级", "province": "与全省值相比"}


def may_change(actor: Actor) -> bool:
    """Tell whether the actor makes rules."""
    return actor.has_role(Role.PLAN_BUREAU)


def views_of(actor: Actor) -> Mapping[str, str]:
    """Return the parts of the page that the actor has."""
    return {name: text for name, text in VIEWS.items() if name != DRAFT or may_change(actor)}


def show_notice() -> None:
    """Say what the last change did."""
    if notice := st.session_state.pop(_NOTICE, None):
        st.success(notice)


def said(notice: str) -> None:
    """Keep what is said at the top of the page in the next run, and start it."""
    st.session_state[_NOTICE] = notice
    st.rerun()


# VERSIONS


def version_words(version: RulesVersion) -> str:
    """Return a version as a list of choices names it."""
    return f"第 {version.rule_version} 版 · {version.valid_from_year} 年起 · {version.title}"


def headline(versions: Sequence[RulesVersion], newest: int | None, in_force: int | None) -> str:
    """Return which version the newest data year is judged by, in one sentence."""
    if newest is None or in_force is None:
        return f"预警规则共 {len(versions)} 版，尚无数据年度。"
    version = next(each for each in versions if each.rule_version == in_force)
    return (
        f"{newest} 年按第 {in_force} 版“{version.title}”评级，"
        f"连续 {version.yellow_years} 年黄升一级；共 {len(versions)} 版，以前年度保持各自的规则。"
    )


def version_note(version: RulesVersion) -> str:
    """Return who made a version when, and on what it rests."""
    made = version.made_by_name or "随系统发布"
    return (
        f"{moment(version.made_at)} {made} · 连续 {version.yellow_years} 年黄升一级 · "
        f"{basis_text(version.basis)}：{version.basis_note}"
    )


def profiles_html(profiles: Sequence[WarningProfile], used: Mapping[str, int]) -> str:
    """Return the profiles of a version with their bands in words, as a table."""
    drawn = [level_html(level) for level in BANDS]
    head = "".join(f"<th>{text}</th>" for text in (*_HEADS[:2], *drawn, *_HEADS[-3:]))
    rows = "".join(_profile_row(each, used.get(each.profile_code, 0)) for each in profiles)
    return (
        '<div class="unit-scroll"><table class="unit-table stacked">'
        f"<thead><tr>{head}</tr></thead><tbody>{rows}</tbody></table></div>"
    )


_HEADS = (
    "模型",
    "度量",
    *(label(level) for level in BANDS),
    "没有目标时",
    "适用指标（项）",
    "依据",
)


def _profile_row(profile: WarningProfile, used: int) -> str:
    bands = (_band_words(getattr(profile, name), profile.measure) for name in BANDS.values())
    expression = f"<small>{escape(profile.expression)}</small>" if profile.expression else ""
    cells = (
        escape(profile.name),
        f"{label(profile.measure)}{expression}",
        *(f'<span class="level">{escape(band)}</span>' for band in bands),
        _WITHOUT[profile.without_target],
        str(used),
        basis_text(profile.basis),
    )
    return f"<tr>{stacked_cells(_HEADS, cells)}</tr>"


def _band_words(text: str, measure: Measure) -> str:
    return "—" if text == "empty" else band_text(text, measure)


# A NEW VERSION


def draft_inputs(begun: RulesDraft, first_year: int) -> RulesDraft:
    """Draw the inputs of a new version, begun with the last one; return it as typed."""

    def key(part: str) -> str:
        return f"assessment-rules-{begun.made_from}-{part}"

    with st.container(horizontal=True, vertical_alignment="bottom"):
        title = st.text_input("规则名称 *", begun.title, max_chars=60, key=key("title"), width=360)
        year = st.number_input(
            "首个数据年度 *", value=first_year, step=1, format="%d", key=key("year"), width=150,
            help="自这一年度起采用；以前年度保持原来的规则和等级。",
        )  # fmt: skip
        yellow = st.number_input(
            "连续黄几年升一级 *", value=begun.yellow_years, step=1, format="%d",
            key=key("yellow"), width=170,
        )  # fmt: skip
        basis = st.selectbox(
            "依据 *", _BASES, index=_BASES.index("source"), format_func=basis_text,
            key=key("basis"), width=150,
        )  # fmt: skip
    note = st.text_input(
        "依据说明 *", max_chars=300, key=key("note"), placeholder="为什么改，依据什么文件"
    )
    return replace(
        begun,
        title=title,
        valid_from_year=int(year),
        yellow_years=int(yellow),
        basis=basis or "source",
        basis_note=note,
        profiles=_profiles_as_typed(begun, key("bands")),
    )


def _profiles_as_typed(begun: RulesDraft, key: str) -> dict[str, ProfileDraft]:
    places = [
        (code, level)
        for code, profile in begun.profiles.items()
        if profile.measure is not Measure.NONE
        for level in BANDS
    ]
    edited = st.data_editor(
        [_editor_row(begun.profiles[code], level) for code, level in places],
        hide_index=True,
        num_rows="fixed",
        disabled=("模型", "度量", "等级"),
        column_config={
            "下限": st.column_config.TextColumn(help="留空为不设下限；百分数按 % 填写", width=80),
            "上限": st.column_config.TextColumn(
                help="留空为不设上限；两端都空为没有这一级", width=80
            ),
            "含下限": st.column_config.CheckboxColumn(width=70),
            "含上限": st.column_config.CheckboxColumn(width=70),
        },
        height=460,
        key=key,
    )
    profiles = dict(begun.profiles)
    for (code, level), row in zip(places, edited, strict=True):
        bands = {**profiles[code].bands, level: _typed_band(row)}
        profiles[code] = replace(profiles[code], bands=bands)
    return profiles


def _editor_row(profile: ProfileDraft, level: Level) -> dict[str, object]:
    band = profile.bands[level]
    share = "（%）" if profile.measure in SHARES else ""
    return {
        "模型": profile.name,
        "度量": label(profile.measure) + share,
        "等级": f"{SYMBOLS[level]} {label(level)}（{COLOUR_WORDS[level]}）",
        "下限": band.low,
        "含下限": band.with_low,
        "上限": band.high,
        "含上限": band.with_high,
    }


def _typed_band(row: Mapping[str, Any]) -> TypedBand:
    return TypedBand(
        str(row["下限"] or ""), bool(row["含下限"]), str(row["上限"] or ""), bool(row["含上限"])
    )


def draft_panel(actor: Actor, draft: RulesDraft) -> None:
    """Draw the faults of a new version, what it would change, and the button that keeps it."""
    faults = [each for profile in draft.profiles.values() for each in profile_problems(profile)]
    for each in faults:
        st.error(each)
    with st.container(horizontal=True, horizontal_alignment="right"):
        tries = st.button("预估影响", key="assessment-rules-preview", disabled=bool(faults))
        keeps = st.button(
            "保存新版", type="primary", key="assessment-rules-save", disabled=bool(faults)
        )
    with errors_shown():
        try:
            if tries:
                _preview(actor, draft)
            if keeps:
                _save(actor, draft)
        except InvalidWarningRules as error:
            list_problems(error)


def list_problems(error: InvalidWarningRules | InvalidFormula) -> None:
    """Draw a sentence for each fault."""
    problems = error.details["problems"]
    assert isinstance(problems, list)
    for each in problems:
        st.error(each)


def _preview(actor: Actor, draft: RulesDraft) -> None:
    with (
        st.spinner("正在按新规则试算最新年度…"),
        transaction(actor, action="assessment_rules.preview") as connection,
    ):
        found = assessment_rules.preview_rules(connection, actor, draft)
    st.info(preview_words(found), icon=":material/insights:")
    if found:
        st.html(_changes_html(found))


def preview_words(found: Sequence[LevelChange]) -> str:
    """Return how many levels of the newest year would change, and how many for the worse."""
    if not found:
        return "按新规则，最新年度没有等级变化。"
    total = sum(each.results for each in found)
    worse = sum(each.results for each in found if each.level.rank > each.from_level.rank)
    return (
        f"按新规则，最新年度有 {total:,} 项等级变化（单位 × 指标）：{worse:,} 项变重，"
        f"{total - worse:,} 项变轻。"
    )


def _changes_html(found: Sequence[LevelChange]) -> str:
    rows = "".join(
        f"<tr><td>{level_html(each.from_level)}</td><td>{level_html(each.level)}</td>"
        f"<td class='number'>{each.results:,}</td><td class='number'>{each.units:,}</td></tr>"
        for each in found
    )
    return (
        '<table class="unit-table bands"><thead><tr><th>现等级</th><th>新等级</th><th>项</th>'
        f"<th>单位</th></tr></thead><tbody>{rows}</tbody></table>"
    )


def _save(actor: Actor, draft: RulesDraft) -> None:
    with (
        st.spinner("正在保存并重新评级…"),
        transaction(actor, action="assessment_rules.save") as connection,
    ):
        kept = assessment_rules.save_rules(connection, actor, draft)
    st.query_params.clear()
    said(
        f"已保存第 {kept.rule_version} 版，自 {draft.valid_from_year} 年度起采用："
        f"{kept.changed:,} 项结果变化，生成预警事项 {kept.raised:,} 项。以前年度保持原来的规则。"
    )


# LIMITS


def limits_panel(actor: Actor, levels: Sequence[WarningLevel]) -> None:
    """Draw the levels with their limits; the bureau changes the limits."""
    limited = [each for each in reversed(levels) if each.working_days is not None]
    st.html(_levels_html(levels))
    st.caption("时限自预警事项生成之日起按工作日计算，逾期未反馈的升级。改动只用于此后生成的事项。")
    if not may_change(actor):
        return
    with st.container(horizontal=True, vertical_alignment="bottom"):
        days = {
            each.level: st.number_input(
                f"{SYMBOLS[each.level]} {label(each.level)}（工作日）",
                value=each.working_days,
                step=1,
                format="%d",
                width=150,
                key=f"assessment-limit-{each.level}-{each.working_days}",
            )
            for each in limited
        }
        changed = {
            each: int(days[each.level] or 0)
            for each in limited
            if days[each.level] != each.working_days
        }
        if st.button("保存时限", type="primary", key="assessment-limits", disabled=not changed):
            with errors_shown():
                _save_limits(actor, changed)


def _save_limits(actor: Actor, changed: Mapping[WarningLevel, int]) -> None:
    with transaction(actor, action="warning_level.save") as connection:
        for each, days in changed.items():
            assessment_rules.save_working_days(
                connection, actor, each.level, each.working_days or 0, days
            )
    words = "、".join(f"{label(each.level)} {days} 个工作日" for each, days in changed.items())
    said(f"已保存处置时限：{words}。")


def _levels_html(levels: Sequence[WarningLevel]) -> str:
    rows = "".join(
        f"<tr><td>{level_html(each.level)}</td><td>{escape(each.meaning)}</td>"
        f"<td class='number'>{each.working_days or '—'}</td>"
        f"<td>{escape(each.responsible or '—')}</td>"
        f"<td>{label(Role(each.escalation_role)) if each.escalation_role else '—'}</td></tr>"
        for each in reversed(levels)
    )
    heads = "".join(
        f"<th>{text}</th>" for text in ("等级", "含义", "时限（工作日）", "处置", "逾期升级至")
    )
    return (
        '<div class="unit-scroll"><table class="unit-table">'
        f"<thead><tr>{heads}</tr></thead><tbody>{rows}</tbody></table></div>"
    )


def used_by(known: Sequence[Canonical]) -> dict[str, int]:
    """Return how many indicators each profile judges."""
    return Counter(each.profile_code for each in known if each.is_applicable)
