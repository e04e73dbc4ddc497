"""村庄审核: villages by city, county and township, their random sample, and bulk decisions."""

from pathlib import Path
from urllib.parse import parse_qsl, urlsplit

import streamlit as st

from components import township_review as parts
from components.cached import odd_reports
from components.links import page_path
from components.navigation import REVIEWERS
from components.review_queue import review_queue
from components.session import errors_shown, page_frame, require_actor
from components.watch import watch
from data_access import reporting, review_sample, township_review
from data_access.database import transaction
from data_access.village_form import FORM_CODE
from domain.review_filter import read_filter, read_query

actor = require_actor(*REVIEWERS)
st.html(Path(__file__).parents[1] / "assets" / "township_review.css")
# Streamlit leaves the opened report's parameters behind in the history: `from` is the place then.
parameters = st.query_params.to_dict()
asked = read_query(parameters["from"]) if "from" in parameters else read_filter(parameters)
opened = watch(None, key=parts.WATCH).opened
if opened:
    target = urlsplit(opened)
    st.switch_page(page_path(target.path), query_params=dict(parse_qsl(target.query)))

with errors_shown(stop=True), transaction(actor, read_only=True) as connection:
    periods = reporting.list_periods(connection, FORM_CODE)
    if periods:
        desk = township_review.read_desk(connection, actor, asked.period, asked.step)
        place = township_review.find_place(connection, desk, asked.unit or desk.prefixes[0])
        above = township_review.list_above(connection, desk, place.prefix)
if not periods:
    page_frame("村庄审核")
    st.info("还没有开放过村庄规划评估的填报期。")
    st.stop()
odd = odd_reports(actor, desk.period.period_id, place)
with transaction(actor, read_only=True) as connection:
    areas = township_review.list_areas(connection, actor, desk, place, odd)
    sampled = review_sample.list_sampled(connection, actor, desk, place.prefix)
whole = township_review.summed(place, areas)

with st.container(horizontal=True, vertical_alignment="center", gap="small"):
    page_frame("村庄审核", parts.rule_words(desk))
    parts.period_choice(periods, desk)
if notice := st.session_state.pop("notice", None):
    st.success(notice)
st.html(parts.path_html(desk, above))
st.html(f'<p class="township-answer">{parts.desk_sentence(place, desk, whole)}</p>')
if place.level in township_review.PARTS:
    st.html(parts.area_table(desk, place, areas))
shown = parts.listed_filter(desk, place, asked)
if desk.rule and (whole.waiting or sampled):
    back = shown.to_query() if shown else ""
    parts.sample_panel(actor, desk, place, whole, sampled, back)
if shown is not None:
    chosen = review_queue(
        actor.user_id,
        shown,
        key=f"township-review-{place.prefix}-{desk.step.step_no}-{len(sampled)}",
    )
    if chosen is not None:
        st.switch_page(
            page_path("submission"), query_params={"id": str(chosen), "from": shown.to_query()}
        )
