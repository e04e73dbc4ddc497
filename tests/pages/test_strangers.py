"""Every screen asks who is there: a stranger, or the wrong role, sees nothing of it."""

import pytest
from streamlit.testing.v1 import AppTest

from components import session
from components.navigation import HOMES, PAGES
from domain.access import Role
from tests.actors import CITY, COUNTY, PROVINCE, make_actor, session_token
from tests.paths import ROOT

SCRIPTS = sorted((ROOT / "pages").glob("*.py"))
DIVISION_OF = {Role.CITY: CITY, Role.COUNTY: COUNTY}
# Whose each screen is, written down a second time: a new page fails here until somebody says so.
EVERYONE = frozenset(Role)
WORKERS = frozenset(
    {Role.LEADER, Role.PLAN_BUREAU, Role.USE_CONTROL, Role.DEPARTMENT, Role.CITY, Role.COUNTY}
)
ROLES_OF = {
    "overview": WORKERS,
    "unit": WORKERS,
    "figures": WORKERS,
    "compile_units": {Role.LEADER, Role.PLAN_BUREAU, Role.CITY, Role.COUNTY},
    "village_overview": {Role.LEADER, Role.PLAN_BUREAU, Role.CITY, Role.COUNTY},
    "village_map": {Role.LEADER, Role.PLAN_BUREAU, Role.CITY, Role.COUNTY},
    "assessment": WORKERS,
    "assessment_figure": WORKERS,
    "assessment_unit": WORKERS,
    "assessment_indicator": WORKERS,
    "assessment_comparison": WORKERS,
    "indicator_warnings": WORKERS,
    "supervision": WORKERS,
    "inbox": EVERYONE - {Role.SECURITY_AUDITOR},
    "report": {Role.CITY, Role.COUNTY, Role.DEPARTMENT},
    "villages": {Role.COUNTY, Role.TOWNSHIP},
    "village": {Role.COUNTY, Role.TOWNSHIP},
    "workbooks": {
        Role.LEADER,
        Role.PLAN_BUREAU,
        Role.CITY,
        Role.COUNTY,
        Role.TOWNSHIP,
        Role.DEPARTMENT,
    },
    "review_queue": {Role.CITY, Role.COUNTY, Role.PLAN_BUREAU},
    "township_review": {Role.CITY, Role.COUNTY, Role.PLAN_BUREAU},
    "submission": {Role.LEADER, Role.PLAN_BUREAU, Role.CITY, Role.COUNTY, Role.TOWNSHIP},
    "accounts": {Role.INFORMATION_CENTRE},
    "periods": {Role.PLAN_BUREAU, Role.INFORMATION_CENTRE},
    "jobs": {Role.INFORMATION_CENTRE},
    "settings": {Role.INFORMATION_CENTRE},
    "rules": {Role.PLAN_BUREAU, Role.INFORMATION_CENTRE},
    "assessment_rules": {Role.LEADER, Role.PLAN_BUREAU, Role.CITY, Role.COUNTY},
    "indicator_targets": WORKERS,
    "trail": {Role.SECURITY_AUDITOR},
    "password": EVERYONE,
}
REFUSED = "您的账号无权访问此页面。如确需使用，请联系信息中心调整授权。"


def test_every_screen_is_in_the_table_and_in_the_navigation():
    names = {script.stem for script in SCRIPTS}
    assert names <= set(ROLES_OF)
    assert names <= {page.name for page in PAGES}


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_navigation_and_table_agree(page):
    assert frozenset(page.roles or EVERYONE) == ROLES_OF[page.name]


@pytest.mark.parametrize("role", Role)
def test_every_role_begins_at_a_screen_that_is_its_own(role):
    assert role in ROLES_OF[HOMES[role]]


def test_a_stranger_at_a_screen_alone_sees_nothing(owner, monkeypatch):
    monkeypatch.setattr(session, "browser_token", lambda: None)
    for script in SCRIPTS:
        opened = AppTest.from_file(script, default_timeout=30).run()
        assert not opened.exception, script.stem
        assert [notice.value for notice in opened.info] == ["请先登录。"], script.stem
        assert len(opened.main) == 1, script.stem


def test_a_stranger_meets_the_sign_in_at_every_address(open_page):
    for script in SCRIPTS:
        opened = open_page(None, script.stem)
        assert [field.label for field in opened.text_input] == ["用户名", "口令"], script.stem


def test_the_wrong_role_is_turned_away(owner, monkeypatch):
    for role in Role:
        actor = make_actor(owner, role.value, role, DIVISION_OF.get(role, PROVINCE))
        token = session_token(owner, actor)
        monkeypatch.setattr(session, "browser_token", lambda token=token: token)
        for script in SCRIPTS:
            if role not in ROLES_OF[script.stem]:
                opened = AppTest.from_file(script, default_timeout=30).run()
                refused = [notice.value for notice in opened.error]
                assert refused == [REFUSED], (role, script.stem)
                assert len(opened.main) == 1, (role, script.stem)


def test_the_right_role_is_let_in(owner, open_page):
    for number, script in enumerate(SCRIPTS):
        role = min(ROLES_OF[script.stem])
        actor = make_actor(owner, f"user{number}", role, DIVISION_OF.get(role, PROVINCE))
        opened = open_page(actor, script.stem)
        assert not opened.exception, script.stem
        assert REFUSED not in [notice.value for notice in opened.error], script.stem


def test_an_initial_password_is_changed_before_anything_else(owner, open_page, county):
    owner.execute("UPDATE account SET must_change_password = true")
    opened = open_page(county, "report")
    assert [field.label for field in opened.text_input] == [
        "现用口令",
        "新口令",
        "再次输入新口令",
    ]


def test_a_session_that_is_over_shows_the_sign_in_again(owner, open_page, county):
    opened = open_page(county, "password")
    assert opened.title[0].value == "修改口令"
    owner.execute("UPDATE portal_session SET revoked_at = now()")
    opened.run()
    assert [field.label for field in opened.text_input] == ["用户名", "口令"]
