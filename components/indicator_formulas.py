"""Formulas of derived indicators on a page: in codes and words, in versions; the next one tried."""

from collections.abc import Mapping, Sequence

import streamlit as st

from components.assessment_rules import list_problems, may_change, said
from components.labels import unit_text
from components.session import errors_shown
from data_access import indicator_changes
from data_access.database import transaction
from data_access.indicator_versions import EVERY_YEAR, FormulaVersion
from data_access.indicators import Canonical
from domain.access import Actor
from domain.assessment import ValueKind
from domain.clock import moment
from domain.errors import InvalidFormula


def formula_panel(
    actor: Actor,
    known: Sequence[Canonical],
    code: str,
    versions: Sequence[FormulaVersion],
    newest: int,
) -> None:
    """Draw the formula of a derived indicator and its versions; the bureau makes the next one.

    `newest` is the data year from which a change is for, where it is not for every year.
    """
    names = {each.canonical_code: each for each in known}
    opened = names[code]
    st.markdown(
        f"**{opened.name}**（{unit_text(opened.unit)}）= {formula_words(opened.formula, names)}"
    )
    if may_change(actor):
        _editor(actor, opened, newest)
    st.caption("数值不单独填报：各年、各单位由所用指标计算，缺任何一项即为缺数。")
    st.dataframe(
        [_version_row(each, names) for each in versions],
        hide_index=True,
        column_config={
            "版本": st.column_config.NumberColumn(width=60),
            "适用": st.column_config.TextColumn(width=130),
            "算式": st.column_config.TextColumn(width=360),
        },
        key=f"assessment-formula-versions-{code}",
    )
    with st.expander("可以使用的指标代码"):
        st.dataframe(_code_rows(known), hide_index=True, height=320)


def _editor(actor: Actor, opened: Canonical, newest: int) -> None:
    # The keys hold the formula: an input belongs to what it was opened with.
    suffix = f"{opened.canonical_code}-{opened.formula}"
    formula = st.text_area(
        "计算式", opened.formula or "", height=80, max_chars=500,
        key=f"assessment-formula-{suffix}",
        help="加减乘除、括号、数和指标代码；单位不同的须乘以换算系数。",
    )  # fmt: skip
    since, why = st.columns([1, 2])
    years = {newest: since_words(newest)} | {EVERY_YEAR: "所有年度（更正错误）"}
    from_year = since.selectbox(
        "适用", list(years), format_func=lambda year: years[year],
        key=f"assessment-formula-since-{suffix}",
        help="以前年度的评估保留当时的算式；原算式有误的，选“所有年度”重新计算。",
    )  # fmt: skip
    reason = why.text_input(
        "修改说明", placeholder="依据的文件，或改正了什么", max_chars=200,
        key=f"assessment-formula-reason-{suffix}",
    )  # fmt: skip
    is_same = formula.strip() == opened.formula
    if st.button("保存算式", type="primary", key="assessment-formula-save", disabled=is_same):
        with errors_shown():
            try:
                _save(actor, opened, formula.strip(), reason, from_year)
            except InvalidFormula as error:
                list_problems(error)


def _save(actor: Actor, opened: Canonical, formula: str, reason: str, from_year: int) -> None:
    with (
        st.spinner("正在保存并重新计算…"),
        transaction(actor, action="indicator_formula.save") as connection,
    ):
        judged = indicator_changes.change_formula(
            connection, actor, opened, formula, reason=reason, from_year=from_year
        )
    said(
        f"已保存“{opened.name}”的算式，{since_words(from_year)}的数值已重新计算："
        f"{judged.changed:,} 项结果变化，生成预警事项 {judged.raised:,} 项。"
    )


def since_words(year: int) -> str:
    """Return from which data year on a formula is for.

    >>> since_words(2025), since_words(EVERY_YEAR)
    ('自 2025 年度起', '自最早年度起')
    """
    return "自最早年度起" if year <= EVERY_YEAR else f"自 {year} 年度起"


def _version_row(version: FormulaVersion, names: Mapping[str, Canonical]) -> dict[str, object]:
    return {
        "版本": version.version,
        "适用": since_words(version.valid_from_year),
        "算式": formula_words(version.formula, names),
        "说明": version.reason,
        "修改人": version.made_by_name or "系统",
        "时间": moment(version.made_at),
    }


def formula_words(formula: str | None, names: Mapping[str, Canonical]) -> str:
    """Return a formula with the names of its indicators in place of their codes."""
    words = formula or ""
    for code in sorted(names, key=len, reverse=True):
        words = words.replace(code, names[code].name)
    return words.replace("*", "×").replace("/", "÷")


def derived_of(known: Sequence[Canonical]) -> dict[str, str]:
    """Return the derived indicators: code to name."""
    return {e.canonical_code: e.name for e in known if e.value_kind is ValueKind.DERIVED}


def _code_rows(known: Sequence[Canonical]) -> list[dict[str, object]]:
    return [
        {
            "代码": each.canonical_code,
            "指标": each.name,
            "单位": unit_text(each.unit),
            "合理区间": f"{each.typical_min:f} 至 {each.typical_max:f}",
        }
        for each in known
    ]
