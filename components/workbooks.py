"""What the page of workbooks draws: the download, the preview of a batch, and what became of it."""

from collections.abc import Sequence
from html import escape
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlencode

import streamlit as st

from components.job_card import failure_text
from components.labels import error_message, label, moment
from components.session import errors_shown
from data_access import jobs, workbook_apply, workbook_batches, workbook_check, workbook_exports
from data_access.database import transaction
from data_access.workbook_apply import Filed
from data_access.workbook_batches import Batch, BatchRow, BatchUnit, Counts
from data_access.workbook_exports import MOST_AT_ONCE, Export, Period, Scope
from domain.access import Actor
from domain.errors import InvalidContent, PortalError, StaleVersion
from domain.forms import Form
from domain.jobs import UNFINISHED, JobState
from domain.workbook_diff import BatchState, Because, Decision, EntryKind

PAGE = "workbooks"
PER_PAGE = 40
_STYLES = (Path(__file__).parents[1] / "assets" / "workbooks.css").read_text("utf-8")
_NOTICE = "workbooks-notice"
_PROBLEMS = "problems"
_SHOWN_REASONS = 5


def load_styles() -> None:
    """Bring the styles of this page into it."""
    st.html(f"<style>{_STYLES}</style>")


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
        said = f"**{places}：没有可以写入的改动。**"
    else:
        said = f"**{places}：可写入 {good} 项**（新增 {counts.new}，修改 {counts.changed}）"
        said += f"，**冲突 {counts.conflicting} 项**" if counts.conflicting else ""
        said += "。"
    if counts.refused:
        said += f"不采用 {counts.refused} 项。"
    return said + "现在还没有写入任何内容。"


# DOWNLOAD


def download_card(actor: Actor, periods: Sequence[Period]) -> None:
    """Let the actor choose a form and what to put into the workbook, and take it."""
    period = _period_choice(periods)
    with transaction(actor, read_only=True) as connection:
        scopes = workbook_exports.list_scopes(connection, actor, period)
    if not scopes:
        st.info("这张表没有您可以下载的填报单位。")
        return
    scope = scopes[0]
    if len(scopes) > 1:
        scope = st.selectbox(
            "范围",
            scopes,
            format_func=lambda each: each.name,
            key=f"workbooks-scope-{period.form_code}",
        )
    else:
        st.markdown(f"填报单位：**{scope.name}**")
    if len(scope.units) > MOST_AT_ONCE:
        _request_button(actor, period, scope)
        return
    address = f"/api/workbooks/{period.period_id}?{urlencode({'scope': scope.key})}"
    st.html(download_link(address, "下载工作簿", primary=True))


def _period_choice(periods: Sequence[Period]) -> Period:
    if len(periods) == 1:
        st.markdown(f"填报表单：**{periods[0].form_title} · {periods[0].name}**")
        return periods[0]
    chosen = st.selectbox(
        "填报表单",
        periods,
        format_func=lambda each: f"{each.form_title} · {each.name}",
        key="workbooks-period",
    )
    return chosen or periods[0]


def download_link(address: str, caption: str, *, primary: bool = False) -> str:
    """Return a link that looks like a button and brings a file."""
    look = "workbook-button primary" if primary else "workbook-button"
    return f'<a class="{look}" href="{escape(address)}" target="_self">{escape(caption)}</a>'


def _request_button(actor: Actor, period: Period, scope: Scope) -> None:
    st.caption(f"共 {len(scope.units):,} 个单位，在后台生成，完成后在下方下载。")
    if st.button("生成工作簿", key="workbooks-request", type="primary"):
        with errors_shown():
            with transaction(actor, action="workbook.export") as connection:
                workbook_exports.request(connection, actor, period, scope)
            st.rerun()


@st.fragment(run_every="3s")
def made_list(actor: Actor) -> None:
    """Draw the workbooks that jobs make for the actor, with their progress."""
    with transaction(actor, read_only=True) as connection:
        exports = workbook_exports.list_made(connection, actor)
        known = {e.export_id: jobs.get(connection, e.job_id) for e in exports if e.job_id}
    for export in exports:
        _made_line(export, known[export.export_id])


def _made_line(export: Export, job: jobs.JobRow) -> None:
    with st.container(horizontal=True, vertical_alignment="center"):
        st.markdown(f"{export.scope_name}（{moment(export.taken_at)} 要求生成）", width="content")
        if export.ready_at:
            st.html(download_link(f"/api/workbooks/made/{export.export_id}", "下载"))
        elif job.state in UNFINISHED:
            st.error(failure_text(job))
        else:
            st.progress(job.ratio or 0.0, text=job.message or "等待生成")


# WHAT CAME BACK


def take_upload(actor: Actor, uploaded: dict[str, Any]) -> None:
    """Compare the file that has just arrived, and open its preview; or say why it is not taken."""
    try:
        with st.spinner("正在逐格核对……"):
            batch_id = workbook_check.receive(actor, str(uploaded.get("sha256", "")))
    except PortalError as error:
        st.error(f"“{uploaded.get('file_name', '')}”：{error_message(error)}没有写入任何内容。")
        return
    st.query_params["batch"] = str(batch_id)
    st.rerun()


