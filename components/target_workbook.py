"""Targets of many years in Excel and back: what a workbook changes is seen before it is written."""

from collections.abc import Mapping, Sequence
from typing import Any

import streamlit as st

from components.indicator_targets import NOTICE, SEEN, STATES
from components.labels import error_message, label, unit_text
from components.session import errors_shown
from components.upload import upload_field
from data_access import indicator_changes, target_workbook
from data_access.database import transaction
from data_access.indicators import Canonical, IndicatorTarget
from data_access.target_workbook import Compared, WantedTarget
from domain.access import Actor
from domain.errors import PortalError
from domain.target_sheet import LineFault, Sheet

_SHEET, _TAKEN = "target-workbook-sheet", "target-workbook-taken"
_HEIGHT = 320  # pixels


def workbook_area(actor: Actor, choices: Mapping[str, Canonical]) -> None:
    """Draw the upload, and what the last one changes until it is written or thrown away."""
    is_open = _SHEET in st.session_state
    with st.expander("Excel 批量录入：一次录入多个目标年、多个单位", expanded=is_open):
        st.caption(
            "下载本页表格，在 Excel 中修改，可添行填其他目标年，再传回：先看清改了什么，再写入。"
        )
        uploaded = upload_field(
            actor, "改好的指标目标表", key="targets-upload", use=target_workbook.USE
        )
        # The element goes on saying what arrived: each file is read once.
        if uploaded and uploaded != st.session_state.get(_TAKEN):
            st.session_state[_TAKEN] = uploaded
            _take(actor, uploaded)
        if _SHEET in st.session_state:
            _preview(actor, st.session_state[_SHEET], choices)


def _take(actor: Actor, uploaded: Mapping[str, Any]) -> None:
    st.session_state.pop(_SHEET, None)
    try:
        with st.spinner("正在逐行核对……"), transaction(actor, read_only=True) as connection:
            sha256 = str(uploaded.get("sha256", ""))
            st.session_state[_SHEET] = target_workbook.receive(connection, sha256, STATES)
    except PortalError as error:
        st.error(f"“{uploaded.get('file_name', '')}”：{error_message(error)}没有写入任何内容。")


def _preview(actor: Actor, sheet: Sheet, choices: Mapping[str, Canonical]) -> None:
    with transaction(actor, read_only=True) as connection:
        units = indicator_changes.list_target_units(connection)
        found = target_workbook.compare(connection, sheet, units, choices)
    added = sum(each.change.opened is None for each in found.wanted)
    st.markdown(
        f"新增 **{added}** 项，修改 **{len(found.wanted) - added}** 项，"
        f"未变 {found.unchanged} 项，有误 **{len(found.faults)}** 行（不写入）。"
    )
    if found.wanted:
        _table([_wanted_row(each) for each in found.wanted], "targets-wanted")
    if found.faults:
        _table([_fault_row(each) for each in found.faults], "targets-faults")
    with st.container(horizontal=True, horizontal_alignment="right"):
        if st.button("放弃", key="targets-discard"):
            del st.session_state[_SHEET]
            st.rerun()
        count = len(found.wanted)
        if st.button(f"写入 {count} 项", type="primary", key="targets-write", disabled=not count):
            with errors_shown():
                _write(actor, found)


def _table(rows: Sequence[Mapping[str, object]], key: str) -> None:
    st.dataframe(
        rows,
        hide_index=True,
        height=min(38 + 35 * len(rows), _HEIGHT),
        placeholder="—",
        column_config={
            "行": st.column_config.NumberColumn(width=50),
            "目标年": st.column_config.TextColumn(width=70),
            "列": st.column_config.TextColumn(width=90),
        },
        key=key,
    )


def _wanted_row(wanted: WantedTarget) -> dict[str, object]:
    unit = unit_text(wanted.indicator.unit)
    return {
        "行": wanted.line.row_no,
        "单位": wanted.unit.name,
        "指标": wanted.indicator.name,
        "目标年": str(wanted.change.wanted.target_year),
        "原为": _words(wanted.change.opened, unit),
        "改为": _words(wanted.change.wanted, unit),
        "提示": wanted.doubt,
    }


def _words(target: IndicatorTarget | None, unit: str) -> str:
    if target is None:
        return "没有录入"
    row = target.typed
    parts = [f"{row.value} {unit}" if row.value else label(target.state)]
    if row.base_year:
        parts.append(f"基期 {row.base_year} 年 {row.base_value} {unit}")
    parts += [text for text in (row.document_no, row.issued_on) if text]
    return "，".join(parts)


def _fault_row(fault: LineFault) -> dict[str, object]:
    return {
        "行": fault.row_no,
        "单位": fault.unit_name,
        "目标年": fault.target_year,
        "列": fault.column,
        "原因": fault.reason,
    }


def _write(actor: Actor, found: Compared) -> None:
    with (
        st.spinner("正在写入并重新评级…"),
        transaction(actor, action="indicator_target.import") as connection,
    ):
        changes = [each.change for each in found.wanted]
        judged = indicator_changes.change_targets(connection, actor, changes)
    del st.session_state[_SHEET]
    st.session_state.pop(SEEN, None)
    st.session_state[NOTICE] = (
        f"已按工作簿写入 {len(changes)} 项目标：{judged.changed:,} 项评估结果变化，"
        f"生成预警事项 {judged.raised:,} 项。"
    )
    st.rerun()
