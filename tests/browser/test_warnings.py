"""Warnings and hints while somebody types: each said beside its field, a warning explained."""

from playwright.sync_api import Browser, expect

from domain.forms import EXPLANATION, Context, Field, Form, Rule, Severity
from tests.browser.form_desk import FormDesk
from tests.forms import TODAY

WARNING = Rule("people <= 100", "人数较多，请核实并说明。", "ZZ001", Severity.WARNING)
HINT = Rule("people >= 5", "人数较少。", "ZZ002", Severity.HINT)
FIELDS = (
    Field("form", "people", "人数", "integer", "基本情况", rules=(WARNING, HINT)),
    Field("form", EXPLANATION, "核实说明", "long_text", "填报信息", length="200"),
    Field("form", "remark", "备注", "text", "填报信息"),
)


def test_a_warning_leads_to_its_explanation_and_a_hint_asks_for_nothing(browser: Browser):
    desk = FormDesk(Form("f", 1, "表", "2020", 1, FIELDS, {}), Context(TODAY))
    page = desk.open(browser)
    people, explanation = page.get_by_label("人数"), page.get_by_label("核实说明")
    people.fill("3")
    expect(page.locator(".message.hint")).to_have_text("人数较少。")
    expect(explanation).to_be_hidden()
    people.fill("300")
    expect(page.locator(".message.warning")).to_contain_text("人数较多，请核实并说明。")
    expect(page.locator(".count.warning summary")).to_have_text("1 项警告，须说明")
    page.get_by_role("button", name="填写核实说明").click()
    expect(explanation).to_be_focused()
    explanation.fill("外来务工人员集中")
    expect(page.get_by_role("button", name="填写核实说明")).to_have_count(0)
    page.get_by_label("备注").fill("无")
    expect(page.locator(".save-state")).to_have_text("已保存 10:00:00")
    assert desk.content["form"][EXPLANATION] == "外来务工人员集中"
    people.fill("30")
    expect(page.locator(".message.warning")).to_have_count(0)
    expect(explanation).to_be_visible()  # what was typed is not lost with its warning
    page.context.close()
