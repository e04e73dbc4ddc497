"""The briefing: the document says what the page shows, to whom the page shows it."""

from datetime import timedelta
from io import BytesIO

import pytest
import streamlit as st
from docx import Document
from PIL import Image
from starlette.applications import Starlette
from starlette.testclient import TestClient

from components.map import PROGRESS_COLOURS
from components.routes import briefing
from components.session import SESSION_COOKIE
from data_access.map_picture import draw_map
from domain.briefing import MapDrawing, MapShape
from domain.clock import today
from tests.actors import COUNTY, session_token
from tests.standing import FAR, accept, declare_plan, file_report

APPLICATION = Starlette(routes=briefing.ROUTES)
ADDRESS = "/api/briefing.docx"
SQUARE = '{"type":"Polygon","coordinates":[[[115,28],[116,28],[116,29],[115,29],[115,28]]]}'


@pytest.fixture
def document_for(owner):
    """Return a function that asks for the briefing as an actor and opens it."""
    st.cache_resource.clear()
    st.cache_data.clear()

    def opened(actor, address=ADDRESS):
        browser = TestClient(APPLICATION, cookies={SESSION_COOKIE: session_token(owner, actor)})
        answer = browser.get(address)
        assert answer.status_code == 200
        return Document(BytesIO(answer.content))

    return opened


@pytest.fixture(autouse=True)
def standing(owner, county, bureau, period_id):
    """Two counties, the first of them 50 days late."""
    for code, completed, late_days in ((COUNTY, 1, 50), (FAR, 3, 0)):
        report = file_report(owner, code, period_id, county)
        accept(owner, declare_plan(owner, code), report, bureau, completed, late_days)


def table_of(document, head):
    """Return the rows of the table whose first row names `head`."""
    for table in document.tables:
        rows = [[cell.text for cell in row.cells] for row in table.rows]
        if head in rows[0]:
            return rows[1:]
    return []


def sentences(document):
    return [paragraph.text for paragraph in document.paragraphs]


def test_the_leader_reads_the_same_figures_as_on_the_page(document_for, leader):
    document = document_for(leader)
    assert any("111 个单位中" in text and "1 个滞后" in text for text in sentences(document))
    assert [row[5] for row in table_of(document, "滞后阶段")] == ["50"]
    assert len(table_of(document, "设区市")) == 11
    assert dict(row[:2] for row in table_of(document, "指标"))["进度滞后"] == "1"


def test_a_county_takes_away_its_own_figures_alone(document_for, county):
    document = document_for(county)
    assert any(text.startswith("1 个单位中") for text in sentences(document))
    assert len(table_of(document, "滞后阶段")) == 1


def test_a_past_day_is_named_and_shows_that_day(document_for, leader):
    before = today() - timedelta(days=400)
    document = document_for(leader, f"{ADDRESS}?as_of={before}")
    words = f"{before.year}年{before.month}月{before.day}日"
    assert any(words in text for text in sentences(document))
    assert table_of(document, "滞后阶段") == []


def test_invented_data_is_marked_on_paper(document_for, leader, owner):
    assert not any("演示数据" in text for text in sentences(document_for(leader)))
    owner.execute("UPDATE portal_setting SET value = 'true' WHERE name = 'is_demo'")
    st.cache_resource.clear()
    st.cache_data.clear()
    document = document_for(leader)
    assert any("演示数据" in text for text in sentences(document))
    assert "演示数据" in document.sections[0].footer.paragraphs[0].text


def test_an_address_that_cannot_be_read_gets_a_sentence(owner, leader):
    browser = TestClient(APPLICATION, cookies={SESSION_COOKIE: session_token(owner, leader)})
    answer = browser.get(f"{ADDRESS}?as_of=gestern")
    assert answer.status_code == 400
    assert "日期" in answer.json()["message"]


def test_the_map_is_filled_with_the_colour_of_the_class():
    drawn = Image.open(
        BytesIO(draw_map(MapDrawing((MapShape(SQUARE, PROGRESS_COLOURS[4]),), (SQUARE,))))
    )
    middle = drawn.getpixel((drawn.width // 2, drawn.height // 2))
    assert "#{:02X}{:02X}{:02X}".format(*middle[:3]) == PROGRESS_COLOURS[4]
    # A degree of latitude is longer than one of longitude here: the picture stands upright.
    assert drawn.height > drawn.width


def test_nothing_to_draw_is_no_picture():
    assert draw_map(MapDrawing(())) == b""
