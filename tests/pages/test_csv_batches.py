"""CSV as an officer meets it: offered, looked at row by row, decided, handed to a job."""

import pytest

from data_access import csv_apply
from data_access.csv_batches import get_batch
from data_access.database import transaction
from domain.csv_data import CsvState
from tests.csvs import as_csv, checked, quietly
from tests.data_access.test_csv_batches import (  # noqa: F401  fixtures are names here
    content_of,
    officer,
    opened,
    villages,
    year,
)
from tests.pages.reading import texts

pytestmark = pytest.mark.usefixtures("store")


def said(page):
    return texts(page) + "".join(each.body for each in page.get("html"))


def test_an_officer_is_offered_csv_looks_at_a_file_and_lets_it_be_written(
    open_page,
    officer,  # noqa: F811
    year,  # noqa: F811
    opened,  # noqa: F811
    villages,  # noqa: F811
):
    page = open_page(officer, "workbooks")
    page.toggle[0].set_value(True).run()
    assert any("生成 CSV" in each.label for each in page.button)
    lines = [
        {"自然村代码": f"{villages[0]}001", "户籍人口": "360"},
        {"自然村代码": f"{villages[0]}002", "户籍人口": "很多"},
    ]
    batch_id = checked(officer, year, as_csv(lines))
    page = open_page(officer, "workbooks", csv=str(batch_id))
    assert "冲突 1 行" in said(page)
    assert "不采用 1 行" in said(page)
    assert f'"/api/csv/{batch_id}/bad-rows"' in said(page)
    assert "350 → <b>360</b>" in said(page)
    page.segmented_control[0].set_value("refused").run()
    assert "“很多”不是整数，请只填整数。 整行未采用。" in said(page)
    page.segmented_control[0].set_value("conflicting").run()
    next(each for each in page.button if each.label.startswith("全部采用")).click().run()
    next(each for each in page.button if "写入草稿（1 行）" in each.label).click().run()
    with transaction(officer, read_only=True) as connection:
        assert get_batch(connection, batch_id).state is CsvState.APPLYING
    csv_apply.write(officer, batch_id, quietly)
    page = open_page(officer, "workbooks", csv=str(batch_id))
    assert "共 1 行" in page.success[0].value
    assert content_of(officer, opened[0])["natural_village"][0]["hukou_pop"] == 360


def test_a_file_that_is_not_taken_says_why_on_the_page(open_page, officer, year, villages):  # noqa: F811
    batch_id = checked(officer, year, "姓名,人口\n甲,1\n".encode())
    page = open_page(officer, "workbooks", csv=str(batch_id))
    assert "没有“行政村代码”或“自然村代码”列" in page.error[0].value
    assert "没有写入任何内容" in page.error[0].value


def test_an_officer_of_a_township_is_offered_the_forms_of_villages_alone(
    open_page,
    officer,  # noqa: F811
    year,  # noqa: F811
    period_id,
    county,
):
    page = open_page(officer, "workbooks")
    assert "填报表单：**村庄规划评估 · 2026年**" in texts(page)
    page = open_page(county, "workbooks")
    assert len(page.selectbox[0].options) == 2
