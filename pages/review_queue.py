"""审核队列: the reports that wait for this reviewer's decision, oldest first."""

from datetime import date

import streamlit as st

from components.links import page_path
from components.session import page_frame, require_actor
from data_access import reporting
from data_access.database import transaction
from domain.access import Role
from domain.clock import BEIJING, today

actor = require_actor(Role.CITY, Role.PLAN_BUREAU)
page_frame("审核队列")
if notice := st.session_state.pop("notice", None):
    st.success(notice)

with transaction(actor, read_only=True) as connection:
    queue = reporting.list_queue(connection, actor, "plan_progress")

if not queue:
    st.success("没有待审核的填报。新的填报提交后会出现在这里，并在“消息”中提示。")
    st.stop()


def due_text(due_on: date | None) -> str:
    """Return the day a decision is due, marked when it is over."""
    if due_on is None:
        return "—"
    return f"{due_on:%Y-%m-%d}{'（已超期）' if due_on < today() else ''}"


overdue = sum(bool(row.due_on and row.due_on < today()) for row in queue)
st.markdown(
    f"**{len(queue)} 份填报待审核**"
    + (f"，其中 **{overdue} 份已超过办理期限**。" if overdue else "，均在办理期限内。")
)
table = [
    {
        "填报单位": row.division_name,
        "所属": row.parent_name,
        "填报期": row.period_name,
        "审核步骤": row.step_name,
        "轮次": row.round_no,
        "内容": "本期无变化" if row.no_change else "有变化",
        "填报人": row.filer_name,
        "报送时间": f"{row.submitted_at.astimezone(BEIJING):%m月%d日 %H:%M}",
        "应办结": due_text(row.due_on),
    }
    for row in queue
]
chosen = st.dataframe(
    table,
    hide_index=True,
    on_select="rerun",
    selection_mode="single-row",
    key=f"review-queue-{len(queue)}",
    height=min(38 + 35 * len(queue), 640),
)
st.caption("点选一行，打开填报并审核。")
if chosen["selection"]["rows"]:
    opened = queue[chosen["selection"]["rows"][0]]
    st.switch_page(page_path("submission"), query_params={"id": str(opened.submission_id)})
