"""The preview of a workbook that came back: what it changes, what is to be decided, writing it."""

from collections.abc import Sequence
from html import escape

import streamlit as st

from components.labels import error_message, label
from components.session import errors_shown
from components.workbooks import download_link, leave
from data_access import workbook_apply, workbook_batches, workbook_check
from data_access.database import transaction
from data_access.workbook_batches import Batch, BatchRow, BatchUnit, Counts
from domain.access import Actor
from domain.clock import moment
from domain.errors import PortalError, StaleVersion
from domain.forms import Form
from domain.workbook_diff import Because, Decision, EntryKind

_PER_PAGE = 40
_NOTICE = "workbooks-notice"
_PROBLEMS = "problems"


# WORDS


def row_note(row: BatchRow) -> str:
    """Return what is to be said at a line of the preview: why not, or what is left to correct."""
    return label(Because(row.reason)) if row.reason else row.problem


def mark_words(row: BatchRow, old: str, new: str) -> str:
    """Return what is written at a cell of the marked workbook."""
    if row.kind is EntryKind.CONFLICTING:
        return f"下载之后他人已改为“{old}”，本工作簿为“{new}”。请在网页上选择保留哪一个。"
    return row_note(row)


def batch_sentence(counts: Counts, units: Sequence[BatchUnit]) -> str:
    """Return in a sentence what the upload would do, in Markdown."""
    names = "、".join(unit.unit_name for unit in units[:3])
    places = f"{names} 等 {len(units)} 个单位" if len(units) > 3 else names
    good = counts.new + counts.changed
    if not good and not counts.conflicting:
        # A full stop within the stars would leave them standing before a Chinese character.
        said = f"**{places}：没有可以写入的改动**。"
    elif not good:
        said = f"**{places}：冲突 {counts.conflicting} 项**，没有其他可以写入的改动。"
    else:
        said = f"**{places}：可写入 {good} 项**（新增 {counts.new}，修改 {counts.changed}）"
        said += f"，**冲突 {counts.conflicting} 项**" if counts.conflicting else ""
        said += "。"
    if counts.refused:
        said += f"不采用 {counts.refused} 项。"
    return said + "现在还没有写入任何内容。"


def moved_sentence(batch: Batch) -> str:
    """Return that drafts moved under the batch, here or under the job that was to write it."""
    if batch.checked_at <= batch.created_at:
        return ""
    return (
        "您预览之后有草稿又被保存过，没有写入任何内容。"
        f"已于 {moment(batch.checked_at)} 按最新的草稿重新比对，请再核对。"
    )


# WHAT IS SHOWN


def preview(actor: Actor, batch: Batch, form: Form) -> None:
    """Draw what the batch would change, let conflicts be decided, and write it."""
    with transaction(actor, read_only=True) as connection:
        counts = workbook_batches.count_rows(connection, batch.batch_id)
        units = workbook_batches.list_units(connection, batch.batch_id)
    if notice := st.session_state.pop(_NOTICE, None) or moved_sentence(batch):
        st.warning(notice)
    st.markdown(batch_sentence(counts, units))
    for note in batch.notes:
        st.caption(note)
    shown = _filters(batch, counts, units)
    if shown is not None:
        _listed(actor, batch, form, counts, *shown)
    _actions(actor, batch, counts)


_KINDS = (EntryKind.CONFLICTING, EntryKind.CHANGED, EntryKind.NEW, EntryKind.REFUSED)


