"""The list of reminders and items, the inbox, and the periods page."""

from datetime import timedelta

import pytest
import streamlit as st

from data_access import reminders, supervision_items
from data_access.database import transaction
from data_access.reminders import ReminderOrder
from data_access.supervision_items import ItemOrder
from domain.access import Role
from domain.clock import today
from domain.supervision import ReminderTopic
from tests.actors import COUNTY, make_actor
from tests.pages.reading import drawn, texts


@pytest.fixture
def reminder_id(leader) -> int:
    """A reminder to 安义县 and one to 进贤县; the first one's id."""
    orders = [
        ReminderOrder(
            code, ReminderTopic.OTHER, "plan_progress", "催办：其他事项", f"请{code}报送材料。"
        )
        for code in (COUNTY, "360124")
    ]
    with transaction(leader) as connection:
        reminders.send_reminders(connection, leader, orders, today())
        return min(one.reminder_id for one in reminders.list_reminders(connection))


@pytest.fixture
def item_id(leader) -> int:
    """An item opened for 安义县."""
    order = ItemOrder(COUNTY, "总体规划公示", "限期完成公示", "局长", today() + timedelta(14))
    with transaction(leader) as connection:
        [number] = supervision_items.open_items(connection, leader, [order])
    return number


def labels(page) -> list[str]:
    return [button.label for button in page.button]


def test_leader_reads_how_many_wait(open_page, leader, reminder_id):
    page = open_page(leader, "supervision")
    assert "**2 件催办待回复**，均在回复期限内" in texts(page)
    assert len(page.dataframe[0].value) == 2
    assert "签收并回复" not in labels(page)


def test_filter_by_name_narrows_and_one_click_clears(open_page, leader, reminder_id):
    page = open_page(leader, "supervision", unit="安义")
    assert list(page.dataframe[0].value["单位"]) == ["安义县"]
    page.button(key="supervision-clear-reminders").click().run()
    assert len(page.dataframe[0].value) == 2


def test_filter_without_a_match_says_so(open_page, leader, reminder_id):
    page = open_page(leader, "supervision", unit="不存在")
    assert page.info[0].value.startswith("没有符合条件的记录")


def test_unit_finds_its_reminder_by_the_link_and_may_answer(open_page, county, reminder_id):
    page = open_page(county, "supervision", reminder=str(reminder_id))
    assert f"请{COUNTY}报送材料。" in drawn(page)
    assert "签收并回复" in labels(page)


@pytest.mark.parametrize("who", ["leader", "city"])
def test_others_do_not_answer_for_the_unit(open_page, request, who, reminder_id):
    page = open_page(request.getfixturevalue(who), "supervision", reminder=str(reminder_id))
    assert f"请{COUNTY}报送材料。" in drawn(page)
    assert "签收并回复" not in labels(page)


def test_reminder_of_another_county_is_not_found(open_page, county, reminder_id):
    page = open_page(county, "supervision", reminder=str(reminder_id + 1))
    assert page.error[0].value.startswith("记录不存在，或不在您的数据范围内。")


@pytest.mark.parametrize("number", ["x", "-1", "999999999", "9" * 40])
def test_address_with_nonsense_shows_no_fault(open_page, leader, reminder_id, number):
    assert not open_page(leader, "supervision", item=number, view="items").exception


@pytest.mark.parametrize(
    ("who", "offered"),
    [("leader", ["意见", "销号"]), ("county", ["反馈"]), ("city", ["意见"])],
)
def test_each_is_offered_what_he_may_write(open_page, request, item_id, who, offered):
    page = open_page(request.getfixturevalue(who), "supervision", item=str(item_id))
    assert "限期完成公示" in drawn(page)
    assert [
        name for name in ("反馈", "意见", "退回重办", "销号") if name in labels(page)
    ] == offered


def test_nothing_sent_says_where_to_begin(open_page, leader):
    assert "还没有催办和督办" in open_page(leader, "supervision").info[0].value


def test_message_is_read_by_opening_it_and_leads_to_its_page(open_page, county, item_id):
    page = open_page(county, "inbox")
    assert "**1 条未读消息。**" in texts(page)
    [button] = [each for each in page.button if each.label == "打开"]
    button.click().run()
    assert "限期完成公示" in drawn(page)
    assert "没有未读消息。" in texts(open_page(county, "inbox"))


def test_the_closed_group_of_the_navigation_says_how_many_messages_wait(
    open_page, county, item_id, monkeypatch
):
    drawn_groups, navigation = [], st.navigation

    def noted(groups, **options):
        drawn_groups.append(list(groups))
        return navigation(groups, **options)

    monkeypatch.setattr(st, "navigation", noted)
    open_page(county, "inbox")
    assert "监督（1）" in drawn_groups[-1]


def test_inbox_of_who_got_nothing_says_what_will_come(open_page, leader):
    assert "会出现在这里" in open_page(leader, "inbox").info[0].value


def test_periods_page_follows_who_has_not_filed(open_page, bureau, period_id):
    page = open_page(bureau, "periods")
    assert "**2026年11月：111 个单位中 0 个已报送，111 个未报送**" in texts(page)
    assert "0 / 111" in drawn(page)
    assert {"开启填报期", "催报（0）", "延期（0）", "关闭填报期"} <= set(labels(page))


def test_information_centre_extends_and_does_not_remind(open_page, owner, period_id):
    centre = make_actor(owner, "centre", Role.INFORMATION_CENTRE, "360000")
    names = labels(open_page(centre, "periods"))
    assert "延期（0）" in names
    assert "催报（0）" not in names


def test_closed_period_offers_no_action(open_page, bureau, period_id, owner):
    owner.execute("UPDATE reporting_period SET closed_at = now()")
    page = open_page(bureau, "periods")
    assert "填报期已于" in texts(page)
    assert "关闭填报期" not in labels(page)
    assert "延期（0）" not in labels(page)


def test_province_without_a_period_says_what_opening_does(open_page, bureau):
    assert open_page(bureau, "periods").info[0].value.startswith("还没有填报期。")


def test_unknown_period_shows_the_newest(open_page, bureau, period_id):
    page = open_page(bureau, "periods", period="987654")
    assert page.warning[0].value == "没有这个填报期，已显示最近一期。"
    assert "2026年11月" in texts(page)


@pytest.mark.parametrize("who", ["leader", "county", "city"])
def test_periods_are_not_for_everyone(open_page, request, who):
    assert "无权访问" in open_page(request.getfixturevalue(who), "periods").error[0].value
