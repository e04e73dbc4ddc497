"""CSV of many units: taken by a job, brought back, looked at row by row, written by a job."""

from collections.abc import Sequence
from html import escape
from typing import Any

import streamlit as st

from components.job_card import failure_text
from components.labels import error_message, label
from components.session import errors_shown
from components.upload import upload_field
from components.workbooks import download_link, leave
from data_access import csv_batches, csv_exports, jobs, workbook_scopes
from data_access.csv_batches import CsvBatch, CsvRow
from data_access.database import transaction
from data_access.forms import load_form
from data_access.workbook_scopes import Period, Scope
from domain.access import Actor, Role
from domain.clock import moment
from domain.csv_data import CsvCounts, CsvReason, CsvRefusal, CsvState
from domain.errors import PortalError
from domain.form_texts import text_of
from domain.forms import Form, cell_label, path_of
from domain.jobs import UNDER_WAY, UNFINISHED
from domain.workbook_diff import Decision, EntryKind

UPLOADERS = (Role.PLAN_BUREAU, Role.COUNTY, Role.TOWNSHIP)
_PER_PAGE = 40
_SHOWN_CELLS = 6
_PROBLEMS = "problems"
_NOTICE = "csv-notice"
_DECISIONS = {Decision.MINE: "采用文件的", Decision.THEIRS: "保留现值"}


def csv_periods(periods: Sequence[Period]) -> list[Period]:
    """Return the periods whose forms travel as CSV."""
    return [period for period in periods if period.form_code in csv_batches.KEYS]


# TAKE AND BRING


def take_and_bring(actor: Actor, periods: Sequence[Period]) -> None:
    """Draw the download and the upload of CSV, for who files many units or follows them."""
    offered = csv_periods(periods)
    if not offered:
        return
    with st.container(border=True, key="workbooks-csv"):
        if not st.toggle("CSV 数据：全部行政村和自然村，每级一个文件", key="csv-open"):
            return
        period = offered[0]
        st.markdown(
            f"{period.form_title} · {period.name}。适合与其他系统往来，或一次处理很多村；"
            "列的先后可以变，来自别处的文件只要有代码列即可。"
        )
        take, bring = st.columns(2, gap="medium")
        with take:
            _take(actor, period)
        with bring:
            if actor.has_role(*UPLOADERS):
                _bring(actor, period)


def _take(actor: Actor, period: Period) -> None:
    with transaction(actor, read_only=True) as connection:
        scopes = workbook_scopes.list_scopes(connection, actor, period)
    if not scopes:
        st.caption("没有您可以下载的村。")
        return
    scope: Scope = st.selectbox(
        "CSV 范围", scopes, format_func=lambda each: each.name, key="csv-scope"
    )
    if st.button("生成 CSV", key="csv-request"):
        with errors_shown():
            with transaction(actor, action="csv.export") as connection:
                csv_exports.request(connection, actor, period, scope)
            st.rerun()


def _bring(actor: Actor, period: Period) -> None:
    uploaded: dict[str, Any] | None = upload_field(
        actor, "填好的 CSV 或压缩包", key="csv-upload", use=csv_batches.USE
    )
    if not uploaded:
        return
    try:
        with transaction(actor, action="csv.upload") as connection:
            batch_id = csv_batches.request(
                connection, actor, period.period_id, str(uploaded.get("sha256", ""))
            )
    except PortalError as error:
        st.error(f"“{uploaded.get('file_name', '')}”：{error_message(error)}没有写入任何内容。")
        return
    st.query_params["csv"] = str(batch_id)
    st.rerun()


# ONE BATCH


def batch_page(actor: Actor, batch_id: int) -> None:
    """Draw one batch as far as it is: being read, to be decided, being written, written."""
    with errors_shown(stop=True), transaction(actor, read_only=True) as connection:
        batch = csv_batches.get_batch(connection, batch_id)
        form = load_form(connection, batch.form_code, batch.form_version)
    st.caption(f"{batch.file_name} · {batch.form_title} {batch.period_name}")
    if batch.state in (CsvState.CHECKING, CsvState.APPLYING):
        _working(actor, batch)
    elif batch.state is CsvState.REFUSED:
        st.error(f"CSV 文件未能读取：{refusal_words(batch.refusal or '')}。没有写入任何内容。")
        _discard_button(actor, batch)
    elif batch.state is CsvState.OPEN:
        _preview(actor, batch, form)
    elif batch.state is CsvState.APPLIED:
        _applied(actor, batch)
    else:
        st.info("这次上传已放弃，没有写入任何内容。")


def refusal_words(refusal: str) -> str:
    """Return why a file is not taken; where it is about one file or column, with its name."""
    reason, _, name = refusal.partition("|")
    words = label(CsvRefusal(reason))
    return f"“{name}”{words}" if name else words


