"""村庄评估填报: the villages an officer or a county files for, and the way through them."""

import streamlit as st

from components import villages as parts
from components.session import errors_shown, page_frame, require_actor
from components.url_parameters import number_parameter
from data_access import village_worklist
from data_access.database import transaction
from domain.access import Role

actor = require_actor(Role.TOWNSHIP, Role.COUNTY)
parts.load_styles()
page_frame("村庄评估填报")
parts.follow_links()
with errors_shown(stop=True), transaction(actor, read_only=True) as connection:
    parts.returned_list(village_worklist.list_returned(connection, actor))
    held = village_worklist.read_held(connection, actor)
with st.container(horizontal=True, vertical_alignment="center", key="villages-filters"):
    town = parts.township_choice(held.townships())
    words = parts.search_box()
    tabs = st.container(width="content")
asked = st.query_params.get("state")
state = {None: None, "none": village_worklist.NOT_BEGUN}.get(asked, asked)
page = number_parameter("page") or 1
work = held.worklist(words, state, page, town)
with tabs:
    state = parts.state_tabs(work.counts)
with st.container(horizontal=True, vertical_alignment="center"):
    st.markdown(parts.worklist_sentence(work.period, work.counts), width="stretch")
    st.link_button("手机填报", "/phone", icon=":material/smartphone:", help="流量小、断网可续填")
    parts.submit_many(actor, held.in_hand(town))
    parts.next_village(work.next_code, "villages-next")
parts.unsent_list(actor)
parts.told_list(held.in_hand())
parts.village_list(work, page, state, work.counts)
