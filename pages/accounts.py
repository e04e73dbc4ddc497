"""账号管理: who has an account, in which roles and state; unlock, reset, disable, grant."""

import streamlit as st

from components.account_forms import account_panel, new_account_dialog, show_outcome, state_of
from components.labels import label
from components.session import page_frame, require_actor
from data_access import accounts
from data_access.accounts import AccountRow
from data_access.database import transaction
from domain import clock
from domain.access import Role
from domain.clock import moment

actor = require_actor(Role.INFORMATION_CENTRE)
page_frame("账号管理")

with transaction(actor, read_only=True) as connection:
    everyone = accounts.list_accounts(connection)
    divisions = accounts.grantable_divisions(connection)

today = clock.today()
STATES = {
    "全部": lambda account: True,
    "已锁定": lambda account: account.locked_until is not None,
    "已停用": lambda account: account.disabled_at is not None,
    "未授权": lambda account: not any(held.holds_on(today) for held in account.grants),
}


def _matches(account: AccountRow, words: str) -> bool:
    text = (account.username, account.display_name, account.organisation)
    places = [held.division_name + held.division_code for held in account.grants]
    return all(word in " ".join([*text, *places]).lower() for word in words.lower().split())


def _roles_of(account: AccountRow) -> str:
    held = [each for each in account.grants if each.holds_on(today)]
    return "、".join(f"{label(each.role)}·{each.division_name}" for each in held)


locked, disabled = (sum(map(STATES[name], everyone)) for name in ("已锁定", "已停用"))
st.markdown(f"**共 {len(everyone)} 个账号**，{locked} 个被锁定，{disabled} 个已停用。")
show_outcome()

with st.container(horizontal=True, vertical_alignment="bottom", key="accounts-filters"):
    words = st.text_input(
        "查找", placeholder="用户名、姓名、单位或区划", key="accounts-words", width=280
    )
    state = st.segmented_control(
        "状态", list(STATES), default="全部", required=True, key="accounts-state", width="content"
    )
    st.space("stretch")
    if st.button("新建账号", icon=":material/person_add:", type="primary", key="accounts-add"):
        new_account_dialog(actor, divisions)

shown = [each for each in everyone if STATES[state](each) and _matches(each, words)]
if not shown:
    st.info("没有符合条件的账号。请换个词查找，或将状态改为“全部”。")
    st.stop()

table = [
    {
        "用户名": each.username,
        "姓名": each.display_name,
        "单位": each.organisation,
        "角色与范围": _roles_of(each) or "未授权",
        "状态": state_of(each),
        "最近登录": moment(each.last_signed_in_at) if each.last_signed_in_at else "从未",
    }
    for each in shown
]
listing, panel = st.columns([3, 2], gap="medium")
chosen = listing.dataframe(
    table,
    hide_index=True,
    on_select="rerun",
    selection_mode="single-row",
    key=f"accounts-table-{hash(tuple(each.user_id for each in shown))}",  # rows move: choose anew
    height=min(38 + 35 * len(shown), 600),
)
with panel:
    if chosen["selection"]["rows"]:
        account_panel(actor, shown[chosen["selection"]["rows"][0]], divisions)
    else:
        st.info("点选左侧一行，查看其授权与登录，或办理解锁、重置口令、停用。")
