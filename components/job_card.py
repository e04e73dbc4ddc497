"""One background job on the screen, and its words."""

from datetime import datetime

import streamlit as st

from components.labels import error_message, label
from data_access import jobs
from data_access.database import transaction
from data_access.jobs import JobRow
from domain import errors
from domain.access import Actor
from domain.clock import moment
from domain.jobs import UNDER_WAY, UNFINISHED, JobKind, JobState

_COLOURS = {
    JobState.RUNNING: "blue",
    JobState.SUCCEEDED: "green",
    JobState.FAILED: "red",
}


def job_card(actor: Actor, job: JobRow) -> None:
    """Draw the job: what it is, how far it came, what went wrong; and the hand to lay on it."""
    with (
        st.container(border=True, key=f"job-{job.job_id}"),
        st.container(horizontal=True, vertical_alignment="center", gap="medium"),
    ):
        with st.container(width="stretch", gap="xsmall"):
            _head(job)
            if job.state is JobState.RUNNING:
                _progress(job)
            st.caption(times_text(job))
            if job.state is JobState.FAILED:
                st.markdown(failure_text(job))
        _buttons(actor, job)


def _head(job: JobRow) -> None:
    with st.container(horizontal=True, vertical_alignment="center", gap="small"):
        st.markdown(f"**{title_of(job)}**", width="content")
        state = "正在停止" if job.is_stopping and job.state in UNDER_WAY else label(job.state)
        st.badge(state, color=_COLOURS.get(job.state, "gray"))  # type: ignore[arg-type]
        st.caption(f"任务 {job.job_id}", width="content")


def _progress(job: JobRow) -> None:
    if job.ratio is None:
        st.caption(f"{job.message or '进行中'}，已处理 {job.done:,}")
    else:
        text = f"{job.message}　{job.done:,} / {job.total:,}（{job.ratio:.0%}）"
        st.progress(min(job.ratio, 1.0), text=text.strip())


def _buttons(actor: Actor, job: JobRow) -> None:
    key = f"jobs-act-{job.job_id}"
    if job.state in UNDER_WAY and not job.is_stopping:
        st.button("取消", key=key, on_click=_act, args=(jobs.cancel, actor, job.job_id))
    elif job.state in UNFINISHED:
        st.button(
            "重试",
            key=key,
            help="从中断处继续",
            on_click=_act,
            args=(jobs.retry, actor, job.job_id),
        )


_REFUSAL = "_jobs_refusal"


def _act(action: object, actor: Actor, job_id: int) -> None:
    assert callable(action)
    try:
        with transaction(actor, action="job.manage") as connection:
            action(connection, actor, job_id)
    except errors.PortalError as error:
        st.session_state[_REFUSAL] = error_message(error)


def show_refusal() -> None:
    """Show why the last button did nothing, once."""
    sentence = st.session_state.pop(_REFUSAL, None)
    if sentence:
        st.error(sentence)


def title_of(job: JobRow) -> str:
    """Return what the job does, in words."""
    return label(JobKind(job.kind)) if job.kind in list(JobKind) else job.kind


def times_text(job: JobRow) -> str:
    """Return who asked for the job, and when it was asked for, began and ended."""
    parts = [f"{job.requested_by_name} 发起" if job.requested_by_name else "定时任务"]
    for word, at in (
        ("排队", job.deferred_at),
        ("开始", job.started_at),
        ("结束", job.ended_at if job.state not in UNDER_WAY else None),
    ):
        parts.append(_time(word, at))
    if job.attempts > 1:
        parts.append(f"第 {job.attempts} 次执行")
    if job.stopped_by_name:
        parts.append(f"由 {job.stopped_by_name} 取消")
    return "　".join(part for part in parts if part)


def _time(word: str, at: datetime | None) -> str:
    return f"{word} {moment(at)}" if at else ""


def failure_text(job: JobRow) -> str:
    """Return why the job failed: the sentence of an error, or an apology; with the log's number."""
    said = job.error or {}
    kind = getattr(errors, str(said.get("type")), None)
    if isinstance(kind, type) and issubclass(kind, errors.PortalError):
        sentence = error_message(kind(**said.get("details", {})))
    elif said.get("type") == "MemoryError":
        sentence = "任务所需内存超过上限，已停止。请缩小范围后重试，或联系运维调高上限。"
    elif "type" in said:
        sentence = "程序故障，任务未能完成。请将故障编号告知运维人员，处理后重试。"
    else:
        sentence = "任务多次中断工作进程，已停止重试。请联系运维人员查看日志。"
    number = f"（故障编号 {said['fault']}）" if "fault" in said else ""
    return f"{sentence}{number}"
