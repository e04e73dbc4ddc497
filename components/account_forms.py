"""What the administrator does with an account: the form of a new one, the panel of a chosen."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date, timedelta

import streamlit as st

from components.labels import label
from components.session import errors_shown
from data_access import accounts, sessions
from data_access.accounts import AccountRow, DivisionChoice, GrantRow
from data_access.database import Connection, transaction
from domain import clock
from domain.access import Actor, Role
from domain.clock import moment

_PASSWORD = "accounts-password"
_NOTICE = "accounts-notice"

_CHOOSE_BOTH = "请选择角色和数据范围。"


@st.dialog("新建账号", width="medium")
def new_account_dialog(actor: Actor, divisions: Sequence[DivisionChoice]) -> None:
    """Ask for a new account and its first grant, and add both at once."""
    with st.form("accounts-new", border=False):
        left, right = st.columns(2)
        username = left.text_input(
            "用户名 *", help="小写字母开头，3 至 40 位字母、数字、点、横线。"
        )
        name = right.text_input("姓名 *")
        organisation = left.text_input("单位")
        phone = right.text_input("联系电话")
        wanted = _grant_fields("accounts-new", divisions)
        sent = st.form_submit_button("创建账号", type="primary")
    if not sent:
        return
    if wanted is None:
        st.error(_CHOOSE_BOTH)
        return
    with errors_shown():
        with transaction(actor, action="account.create") as connection:
            made = accounts.create_account(
                connection,
                username=username,
                display_name=name,
                organisation=organisation,
                phone=phone,
            )
            _grant(connection, actor, made.user_id, wanted)
        _note_password(made.username, made.password, "账号已创建，首次登录须修改口令。")
        st.rerun()


def show_outcome() -> None:
    """Show what the last action did; a made-up password is shown this once and kept nowhere."""
    notice = st.session_state.pop(_NOTICE, None)
    password = st.session_state.pop(_PASSWORD, None)
    if notice:
        st.success(notice)
    if password:
        st.code(password, language=None)
        st.caption("请立即复制并当面或电话告知本人；离开本页后不再显示。")


def account_panel(actor: Actor, account: AccountRow, divisions: Sequence[DivisionChoice]) -> None:
    """Draw one account: its state, what may be done with it, its grants and its sessions."""
    with st.container(border=True, key="accounts-panel"):
        st.subheader(f"{account.display_name}（{account.username}）", anchor=False)
        st.caption(
            " · ".join(filter(None, (account.organisation, account.phone, state_of(account))))
        )
        _actions(actor, account)
        granted, signed_in = st.tabs(["授权", f"登录会话（{account.open_sessions}）"])
        with granted:
            _grants(actor, account, divisions)
        with signed_in:
            _sessions(actor, account)


def state_of(account: AccountRow) -> str:
    """Return the word for the state of an account."""
    if account.disabled_at:
        return "已停用"
    if account.locked_until:
        return f"锁定至 {moment(account.locked_until)}"
    return "待改初始口令" if account.must_change_password else "正常"


def _actions(actor: Actor, account: AccountRow) -> None:
    with st.container(horizontal=True):
        if account.locked_until and st.button("解除锁定", type="primary", key="accounts-unlock"):
            _act(actor, "account.unlock", accounts.unlock, account, "已解除锁定，可立即登录。")
        if account.disabled_at:
            if st.button("恢复使用", key="accounts-enable"):
                _act(actor, "account.enable", accounts.enable, account, "账号已恢复使用。")
            return
        if _confirmed("重置口令", "原口令作废，本人须用新的初始口令登录并修改。", "accounts-reset"):
            _reset(actor, account)
        if account.user_id != actor.user_id and _confirmed(
            "停用账号", "立即退出其全部登录，且不能再登录；历史记录保留。", "accounts-disable"
        ):
            _act(actor, "account.disable", accounts.disable, account, "账号已停用。")


def _confirmed(caption: str, consequence: str, key: str) -> bool:
    with st.popover(caption, key=f"{key}-asks"):
        st.write(consequence)
        return st.button(f"确认{caption}", type="primary", key=key)


def _act(
    actor: Actor,
    action: str,
    act: Callable[[Connection, int], None],
    account: AccountRow,
    done: str,
) -> None:
    with errors_shown():
        with transaction(actor, action=action) as connection:
            act(connection, account.user_id)
        st.session_state[_NOTICE] = f"{account.display_name}（{account.username}）：{done}"
        st.rerun()


def _reset(actor: Actor, account: AccountRow) -> None:
    with errors_shown():
        with transaction(actor, action="account.reset") as connection:
            password = accounts.reset_password(connection, account.user_id)
        _note_password(account.username, password, "口令已重置，其全部登录已退出。")
        st.rerun()


def _note_password(username: str, password: str, done: str) -> None:
    st.session_state[_NOTICE] = f"{username}：{done}初始口令如下："
    st.session_state[_PASSWORD] = password


def _grants(actor: Actor, account: AccountRow, divisions: Sequence[DivisionChoice]) -> None:
    if not account.grants:
        st.info("尚无授权：可以登录，但看不到任何业务。请在下方授予角色。")
    for each in account.grants:
        _grant_line(actor, account, each)
    with st.form("accounts-grant", border=False):
        wanted = _grant_fields("accounts-grant", divisions)
        sent = st.form_submit_button("授予")
    if sent and wanted is None:
        st.error(_CHOOSE_BOTH)
    elif wanted is not None and sent:
        _act(
            actor,
            "account.grant",
            lambda connection, user_id: _grant(connection, actor, user_id, wanted),
            account,
            f"已授予“{label(wanted.role)}”。",
        )


def _grant_line(actor: Actor, account: AccountRow, held: GrantRow) -> None:
    until = f"至 {held.valid_to - timedelta(days=1)}" if held.valid_to else "起长期"
    holds = held.valid_to is None or held.valid_to > clock.today()
    with st.container(
        horizontal=True, vertical_alignment="center", horizontal_alignment="distribute"
    ):
        words = f"{label(held.role)} · {held.division_name}（{held.division_code}）"
        dates = f"{held.valid_from} {until}" if holds else "已结束"
        st.markdown(f"{words}  \n:gray[{dates}]", width="content")
        if holds and st.button("收回", key=f"accounts-end-{held.grant_id}"):
            _act(
                actor,
                "account.revoke",
                lambda connection, _: accounts.end_grant(connection, held.grant_id),
                account,
                f"已收回“{label(held.role)}”。",
            )


@dataclass(frozen=True, slots=True)
class _WantedGrant:
    role: Role
    division: DivisionChoice
    valid_to: date | None


def _grant_fields(key: str, divisions: Sequence[DivisionChoice]) -> _WantedGrant | None:
    """Draw the fields, nothing chosen: a careless click must not grant the province."""
    left, right = st.columns(2)
    roles: Sequence[Role] = list(Role)
    role = left.selectbox(
        "角色 *", roles, index=None, format_func=label, placeholder="请选择", key=f"{key}-role"
    )
    division = right.selectbox(
        "数据范围 *",
        divisions,
        index=None,
        placeholder="键入名称或代码",
        format_func=lambda each: f"{each.name} {each.code}",
        key=f"{key}-division",
        help="本区划及其下级；可键入名称或代码查找。",
    )
    last_day = left.date_input(
        "最后一天（不填为长期）", value=None, format="YYYY-MM-DD", key=f"{key}-until"
    )
    if role is None or division is None:
        return None
    return _WantedGrant(role, division, last_day + timedelta(days=1) if last_day else None)


def _grant(connection: Connection, actor: Actor, user_id: int, wanted: _WantedGrant) -> None:
    accounts.grant(
        connection,
        user_id,
        wanted.role,
        wanted.division.code,
        valid_to=wanted.valid_to,
        granted_by=actor.user_id,
    )


def _sessions(actor: Actor, account: AccountRow) -> None:
    with transaction(actor, read_only=True) as connection:
        held = sessions.list_sessions(connection, account.user_id)
    if not held:
        st.info("目前没有登录。")
        return
    for each in held:
        with st.container(
            horizontal=True, vertical_alignment="center", horizontal_alignment="distribute"
        ):
            st.markdown(
                f"{each.address or '地址不详'} · {_browser(each.user_agent)}  \n"
                f":gray[{moment(each.created_at)} 登录，最近活动 {moment(each.last_seen_at)}]",
                width="content",
            )
            if st.button("强制下线", key=f"accounts-revoke-{each.session_id}"):
                _revoke(actor, account, each.session_id)
    if len(held) > 1 and st.button("全部下线", key="accounts-revoke-all"):
        _revoke(actor, account, None)


def _revoke(actor: Actor, account: AccountRow, session_id: int | None) -> None:
    def act(connection: Connection, user_id: int) -> None:
        sessions.revoke_sessions(connection, user_id, session_id=session_id)

    _act(actor, "session.revoke", act, account, "已强制下线，一秒内生效。")


def _browser(user_agent: str) -> str:
    for mark, name in (("Edg/", "Edge"), ("Firefox/", "Firefox"), ("Chrome/", "Chrome")):
        if mark in user_agent:
            return name
    return "其他浏览器"
