"""Two versions of a report as a table: values side by side, what was said of a field under it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from html import escape

import streamlit as st

from components.labels import label
from components.state_words import moment_text
from components.url_parameters import choice_parameter, number_parameter, set_parameter
from data_access.comparison import ACCEPTED, Side
from data_access.reporting import Remark
from domain.comparison import FieldPair, FileChange, FilePair, RowPair, StoredFile
from domain.form_diff import ChangeKind
from domain.forms import Problem


class Shown(StrEnum):
    CHANGES = "changes"
    ALL = "all"
    REASONS = "reasons"


SHOWN_WORDS = {
    Shown.CHANGES: "只看变化",
    Shown.ALL: "全部字段",
    Shown.REASONS: "只看有意见的",
}


def side_name(side: Side) -> str:
    """Return what a person calls a side: 第 2 版（第 2 轮，11月12日 11:24）."""
    if side.number == ACCEPTED:
        return "上次认定"
    return f"第 {side.number} 版（第 {side.round_no} 轮，{moment_text(side.submitted_at)}）"


@dataclass(frozen=True, slots=True)
class Chosen:
    """What the address asks to compare."""

    left: Side
    right: Side
    shown: Shown


def choose(sides: Sequence[Side]) -> Chosen:
    """Draw which two sides are compared and what of them is shown, all kept in the address."""
    newest = sides[-1]
    with st.container(horizontal=True, vertical_alignment="bottom", gap="small"):
        left = _side("left", "对比", sides, sides[0])
        right = _side("right", "与", sides, newest)
        shown = Shown(choice_parameter("show", [each.value for each in Shown]) or Shown.CHANGES)
        asked = st.segmented_control(
            "显示",
            list(Shown),
            default=shown,
            format_func=SHOWN_WORDS.__getitem__,
            required=True,
            key=f"submission-show-{shown}",
        )
    if asked and asked is not shown:
        set_parameter("show", None if asked is Shown.CHANGES else asked.value)
        st.rerun()
    return Chosen(left, right, shown)


def _side(name: str, words: str, sides: Sequence[Side], usual: Side) -> Side:
    asked = number_parameter(name)
    current = next((side for side in sides if side.number == asked), usual)
    chosen = st.selectbox(
        words,
        list(sides),
        index=list(sides).index(current),
        format_func=side_name,
        key=f"submission-{name}-{current.number}-{len(sides)}",
        width=280,
    )
    if chosen.number != current.number:
        set_parameter(name, None if chosen is usual else str(chosen.number))
        st.rerun()
    return current


def chosen_pairs(
    pairs: Sequence[FieldPair], remarks: Sequence[Remark], shown: Shown
) -> list[FieldPair]:
    """Return the fields to draw: those that differ, all, or those with a reason."""
    if shown is Shown.ALL:
        return list(pairs)
    if shown is Shown.CHANGES:
        return [pair for pair in pairs if pair.change is not None]
    said = {remark.field_path for remark in remarks}
    return [pair for pair in pairs if pair.path in said]


def comparison_table(
    rows: Sequence[RowPair],
    remarks: Sequence[Remark],
    problems: Sequence[Problem],
    left: Side,
    right: Side,
) -> str:
    """Return the fields as an HTML table, row by row of each group.

    Files are links, reasons and replies stand under their field. A row on one side alone is told
    in one line, unless somebody said something of a field of it.
    """
    said: dict[str, list[Remark]] = {}
    for remark in remarks:
        said.setdefault(remark.field_path, []).append(remark)
    notes: dict[str, list[Problem]] = {}
    for problem in problems:
        notes.setdefault(problem.path, []).append(problem)
    names = escape(side_name(left)), escape(side_name(right))
    lines = "".join(_lines(row, said, notes, names) for row in rows)
    return (
        '<div class="portal-scroll"><table class="portal-table portal-comparison"><thead><tr>'
        f"<th>填报项</th><th>{names[0]}</th><th>{names[1]}</th>"
        f"</tr></thead><tbody>{lines}</tbody></table></div>"
    )


def rows_sentence(rows: Sequence[RowPair]) -> str:
    """Return how many rows of the groups are new, gone, different and the same; '' without rows."""
    listed = [row for row in rows if row.heading]
    if not listed:
        return ""
    added = sum(row.change is ChangeKind.ADDED for row in listed)
    removed = sum(row.change is ChangeKind.REMOVED for row in listed)
    changed = sum(row.change is None and row.changed > 0 for row in listed)
    same = len(listed) - added - removed - changed
    return f"分行看：新增 {added} 行，减少 {removed} 行，有变化 {changed} 行，未变 {same} 行"


def _lines(
    row: RowPair,
    said: Mapping[str, list[Remark]],
    notes: Mapping[str, list[Problem]],
    names: tuple[str, str],
) -> str:
    if not row.heading:
        return "".join(_row(pair, said, notes, names) for pair in row.pairs)
    in_one = row.change is not None and not any(pair.files for pair in row.pairs)
    spoken = [pair for pair in row.pairs if pair.path in said or pair.path in notes]
    single = spoken if in_one else row.pairs
    words = label(row.change) if row.change else f"{row.changed} 项不同" if row.changed else "未变"
    code = f"<small>{escape(row.key)}</small>" if row.key.isdigit() else ""
    head = (
        f'<tr class="portal-row"><th colspan="3">{escape(row.heading)}{code}'
        f'<span class="portal-change">{words}</span></th></tr>'
    )
    whole = _whole(row, names) if in_one else ""
    return head + whole + "".join(_row(pair, said, notes, names) for pair in single)


def _whole(row: RowPair, names: tuple[str, str]) -> str:
    """Return a row of one side alone in one line: every field with what it says."""
    is_new = row.change is ChangeKind.ADDED
    told = "；".join(_told(pair, pair.right if is_new else pair.left) for pair in row.pairs)
    left, right = ("—", told) if is_new else (told, "—")
    return (
        f"<tr><td>整行{label(row.change) if row.change else ''}</td>"
        f'<td class="portal-old" data-side="{names[0]}">{left}</td>'
        f'<td class="portal-new" data-side="{names[1]}">{right}</td></tr>'
    )


def _told(pair: FieldPair, text: str) -> str:
    return f"{escape(pair.name)} {_text(text)} {escape(pair.unit)}".strip()


def _row(
    pair: FieldPair,
    said: Mapping[str, list[Remark]],
    notes: Mapping[str, list[Problem]],
    names: tuple[str, str],
) -> str:
    warnings = "".join(
        f'<div class="portal-note portal-{problem.severity.value}">{escape(problem.message)}</div>'
        for problem in notes.get(pair.path, [])
    )
    left = _files(pair, "left") if pair.files else _text(pair.left)
    right = _files(pair, "right") if pair.files else _text(pair.right)
    change = f'<span class="portal-change">{label(pair.change)}</span>' if pair.change else ""
    unit = f"<small>（{escape(pair.unit)}）</small>" if pair.unit else ""
    remarks = "".join(_remark(remark) for remark in said.get(pair.path, []))
    state = "portal-new" if pair.change else "portal-same"
    return (
        f"<tr><td>{escape(pair.name or pair.label)}{unit}{change}</td>"
        f'<td class="portal-old" data-side="{names[0]}">{left}</td>'
        f'<td class="{state}" data-side="{names[1]}">{right}{warnings}{remarks}</td></tr>'
    )


def _text(text: str) -> str:
    return escape(text).replace("\n", "<br>")


def _files(pair: FieldPair, side: str) -> str:
    lines = [_file(each, side) for each in pair.files]
    return "".join(f"<div>{line}</div>" for line in lines if line) or "—"


def _file(pair: FilePair, side: str) -> str:
    """Return the item as a link; the right side says how it differs, by content."""
    stored = pair.left if side == "left" else pair.right
    if stored is None:
        gone = side == "right" and pair.change is FileChange.REMOVED
        return f'{escape(pair.item)}<span class="portal-change">已移除</span>' if gone else ""
    mark = f'<span class="portal-change">{label(pair.change)}</span>' if side == "right" else ""
    return f"{_link(pair.item, stored)}{mark}"


def _link(item: str, stored: StoredFile) -> str:
    name = f"（{escape(stored.name)}）" if stored.name else ""
    return (
        f'<a href="/api/evidence/{stored.file_id}" target="_blank">{escape(item)}</a>'
        f'<span class="portal-file">{name}</span>'
    )


def _remark(remark: Remark) -> str:
    reply = (
        f'<div class="portal-reply">答复（{escape(remark.replied_by_name or "")}）：'
        f"{escape(remark.reply)}</div>"
        if remark.reply
        else '<div class="portal-reply portal-missing">尚未答复</div>'
    )
    return (
        f'<div class="portal-remark"><b>第 {remark.round_no} 轮退回</b>'
        f"（{escape(remark.reviewer_name)}）：{escape(remark.reason)}{reply}</div>"
    )
