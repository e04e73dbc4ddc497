"""The phone page: whose villages it lists and opens, how one signs in, how little it weighs."""

import gzip
import re
from functools import partial

import pytest
import streamlit as st

from components import phone_page
from components.session import SESSION_COOKIE
from data_access.sessions import hash_password
from domain.access import Role
from tests.actors import COUNTY, make_actor
from tests.villages import add_natural_villages, open_village_period, return_late, villages_of

FROM_HERE = {"sec-fetch-site": "same-origin"}
LIGHT = 60_000  # bytes of a cold cache: page, style, script and a report of ten natural villages


@pytest.fixture
def township(owner) -> tuple[str, str]:
    """The first township of the county, and another one."""
    towns = sorted({code[:9] for code in villages_of(owner, COUNTY)})
    return towns[0], towns[1]


@pytest.fixture
def village(owner, township) -> str:
    code = next(code for code in villages_of(owner, COUNTY) if code.startswith(township[0]))
    add_natural_villages(owner, code, 10)
    open_village_period(owner, 2026)
    st.cache_resource.clear()
    return code


@pytest.fixture
def officer(owner, township):
    return make_actor(owner, "officer", Role.TOWNSHIP, township[0])


@pytest.fixture
def browser_of(browser_of):
    """A browser that says where its questions come from, as every browser of today does."""
    return partial(browser_of, headers=FROM_HERE)


def rows_of(page: str) -> list[str]:
    return re.findall(r'<li><a href="/phone/(\d{12})"', page)


def test_the_list_has_the_officers_villages_and_no_others(owner, village, officer, browser_of):
    own = [code for code in villages_of(owner, COUNTY) if code.startswith(village[:9])]
    page = browser_of(officer).get("/phone").text
    assert rows_of(page) == own[: phone_page.PAGE]
    assert f"已报送 0 / {len(own)} 个村" in page
    assert f'class="button primary" href="/phone/{own[0]}"' in page


def test_a_village_is_found_by_name_by_code_and_by_state(owner, village, officer, browser_of):
    browser = browser_of(officer)
    (name,) = owner.execute(
        "SELECT name FROM admin_division_version WHERE code = %s", [village]
    ).fetchone()
    assert village in rows_of(browser.get("/phone", params={"q": name}).text)
    assert rows_of(browser.get("/phone", params={"q": village}).text) == [village]
    wide = village.translate({ord(str(digit)): 0xFF10 + digit for digit in range(10)})
    assert rows_of(browser.get("/phone", params={"q": wide}).text) == [village]
    assert rows_of(browser.get("/phone", params={"q": "没有这个村"}).text) == []
    browser.get(f"/phone/{village}")
    assert rows_of(browser.get("/phone?state=draft").text) == [village]
    assert village not in rows_of(browser.get("/phone?state=none").text)


def test_a_village_of_which_nothing_was_accepted_cannot_report_no_change(
    village, officer, browser_of
):
    browser = browser_of(officer)
    number = re.search(r'data-submission="(\d+)"', browser.get(f"/phone/{village}").text)[1]
    can = browser.get(f"/api/drafts/{number}").json()["can"]
    assert (can["submit"], can["no_change"]) == (True, False)


def test_between_two_periods_an_officer_is_told_so(owner, village, officer, browser_of):
    owner.execute("UPDATE reporting_period SET closed_at = now()")
    for address in ("/phone", f"/phone/{village}"):
        answer = browser_of(officer).get(address)
        assert answer.status_code == 404
        assert "目前没有开放的填报期" in answer.text


@pytest.mark.parametrize("next_year", [True, False])
def test_what_was_returned_of_a_closed_period_is_listed_and_opens(
    owner, township, officer, browser_of, next_year
):
    code = next(code for code in villages_of(owner, COUNTY) if code.startswith(township[0]))
    period = open_village_period(owner, 2026)
    number = return_late(owner, officer, period, code)
    if next_year:
        open_village_period(owner, 2027)
    st.cache_resource.clear()
    browser = browser_of(officer)
    listed = browser.get("/phone")
    assert listed.status_code == 200
    assert f'href="/phone/{code}/{period}" data-row="{number}"' in listed.text
    page = browser.get(f"/phone/{code}/{period}").text
    assert f'data-submission="{number}"' in page
    assert "2026年，填报期已关闭" in page
    assert browser.get(f"/api/drafts/{number}").json()["can"]["submit"]


def test_what_is_searched_for_is_never_a_tag(village, officer, browser_of):
    page = browser_of(officer).get("/phone", params={"q": '"><script>x'}).text
    assert "<script>x" not in page
    assert "&quot;&gt;&lt;script&gt;x" in page