def batch_list(batches: Sequence[Batch]) -> None:
    """Draw the actor's latest uploads; each opens its preview."""
    if not batches:
        return
    st.subheader("最近上传", anchor=False)
    lines = "".join(
        f'<tr><td><a href="{PAGE}?batch={batch.batch_id}" target="_self">'
        f"{escape(batch.file_name)}</a></td>"
        f"<td>{escape(batch.form_title)} · {escape(batch.period_name)}</td>"
        f"<td>{moment(batch.created_at)}</td><td>{label(batch.state)}</td></tr>"
        for batch in batches
    )
    head = "<th>文件</th><th>填报表单</th><th>上传时间</th><th>状态</th>"
    st.html(
        '<div class="portal-scroll"><table class="portal-table">'
        f"<thead><tr>{head}</tr></thead><tbody>{lines}</tbody></table></div>"
    )


def preview(actor: Actor, batch: Batch, form: Form) -> None:
    """Draw what the batch would change, let conflicts be decided, and write it."""
    with transaction(actor, read_only=True) as connection:
        counts = workbook_batches.count_rows(connection, batch.batch_id)
        units = workbook_batches.list_units(connection, batch.batch_id)
    if notice := st.session_state.pop(_NOTICE, None):
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
            limit=PER_PAGE,
            offset=page * PER_PAGE,
        )
    if kind == EntryKind.CONFLICTING:
        _conflicts(actor, batch, form, rows, counts)
    else:
        st.html(_table(form, rows))
    if total > PER_PAGE:
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
    key = f"workbooks-conflict-{batch.batch_id}-{row.entry_no}-{row.decision}"
    with st.container(border=True, key=f"workbooks-row-{row.entry_no}"):
        st.html(
            f'<div class="workbook-conflict"><b>{escape(row.unit_name)} · {escape(row.label)}</b>'
            f"<span>工作簿：<em>{escape(new)}</em></span><span>现值：<em>{escape(old)}</em></span>"
            f'<small class="portal-note portal-{row.severity}">{escape(row.problem)}</small></div>'
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
    last = (total - 1) // PER_PAGE

    def turn(by: int) -> None:
        st.session_state[key] = min(max(page + by, 0), last)

    first = page * PER_PAGE + 1
    with st.container(horizontal=True, vertical_alignment="center"):
        st.caption(
            f"第 {first:,}–{min(first + PER_PAGE - 1, total):,} 项，共 {total:,} 项",
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
        if counts.undecided:
            caption = f"还有 {counts.undecided} 项冲突未选择"
        else:
            caption = f"写入草稿（{counts.to_write:,} 项）"
        if st.button(
            caption,
            key="workbooks-apply",
            type="primary",
            disabled=bool(counts.undecided) or not counts.to_write,
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
            st.session_state[_NOTICE] = (
                "您预览之后有草稿又被保存过，没有写入任何内容。已按最新的草稿重新比对，请再核对。"
            )
        st.rerun()


def leave() -> None:
    """Go back to where workbooks are taken and brought."""
    st.query_params.clear()
    st.rerun()


# WHILE A JOB WRITES, AND AFTERWARDS


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
    if waiting and not incomplete:
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
    link = f'<a href="{report_address(batch, unit)}" target="_self">打开填报</a>'
    return f"<tr><td>{escape(unit.unit_name)}</td><td>{said}</td><td>{link}</td></tr>"


def _reasons(batch: Batch, failed: Filed) -> str:
    """Return why a report was not filed, each reason a link to its field."""
    if not isinstance(failed.error, InvalidContent) or not failed.problems:
        return f"未报送：{escape(error_message(failed.error))}" if failed.error else ""
    links = [
        f'<a href="{report_address(batch, failed.unit)}#{quote(problem.path)}" target="_self">'
        f"{escape(problem.label)}</a>：{escape(problem.message)}"
        for problem in failed.problems[:_SHOWN_REASONS]
    ]
    more = len(failed.problems) - len(links)
    links += [f"另有 {more} 处。"] if more > 0 else []
    return "未报送，须改正：<br>" + "<br>".join(links)


def report_address(batch: Batch, unit: BatchUnit) -> str:
    """Return where the unit's report is filled in."""
    return "report?" + escape(urlencode({"form": batch.form_code, "unit": unit.division_code}))


def _submit_button(actor: Actor, batch: Batch, waiting: Sequence[BatchUnit]) -> None:
    with st.container(horizontal=True, horizontal_alignment="right"):
        if st.button(f"全部报送（{len(waiting)} 个单位）", key="workbooks-submit", type="primary"):
            filed = workbook_apply.submit_all(actor, batch.batch_id)
            st.session_state[f"workbooks-filed-{batch.batch_id}"] = filed
            st.rerun()


def back_link() -> None:
    """Draw the way back to the page's beginning."""
    st.html(f'<a class="workbook-back" href="{PAGE}" target="_self">← 返回下载与上传</a>')
