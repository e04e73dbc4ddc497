"""审核队列: what waits for this reviewer, filtered, decided one by one or many at once."""

import streamlit as st

from components.links import page_path
from components.navigation import REVIEWERS
from components.review_queue import review_queue
from components.session import page_frame, require_actor
from domain.review_filter import read_filter, read_query

actor = require_actor(*REVIEWERS)
page_frame("审核队列")
if notice := st.session_state.pop("notice", None):
    st.success(notice)

# Streamlit leaves the opened report's parameters behind in the history: `from` is the filter then.
parameters = st.query_params.to_dict()
asked = read_query(parameters["from"]) if "from" in parameters else read_filter(parameters)
opened = review_queue(actor.user_id, asked)
if opened is not None:
    st.switch_page(
        page_path("submission"), query_params={"id": str(opened), "from": asked.to_query()}
    )
