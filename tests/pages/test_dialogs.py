"""The dialogs of supervision, each drawn alone: what is prefilled, sent, refused and said."""

import pytest
from streamlit.testing.v1 import AppTest

from data_access import progress, reminders, reporting, supervision_items
from data_access.database import transaction
from data_access.supervision_items import ItemOrder
from domain.clock import today
from domain.supervision import NoteKind, ReminderTopic
from tests.actors import COUNTY
from tests.pages.reading import texts
from tests.pages.test_unit import accepted  # noqa: F401


def draw(dialog: str, *arguments: object) -> AppTest:
    """Draw one dialog on every run, as a click leaves it open in the browser."""

    def script(dialog: str, arguments: tuple[object, ...]) -> None:
        import components.supervision as dialogs

        getattr(dialogs, dialog)(*arguments)

    return AppTest.from_function(
        script, default_timeout=20, kwargs={"dialog": dialog, "arguments": arguments}
    ).run()


def press(page: AppTest, key: str) -> AppTest:
    """Press a button; the run after it is the fragment's own, which the test client cannot do."""
    page.button(key=key).click().run()
    return page.run() if page.exception else page


def units(actor, *codes):
    with transaction(actor, read_only=True) as connection:
        return [
            progress.get_unit(connection, code, *progress.moment_of(None))
            for code in codes or (COUNTY,)
        ]


@pytest.mark.usefixtures("accepted")
def test_reminder_is_prefilled_sent_and_not_sent_twice(leader, owner):
    page = draw("remind_dialog", leader, units(leader))
    assert "“招标采购”阶段应于" in page.text_area[0].value
    assert "已滞后 32 天" in page.text_area[0].value
    press(page, "remind-send")
    assert page.success[0].value == "已向安义县发出催办，等待签收回复。"
    [(code, topic, message)] = owner.execute(
        "SELECT division_code, topic, message FROM reminder"
    ).fetchall()
    assert (code, topic) == (COUNTY, "late_milestone")
    assert message.startswith("安义县总体规划“招标采购”阶段")
    again = press(draw("remind_dialog", leader, units(leader)), "remind-send")
    assert again.info[0].value == "安义县今日已就同一事由催办过，未重复发送。"


@pytest.mark.usefixtures("accepted")
def test_many_units_get_their_own_facts_and_the_common_request(leader, owner):
    page = draw("remind_dialog", leader, units(leader, COUNTY, "360124", "360100"))
    assert "另有 2 个单位没有“进度滞后”的情况，本次不发送。" in texts(page)
    page.radio[0].set_value(ReminderTopic.NOT_FILED).run()
    press(page, "remind-send")
    assert page.success[0].value == "已向南昌市、进贤县发出催办，等待签收回复。"
    messages = dict(owner.execute("SELECT division_code, message FROM reminder").fetchall())
    assert messages["360124"].startswith("进贤县本期编制进度尚未报送")
    assert messages["360100"].startswith("南昌市本期编制进度尚未报送")
    assert owner.execute("SELECT count(DISTINCT sent_at) FROM reminder").fetchone() == (1,)


def test_reminder_without_a_word_cannot_be_sent(leader, period_id):
    page = draw("remind_dialog", leader, units(leader))
    page.text_area[0].set_value("  ").run()
    assert page.button(key="remind-send").disabled


@pytest.mark.usefixtures("accepted")
def test_unit_answers_its_reminder(leader, county, owner):
    press(draw("remind_dialog", leader, units(leader)), "remind-send")
    with transaction(county, read_only=True) as connection:
        [reminder] = reminders.list_reminders(connection)
    page = press(draw("acknowledge_dialog", county, reminder), "acknowledge-send")
    assert page.error[0].value == "请填写回复内容后再签收。"
    page.text_area[0].set_value("月底前完成招标。").run()
    press(page, "acknowledge-send")
    assert page.success[0].value.startswith("已签收并回复")
    assert owner.execute("SELECT reply FROM reminder").fetchone() == ("月底前完成招标。",)


@pytest.mark.usefixtures("accepted")
def test_item_is_prefilled_and_opened(leader, owner):
    page = draw("item_dialog", leader, units(leader))
    assert page.text_input[0].value == "总体规划“招标采购”阶段滞后整改"
    assert page.text_input[1].value == "李四"
    page.text_input[0].set_value("").run()
    press(page, "item-open")
    assert page.error[0].value == "请填写督办事项的名称、要求与责任人。"
    page.text_input[0].set_value("限期完成招标").run()
    press(page, "item-open")
    assert page.success[0].value.startswith("已对安义县立项督办")
    assert owner.execute("SELECT title, state FROM supervision_item").fetchall() == [
        ("限期完成招标", "open")
    ]


def test_note_on_an_item_that_moved_on_is_told_so(leader, bureau, county, owner):
    order = ItemOrder(COUNTY, "公示", "限期公示", "局长", today())
    with transaction(leader) as connection:
        [item_id] = supervision_items.open_items(connection, leader, [order])
        item = supervision_items.get_item(connection, item_id)
    feedback = draw("note_dialog", county, item, NoteKind.FEEDBACK)
    feedback.text_area[0].set_value("已公示").run()
    press(feedback, "note-send")
    assert feedback.success[0].value == "已记录反馈，立项单位将收到消息。"
    late = draw("note_dialog", leader, item, NoteKind.CLOSE)
    late.text_area[0].set_value("同意").run()
    press(late, "note-send")
    assert late.error[0].value.startswith("您打开之后，该记录已被他人修改。")
    assert owner.execute("SELECT state FROM supervision_item").fetchone() == ("answered",)


def test_extension_needs_a_reason_and_a_later_day(bureau, period_id, owner):
    with transaction(bureau, read_only=True) as connection:
        period = reporting.current_period(connection, "plan_progress")
    page = draw("extend_dialog", bureau, period, [(COUNTY, "安义县")])
    press(page, "extend-send")
    assert page.error[0].value == "请填写延期理由。"
    page.text_area[0].set_value("汛期").run()
    page.date_input[0].set_value(today()).run()
    press(page, "extend-send")
    assert page.error[0].value == "延期后的截止日期应晚于原截止日期，请修改。"
    page = draw("extend_dialog", bureau, period, [(COUNTY, "安义县")])
    page.text_area[0].set_value("汛期").run()
    press(page, "extend-send")
    assert page.success[0].value.startswith("已将安义县的2026年11月报送期限延至")
    assert owner.execute("SELECT reason FROM period_extension").fetchall() == [("汛期",)]
