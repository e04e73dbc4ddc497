"""后台任务: what runs, waits, ended or failed in the background; cancel and retry."""

from collections import Counter

import streamlit as st

from components.job_card import job_card, show_refusal
from components.session import errors_shown, page_frame, require_actor
from data_access import jobs
from data_access.database import transaction
from domain.access import Role
from domain.jobs import JobState

actor = require_actor(Role.INFORMATION_CENTRE)
page_frame("后台任务")


@st.fragment(run_every="3s")
def job_list() -> None:
    """Draw the list; it looks again every three seconds."""
    with_clock = bool(st.session_state.get("jobs-with-clock", False))
    with errors_shown(stop=True), transaction(actor, read_only=True) as connection:
        found = jobs.list_jobs(connection, with_clock=with_clock)
    count = Counter(job.state for job in found)
    running, waiting, failed = (
        count[state] for state in (JobState.RUNNING, JobState.WAITING, JobState.FAILED)
    )
    with st.container(horizontal=True, vertical_alignment="center"):
        st.markdown(f"**{running} 项进行中，{waiting} 项等待，{failed} 项失败待处理。**")
        st.toggle("含定时任务", key="jobs-with-clock", help="锚定、升级、清理等由时钟发起的任务")
    show_refusal()
    if not found:
        st.info("没有后台任务。导入、质检等耗时工作开始后会显示在这里，定时任务失败时也会列出。")
    for job in found:
        job_card(actor, job)


job_list()
