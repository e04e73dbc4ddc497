"""预警事项 as the county that answers and the bureau that closes meet it."""

from decimal import Decimal

import pytest
from streamlit.testing.v1 import AppTest

from components import cached
from components import indicator_warnings as parts
from data_access import indicator_warnings
from data_access.database import transaction
from domain.supervision import ItemState, NoteKind
from tests.actors import CITY, COUNTY
from tests.assessments import accept, assess, everywhere, open_year
from tests.pages.reading import drawn
from tests.standing import NEIGHBOUR


@pytest.fixture(autouse=True)
def _fresh_caches():
    cached.st.cache_resource.clear()


@pytest.fixture
def raised(owner):
    """Two counties fall below their binding targets: two items."""
    open_year(owner, 2025)
    for unit in (COUNTY, NEIGHBOUR):
        owner.execute(
            "INSERT INTO indicator_target (division_code, canonical_code, target_year, state"
            ", target_value) VALUES (%s, 'CULT_LAND', 2035, 'issued', 40)",
            [unit],
        )
    accept(owner, 2025, {COUNTY: {"CULT_LAND": "39.5"}, NEIGHBOUR: {"CULT_LAND": "39"}})
    assess(owner, raising=True)


def item_of(actor):
    with transaction(actor, read_only=True) as connection:
        [item] = indicator_warnings.list_warnings(connection, division_code=COUNTY)
        return item


def draw(dialog: str, *arguments: object) -> AppTest:
    """Draw one dialog on every run, as a click leaves it open in the browser."""

    def script(dialog: str, arguments: tuple[object, ...]) -> None:
        import components.indicator_warnings as dialogs

        getattr(dialogs, dialog)(*arguments)

    return AppTest.from_function(
        script, default_timeout=20, kwargs={"dialog": dialog, "arguments": arguments}
    ).run()


def write(actor, item, kind, text):
    """Write a note in its dialog; the run after the press is the fragment's own."""
    page = draw("write_dialog", actor, item, kind)
    page.text_area[0].set_value(text).run()
    page.button(key="warning-send").click().run()
    return page.run() if page.exception else page


def captions(page):
    return {each.label for each in page.button}


def test_before_anything_was_assessed_the_page_says_so(open_page, leader):
    page = open_page(leader, "indicator_warnings")
    assert not page.exception
    assert "没有未销号的预警事项" in drawn(page)


def test_the_leader_reads_how_many_are_in_hand(open_page, leader, raised):
    page = open_page(leader, "indicator_warnings")
    assert "2 项预警未销号（严重 2），均在期限内。" in drawn(page)
    assert len(page.dataframe[0].value) == 2


def test_the_whole_list_is_taken_away_as_a_table(open_page, leader, county, raised, monkeypatch):
    monkeypatch.setattr(parts, "ROWS_OF_PAGE", 1)
    page = open_page(leader, "indicator_warnings")
    assert len(page.dataframe[0].value) == 1
    asked = parts.WarningQuestion("hand", None, None, "", 1)
    with transaction(leader, read_only=True) as connection:
        rows = parts.workbook_rows(asked.ask(connection, whole=True))
    assert sorted(row[1] for row in rows) == ["南昌县", "安义县"]
    own = next(row for row in rows if row[1] == "安义县")
    assert own[3:8] == ["耕地保有量", 2025, Decimal("39.5"), Decimal(40), "万亩"]
    with transaction(county, read_only=True) as connection:
        assert len(asked.ask(connection, whole=True)) == 1


def test_a_county_answers_its_own_and_the_bureau_closes_it(open_page, county, bureau, raised):
    page = open_page(county, "indicator_warnings")
    assert len(page.dataframe[0].value) == 1
    assert "反馈" in captions(page)
    assert not {"销号", "指定责任人"} & captions(page)
    said = write(county, item_of(county), NoteKind.FEEDBACK, "已组织复垦，年底前补足。")
    assert said.success[0].value == "已记录反馈。"
    item = item_of(county)
    assert item.state is ItemState.ANSWERED

    page = open_page(bureau, "indicator_warnings", id=str(item.indicator_warning_id))
    assert "已组织复垦，年底前补足。" in drawn(page)
    assert {"销号", "退回重办", "指定责任人"} <= captions(page)
    write(bureau, item, NoteKind.CLOSE, "复核属实。")
    assert item_of(county).state is ItemState.CLOSED
    assert "1 项预警未销号" in drawn(open_page(bureau, "indicator_warnings"))


def test_who_was_slower_is_told_and_nothing_is_written_twice(county, bureau, raised):
    item = item_of(bureau)
    write(county, item, NoteKind.FEEDBACK, "抢先反馈。")
    late = write(bureau, item, NoteKind.CLOSE, "复核属实。")
    assert late.error[0].value.startswith("您打开之后，该记录已被他人修改。")
    assert item_of(bureau).state is ItemState.ANSWERED


def test_an_empty_answer_is_refused_with_a_sentence(county, raised):
    said = write(county, item_of(county), NoteKind.FEEDBACK, "  ")
    assert said.error[0].value == "请填写内容。"
    assert item_of(county).state is ItemState.OPEN


def test_filters_narrow_the_list(open_page, leader, raised):
    page = open_page(leader, "indicator_warnings", q="安义")
    assert list(page.dataframe[0].value["单位"]) == ["安义县"]
    page = open_page(leader, "indicator_warnings", level="hint")
    assert not page.dataframe
    assert "没有符合条件的预警事项" in page.info[0].value


def test_an_item_of_another_county_is_not_found(open_page, county, bureau, raised):
    with transaction(bureau, read_only=True) as connection:
        [other] = indicator_warnings.list_warnings(connection, division_code=NEIGHBOUR)
    page = open_page(county, "indicator_warnings", id=str(other.indicator_warning_id))
    assert not page.exception
    assert page.error


@pytest.fixture
def differing(owner, bureau):
    """The city says 3; its nine counties, with 1 each, say 9."""
    counties = owner.execute(
        "SELECT code FROM division_on(current_date) WHERE parent_code = %s AND level = 'county'",
        [CITY],
    ).fetchall()
    figures = everywhere([code for (code,) in counties], 1, "WATER_TOTAL")
    accept(owner, 2025, {CITY: {"WATER_TOTAL": 3}, **figures}, bureau.user_id)
    assess(owner, "WATER_TOTAL")


def test_city_and_county_are_both_told_where_their_figures_differ(
    open_page, city, county, leader, differing
):
    for actor in (city, county, leader):
        page = open_page(actor, "indicator_warnings", view="differences")
        assert not page.exception
        [row] = page.dataframe[0].value.to_dict("records")
        assert (row["设区市"], row["指标"], row["市级填报"], row["各县合计"], row["差值"]) == (
            "南昌市", "用水总量", 3, 9, -6)  # fmt: skip
    page = open_page(leader, "assessment", set="TDT1063-2021")
    assert "1 个设区市的 1 项指标与所辖各县合计不一致" in [
        link.proto.label for link in page.get("page_link")
    ]


def test_without_a_difference_the_list_says_so(open_page, county, raised):
    page = open_page(county, "indicator_warnings", view="differences")
    assert page.info[0].value.startswith("没有市县不一致的指标")
