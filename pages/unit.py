"""单位详情: how one unit stands, why it is late, what was done about it, and the records behind."""

import streamlit as st

from components import unit_view
from components.links import page_path
from components.sentences import day_text, unit_headline
from components.session import errors_shown, page_frame, require_actor
from components.supervision import (
    extend_dialog,
    item_dialog,
    may_remind,
    remind_dialog,
)
from components.supervision_view import item_card, load_styles, reminder_card
from components.timeline import timeline_figure
from components.url_parameters import day_input, warn_of_bad_day
from data_access.periods import may_run_periods
from data_access.unit_record import find_home_unit, read_unit
from domain.access import Role
from domain.clock import moment, today
from domain.supervision import answers_for

actor = require_actor(
    Role.LEADER, Role.PLAN_BUREAU, Role.CITY, Role.COUNTY, Role.USE_CONTROL, Role.DEPARTMENT
)
load_styles()
warn_of_bad_day()
header = st.container(horizontal=True, vertical_alignment="center", gap="small")
with header:
    title = st.container()
    day = day_input()
code = st.query_params.get("code") or find_home_unit(actor)
if not code:
    title.title("单位详情", anchor=False)
    st.info("请从总览的地图或列表打开一个单位。")
    st.page_link(page_path("overview"), label="返回总览", icon=":material/map:")
    st.stop()
with errors_shown(stop=True):
    record = read_unit(actor, code, day)
unit, limits = record.unit, record.limits
on = day or today()

with title:
    page_frame(unit.name, f"{unit.parent_name} · {unit.kind} · {unit.code}")
with header:
    if day is None and may_remind(actor, [unit]):
        if st.button("催办", key="unit-remind", type="primary", icon=":material/campaign:"):
            remind_dialog(actor, [unit])
        if st.button("督办", key="unit-item", icon=":material/assignment_late:"):
            item_dialog(actor, [unit])
    extends = day is None and record.period is not None and may_run_periods(actor)
    if extends and st.button("延期", key="unit-extend", icon=":material/event_upcoming:"):
        extend_dialog(actor, record.period, [(unit.code, unit.name)])

if day is not None:
    st.info(f"以下为 {day_text(day, today())}当日所见的数据；催办、督办、延期请回到今天办理。")
st.html(f'<p class="unit-headline">{unit_headline(unit, record.milestones, limits, on)}</p>')
st.html(
    unit_view.unit_cards(
        unit, record.milestones, record.reports, record.contacts, limits, record.moment
    )
)
waiting = sum(reminder.acknowledged_at is None for reminder in record.reminders)
if waiting and day is None and answers_for(actor, unit.code):
    st.warning(f"有 {waiting} 件催办待回复，请在下方“催办与督办”中签收并回复。")
if reasons := unit_view.late_list(record.milestones, limits, on):
    st.subheader("为何滞后", anchor=False)
    st.html(reasons)

if any(row.baseline_on or row.completed_on for row in record.headline):
    st.subheader("计划与实际", anchor=False)
    st.plotly_chart(
        timeline_figure(record.headline, limits, on),
        config={"displayModeBar": False},
        key="unit-timeline",
        alt=f"{unit.name}总体规划各阶段计划与实际日期",
    )
    st.subheader("里程碑节点", anchor=False)
    st.html(unit_view.milestone_table(record.headline, record.evidence, limits))
elif not unit.is_merged:
    st.info("该单位尚无省级认定的计划日期和里程碑节点，报送并经认定后在此显示。")

reports_tab, actions_tab, plans_tab, extensions_tab = st.tabs(
    [
        f"填报与审核（{len(record.reports)}）",
        f"催办与督办（{len(record.reminders)} / {len(record.items)}）",
        f"其他规划（{record.other_plans}）",
        f"延期（{len(record.extensions)}）",
    ]
)
with reports_tab:
    if record.reports:
        st.html(unit_view.report_list(record.reports, record.form, record.context))
    else:
        st.caption("该单位尚未报送过编制进度。")
with actions_tab:
    for item in record.items:
        notes = [
            each for each in record.notes if each.supervision_item_id == item.supervision_item_id
        ]
        item_card(actor, item, notes, on, may_act=day is None)
    for reminder in record.reminders:
        reminder_card(actor, reminder, on, may_act=day is None)
    if not record.items and not record.reminders:
        st.caption("没有催办和督办记录。")
with plans_tab:
    if record.other_plans:
        st.caption("专项规划、详细规划等单独统计，不计入总体规划的进度和排名。")
        st.html(unit_view.other_plan_rows(record.milestones))
    else:
        st.caption("该单位没有登记专项规划、详细规划。")
with extensions_tab:
    for each in record.extensions:
        st.markdown(
            f"**{each.period_name}** 延至 {moment(each.deadline_at)}：{each.reason}  \n"
            f"{each.granted_by_name} · {moment(each.granted_at)} 批准"
        )
    if not record.extensions:
        st.caption("没有延期记录。")