def _filters(
    batch: Batch, counts: Counts, units: Sequence[BatchUnit]
) -> tuple[str, str | None] | None:
    """Draw the kinds with their counts and the unit; return what is chosen, None for nothing."""
    amounts = {kind.value: getattr(counts, kind.value) for kind in _KINDS}
    amounts[_PROBLEMS] = counts.errors
    options = [kind for kind, amount in amounts.items() if amount]
    words = {kind.value: label(kind) for kind in _KINDS} | {_PROBLEMS: "有问题，可存草稿"}
    with st.container(horizontal=True, vertical_alignment="center", key="workbooks-filters"):
        kind = None
        if options:
            kind = st.segmented_control(
                "类别",
                options,
                default=options[0],
                required=True,
                format_func=lambda each: f"{words[each]} {amounts[each]:,}",
                key=f"workbooks-kind-{batch.batch_id}",
                label_visibility="collapsed",
                width="content",
            )
        st.caption(f"未变 {batch.unchanged_count:,} 项", width="content")
        unit = _unit_choice(batch, units)
    return (kind, unit) if kind else None


def _unit_choice(batch: Batch, units: Sequence[BatchUnit]) -> str | None:
    if len(units) < 2:
        return None
    names = {unit.division_code: unit.unit_name for unit in units}
    chosen: str | None = st.selectbox(
        "单位",
        list(names),
        index=None,
        placeholder="全部单位",
        format_func=lambda code: names[code],
        key=f"workbooks-unit-{batch.batch_id}",
        label_visibility="collapsed",
        width=220,
    )
    return chosen


def _listed(
    actor: Actor, batch: Batch, form: Form, counts: Counts, kind: str, unit: str | None
) -> None:
    """Draw one page of what the filters leave."""
    key = f"workbooks-page-{batch.batch_id}-{kind}-{unit}"
    page = int(st.session_state.get(key, 0))
    with transaction(actor, read_only=True) as connection:
        rows, total = workbook_batches.list_rows(
            connection,
            batch.batch_id,
            kind=None if kind == _PROBLEMS else EntryKind(kind),
            with_problem=kind == _PROBLEMS,
            division_code=unit,
            limit=_PER_PAGE,
            offset=page * _PER_PAGE,
        )
    if kind == EntryKind.CONFLICTING:
        _conflicts(actor, batch, form, rows, counts)
    else:
        st.html(_table(form, rows))
    if total > _PER_PAGE:
        _pager(key, page, total)


def _table(form: Form, rows: Sequence[BatchRow]) -> str:
    lines = "".join(_table_line(form, row) for row in rows)
    head = "<th>位置</th><th>内容</th><th>现值</th><th></th><th>工作簿</th><th>说明</th>"
    return (
        '<div class="portal-scroll"><table class="portal-table workbook-table">'
        f"<thead><tr>{head}</tr></thead><tbody>{lines}</tbody></table></div>"
    )


def _table_line(form: Form, row: BatchRow) -> str:
    old, new = workbook_batches.texts_of(form, row)
    place = f"{row.sheet} 第 {row.row_no} 行" if row.row_no else row.sheet
    note = row_note(row)
    look = "portal-error" if row.kind is EntryKind.REFUSED else f"portal-{row.severity}"
    cells = (
        f'<td class="workbook-place">{escape(row.unit_name)}<br><small>{escape(place)}</small></td>'
        f"<td>{escape(row.label)}</td>"
        f'<td class="portal-old">{escape(old)}</td><td class="workbook-arrow">→</td>'
        f'<td class="workbook-new">{escape(new)}</td>'
        f'<td><span class="portal-note {look}">{escape(note)}</span></td>'
    )
    return f"<tr>{cells}</tr>"


def _conflicts(
    actor: Actor, batch: Batch, form: Form, rows: Sequence[BatchRow], counts: Counts
) -> None:
    """Draw the conflicts with both values; each wants a decision, or all get one at once."""
    with st.container(horizontal=True, vertical_alignment="center"):
        left = f"还有 **{counts.undecided}** 项未选择。" if counts.undecided else "都已选择。"
        st.markdown(f"下载之后，这些内容已被他人保存为另一个值。{left}", width="stretch")
        for decision in Decision:
            st.button(
                f"全部{label(decision)}",
                key=f"workbooks-all-{decision}",
                on_click=_decide,
                args=(actor, batch.batch_id, decision, None),
            )
    for row in rows:
        _conflict(actor, batch, form, row)


