"""The overview of villages in Chromium: who opens a figure sees the villages behind it."""

import re

from playwright.sync_api import expect


def test_a_figure_brings_its_list_to_the_screen(page_as):
    page = page_as("leader", "/village_overview")
    ratio = page.locator(".ratio")
    expect(ratio).not_to_be_in_viewport()
    page.locator("[data-portal-open*='show=in_time']").first.click()
    expect(ratio).to_contain_text("按时报送的村")
    expect(ratio).to_be_in_viewport()
    expect(page.get_by_role("heading", name=re.compile("按时报送的村"))).to_be_in_viewport()
    ratio.get_by_role("link").click()
    expect(ratio).to_contain_text(re.compile(r"^共 [\d,]+ 个村。"))
    expect(ratio).to_be_in_viewport()
