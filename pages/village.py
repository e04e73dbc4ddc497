"""村庄评估: one village's evaluation, with its natural villages, filled in and filed."""

import streamlit as st

from components import villages as parts
from components.filing import filing_sentence
from components.form_editor import form_editor
from components.places import place_editor
from components.session import errors_shown, page_frame, require_actor
from components.url_parameters import number_parameter
from data_access import drafts, filing, village_positions, village_worklist
from data_access.database import transaction
from domain.access import Role

actor = require_actor(Role.TOWNSHIP, Role.COUNTY)
parts.load_styles()
code = st.query_params.get("code", "")[:12]
with errors_shown(stop=True), transaction(actor, action="draft.open") as connection:
    period, village, next_code = village_worklist.find_village(
        connection, actor, code, number_parameter("period")
    )
    submission = drafts.open_submission(connection, actor, period.period_id, village.code)
    waiting = filing.find_waiting_step(connection, submission.submission_id)
    corrections = village_positions.count_corrections(connection, village.code)

with st.container(horizontal=True, vertical_alignment="center"):
    page_frame(village.name, f"{village.town_name} · {village.code} · {period.name}")
    parts.back_link()
    parts.next_village(next_code, "village-next")
st.markdown(filing_sentence(submission, waiting))
with st.expander("位置图：核对、更正本村和各自然村的位置", icon=":material/location_on:"):
    place_editor(actor, village.code, submission.submission_id)
if form_editor(actor, submission.submission_id, submission.lock_version, corrections):
    st.rerun()
