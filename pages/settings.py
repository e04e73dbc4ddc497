"""系统设置: what a province or a year would change, with the moment of its last change."""

import streamlit as st

from components.session import errors_shown, page_frame, require_actor
from components.setting_inputs import Unreadable, read, setting_input
from components.state_words import moment_text
from components.township_review import DERIVED
from data_access import plans, portal_settings
from data_access.database import transaction
from domain.access import Role
from domain.settings import FIXED

_ASSUMED = " [assumed]"  # ends the description of a value that the province has yet to confirm
actor = require_actor(Role.INFORMATION_CENTRE)
page_frame("系统设置")
st.markdown("改动立即生效，写入审计日志；看板回看过去日期时，仍按当时的设置。")

with transaction(actor, read_only=True) as connection:
    settings = portal_settings.list_settings(connection)
    fields = portal_settings.village_numbers(connection)
    plan_types = {kind.code: kind.name for kind in plans.list_types(connection)}

derived = {code: name for code, (name, _) in DERIVED.items()}
for setting in settings:
    if setting.name in FIXED:
        continue
    key = f"settings-{setting.name}"
    with st.form(key, border=True):
        title = setting.description.removesuffix(_ASSUMED)
        with st.container(horizontal=True, vertical_alignment="center", gap="small"):
            st.markdown(f"**{title}**", width="content")
            if title != setting.description:
                st.badge("设计假定，待省厅确认", color="gray")
        typed = setting_input(setting, key, plan_types, fields | derived)
        with st.container(
            horizontal=True, vertical_alignment="center", horizontal_alignment="distribute"
        ):
            st.caption(f"上次改动：{moment_text(setting.changed_at)}", width="content")
            saved = st.form_submit_button("保存")
    if saved:
        try:
            value = read(typed, setting.value)
        except Unreadable as error:
            st.error(f"“{error}”不是有效的取值，请按原来的样式填写。")
            continue
        with errors_shown():
            with transaction(actor, action="setting.change") as connection:
                portal_settings.change_setting(
                    connection, actor, setting.name, setting.value, value
                )
            st.toast(f"已保存“{title}”。")
            st.rerun()
