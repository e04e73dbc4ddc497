"""审计查询 as the security auditor meets it."""

from pathlib import Path

import pytest

from data_access import trail
from data_access.database import transaction
from domain.access import Role
from tests.actors import PROVINCE, make_actor
from tests.pages.reading import drawn, texts


@pytest.fixture
def auditor(owner):
    return make_actor(owner, "auditor", Role.SECURITY_AUDITOR, PROVINCE)


@pytest.fixture
def data_dir(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("PORTAL_DATA_DIR", str(tmp_path))
    return tmp_path


@pytest.fixture
def changed(owner, auditor):
    """An account whose telephone, password and name were changed, the name to a bit of HTML."""
    owner.execute("UPDATE account SET phone = '13812345678' WHERE username = 'auditor'")
    owner.execute(
        "UPDATE account SET phone = '13987654321', password_hash = 'x'"
        ", organisation = '<b>审计处</b>' WHERE username = 'auditor'"
    )


def choose_first(page):
    """Mark the first row, as a click on its box does."""
    key = page.dataframe[0].key
    page.session_state[key] = {"selection": {"rows": [0], "columns": [], "cells": []}}
    return page.run()


def test_auditor_sees_the_newest_changes_first(changed, auditor, open_page):
    page = open_page(auditor, "trail", table="account")
    assert not page.exception
    table = page.dataframe[0].value
    assert list(table["操作"])[:3] == ["修改", "修改", "新增"]
    assert set(table["数据表"]) == {"账号"}
    assert set(table["操作人"]) == {"数据库 owner"}


def test_change_shows_before_and_after_without_secrets(changed, auditor, open_page):
    page = choose_first(open_page(auditor, "trail", table="account"))
    html = drawn(page)
    assert "138****5678" in html
    assert "139****4321" in html
    assert "13987654321" not in html
    assert "（不留内容，有改动）" in html
    assert "&lt;b&gt;审计处&lt;/b&gt;" in html
    assert "<b>审计处" not in html


def test_filters_of_an_address_are_drawn_and_cleared(changed, auditor, open_page):
    page = open_page(auditor, "trail", table="account", words="13987654321", operation="UPDATE")
    assert len(page.dataframe[0].value) == 1
    next(button for button in page.button if button.label == "清除条件").click().run()
    assert len(page.dataframe[0].value) > 1


def test_bad_parameters_ask_for_nothing(changed, auditor, open_page):
    page = open_page(auditor, "trail", table="nonsense", person="x", period="9", operation="DROP")
    assert not page.exception
    assert len(page.dataframe[0].value) > 1


def test_nothing_found_says_what_to_do(auditor, open_page):
    page = open_page(auditor, "trail", words="没有这样的内容")
    assert [notice.value for notice in page.info] == [
        "没有符合条件的变更。请放宽时间或清除条件后再查。"
    ]


def test_older_changes_stand_on_the_next_page(owner, auditor, open_page):
    for number in range(60):
        owner.execute(
            "UPDATE account SET organisation = %s WHERE username = 'auditor'", [f"单位{number}"]
        )
    page = open_page(auditor, "trail", table="account")
    assert len(page.dataframe[0].value) == 50
    page.button(key="trail-older").click().run()
    assert 11 <= len(page.dataframe[0].value) < 20
    assert "第 2 页，每页 50 条，由新到旧" in texts(page)
    page.button(key="trail-newer").click().run()
    assert len(page.dataframe[0].value) == 50


def test_verifying_says_that_the_trail_is_whole(changed, auditor, open_page, data_dir):
    with transaction(None) as connection:
        trail.anchor(connection, data_dir)
    page = open_page(auditor, "trail")
    page.button(key="trail-verify").click().run()
    assert "条日志完整无改动。锚定文件 1 行" in page.success[0].value


def test_verifying_names_what_was_done(changed, owner, auditor, open_page, data_dir):
    owner.execute("SET session_replication_role = replica")
    owner.execute(
        "DELETE FROM row_change WHERE row_change_id = ("
        "SELECT max(row_change_id) FROM row_change WHERE table_name = 'account')"
    )
    page = open_page(auditor, "trail")
    page.button(key="trail-verify").click().run()
    assert "日志被删除" in page.error[0].value
