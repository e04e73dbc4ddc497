"""The administrator's page, and one's own password."""

import pytest
from streamlit.testing.v1 import AppTest

from components import sign_in
from data_access import accounts, sessions
from data_access.database import transaction
from domain.access import Role
from domain.errors import SignInRefused
from tests.actors import PROVINCE, make_actor

PASSWORD = "Jing-Tai 2026"


@pytest.fixture
def centre(owner):
    return make_actor(owner, "centre", Role.INFORMATION_CENTRE, PROVINCE)


@pytest.fixture
def clerk(centre) -> accounts.NewAccount:
    """A county clerk who may sign in with PASSWORD."""
    with transaction(centre, action="account.create") as connection:
        made = accounts.create_account(
            connection,
            username="clerk",
            display_name="张科员",
            password=PASSWORD,
            must_change_password=False,
        )
        accounts.grant(connection, made.user_id, Role.COUNTY, "360123")
    return made


def choose(page, actor, username):
    """Choose the row of an account, as a click on it does."""
    with transaction(actor, read_only=True) as connection:
        everyone = accounts.list_accounts(connection)
    row = [each.username for each in everyone].index(username)
    key = f"accounts-table-{hash(tuple(each.user_id for each in everyone))}"
    page.session_state[key] = {"selection": {"rows": [row], "columns": [], "cells": []}}
    return page.run()


def button(page, label):
    return next(each for each in page.button if each.label == label)


def test_the_page_counts_and_finds(open_page, centre, clerk):
    page = open_page(centre, "accounts")
    assert "共 2 个账号" in page.markdown[0].value
    page.text_input(key="accounts-words").set_value("安义").run()
    assert list(page.dataframe[0].value["用户名"]) == ["clerk"]
    page.text_input(key="accounts-words").set_value("没有这个人").run()
    assert "没有符合条件的账号" in page.info[0].value


@pytest.fixture
def new_account(monkeypatch, owner, centre):
    """The form of a new account, filled in; AppTest opens no dialogs, so it stands alone."""

    def script():
        import streamlit as st

        from components import account_forms
        from data_access import accounts
        from data_access.database import transaction

        account_forms.show_outcome()
        with transaction(None, read_only=True) as connection:
            divisions = accounts.grantable_divisions(connection)
        account_forms.new_account_dialog(st.session_state["actor"], divisions)

    def fill_in(username, *, with_grant=True):
        page = AppTest.from_function(script, default_timeout=30)
        page.session_state["actor"] = centre
        page.run()
        for label, value in (("用户名 *", username), ("姓名 *", "李科员")):
            next(field for field in page.text_input if field.label == label).set_value(value)
        for field in page.selectbox if with_grant else ():
            field.select_index(1)
        return button(page, "创建账号").click().run()

    return fill_in


def test_a_new_account_gets_a_password_shown_once(new_account):
    page = new_account("newclerk")
    assert not page.error
    password = page.code[0].value
    assert sessions.sign_in("newclerk", password, "10.0.0.1")
    assert not page.run().code


def test_nothing_is_granted_that_nobody_chose(new_account, owner):
    page = new_account("newclerk", with_grant=False)
    assert page.error[0].value == "请选择角色和数据范围。"
    assert owner.execute("SELECT FROM account WHERE username = 'newclerk'").fetchone() is None


@pytest.mark.parametrize(
    ("username", "sentence"),
    [
        ("clerk", "该用户名已被使用，请换一个。"),
        ("张三", "用户名应以小写字母开头"),
        ("", "用户名应"),
    ],
)
def test_a_username_that_will_not_do_is_a_sentence(new_account, clerk, username, sentence):
    page = new_account(username)
    assert page.error[0].value.startswith(sentence)
    assert not page.code


def test_a_locked_account_is_unlocked_from_its_row(open_page, centre, clerk):
    for _ in range(5):
        with pytest.raises(SignInRefused):
            sessions.sign_in("clerk", "wrong", "10.0.0.1")
    page = open_page(centre, "accounts")
    assert "1 个被锁定" in page.markdown[0].value
    page = choose(page, centre, "clerk")
    page.button(key="accounts-unlock").click().run()
    assert "已解除锁定" in page.success[0].value
    assert sessions.sign_in("clerk", PASSWORD, "10.0.0.1")


def test_ones_own_password_is_changed(open_page, owner, county):
    owner.execute(
        "UPDATE account SET password_hash = %s WHERE user_id = %s",
        [sessions.hash_password(PASSWORD), county.user_id],
    )
    page = open_page(county, "password")
    for field, value in zip(
        page.text_input, (PASSWORD, "Xin Kou Ling 9", "Xin Kou Ling"), strict=True
    ):
        field.set_value(value)
    button(page, "修改口令").click().run()
    assert "不一致" in page.error[0].value
    for field, value in zip(page.text_input, (PASSWORD, *["Xin Kou Ling 9"] * 2), strict=True):
        field.set_value(value)
    button(page, "修改口令").click().run()
    assert "口令已修改" in page.success[0].value
    with pytest.raises(SignInRefused):
        sessions.sign_in("anyi", PASSWORD, "10.0.0.1")


def test_the_form_lets_in_who_knows_the_password(open_page, clerk, monkeypatch):
    monkeypatch.setattr(sign_in, "browser_address", lambda: "10.0.0.1")
    page = open_page(None, "report")
    page.text_input[0].set_value("Clerk")
    page.text_input[1].set_value("wrong")
    button(page, "登录").click().run()
    assert page.error[0].value.startswith("用户名或口令不正确")
    page.text_input[1].set_value(PASSWORD)
    button(page, "登录").click().run()
    assert not page.error
    assert not page.text_input  # the ticket is on its way
