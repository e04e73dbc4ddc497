"""Targets taken out as a table, changed in Excel, compared and written."""

import pytest
from openpyxl import load_workbook

from components.indicator_targets import STATES
from data_access import indicator_changes, indicators, target_workbook
from data_access.database import transaction
from data_access.table_workbook import table_workbook
from domain.errors import NotFound, NotPermitted, StaleVersion, UploadRefused, WorkbookRefused
from tests.actors import CITY, COUNTY, PROVINCE
from tests.assessments import accept, assess, levels, set_target
from tests.standing import NEIGHBOUR
from tests.workbooks import empty_store, sent

CODE = "CULT_LAND"
WORDS = {state: word for word, state in STATES.items()}


@pytest.fixture(autouse=True)
def _store(tmp_path, monkeypatch):
    empty_store(tmp_path, monkeypatch)


@pytest.fixture
def land(owner, bureau):
    accept(owner, 2025, {COUNTY: {CODE: 39}}, bureau.user_id)
    set_target(owner, COUNTY, CODE, 2025, 38, (2020, 40))
    set_target(owner, NEIGHBOUR, CODE, 2025, 60)
    assess(owner)
    with transaction(bureau, read_only=True) as connection:
        return indicators.get_canonical(connection, CODE)


def taken(actor, indicator, path, years=(2025, 2035)):
    with transaction(actor, read_only=True) as connection:
        units = indicator_changes.list_target_units(connection)
        targets = indicators.list_targets(connection, canonical_code=indicator.canonical_code)
    columns = target_workbook.columns_of(indicator, indicator.unit)
    rows = target_workbook.rows_of(indicator, units, targets, years, WORDS)
    path.write_bytes(table_workbook("指标目标", "", columns, rows, is_demo=True))
    return path


def typed(path, *rows, more=()):
    """Type into rows found by (unit, year); add `more` below."""
    book = load_workbook(path)
    sheet = book.active
    heads = {str(cell.value).partition("（")[0]: cell.column for cell in sheet[3]}
    for unit, year, cells in rows:
        [row] = [each for each in sheet.iter_rows(min_row=4)
                 if (each[2].value, each[4].value) == (unit, year)]  # fmt: skip
        for head, value in cells.items():
            sheet.cell(row[0].row, heads[head]).value = value
    for cells in more:
        last = sheet.max_row + 1
        for head, value in cells.items():
            sheet.cell(last, heads[head]).value = value
    book.save(path)
    return path


def compared(actor, path):
    digest = sent(actor, path, "目标.xlsx", target_workbook.USE)
    with transaction(actor, read_only=True) as connection:
        sheet = target_workbook.receive(connection, digest, STATES)
        units = indicator_changes.list_target_units(connection)
        known = {each.canonical_code: each for each in indicators.list_canonicals(connection)}
        return target_workbook.compare(connection, sheet, units, known)


def write(actor, found):
    with transaction(actor, action="indicator_target.import") as connection:
        return indicator_changes.change_targets(
            connection, actor, [each.change for each in found.wanted]
        )


def test_what_comes_back_untouched_changes_nothing(bureau, land, tmp_path):
    found = compared(bureau, taken(bureau, land, tmp_path / "t.xlsx"))
    assert (found.wanted, found.faults, found.unchanged) == ([], [], 2)


def test_several_years_and_the_province_are_written_at_once(owner, bureau, land, tmp_path):
    issued = {"状态": "已下达"}
    path = typed(
        taken(bureau, land, tmp_path / "t.xlsx"),
        (COUNTY, 2025, {"目标值": 40, "下达日期": "2025/6/30"}),
        (COUNTY, 2035, issued | {"目标值": "41", "基期年": 2020, "基期值": 40}),
        (CITY, 2035, {"状态": "未下达"}),
        (PROVINCE, 2035, issued | {"目标值": 4000}),
        more=[{"区划代码": COUNTY, "指标代码": CODE, "目标年": "2030年", **issued, "目标值": 40.5}],
    )
    found = compared(bureau, path)
    assert found.faults == []
    assert len(found.wanted) == 5
    judged = write(bureau, found)
    assert judged.raised == 1
    assert levels(owner, 2025, CODE)[COUNTY] == "severe"
    with transaction(bureau, read_only=True) as connection:
        kept = {
            (each.division_code, each.target_year): each.target_value
            for each in indicators.list_targets(connection, canonical_code=CODE)
        }
    assert kept[COUNTY, 2030] == pytest.approx(40.5)
    assert (kept[COUNTY, 2025], kept[PROVINCE, 2035], kept[CITY, 2035]) == (40, 4000, None)
    assert compared(bureau, path).wanted == []


