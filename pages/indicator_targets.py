"""指标目标: what each unit is to reach by which year, issued or not yet; the bureau enters it."""

import streamlit as st

from components import indicator_targets as parts
from components import target_workbook
from components.assessment_filters import select
from components.navigation import WORKERS
from components.session import page_frame, require_actor
from components.supervision_view import load_styles
from data_access import indicator_changes, indicators
from data_access.database import transaction

actor = require_actor(*WORKERS)
load_styles()
page_frame("指标目标", "未下达的不评级，不视为达标；保存后立即重新评级")
with transaction(actor, read_only=True) as connection:
    choices = parts.list_choices(connection, actor)
if not choices:
    st.info("您的范围内还没有指标目标。目标由厅空间规划局录入。")
    st.stop()
with st.container(horizontal=True, vertical_alignment="center", key="targets-filters"):
    names = {code: parts.name_of(indicator) for code, indicator in choices.items()}
    code = select("code", names, next(iter(choices)), 330)
    indicator = choices[code]
    with transaction(actor, read_only=True) as connection:
        targets = indicators.list_targets(connection, canonical_code=code)
        units = indicator_changes.list_target_units(connection)
    year = parts.year_filter(actor, targets)
    parts.download(indicator, units, targets, year)
parts.show_notice()
if parts.may_change(actor):
    target_workbook.workbook_area(actor, choices)
if year is None:
    st.info(
        "这项指标还没有录入目标。请在上方填写目标年，再逐个单位录入。"
        if parts.may_change(actor)
        else "这项指标还没有录入目标。目标由厅空间规划局录入。"
    )
    st.stop()
with transaction(actor, read_only=True) as connection:
    table = parts.read_table(connection, indicator, year)
st.html(f'<p class="unit-headline">{parts.sentence(table)}</p>')
if parts.may_change(actor):
    parts.target_editor(actor, table)
else:
    parts.target_list(table)
