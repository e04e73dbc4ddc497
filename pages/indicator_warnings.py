"""预警事项: what a level that became worse asks of a unit, until it is closed."""

from pathlib import Path

import streamlit as st

from components import discrepancies
from components import indicator_warnings as parts
from components.assessment_filters import segments
from components.navigation import WORKERS
from components.session import errors_shown, page_frame, require_actor
from components.supervision_view import load_styles
from components.url_parameters import number_parameter, set_parameter
from data_access import assessment, indicator_warnings
from data_access.database import transaction
from domain.clock import today

NOTHING_YET = "评估认定后，等级变化的指标会列在这里。"
ASSETS = Path(__file__).parents[1] / "assets"

actor = require_actor(*WORKERS)
load_styles()
st.html(ASSETS / "assessment.css")
page_frame("预警事项", "指标等级变化时自动生成，逐级反馈、销号，逾期升级")
with transaction(actor, read_only=True) as connection:
    counts = indicator_warnings.count_in_hand(connection, today())
    units = assessment.list_units(connection)
st.html(f'<p class="unit-headline">{parts.sentence(counts)}</p>')
differing = discrepancies.list_all(actor)
if segments("view", discrepancies.views(differing), discrepancies.ITEMS) != discrepancies.ITEMS:
    discrepancies.panel(actor, differing, {unit.code for unit in units})
    st.stop()
asked = parts.filter_row({unit.code: unit.name for unit in units if unit.level == "city"})
opened = number_parameter("id")
with transaction(actor, read_only=True) as connection:
    rows = asked.ask(connection)
left, right = st.columns([3, 2], gap="medium")
with left:
    if rows:
        chosen = parts.warning_table(rows, opened)
        parts.pager(actor, rows, asked)
    else:
        chosen = None
        st.info("没有符合条件的预警事项，请调整筛选。" if counts else NOTHING_YET)
number = chosen or opened or (rows[0].indicator_warning_id if rows else None)
if number is not None:
    with right, errors_shown():
        with transaction(actor, read_only=True) as connection:
            item = indicator_warnings.get_warning(connection, number)
            notes = indicator_warnings.list_notes(connection, number)
        parts.warning_card(actor, item, notes)
set_parameter("id", str(chosen or opened or ""))
