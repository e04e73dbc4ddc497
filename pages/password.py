"""修改口令: one's own password; an initial one must be changed before anything else."""

import streamlit as st

from components.session import browser_token, errors_shown, page_frame, require_actor
from data_access import accounts
from data_access.database import transaction

actor = require_actor(before_password_change=True)
page_frame("修改口令")
if actor.must_change_password:
    st.info("这是首次登录，请先设置自己的口令，再使用其他功能。")
if st.session_state.pop("password-changed", False):
    st.success("口令已修改，其他设备上的登录已全部退出。")

with st.form("password-form", clear_on_submit=True, width=480):
    current = st.text_input("现用口令", type="password", autocomplete="current-password")
    new = st.text_input("新口令", type="password", autocomplete="new-password")
    again = st.text_input("再次输入新口令", type="password", autocomplete="new-password")
    st.caption("至少 10 个字符，大写字母、小写字母、数字、符号中至少三种，不含用户名。")
    sent = st.form_submit_button("修改口令", type="primary")

if sent and new != again:
    st.error("两次输入的新口令不一致，请重新输入。")
elif sent:
    with errors_shown():
        with transaction(actor, action="account.password") as connection:
            accounts.change_password(
                connection, actor.user_id, current.strip(), new.strip(), kept_token=browser_token()
            )
        st.session_state["password-changed"] = True
        st.rerun()