def test_every_bad_row_is_named_and_the_good_ones_are_taken(bureau, land, tmp_path):
    path = typed(
        taken(bureau, land, tmp_path / "t.xlsx"),
        (COUNTY, 2035, {"状态": "已下达", "目标值": "四十"}),
        (NEIGHBOUR, 2035, {"状态": "下达了", "目标值": 60}),
        (CITY, 2035, {"状态": "已下达", "目标值": "=1/0"}),
        ("360102", 2035, {"状态": "已下达", "目标值": 3, "区划代码": "360199"}),
        ("360103", 2035, {"状态": "已下达", "目标值": 3, "指标代码": "CULT_LANDS"}),
        ("360104", 2035, {"状态": "已下达", "目标值": 3, "单位": "安义县"}),
        ("360111", 2035, {"状态": "已下达", "目标值": 20, "基期年": 2036, "基期值": 20}),
        ("360112", 2035, {"状态": "已下达", "目标值": 20}),
        ("360113", 2035, {"状态": "已下达", "目标值": 20000, "基期年": 2020, "基期值": 30}),
        more=[{"区划代码": "360112", "指标代码": CODE, "目标年": 2035, "状态": "未下达"}],
    )
    found = compared(bureau, path)
    reasons = {(each.unit_name, each.column): each.reason for each in found.faults}
    said = "".join(each.reason for each in found.faults)
    assert "目标值“四十”不是数" in said
    assert "单位“安义县”与代码 360104（青云谱区）不一致" in said
    assert "不是状态" in reasons["南昌县", "状态"]
    assert "公式没有计算结果" in reasons["南昌市", "目标值"]
    assert "不在名录中" in reasons["东湖区", "区划代码"]
    assert "CULT_LANDS" in reasons["西湖区", "指标代码"]
    assert "应早于目标年" in reasons["青山湖区", "基期年"]
    assert sum("同一目标" in each.reason for each in found.faults) == 2
    assert all(each.row_no for each in found.faults)
    [good] = found.wanted
    assert "似以“公顷”填报" in good.doubt
    assert write(bureau, found).changed >= 0


def test_what_somebody_changed_meanwhile_is_not_overwritten(owner, bureau, land, tmp_path):
    path = typed(taken(bureau, land, tmp_path / "t.xlsx"), (COUNTY, 2025, {"目标值": 45}))
    owner.execute("UPDATE indicator_target SET target_value = target_value + 1")
    found = compared(bureau, path)
    assert found.wanted == []
    [told] = found.faults
    assert "已被他人修改" in told.reason
    assert found.unchanged == 1, "a row left as it was taken asks for nothing"


def test_between_preview_and_writing_the_slower_one_is_told(owner, bureau, land, tmp_path):
    found = compared(
        bureau, typed(taken(bureau, land, tmp_path / "t.xlsx"), (COUNTY, 2025, {"目标值": 45}))
    )
    owner.execute("UPDATE indicator_target SET target_value = 50")
    with pytest.raises(StaleVersion):
        write(bureau, found)


def test_the_file_is_the_bureaus_own_and_a_table_of_targets(bureau, county, land, tmp_path):
    path = taken(bureau, land, tmp_path / "t.xlsx")
    with pytest.raises(NotPermitted):
        sent(county, path, use=target_workbook.USE)
    digest = sent(bureau, path, use=target_workbook.USE)
    with pytest.raises(NotFound), transaction(county, read_only=True) as connection:
        target_workbook.receive(connection, digest, STATES)
    other = tmp_path / "other.xlsx"
    other.write_bytes(table_workbook("别的表", "", [], [], is_demo=False))
    [told] = compared(bureau, other).faults
    assert (told.row_no, "没有“区划代码" in told.reason) == (None, True)
    broken = tmp_path / "broken.xlsx"
    broken.write_bytes(path.read_bytes()[:2000])
    with pytest.raises((UploadRefused, WorkbookRefused)):
        compared(bureau, broken)
