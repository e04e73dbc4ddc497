"""填报期: open a period of a form, follow who has not filed, remind, extend, close."""

from dataclasses import replace
from datetime import timedelta

import streamlit as st

from components.periods import (
    area_list,
    choose_filings,
    close_dialog,
    extension_list,
    figures,
    open_dialog,
    period_sentence,
)
from components.session import page_frame, require_actor
from components.supervision import extend_dialog, may_remind, remind_dialog
from components.supervision_view import load_styles
from components.url_parameters import choice_parameter, number_parameter, set_parameter
from data_access import periods, progress, reporting
from data_access.database import transaction
from domain.access import Role
from domain.clock import now, today
from domain.supervision import ReminderTopic

actor = require_actor(Role.PLAN_BUREAU, Role.INFORMATION_CENTRE)
load_styles()
with transaction(actor, read_only=True) as connection:
    rhythms = {each.form_code: each for each in periods.list_rhythms(connection)}
    form_code = choice_parameter("form", list(rhythms)) or next(iter(rhythms))
    known = reporting.list_periods(connection, form_code)

asked = number_parameter("period")
by_id = {period.period_id: period for period in known}
if asked is not None and asked not in by_id:
    st.warning("没有这个填报期，已显示最近一期。")
shown = by_id.get(asked or 0) or (known[0] if known else None)

with st.container(horizontal=True, vertical_alignment="center", gap="small"):
    page_frame("填报期")
    chosen_form = st.segmented_control(
        "表单", list(rhythms), format_func=lambda code: rhythms[code].title, required=True,
        default=form_code, key=f"periods-form-{form_code}", label_visibility="collapsed",
    )  # fmt: skip
    if chosen_form and chosen_form != form_code:
        st.query_params.from_dict({"form": chosen_form})
        st.rerun()
    if known:
        chosen = st.selectbox(
            "填报期", list(by_id), format_func=lambda key: by_id[key].name, width=180,
            index=list(by_id).index(shown.period_id) if shown else 0,
            key=f"periods-chosen-{shown.period_id if shown else 0}", label_visibility="collapsed",
        )  # fmt: skip
        if shown and chosen != shown.period_id:
            set_parameter("period", str(chosen))
            st.rerun()
    if st.button("开启填报期", key="periods-open", icon=":material/add:"):
        following = (known[0].ends_on + timedelta(days=1)) if known else today()
        open_dialog(actor, rhythms[form_code], following)
if shown is None:
    st.info("还没有填报期。开启后，各市县会收到通知并可以开始填报。")
    st.stop()

if rhythms[form_code].filed_from_above:
    with transaction(actor, read_only=True) as connection:
        areas = periods.list_filing_by_area(connection, shown.period_id)
    area_list(actor, shown, areas, now())
    st.stop()

with transaction(actor, read_only=True) as connection:
    filings = periods.list_filing(connection, shown.period_id)
    extensions = periods.list_extensions(connection, period_id=shown.period_id)
    units = {unit.code: unit for unit in progress.list_units(connection, *progress.moment_of(None))}

st.markdown(period_sentence(shown, filings, now()))
figures(filings)
st.subheader("报送情况", anchor=False)
selected = choose_filings(filings, shown, now())
is_current = shown.closed_at is None
with st.container(horizontal=True, gap="small"):
    if is_current:
        # The dialog speaks of this period: its state and deadline stand in the unit's place.
        remindable = [
            replace(units[each.code], period_state=each.period_state, deadline_at=each.deadline_at)
            for each in selected
            if each.code in units
        ]
        names = [(each.code, each.name) for each in selected]
        if may_remind(actor, list(units.values())) and st.button(
            f"催报（{len(remindable)}）", key="periods-remind", type="primary",
            icon=":material/campaign:", disabled=not remindable,
        ):  # fmt: skip
            remind_dialog(
                actor, remindable, ReminderTopic.NOT_FILED, f"{shown.name}{shown.form_title}",
                shown.form_code,
            )  # fmt: skip
        if st.button(
            f"延期（{len(names)}）", key="periods-extend", icon=":material/event_upcoming:",
            disabled=not names,
        ):  # fmt: skip
            extend_dialog(actor, shown, names)
        if st.button("关闭填报期", key="periods-close", icon=":material/lock:"):
            close_dialog(actor, shown, sum(not each.is_filed for each in filings))
    else:
        st.caption("该填报期已关闭，不再催报和延期。")
extension_list(extensions)
