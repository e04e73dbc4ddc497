"""Warning items: the sentence, the filters in the address, the list, one item and its actions."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from html import escape

import streamlit as st

from components.assessment_figure import level_html, number_text
from components.assessment_matrix import SYMBOLS
from components.download import workbook_button
from components.labels import label, unit_text
from components.links import page_path
from components.session import errors_shown
from components.supervision import action_button, finish, forget_outcome, outcome_shown
from components.supervision_view import history_step
from components.url_parameters import choice_parameter, number_parameter, set_parameter
from data_access import indicator_warnings
from data_access.database import Connection, transaction
from data_access.indicator_warnings import IndicatorWarning, LevelCount, WarningNote
from data_access.table_workbook import Column
from domain.access import Actor, Role
from domain.assessment import Level
from domain.clock import moment, today
from domain.supervision import ItemState, NoteKind, may_supervise

ROWS_OF_PAGE = 50
_MOST = 1_000_000  # rows of a worksheet
_FIGURE = "#,##0.00####"
_COLUMNS = [
    Column("等级", "", 8), Column("单位", "", 14), Column("上级", "", 12), Column("指标", "", 36),
    Column("年度", "0", 8), Column("数值", _FIGURE, 13), Column("比较对象", _FIGURE, 13),
    Column("计量单位", "", 12), Column("突破约束性指标", "", 10), Column("状态", "", 10),
    Column("反馈期限", "", 13), Column("责任人", "", 16),
]  # fmt: skip
_HAND, _ALL, _OVERDUE = "hand", "all", "overdue"
_STATES = {
    _HAND: "未销号",
    _OVERDUE: "逾期未销号",
    ItemState.OPEN.value: "在办",
    ItemState.ANSWERED.value: "已反馈",
    ItemState.CLOSED.value: "已销号",
    _ALL: "全部",
}
_LEVELS = (Level.SEVERE, Level.WARN, Level.WATCH, Level.HINT)
_STEPS = {
    "raised": "等级变化生成",
    "level": "等级变化",
    "assign": "指定责任人",
    "escalate": "逾期升级",
}
_HELP = {
    NoteKind.FEEDBACK: "说明原因、整改措施和完成时间。",
    NoteKind.COMMENT: "责任单位会收到这条意见。",
    NoteKind.REOPEN: "说明还缺什么，可以给出新的期限。",
    NoteKind.CLOSE: "写明销号依据，如复核后的数据。",
}


@dataclass(frozen=True, slots=True)
class WarningQuestion:
    """Which items the page lists; its address carries it."""

    state: str
    level: Level | None
    city: str | None
    named: str
    page: int

    def ask(self, connection: Connection, *, whole: bool = False) -> list[IndicatorWarning]:
        """Return one page of the items, or the `whole` list."""
        known = self.state not in (_HAND, _ALL, _OVERDUE)
        return indicator_warnings.list_warnings(
            connection,
            in_hand=self.state == _HAND,
            state=ItemState(self.state) if known else None,
            overdue_on=today() if self.state == _OVERDUE else None,
            level=self.level,
            city=self.city,
            named=self.named or None,
            skipped=0 if whole else (self.page - 1) * ROWS_OF_PAGE,
            limit=_MOST if whole else ROWS_OF_PAGE,
        )


def sentence(counts: Sequence[LevelCount]) -> str:
    """Return how many items are in hand, at which levels, how many beyond their day."""
    items, late = sum(each.items for each in counts), sum(each.overdue for each in counts)
    if not items:
        return "没有未销号的预警事项。"
    by_level = {each.level: each.items for each in counts}
    parts = "、".join(f"{label(level)} {by_level[level]}" for level in _LEVELS if level in by_level)
    tail = f"，其中 {late:,} 项逾期" if late else "，均在期限内"
    return f"{items:,} 项预警未销号（{parts}）{tail}。"


def filter_row(cities: dict[str, str]) -> WarningQuestion:
    """Draw the filters in one row, kept in the address; a change begins at the first page."""
    with st.container(key="warning-filters", horizontal=True, vertical_alignment="center"):
        state = _choice("state", _STATES, _HAND, "", 150)
        levels = {each.value: f"{SYMBOLS[each]} {label(each)}" for each in _LEVELS}
        level = _choice("level", levels, None, "全部等级", 140)
        city = _choice("city", cities, None, "全部设区市", 150) if len(cities) > 1 else None
        asked = st.query_params.get("q", "")[:30]
        typed = st.text_input(
            "单位或指标",
            asked,
            key=f"warnings-q-{asked}",
            placeholder="单位或指标名称",
            label_visibility="collapsed",
            width=200,
        )
        if (typed or "").strip() != asked:
            _filter_again("q", (typed or "").strip())
        filtered = any(name in st.query_params for name in ("state", "level", "city", "q"))
        if st.button("清除筛选", key="warnings-clear", disabled=not filtered):
            st.query_params.clear()
            st.rerun()
    return WarningQuestion(
        state=state or _HAND,
        level=Level(level) if level else None,
        city=city,
        named=asked,
        page=number_parameter("page") or 1,
    )


def _choice(
    name: str, words: dict[str, str], default: str | None, nothing: str, width: int
) -> str | None:
    options = list(words)
    asked = choice_parameter(name, options)
    current = asked or default
    chosen = st.selectbox(
        name,
        options,
        index=options.index(current) if current else None,
        format_func=lambda code: words.get(code, code),
        placeholder=nothing,
        label_visibility="collapsed",
        key=f"warnings-{name}-{asked}",
        width=width,
    )
    if chosen != current:
        _filter_again(name, None if chosen == default else chosen)
    return chosen


def _filter_again(name: str, value: str | None) -> None:
    """Put the filter into the address; what was opened may not be in the list any more."""
    for parameter, now in ((name, value), ("page", None), ("id", None)):
        set_parameter(parameter, now)
    st.rerun()


def warning_table(rows: Sequence[IndicatorWarning], opened: int | None) -> int | None:
    """Draw one page of the items; return the id of the one whose row was chosen."""
    ids = [row.indicator_warning_id for row in rows]
    chosen = st.dataframe(
        [
            {
                "等级": f"{SYMBOLS.get(row.level, '')} {label(row.level)}",
                "单位": row.division_name,
                "指标": row.indicator_name,
                "状态": _state_text(row),
                "反馈期限": row.due_on.isoformat(),
                "责任人": row.responsible or None,
                "上级": row.parent_name,
            }
            for row in rows
        ],
        hide_index=True,
        on_select="rerun",
        selection_mode="single-row",
        selection_default={"selection": {"rows": [ids.index(opened)] if opened in ids else []}},
        key=f"warnings-table-{ids[0]}-{len(ids)}",
        height=min(38 + 35 * len(ids), 620),
        placeholder="—",
    )
    selected = chosen["selection"]["rows"]
    return ids[selected[0]] if selected and selected[0] < len(ids) else None


def workbook_rows(rows: Sequence[IndicatorWarning]) -> list[list[object]]:
    """Return the items as a workbook has them; missing is an empty cell."""
    return [
        [
            label(row.level), row.division_name, row.parent_name, row.indicator_name,
            row.report_year, row.value, row.reference, unit_text(row.unit),
            "是" if row.is_breach else "", _state_text(row), row.due_on.isoformat(),
            row.responsible,
        ]
        for row in rows
    ]  # fmt: skip


def _state_text(row: IndicatorWarning) -> str:
    return ("■ 逾期 · " if row.overdue(today()) else "") + label(row.state)


def pager(actor: Actor, rows: Sequence[IndicatorWarning], asked: WarningQuestion) -> None:
    """Draw which items are shown, the way to the next ones, and all of them as a workbook."""

    def every() -> list[list[object]]:
        with transaction(actor, read_only=True) as connection:
            return workbook_rows(asked.ask(connection, whole=True))

    matching = rows[0].matching
    first = (asked.page - 1) * ROWS_OF_PAGE
    with st.container(horizontal=True, vertical_alignment="center"):
        st.caption(f"第 {first + 1}–{first + len(rows)} 项，共 {matching:,} 项", width="content")
        for text, page in (("上一页", asked.page - 1), ("下一页", asked.page + 1)):
            is_there = page >= 1 and (page - 1) * ROWS_OF_PAGE < matching
            if st.button(text, key=f"warnings-page-{text}", disabled=not is_there, type="tertiary"):
                set_parameter("page", str(page) if page > 1 else None)
                set_parameter("id", None)
                st.rerun()
        workbook_button(
            "预警事项",
            lambda: f"{_STATES[asked.state]}　{matching:,} 项　{today().isoformat()}",
            _COLUMNS,
            every,
            suffix=today().isoformat(),
            key="warnings-workbook",
        )


# ONE ITEM


def warning_card(actor: Actor, item: IndicatorWarning, notes: Sequence[WarningNote]) -> None:
    """Draw an item with its figures, its history, and a button for each act open to the actor."""
    with st.container(border=True, key="warning-card"):
        with st.container(horizontal=True, vertical_alignment="center", gap="small"):
            st.html(level_html(item.level), width="content")
            st.markdown(f"**{item.division_name}** · {item.indicator_name}", width="content")
            if item.overdue(today()):
                st.badge(f"逾期 {(today() - item.due_on).days} 天", color="red")
            st.badge(label(item.state), color="gray" if item.state is ItemState.CLOSED else "blue")
        st.html(_facts_html(item))
        st.html(_history_html(notes))
        _buttons(actor, item)
    st.page_link(
        page_path("assessment_figure"),
        label="数字来源与评级规则",
        icon=":material/fact_check:",
        query_params={
            "unit": item.division_code,
            "code": item.canonical_code,
            "year": str(item.report_year),
        },
    )


def _facts_html(item: IndicatorWarning) -> str:
    figure = number_text(item.value, item.decimals)
    against = "" if item.reference is None else f"，比较对象 {item.reference:,.{item.decimals}f}"
    standing = ""
    if item.standing_level and item.standing_level != item.level:
        standing = f"；现等级 {label(Level(item.standing_level))}"
    facts = [
        f"{item.report_year} 年 {figure} {unit_text(item.unit)}{against}{standing}",
        f"{label(item.from_level)} → {label(item.level)}，"
        + f"{moment(item.raised_at)} 生成，反馈期限 {item.due_on.isoformat()}",
        f"责任人：{item.responsible or '未指定'}",
    ]
    if item.is_breach:
        facts.insert(1, "突破约束性指标")
    return "".join(f"<p>{escape(fact)}</p>" for fact in facts)


def _history_html(notes: Sequence[WarningNote]) -> str:
    steps = "".join(
        history_step(
            note.body,
            f"{note.written_by_name or '系统'} · {moment(note.written_at)} {_step_name(note.kind)}",
            own=note.kind == NoteKind.FEEDBACK,
        )
        for note in notes
    )
    return f'<ul class="unit-history">{steps}</ul>'


def _step_name(kind: str) -> str:
    return _STEPS.get(kind) or label(NoteKind(kind))


def _buttons(actor: Actor, item: IndicatorWarning) -> None:
    kinds = item.notes_open_to(actor)
    assigns = item.state is not ItemState.CLOSED and (
        may_supervise(actor, item.prefix) or actor.may_act_as(Role.CITY, item.prefix)
    )
    if not kinds and not assigns:
        return
    number = item.indicator_warning_id
    with st.container(horizontal=True, gap="small"):
        if assigns and st.button("指定责任人", key=f"warning-assign-{number}"):
            assign_dialog(actor, item)
        for kind in kinds:
            primary = kind in (NoteKind.FEEDBACK, NoteKind.CLOSE)
            if st.button(
                label(kind),
                key=f"warning-{kind}-{number}",
                type="primary" if primary else "secondary",
            ):
                write_dialog(actor, item, kind)


@st.dialog("指定责任人", on_dismiss=forget_outcome)
def assign_dialog(actor: Actor, item: IndicatorWarning) -> None:
    """Let the actor name who is responsible for an item."""
    if outcome_shown():
        return
    st.markdown(f"{item.division_name} · {item.indicator_name}")
    person = st.text_input("责任人", item.responsible, max_chars=40, key="warning-person")
    if action_button("指定", "warning-assign-send"):
        if not (person or "").strip():
            st.error("请填写责任人。")
            return
        with errors_shown():
            with transaction(actor, action="indicator_warning.assign") as connection:
                indicator_warnings.assign(connection, actor, item, person or "")
            finish(f"已指定责任人 {(person or '').strip()}。")


@st.dialog("预警事项办理", on_dismiss=forget_outcome)
def write_dialog(actor: Actor, item: IndicatorWarning, kind: NoteKind) -> None:
    """Let the actor answer, comment, send back or close an item."""
    if outcome_shown():
        return
    st.markdown(f"**{label(kind)}** · {item.division_name} · {item.indicator_name}")
    version = f"{item.indicator_warning_id}-{item.lock_version}-{kind}"
    body = st.text_area(
        "内容", height=130, max_chars=1000, placeholder=_HELP[kind], key=f"warning-body-{version}"
    )
    due_on: date | None = None
    if kind is NoteKind.REOPEN:
        due_on = st.date_input(
            "反馈期限",
            max(item.due_on, today()),
            format="YYYY-MM-DD",
            key=f"warning-due-{version}",
        )
    if action_button(label(kind), "warning-send"):
        with errors_shown():
            with transaction(actor, action=f"indicator_warning.{kind}") as connection:
                indicator_warnings.write_note(
                    connection, actor, item, kind, body or "", due_on=due_on
                )
            finish(f"已记录{label(kind)}。")
