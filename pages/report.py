"""在线填报: a city or county fills in a form of the open period and files it; departments help."""

import streamlit as st

from components.filing import (
    abandon_dialog,
    declare_dialog,
    filing_sentence,
    period_chooser,
    reopen_button,
    unit_chooser,
)
from components.form_editor import form_editor
from components.navigation import REPORT_FILERS
from components.session import errors_shown, page_frame, require_actor
from data_access import decisions, drafts, filing, plans, reporting
from data_access.database import transaction
from domain.workflow import ReviewAction

actor = require_actor(*REPORT_FILERS)
with transaction(actor, read_only=True) as connection:
    opened = reporting.list_current_periods(connection)
    units_of = {period.form_code: filing.list_units(connection, actor, period) for period in opened}
mine = [period for period in opened if units_of[period.form_code]]

if not mine:
    page_frame("在线填报")
    if opened:
        st.warning("您的账号没有对应的填报单位。请联系信息中心核对授权的区划。")
    else:
        st.info("目前没有开放的填报期。省厅开启新一期后，请在此填报。")
    st.stop()
head = st.container()
period = period_chooser(mine)
with head:
    page_frame(f"{period.form_title}填报", period.name)
unit = unit_chooser(units_of[period.form_code])

with errors_shown(stop=True), transaction(actor, action="draft.open") as connection:
    submission = drafts.open_submission(connection, actor, period.period_id, unit.code)
    waiting = filing.find_waiting_step(connection, submission.submission_id)
    declared = plans.list_plans(connection, unit.code)
    types = plans.declarable_types(connection, unit.code)
    actions = {move.action for move in decisions.moves_of(connection, actor, submission)}

with st.container(horizontal=True, vertical_alignment="center"):
    st.markdown(filing_sentence(submission, waiting), width="stretch")
    if ReviewAction.SUBMIT in actions and types and st.button("申报其他规划", key="report-declare"):
        declare_dialog(actor, unit, types)
    if ReviewAction.REOPEN in actions and period.closed_at is None:
        reopen_button(actor, submission)
    if ReviewAction.ABANDON in actions and st.button(
        "放弃变更", key="report-abandon", help="变更不再报送，恢复为此前备案的内容"
    ):
        abandon_dialog(actor, submission)

if form_editor(actor, submission.submission_id, submission.lock_version, page=len(declared)):
    st.rerun()