@st.fragment(run_every="2s")
def _working(actor: Actor, batch: CsvBatch) -> None:
    with transaction(actor, read_only=True) as connection:
        now = csv_batches.get_batch(connection, batch.batch_id)
        job = jobs.get(connection, batch.job_id) if batch.job_id else None
    if now.state is not batch.state:
        st.rerun(scope="app")
    if job is None or job.state in UNFINISHED:
        st.error(failure_text(job) if job else "任务未能开始。")
        if st.button("重试", key="csv-reopen", type="primary"):
            with transaction(actor, action="csv.reopen") as connection:
                csv_batches.reopen(connection, actor, batch.batch_id)
            st.rerun(scope="app")
        return
    st.progress(min(job.ratio or 0.0, 1.0), text=job.message or "等待处理")
    st.caption("可以离开本页，处理会继续；写入时要么全部写入，要么一行也不写。")


def csv_sentence(counts: CsvCounts) -> str:
    """Return in a sentence what the upload would do, in Markdown."""
    good = counts.new + counts.changed
    if good:
        said = f"**可写入 {good:,} 行**（新增 {counts.new:,}，修改 {counts.changed:,}）"
    else:
        said = "**没有可以写入的改动**"
    said += f"，**冲突 {counts.conflicting:,} 行**" if counts.conflicting else ""
    said += f"；未变 {counts.unchanged:,} 行"
    said += f"，不采用 {counts.refused:,} 行" if counts.refused else ""
    return said + "。现在还没有写入任何内容。"


def _preview(actor: Actor, batch: CsvBatch, form: Form) -> None:
    with transaction(actor, read_only=True) as connection:
        counts = csv_batches.count_rows(connection, batch.batch_id)
    notice = st.session_state.pop(_NOTICE, None)
    if notice:
        st.error(notice)
    st.markdown(csv_sentence(counts))
    if batch.export_id is None:
        st.caption("文件没有“下载编号”：空单元格不改动；草稿由人保存过的，与其不同的值列为冲突。")
    for note in batch.notes:
        st.caption(note)
    if batch.judged_at is None:
        _judging(actor, batch)
    kind = _kind_choice(batch, counts)
    if kind:
        _listed(actor, batch, form, counts, kind)
    _actions(actor, batch, counts)


@st.fragment(run_every="2s")
def _judging(actor: Actor, batch: CsvBatch) -> None:
    """Say how far the rules were asked; the preview grows meanwhile, and may be written already."""
    with transaction(actor, read_only=True) as connection:
        now = csv_batches.get_batch(connection, batch.batch_id)
        job = jobs.get(connection, batch.job_id) if batch.job_id else None
    if now.judged_at is not None or now.state is not batch.state:
        st.rerun(scope="app")
    if job is None or job.state not in UNDER_WAY:
        st.caption("校验规则没有逐村核对完，“须改正”可能不全；报送时仍会逐份核对。")
        return
    done = f"　{job.done:,} / {job.total:,} 村" if job.total else ""
    text = f"{job.message or '等待按校验规则核对'}{done}（已发现的问题列在“须改正”）"
    st.progress(min(job.ratio or 0.0, 1.0), text=text)


def _kind_choice(batch: CsvBatch, counts: CsvCounts) -> str | None:
    numbers = {
        EntryKind.CONFLICTING.value: counts.conflicting,
        EntryKind.REFUSED.value: counts.refused,
        _PROBLEMS: counts.problems,
        EntryKind.NEW.value: counts.new,
        EntryKind.CHANGED.value: counts.changed,
    }
    kinds = [kind for kind, number in numbers.items() if number]
    if not kinds:
        return None
    chosen: str | None = st.segmented_control(
        "筛选",
        kinds,
        default=kinds[0],
        format_func=lambda kind: (
            f"{'须改正' if kind == _PROBLEMS else label(EntryKind(kind))} {numbers[kind]:,}"
        ),
        key=f"csv-kind-{batch.batch_id}",
        label_visibility="collapsed",
    )
    return chosen or kinds[0]


def _listed(actor: Actor, batch: CsvBatch, form: Form, counts: CsvCounts, kind: str) -> None:
    total = counts.problems if kind == _PROBLEMS else getattr(counts, kind)
    pages = (total - 1) // _PER_PAGE + 1
    page = 1
    if pages > 1:
        page = int(
            st.number_input(
                f"页（共 {pages:,} 页）",
                1,
                pages,
                key=f"csv-page-{batch.batch_id}-{kind}",
                width=160,
            )
        )
    with transaction(actor, read_only=True) as connection:
        rows = csv_batches.list_rows(
            connection,
            batch.batch_id,
            kind=None if kind == _PROBLEMS else EntryKind(kind),
            with_problem=kind == _PROBLEMS,
            limit=_PER_PAGE,
            offset=(page - 1) * _PER_PAGE,
        )
    if kind == EntryKind.CONFLICTING:
        _decide_all(actor, batch, counts)
    lines = "".join(_line(form, row) for row in rows)
    head = "<th>位置</th><th>村</th><th>内容（现值 → 文件）</th><th>说明</th>"
    st.html(
        '<div class="portal-scroll"><table class="portal-table workbook-table">'
        f"<thead><tr>{head}</tr></thead><tbody>{lines}</tbody></table></div>"
    )


