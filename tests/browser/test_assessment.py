"""The assessment from the matrix down: a unit, the record of a figure, an indicator, pictures."""

import re
from pathlib import Path

from playwright.sync_api import expect

from tests.browser.pictures import NO_WEBGL

SET = "TDT1063-2021"
UNIT = re.compile(r"/assessment_unit\?")
INDICATOR = re.compile(r"/assessment_indicator\?")
FIGURE = re.compile(r"/assessment_figure\?")


def test_matrix_unit_figure(page_as):
    page = page_as("leader", f"/assessment?set={SET}")
    page.locator(".matrix button.unit").nth(1).click()
    page.wait_for_url(UNIT)
    name = page.get_by_role("heading", level=1).inner_text()
    expect(page.get_by_text("各维度正常率").first).to_be_visible()
    figure = page.locator("table.indicators td.number a:not(.quiet)").first
    value = figure.inner_text()
    figure.click()
    page.wait_for_url(FIGURE)
    expect(page.get_by_role("heading", level=1)).to_contain_text(name)
    expect(page.locator(".unit-headline")).to_contain_text(value)
    page.go_back()
    page.wait_for_url(UNIT)
    expect(page.get_by_role("heading", level=1)).to_have_text(name)
    assert f"set={SET}" in page.url


def test_matrix_indicator_scatter(page_as, tmp_path: Path):
    page = page_as("leader", "/assessment")
    page.locator(".matrix thead button.name").first.click()
    page.wait_for_url(INDICATOR)
    cloud = page.locator(".st-key-assessment-cloud")
    expect(cloud.locator(".scatterlayer .point").nth(40)).to_be_attached()
    # The button of the picture speaks Chinese, and makes it without anything from outside.
    button = cloud.locator(".modebar-btn")
    expect(button).to_have_attribute("data-title", "下载为图片")
    with page.expect_download() as taken:
        button.click()
    taken.value.save_as(tmp_path / "cloud.png")
    assert (tmp_path / "cloud.png").read_bytes().startswith(b"\x89PNG")
    cloud.locator(".scatterlayer .point").first.click(force=True)
    page.wait_for_url(FIGURE)


def test_without_webgl_the_map_is_a_list(page_as, guard, portal):
    # The page learns what the browser can do by drawing once.
    guard.tolerated.append("WebGL")
    page = page_as("leader")
    page.add_init_script(NO_WEBGL)
    page.goto(f"{portal.url}/assessment?view=map")
    listed = page.locator("table.map-list tbody a").first
    expect(listed).to_be_visible()
    name = listed.inner_text()
    listed.click()
    page.wait_for_url(UNIT)
    expect(page.get_by_role("heading", level=1)).to_have_text(name)
