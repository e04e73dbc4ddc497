"""Excel 填报: take a workbook or CSV, bring it back, look at what it changes, write it."""

import streamlit as st

from components import csv_batches as csv_view
from components import workbook_outcome, workbook_preview, workbooks
from components.navigation import WORKBOOK_TAKERS
from components.session import errors_shown, page_frame, require_actor
from components.upload import upload_field
from components.url_parameters import number_parameter
from data_access import csv_batches, reporting, workbook_batches, workbook_exports, workbook_scopes
from data_access.database import transaction
from data_access.forms import load_form
from domain.access import Role
from domain.workbook_diff import BatchState

actor = require_actor(*WORKBOOK_TAKERS)
workbooks.load_styles()
batch_id, csv_batch_id = number_parameter("batch"), number_parameter("csv")

if csv_batch_id is not None:
    page_frame("Excel 填报")
    workbooks.back_link()
    csv_view.batch_page(actor, csv_batch_id)
    st.stop()

if batch_id is not None:
    page_frame("Excel 填报")
    about = st.container()
    workbooks.back_link()
    with errors_shown(stop=True), transaction(actor, read_only=True) as connection:
        batch = workbook_batches.get_batch(connection, batch_id)
        form = load_form(connection, batch.form_code, batch.form_version)
    with about:
        st.caption(f"{batch.file_name} · {batch.form_title} {batch.period_name}")
    if batch.state is BatchState.OPEN:
        workbook_preview.preview(actor, batch, form)
    elif batch.state is BatchState.APPLYING:
        workbook_outcome.applying(actor, batch)
    elif batch.state is BatchState.APPLIED:
        workbook_outcome.outcome(actor, batch)
    else:
        st.info("这次上传已放弃，没有写入任何内容。")
    st.stop()

page_frame("Excel 填报")
with transaction(actor, read_only=True) as connection:
    current = reporting.list_current_periods(connection)
    periods = workbook_scopes.list_offered(connection, actor, current)
    batches = workbook_batches.list_batches(connection)
    csv_files = csv_batches.list_batches(connection)
    made = workbook_exports.list_made(connection, actor)
if not periods:
    st.info("目前没有开放的填报期。省厅开启新一期后，请在此下载工作簿。")
    st.stop()
st.markdown(
    "下载工作簿，在 Excel、WPS 或 LibreOffice 中填写，再传回来：先看清改了什么，再写入草稿。"
)

take, bring = st.columns(2, gap="medium")
with take, st.container(border=True, height="stretch", key="workbooks-take"):
    st.subheader("1　下载工作簿", anchor=False)
    workbooks.download_card(actor, periods)
with bring, st.container(border=True, height="stretch", key="workbooks-bring"):
    st.subheader("2　上传填好的工作簿", anchor=False)
    if actor.has_role(Role.CITY, Role.COUNTY, Role.TOWNSHIP, Role.DEPARTMENT):
        uploaded = upload_field(
            actor, "填好的工作簿", key="workbooks-upload", use=workbook_batches.USE
        )
        if uploaded:
            workbooks.take_upload(actor, uploaded)
    else:
        st.caption("工作簿由各填报单位填好后自行上传。您下载的可用于查看和核对。")
csv_view.take_and_bring(actor, periods)
if made:
    workbooks.made_list(actor)
workbooks.batch_list(batches, "最近上传", "batch")
workbooks.batch_list(csv_files, "最近上传的 CSV", "csv")
