"""A batch while a job writes it, and what was written: where each report stands, and filing all."""

from collections.abc import Sequence
from html import escape

import streamlit as st

from components.form_editor import FIELD
from components.job_card import failure_text
from components.labels import error_message
from components.links import address
from data_access import jobs, workbook_apply, workbook_batches
from data_access.database import transaction
from data_access.workbook_apply import Filed
from data_access.workbook_batches import Batch, BatchUnit
from domain.access import Actor, Role
from domain.clock import moment
from domain.errors import InvalidContent
from domain.jobs import UNFINISHED, JobState
from domain.workbook_diff import BatchState

_SHOWN_REASONS = 5


@st.fragment(run_every="2s")
def applying(actor: Actor, batch: Batch) -> None:
    """Draw how far the job is that writes the batch."""
    with transaction(actor, read_only=True) as connection:
        state = workbook_batches.get_batch(connection, batch.batch_id).state
        job = jobs.get(connection, batch.job_id) if batch.job_id else None
    if state is not BatchState.APPLYING:
        st.rerun(scope="app")
    if job is None or job.state in UNFINISHED:
        st.error(failure_text(job) if job else "写入未能开始。")
        if st.button("回到预览", key="workbooks-reopen", type="primary"):
            with transaction(actor, action="workbook.reopen") as connection:
                workbook_apply.reopen(connection, batch.batch_id)
            st.rerun(scope="app")
        return
    text = job.message or ("正在写入草稿" if job.state is JobState.RUNNING else "等待写入")
    st.progress(min(job.ratio or 0.0, 1.0), text=f"{text}　{job.done:,} / {job.total or 0:,}")
    st.caption("可以离开本页，写入会继续；要么全部写入，要么一项也不写。")


def outcome(actor: Actor, batch: Batch) -> None:
    """Draw what was written, where each report stands now, and offer to file them all."""
    with transaction(actor, read_only=True) as connection:
        counts = workbook_batches.count_rows(connection, batch.batch_id)
        units = workbook_batches.list_units(connection, batch.batch_id)
    saved = [unit for unit in units if unit.saved_version]
    waiting = [unit for unit in saved if workbook_apply.is_in_hand(unit)]
    at = moment(batch.applied_at) if batch.applied_at else ""
    st.success(f"已于 {at} 写入 {len(saved)} 个单位的草稿，共 {counts.to_write:,} 项。")
    filed = st.session_state.get(f"workbooks-filed-{batch.batch_id}", [])
    failed = {each.unit.division_code: each for each in filed if each.error}
    st.html(_unit_table(batch, saved, failed))
    incomplete = [unit for unit in waiting if unit.error_count]
    if actor.roles <= {Role.DEPARTMENT}:
        st.caption("您部门的指标已写入各单位的草稿，由各单位自行报送。")
    elif waiting and not incomplete:
        _submit_button(actor, batch, waiting)
    elif incomplete:
        st.caption("有须改正之处的单位，请打开填报改正后报送；也可改好工作簿后再次上传。")


def _unit_table(batch: Batch, units: Sequence[BatchUnit], failed: dict[str, Filed]) -> str:
    lines = "".join(_unit_line(batch, unit, failed.get(unit.division_code)) for unit in units)
    return (
        '<div class="portal-scroll"><table class="portal-table"><thead><tr><th>填报单位</th>'
        f"<th>现状</th><th></th></tr></thead><tbody>{lines}</tbody></table></div>"
    )


def _unit_line(batch: Batch, unit: BatchUnit, failed: Filed | None) -> str:
    if failed is not None:
        said = _reasons(batch, failed)
    elif not workbook_apply.is_in_hand(unit):
        said = "已报送，等待审核。"
    elif unit.error_count:
        said = f"草稿已更新，还有 {unit.error_count} 处须改正后才能报送。"
    else:
        said = "草稿已更新，可以报送。"
    link = f'<a href="{escape(report_address(batch, unit))}" target="_self">打开填报</a>'
    return f"<tr><td>{escape(unit.unit_name)}</td><td>{said}</td><td>{link}</td></tr>"


def _reasons(batch: Batch, failed: Filed) -> str:
    """Return why a report was not filed, each reason a link to its field."""
    if not isinstance(failed.error, InvalidContent) or not failed.problems:
        return f"未报送：{escape(error_message(failed.error))}" if failed.error else ""
    links = [
        f'<a href="{escape(report_address(batch, failed.unit, problem.path))}" target="_self">'
        f"{escape(problem.label)}</a>：{escape(problem.message)}"
        for problem in failed.problems[:_SHOWN_REASONS]
    ]
    more = len(failed.problems) - len(links)
    links += [f"另有 {more} 处。"] if more > 0 else []
    return "未报送，须改正：<br>" + "<br>".join(links)


def report_address(batch: Batch, unit: BatchUnit, path: str = "") -> str:
    """Return where the unit's report is filled in; `path` is the field to be brought to."""
    asked = {"form": batch.form_code, "unit": unit.division_code}
    return address("report", asked | ({FIELD: path} if path else {}))


def _submit_button(actor: Actor, batch: Batch, waiting: Sequence[BatchUnit]) -> None:
    with st.container(horizontal=True, horizontal_alignment="right"):
        if st.button(f"全部报送（{len(waiting)} 个单位）", key="workbooks-submit", type="primary"):
            filed = workbook_apply.submit_all(actor, batch.batch_id)
            st.session_state[f"workbooks-filed-{batch.batch_id}"] = filed
            st.rerun()