def test_a_village_is_opened_once_however_often_it_is_looked_at(
    owner, village, officer, browser_of
):
    browser = browser_of(officer)
    first, second = browser.get(f"/phone/{village}"), browser.get(f"/phone/{village}")
    assert (first.status_code, second.text) == (200, first.text)
    assert owner.execute("SELECT division_code FROM submission").fetchall() == [(village,)]
    number = re.search(r'data-submission="(\d+)"', first.text)
    assert number is not None
    assert browser.get(f"/api/drafts/{number[1]}").json()["can"]["save"]
    assert first.headers["x-portal-user"] == str(officer.user_id)


def test_a_village_of_another_township_is_not_there(owner, village, township, officer, browser_of):
    other = make_actor(owner, "other", Role.TOWNSHIP, township[1])
    answer = browser_of(other).get(f"/phone/{village}")
    assert answer.status_code == 404
    assert "不在您的数据范围内" in answer.text
    assert owner.execute("SELECT count(*) FROM submission").fetchone() == (0,)
    assert browser_of(officer).get("/phone/360123999999").status_code == 404


@pytest.mark.parametrize("address", ["/phone", "/phone/{village}"])
def test_without_a_session_there_is_the_sign_in(owner, village, officer, browser_of, address):
    address = address.format(village=village)
    assert browser_of(officer).get(address).status_code == 200
    owner.execute("UPDATE portal_session SET revoked_at = now()")
    for browser in (browser_of(), browser_of(officer)):
        answer = browser.get(address)
        assert (answer.status_code, "口令" in answer.text) == (401, True)
        assert village not in answer.text


def test_an_initial_password_opens_nothing(owner, village, officer, browser_of):
    browser = browser_of(officer)
    owner.execute("UPDATE account SET must_change_password = true")
    answer = browser.get(f"/phone/{village}")
    assert (answer.status_code, "请先修改初始口令" in answer.text) == (403, True)


def test_the_policy_allows_nothing_inline(village, officer, browser_of):
    for answer in (browser_of().get("/phone"), browser_of(officer).get(f"/phone/{village}")):
        assert "unsafe" not in answer.headers["content-security-policy"]
        assert not re.search(r"<style|\sstyle=|\son\w+=|<script(?![^>]*\ssrc=)", answer.text)


def test_signing_in_is_the_portals_own(owner, officer, browser_of):
    browser = browser_of()
    owner.execute("UPDATE account SET password_hash = %s", [hash_password("Right-2026-pass")])
    ask = {"username": "officer", "password": "Right-2026-pass"}
    ticket = browser.post("/phone/sign-in", json=ask).json()["ticket"]
    assert browser.post("/api/session", json={"ticket": ticket}).status_code == 200
    assert SESSION_COOKIE in browser.cookies
    assert browser.post("/api/session", json={"ticket": ticket}).status_code == 401
    assert browser.post("/phone/sign-in", json={"username": "officer"}).status_code == 400
    elsewhere = {"sec-fetch-site": "cross-site"}
    assert browser.post("/phone/sign-in", json=ask, headers=elsewhere).status_code == 403


def test_wrong_passwords_lock_the_account_here_too(owner, officer, browser_of):
    owner.execute("UPDATE account SET password_hash = %s", [hash_password("Right-2026-pass")])
    wrong = {"username": "officer", "password": "wrong"}
    answers = [browser_of().post("/phone/sign-in", json=wrong).status_code for _ in range(6)]
    assert answers == [401] * 5 + [429]


def test_files_are_kept_for_good_under_their_content(browser_of):
    browser = browser_of()
    for name in (phone_page.SCRIPT, phone_page.STYLE):
        answer = browser.get(phone_page.address_of(name))
        assert "immutable" in answer.headers["cache-control"]
        assert answer.headers["content-encoding"] == "gzip"
        assert browser.get(f"/phone/assets/old/{name}").headers["cache-control"] == "no-store"
    assert browser.get("/phone/assets/old/secret.py").status_code == 404
    worker = browser.get("/phone/worker.js")
    assert phone_page.address_of(phone_page.SCRIPT) in worker.text
    assert worker.headers["service-worker-allowed"] == "/phone"


def test_a_cold_cache_loads_little(village, officer, browser_of):
    browser = browser_of(officer)
    page = browser.get(f"/phone/{village}").text
    number = re.search(r'data-submission="(\d+)"', page)
    assert number is not None
    draft = browser.get(f"/api/drafts/{number[1]}")
    assert draft.headers["content-encoding"] == "gzip"
    files = [text for _, text in phone_page.files().values()]
    sizes = [len(gzip.compress(text.encode())) for text in (page, draft.text, *files)]
    assert sum(sizes) < LIGHT
