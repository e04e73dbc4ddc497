"""Progress sheets of before the portal: previewed, taken once, marked as imported."""

import csv
from datetime import date, timedelta

import pytest
import xlsxwriter

from data_access import history_import, overview, progress
from data_access.administration import owner_transaction
from data_access.database import transaction
from data_access.settings import Refusal
from domain.clock import now, today
from domain.history import HistoryFault
from tests.actors import CITY, COUNTY

HEADERS = ("单位", "规划", "阶段", "计划完成日期", "实际完成日期")
PLANNED, ACTUAL = date(2025, 3, 1), date(2025, 4, 2)
LAUNCH = "启动部署"


@pytest.fixture
def sheet(tmp_path):
    """Return a function that writes rows as the counties kept them."""

    def written(*rows, name="进度表.xlsx", headers=HEADERS):
        path = tmp_path / name
        if path.suffix == ".csv":
            with path.open("w", encoding="gb18030", newline="") as file:
                csv.writer(file).writerows([headers, *rows])
            return path
        with xlsxwriter.Workbook(path, {"default_date_format": "yyyy-mm-dd"}) as book:
            page = book.add_worksheet()
            page.write_row(0, 0, ["各县（市、区）国土空间总体规划编制进度"])
            page.write_row(2, 0, headers)
            for number, row in enumerate(rows, 3):
                page.write_row(number, 0, row)
        return path

    return written


@pytest.fixture
def stages(owner):
    """The names of the first two stages of a county's master plan."""
    rows = owner.execute(
        "SELECT name FROM plan_stage WHERE plan_type = 'MASTER_COUNTY' ORDER BY stage_order LIMIT 2"
    ).fetchall()
    return [name for (name,) in rows]


def previewed(cluster, path):
    with administering(cluster) as connection:
        return history_import.preview(connection, path)


def taken(cluster, path):
    with administering(cluster) as connection:
        found = history_import.preview(connection, path)
        return history_import.write(connection, found), found


def administering(cluster):
    url = f"postgresql://owner@/portal_test?host={cluster}"
    return owner_transaction(url, action="history.import")


def test_rows_become_accepted_facts_with_their_source(cluster, owner, sheet, stages, leader):
    path = sheet(
        ("安义县", "", stages[0], PLANNED, ACTUAL),
        ("３６０１００", "", stages[0], "2025年3月1日", ""),
        (float(COUNTY), "", stages[1], 45_748, None),
    )
    count, found = taken(cluster, path)
    assert (count, found.bad, found.unchanged) == (3, [], 0)
    with transaction(leader, read_only=True) as connection:
        view = progress.list_milestones(connection, COUNTY, *progress.moment_of(None))
        (said,) = overview.list_accepted(connection, now())[1:2]
    assert (view[0].state, view[0].baseline_on, view[0].completed_on) == (
        "completed",
        PLANNED,
        ACTUAL,
    )
    assert view[0].import_source == "进度表.xlsx 第 4 行"
    assert (view[1].state, view[1].baseline_on) == ("not_started", date(2025, 4, 1))
    assert said.filed_by.startswith("历史导入：进度表.xlsx 第 ")
    actions = owner.execute(
        "SELECT DISTINCT table_name, division_code FROM row_change WHERE action = 'history.import'"
        " ORDER BY 1, 2"
    ).fetchall()
    assert ("accepted_milestone", COUNTY) in actions
    assert ("accepted_milestone", CITY) in actions
    assert ("history_import", None) in actions


def test_the_same_file_again_adds_nothing(cluster, owner, sheet, stages):
    path = sheet(("安义县", "", stages[0], PLANNED, ACTUAL))
    assert taken(cluster, path)[0] == 1
    count, found = taken(cluster, path)
    assert (count, found.unchanged) == (0, 1)
    assert owner.execute("SELECT count(*) FROM history_import").fetchone() == (1,)
    assert owner.execute("SELECT count(*) FROM accepted_milestone").fetchone() == (1,)


def test_every_bad_row_is_named_and_the_good_ones_are_taken(cluster, owner, sheet, stages):
    stage = stages[0]
    path = sheet(
        ("安义县", "", stage, PLANNED, ACTUAL),
        ("", "", stage, PLANNED, ACTUAL),
        ("某县", "", stage, PLANNED, ACTUAL),
        ("安义县", "某专项规划", stage, PLANNED, ACTUAL),
        ("安义县", "", "某阶段", PLANNED, ACTUAL),
        ("安义县", "", stages[1], "", ""),
        ("安义县", "", stages[1], "2025年3月", ""),
        ("安义县", "", stages[1], "", (today() + timedelta(days=3)).isoformat()),
        ("安义县", "", stage, PLANNED, "2025-05-01"),
    )
    count, found = taken(cluster, path)
    assert count == 1
    assert [(row.row_no, row.fault) for row in found.bad] == [
        (5, HistoryFault.NO_UNIT),
        (6, HistoryFault.UNKNOWN_UNIT),
        (7, HistoryFault.UNKNOWN_PLAN),
        (8, HistoryFault.UNKNOWN_STAGE),
        (9, HistoryFault.NO_DATE),
        (10, HistoryFault.NOT_A_DATE),
        (11, HistoryFault.IN_THE_FUTURE),
        (12, HistoryFault.TWICE),
    ]


def test_the_portals_own_facts_stand(cluster, owner, sheet, stages):
    taken(cluster, sheet(("安义县", "", stages[0], PLANNED, ACTUAL)))
    later = sheet(
        ("安义县", "", stages[0], "2025-09-01", ACTUAL),
        ("安义县", "", stages[0], "", "2025-09-09"),
        name="改.csv",
    )
    count, found = taken(cluster, later)
    assert count == 0
    assert [row.fault for row in found.bad] == [
        HistoryFault.BASELINE_DIFFERS,
        HistoryFault.COMPLETION_DIFFERS,
    ]


def test_a_file_without_its_headers_is_refused(cluster, owner, sheet, tmp_path):
    with pytest.raises(Refusal, match="no row of headers"):
        previewed(
            cluster, sheet(("安义县", "", "", "", ""), headers=("甲", "乙", "丙", "丁", "戊"))
        )
    path = tmp_path / "not.xlsx"
    path.write_bytes(b"PK nothing")
    with pytest.raises(Refusal, match="cannot be read"):
        previewed(cluster, path)