def _conflict(actor: Actor, batch: Batch, form: Form, row: BatchRow) -> None:
    old, new = workbook_batches.texts_of(form, row)
    look = f"portal-note portal-{row.severity}"
    note = f'<small class="{look}">{escape(row.problem)}</small>' if row.problem else ""
    key = f"workbooks-conflict-{batch.batch_id}-{row.entry_no}-{row.decision}"
    with st.container(border=True, key=f"workbooks-row-{row.entry_no}"):
        st.html(
            f'<div class="workbook-conflict"><b>{escape(row.unit_name)} · {escape(row.label)}</b>'
            f"<span>工作簿：<em>{escape(new)}</em></span><span>现值：<em>{escape(old)}</em></span>"
            f"{note}</div>"
        )
        st.radio(
            row.label,
            list(Decision),
            index=list(Decision).index(Decision(row.decision)) if row.decision else None,
            format_func=label,
            horizontal=True,
            key=key,
            label_visibility="collapsed",
            on_change=_decide_one,
            args=(actor, batch.batch_id, row.entry_no, key),
        )


def _decide_one(actor: Actor, batch_id: int, entry_no: int, key: str) -> None:
    _decide(actor, batch_id, Decision(st.session_state[key]), entry_no)


def _decide(actor: Actor, batch_id: int, decision: Decision, entry_no: int | None) -> None:
    try:
        with transaction(actor, action="workbook.decide") as connection:
            workbook_batches.decide(connection, batch_id, decision, entry_no)
    except PortalError as error:
        st.session_state[_NOTICE] = error_message(error)


def _pager(key: str, page: int, total: int) -> None:
    last = (total - 1) // _PER_PAGE

    def turn(by: int) -> None:
        st.session_state[key] = min(max(page + by, 0), last)

    first = page * _PER_PAGE + 1
    with st.container(horizontal=True, vertical_alignment="center"):
        st.caption(
            f"第 {first:,}–{min(first + _PER_PAGE - 1, total):,} 项，共 {total:,} 项",
            width="content",
        )
        st.button("上一页", key=f"{key}-back", disabled=page == 0, on_click=turn, args=(-1,))
        st.button("下一页", key=f"{key}-on", disabled=page == last, on_click=turn, args=(1,))


def _actions(actor: Actor, batch: Batch, counts: Counts) -> None:
    """Draw what can be done with the batch; the one primary action stands last, on the right."""
    with st.container(
        horizontal=True, horizontal_alignment="right", vertical_alignment="center",
        key="workbooks-actions",
    ):  # fmt: skip
        if counts.refused or counts.errors or counts.conflicting:
            address = f"/api/workbooks/batches/{batch.batch_id}/marked"
            st.html(download_link(address, "下载标注问题的工作簿"), width="content")
        if st.button("放弃", key="workbooks-discard"):
            with errors_shown():
                with transaction(actor, action="workbook.discard") as connection:
                    workbook_batches.discard(connection, batch.batch_id)
                leave()
        if not counts.undecided and not counts.to_write:
            return
        if counts.undecided:
            caption = f"还有 {counts.undecided} 项冲突未选择"
        else:
            caption = f"写入草稿（{counts.to_write:,} 项）"
        if st.button(
            caption,
            key="workbooks-apply",
            type="primary",
            disabled=bool(counts.undecided),
        ):
            _apply(actor, batch)


def _apply(actor: Actor, batch: Batch) -> None:
    """Write the batch, at once or by a job; where a draft moved meanwhile, compare it anew."""
    with errors_shown():
        try:
            with transaction(actor, action="workbook.apply") as connection:
                units = workbook_batches.list_units(connection, batch.batch_id)
                if len(units) > workbook_apply.MOST_AT_ONCE:
                    workbook_apply.request_apply(connection, actor, batch.batch_id)
                else:
                    workbook_apply.apply(connection, actor, batch.batch_id)
        except StaleVersion:
            workbook_check.refresh(actor, batch.batch_id)
        st.rerun()