def _line(form: Form, row: CsvRow) -> str:
    place = f"{escape(row.file)}<br>" if row.file else ""
    code = row.row_key or row.division_code or ""
    look = "portal-error" if row.kind is EntryKind.REFUSED or row.problem else ""
    return (
        f'<tr><td class="workbook-place">{place}<small>第 {row.row_no:,} 行</small></td>'
        f"<td>{escape(row.row_name or row.unit_name)}<br><small>{escape(code)}</small></td>"
        f"<td>{_cells(form, row)}</td>"
        f'<td><span class="portal-note {look}">{escape(row_words(row))}</span></td></tr>'
    )


def row_words(row: CsvRow) -> str:
    """Return what is to be said of a row: why not, or what is left to correct."""
    said = row.problem.replace("\n", " ")
    if row.reason == CsvReason.DUPLICATE:
        return f"{label(CsvReason.DUPLICATE)}（另见第 {said} 行）"
    if row.reason == CsvReason.NOT_UNDERSTOOD:
        return f"{said} 整行未采用。"
    if row.reason:
        return f"{label(CsvReason(row.reason))}{f'（{said}）' if said else ''}"
    if row.decision:
        return f"{_DECISIONS[Decision(row.decision)]}。{said}"
    return said


def _cells(form: Form, row: CsvRow) -> str:
    codes = [*row.new_values, *row.removed]
    shown = []
    for code in codes[:_SHOWN_CELLS]:
        name = cell_label(form, row.group_code, row.row_key, code).rpartition(" · ")[2]
        path = path_of(row.group_code, row.row_key, code)
        old = text_of(form, path, row.old_values.get(code))
        new = text_of(form, path, row.new_values.get(code))
        mark = "（冲突）" if code in row.conflicts else ""
        shown.append(f"{escape(name)}{mark}：{escape(old) or '空'} → <b>{escape(new) or '空'}</b>")
    more = len(codes) - len(shown)
    return "<br>".join([*shown, *([f"另有 {more} 项"] if more > 0 else [])])


def _decide_all(actor: Actor, batch: CsvBatch, counts: CsvCounts) -> None:
    def decide(decision: Decision) -> None:
        try:
            with transaction(actor, action="csv.decide") as connection:
                csv_batches.decide(connection, batch.batch_id, decision)
        except PortalError as error:
            st.session_state[_NOTICE] = error_message(error)

    with st.container(horizontal=True, vertical_alignment="center"):
        left = f"还有 **{counts.undecided:,}** 行未选择。" if counts.undecided else "都已选择。"
        st.markdown(f"草稿中已有人保存了另一个值。{left}", width="stretch")
        for decision in Decision:
            st.button(
                f"全部{_DECISIONS[decision]}",
                key=f"csv-all-{decision}",
                on_click=decide,
                args=(decision,),
            )


def _actions(actor: Actor, batch: CsvBatch, counts: CsvCounts) -> None:
    with st.container(
        horizontal=True, horizontal_alignment="right", vertical_alignment="center",
        key="csv-actions",
    ):  # fmt: skip
        if bad := counts.refused + counts.problems:
            address = f"/api/csv/{batch.batch_id}/bad-rows"
            st.html(download_link(address, f"下载全部 {bad:,} 个问题行"), width="content")
        _discard_button(actor, batch)
        if not counts.to_write and not counts.undecided:
            return
        if counts.undecided:
            caption = f"还有 {counts.undecided:,} 行冲突未选择"
        else:
            caption = f"写入草稿（{counts.to_write:,} 行）"
        if st.button(caption, key="csv-apply", type="primary", disabled=bool(counts.undecided)):
            with errors_shown():
                with transaction(actor, action="csv.apply") as connection:
                    csv_batches.request_apply(connection, actor, batch.batch_id)
                st.rerun()


def _discard_button(actor: Actor, batch: CsvBatch) -> None:
    if st.button("放弃", key="csv-discard"):
        with errors_shown():
            with transaction(actor, action="csv.discard") as connection:
                csv_batches.discard(connection, batch.batch_id)
            leave()


def _applied(actor: Actor, batch: CsvBatch) -> None:
    with transaction(actor, read_only=True) as connection:
        counts = csv_batches.count_rows(connection, batch.batch_id)
    at = moment(batch.applied_at) if batch.applied_at else ""
    st.success(f"已于 {at} 写入草稿，共 {counts.to_write:,} 行；逐行留痕，可在审计日志中查到。")
    st.caption("写入的是草稿：仍由乡镇或县级核对后报送，并按流程审核。")
