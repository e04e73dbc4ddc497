"""消息: what was sent to the actor's roles, the newest first."""

import streamlit as st

from components.inbox import addressee, find_page, mark_read
from components.session import page_frame, require_actor
from components.supervision_view import load_styles
from data_access import inbox
from data_access.database import transaction
from domain.access import Role
from domain.clock import moment

actor = require_actor(*set(Role) - {Role.SECURITY_AUDITOR})  # who reads the trail and nothing else
load_styles()
page_frame("消息")

unread_only = st.query_params.get("unread") == "1"
chosen = st.segmented_control(
    "范围", ["全部", "未读"], default="未读" if unread_only else "全部", required=True,
    key=f"inbox-unread-{unread_only}", label_visibility="collapsed",
)  # fmt: skip
if (chosen == "未读") != unread_only:
    st.query_params.from_dict({"unread": "1"} if chosen == "未读" else {})
    st.rerun()

with transaction(actor, read_only=True) as connection:
    messages = inbox.list_messages(connection, unread_only=unread_only)
    unread = inbox.count_unread(connection)

with st.container(horizontal=True, vertical_alignment="center"):
    st.markdown(f"**{unread} 条未读消息。**" if unread else "没有未读消息。", width="content")
    if unread and st.button("全部标为已读", key="inbox-all", type="tertiary"):
        mark_read(actor, *(each.inbox_message_id for each in messages if each.read_at is None))
        st.rerun()
if not messages:
    st.info("催办、督办、审核、延期和填报期的通知会出现在这里。")

for message in messages:
    with st.container(border=True, key=f"inbox-{message.inbox_message_id}"):
        with st.container(horizontal=True, vertical_alignment="center", gap="small"):
            if message.read_at is None:
                st.badge("未读", color="blue")
            st.markdown(f"**{message.title}**" if message.read_at is None else message.title)
            st.caption(
                f"{moment(message.sent_at)} · 致 {addressee(message)}",
                width="content",
            )
        st.text(message.body)
        opens = find_page(message.link)
        caption = "打开" if opens else "知道了"
        if (opens or message.read_at is None) and st.button(
            caption, key=f"inbox-open-{message.inbox_message_id}"
        ):
            mark_read(actor, message.inbox_message_id)
            if opens:
                st.switch_page(opens[0], query_params=opens[1])
            st.rerun()
