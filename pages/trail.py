"""审计查询: every change with its before and after, and whether the trail is as it was written."""

import streamlit as st

from components.session import errors_shown, page_frame, require_actor
from components.trail_view import (
    PAGE_SIZE,
    change_list,
    change_panel,
    filters,
    verification,
)
from data_access import trail
from data_access.database import transaction
from data_access.settings import read_settings
from domain.access import Role

actor = require_actor(Role.SECURITY_AUDITOR)
page_frame("审计查询")

with transaction(actor, read_only=True) as connection:
    tables = trail.list_tables(connection)
    people = trail.list_people(connection)
    total = trail.count_entries(connection)

with st.container(horizontal=True, vertical_alignment="center"):
    st.markdown(f"**审计日志共 {total:,} 条**，记录 {len(tables)} 张表的每一次变更，只增不改。")
    st.space("stretch")
    asked = st.button(
        "校验日志",
        icon=":material/verified_user:",
        key="trail-verify",
        help="逐条重算哈希，并与锚定文件核对；百万条约需半分钟",
    )
if asked:
    with st.spinner("正在逐条重算哈希，请稍候……"), errors_shown():
        with transaction(actor, read_only=True, action="audit.verify") as connection:
            result = trail.verify(connection, read_settings().data_dir)
        verification(result)

wanted = filters(tables, people)
ends: list[int] = st.session_state.setdefault("trail-pages", [])
if st.session_state.get("trail-asked") != wanted:
    st.session_state["trail-asked"] = wanted
    ends.clear()

with errors_shown(stop=True), transaction(actor, read_only=True) as connection:
    changes = trail.search(
        connection, wanted, until_id=ends[-1] if ends else None, limit=PAGE_SIZE + 1
    )
if not changes:
    st.info("没有符合条件的变更。请放宽时间或清除条件后再查。")
    st.stop()

listing, panel = st.columns([3, 2], gap="medium")
with listing:
    chosen = change_list(changes[:PAGE_SIZE])
    with st.container(horizontal=True, vertical_alignment="center"):
        st.caption(f"第 {len(ends) + 1} 页，每页 {PAGE_SIZE} 条，由新到旧")
        st.space("stretch")
        st.button("较新的", key="trail-newer", disabled=not ends, on_click=ends.pop)
        st.button(
            "更早的",
            key="trail-older",
            disabled=len(changes) <= PAGE_SIZE,
            on_click=ends.append,
            args=(changes[:PAGE_SIZE][-1].row_change_id,),
        )
with panel:
    if chosen is None:
        st.info("勾选左侧一行，查看这次变更的前后内容。")
    else:
        with transaction(actor, read_only=True) as connection:
            columns = trail.list_columns(connection, chosen.table_name)
        change_panel(chosen, columns)
