"""Where workbooks are taken and brought: the download, the upload, and the latest batches."""

from collections.abc import Sequence
from html import escape
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import streamlit as st

from components.job_card import failure_text
from components.labels import error_message, label
from components.session import errors_shown
from data_access import jobs, workbook_check, workbook_exports, workbook_scopes
from data_access.csv_batches import CsvBatch
from data_access.database import transaction
from data_access.workbook_batches import Batch
from data_access.workbook_exports import MOST_AT_ONCE, Export
from data_access.workbook_scopes import Period, Scope
from domain.access import Actor
from domain.clock import moment
from domain.errors import PortalError
from domain.jobs import UNFINISHED

PAGE = "workbooks"
_STYLES = (Path(__file__).parents[1] / "assets" / "workbooks.css").read_text("utf-8")


def load_styles() -> None:
    """Bring the styles of this page into it."""
    st.html(f"<style>{_STYLES}</style>")


def download_link(address: str, caption: str, *, primary: bool = False) -> str:
    """Return a link that looks like a button and brings a file."""
    look = "workbook-button primary" if primary else "workbook-button"
    return f'<a class="{look}" href="{escape(address)}" target="_self">{escape(caption)}</a>'


def back_link() -> None:
    """Draw the way back to the page's beginning."""
    st.html(f'<a class="workbook-back" href="{PAGE}" target="_self">← 返回下载与上传</a>')


def leave() -> None:
    """Go back to where workbooks are taken and brought."""
    st.query_params.clear()
    st.rerun()


# DOWNLOAD


def download_card(actor: Actor, periods: Sequence[Period]) -> None:
    """Let the actor choose a form and what to put into the workbook, and take it."""
    period = _period_choice(periods)
    with transaction(actor, read_only=True) as connection:
        scopes = workbook_scopes.list_scopes(connection, actor, period)
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


def batch_list(batches: Sequence[Batch | CsvBatch], title: str, parameter: str) -> None:
    """Draw the actor's latest uploads; `parameter` is what opens the preview of one."""
    if not batches:
        return
    st.subheader(title, anchor=False)
    lines = "".join(
        f'<tr><td><a href="{PAGE}?{parameter}={batch.batch_id}" target="_self">'
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
