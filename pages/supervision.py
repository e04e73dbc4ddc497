"""督办催办: reminders and supervision items of the actor's scope, each with its history."""

import streamlit as st

from components.labels import label
from components.links import page_path
from components.session import errors_shown, page_frame, require_actor
from components.supervision_list import (
    by_urgency,
    filter_bar,
    item_sentence,
    item_table,
    reminder_sentence,
    reminder_table,
)
from components.supervision_view import item_card, load_styles, reminder_card
from components.url_parameters import choice_parameter, number_parameter, set_parameter
from data_access.database import transaction
from data_access.reminders import get_reminder, list_reminders
from data_access.supervision_items import get_item, list_items, list_notes
from domain.access import Role
from domain.clock import today

actor = require_actor(
    Role.LEADER, Role.PLAN_BUREAU, Role.CITY, Role.COUNTY, Role.USE_CONTROL, Role.DEPARTMENT
)
NOTHING_YET = "还没有催办和督办。可以在总览、名单或单位详情中选择单位发出催办。"
load_styles()
page_frame("督办催办")
with transaction(actor, read_only=True) as connection:
    reminders = by_urgency(list_reminders(connection), today())
    items = list_items(connection)

views = {"reminders": f"催办（{len(reminders)}）", "items": f"督办（{len(items)}）"}
opened_item, opened_reminder = number_parameter("item"), number_parameter("reminder")
asked = choice_parameter("view", list(views)) or ("items" if opened_item else "reminders")
view = st.segmented_control(
    "类别", list(views), format_func=views.__getitem__, default=asked, required=True,
    key=f"supervision-view-{asked}", label_visibility="collapsed",
)  # fmt: skip
if view != asked:
    st.query_params.clear()
    set_parameter("view", view)
    st.rerun()

if view == "reminders":
    st.markdown(reminder_sentence(reminders, today()))
    shown = filter_bar(reminders, [label(row.state(today())) for row in reminders], "reminders")
else:
    st.markdown(item_sentence(items, today()))
    shown = filter_bar(items, [label(row.state) for row in items], "items")
if not shown:
    there_are_some = reminders if view == "reminders" else items
    st.info("没有符合条件的记录，请调整筛选。" if there_are_some else NOTHING_YET)

left, right = st.columns([3, 2], gap="medium")
if view == "reminders":
    with left:
        chosen = reminder_table(shown, today(), opened_reminder) if shown else None
    reminder_id = chosen or opened_reminder or (shown[0].reminder_id if shown else None)
    if reminder_id is not None:
        with right, errors_shown():
            with transaction(actor, read_only=True) as connection:
                reminder = get_reminder(connection, reminder_id)
            reminder_card(actor, reminder, today())
            st.page_link(
                page_path("unit"),
                label=f"打开{reminder.division_name}",
                icon=":material/location_city:",
                query_params={"code": reminder.division_code},
            )
    set_parameter("reminder", str(chosen or opened_reminder or ""))
else:
    with left:
        chosen = item_table(shown, today(), opened_item) if shown else None
    item_id = chosen or opened_item or (shown[0].supervision_item_id if shown else None)
    if item_id is not None:
        with right, errors_shown():
            with transaction(actor, read_only=True) as connection:
                item = get_item(connection, item_id)
                notes = list_notes(connection, [item_id])
            item_card(actor, item, notes, today())
            st.page_link(
                page_path("unit"),
                label=f"打开{item.division_name}",
                icon=":material/location_city:",
                query_params={"code": item.division_code},
            )
    set_parameter("item", str(chosen or opened_item or ""))
