"""编制进度填报: a city or county fills in the month's progress of its plans and files it."""

import streamlit as st

from components.filing import declare_dialog, filing_sentence, unit_chooser
from components.form_editor import form_editor
from components.session import errors_shown, page_frame, require_actor
from data_access import drafts, filing, plans, reporting
from data_access.database import transaction
from domain.access import Role
from domain.workflow import SubmissionState

FORM_CODE = "plan_progress"

actor = require_actor(Role.COUNTY, Role.CITY)
with transaction(actor, read_only=True) as connection:
    period = reporting.current_period(connection, FORM_CODE)
    units = filing.list_units(connection, actor, period) if period else []
page_frame("编制进度填报", period.name if period else "")

if period is None:
    st.info("目前没有开放的填报期。省厅开启新一期后，请在此填报。")
    st.stop()
if not units:
    st.warning("您的账号没有对应的填报单位。请联系信息中心核对授权的区划。")
    st.stop()
unit = unit_chooser(units)

with errors_shown(stop=True), transaction(actor, action="draft.open") as connection:
    plans.ensure_headline(connection, actor, unit.code)
    submission = drafts.open_submission(connection, actor, period.period_id, unit.code)
    waiting = filing.find_waiting_step(connection, submission.submission_id)
    declared = plans.list_plans(connection, unit.code)
    types = plans.declarable_types(connection, unit.code)

with st.container(horizontal=True, vertical_alignment="center"):
    st.markdown(filing_sentence(submission, waiting), width="stretch")
    editable = submission.state in (SubmissionState.DRAFT, SubmissionState.RETURNED)
    if editable and types and st.button("申报其他规划", key="report-declare"):
        declare_dialog(actor, unit, types)

if form_editor(actor, submission.submission_id, submission.lock_version, page=len(declared)):
    st.rerun()
