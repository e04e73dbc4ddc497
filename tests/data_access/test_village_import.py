"""A list of villages is checked row by row; what it changes keeps its history, codes their end."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import date
from functools import partial
from pathlib import Path

import psycopg
import pytest
from sqlalchemy import Connection, create_engine, text
from sqlalchemy.exc import IntegrityError
from sqlalchemy.pool import NullPool

from data_access import village_import
from data_access.village_import import Options, Preview, check
from data_access.village_import_write import write
from domain.errors import InvalidImport
from domain.villages import Register
from tests.actors import COUNTY
from tests.village_lists import Row, natural_village, place, village_codes, write_csv

FIRST, LATER, TODAY = date(2026, 3, 1), date(2026, 6, 1), date(2026, 11, 22)
ROWS = [natural_village(number) for number in range(4)]
CODES = [str(row["code"]) for row in ROWS]
VILLAGE = village_codes()[0]


@pytest.fixture(scope="module")
def database(cluster: Path, template: str) -> Iterator[str]:
    with psycopg.connect(f"host={cluster} user=owner dbname=postgres", autocommit=True) as admin:
        admin.execute(f"CREATE DATABASE portal_lists TEMPLATE {template} STRATEGY file_copy")
        yield f"postgresql+psycopg://owner@/portal_lists?host={cluster}"
        admin.execute("DROP DATABASE portal_lists WITH (FORCE)")


@pytest.fixture
def owner(database: str) -> Iterator[Connection]:
    """The owner's transaction, rolled back after the test."""
    engine = create_engine(database, poolclass=NullPool)
    with engine.connect() as connection:
        yield connection
        connection.rollback()


@pytest.fixture
def take(owner: Connection, tmp_path: Path):
    """Import rows as of a day; return the preview they were written by."""

    def written(rows: Sequence[Row], day: date, register=Register.NATURAL_VILLAGES, **options):
        preview = check(
            owner, write_csv(tmp_path / "a.csv", rows), register, Options(day, **options)
        )
        assert preview.bad == ()
        write(owner, preview)
        return preview

    return written


def ask(owner: Connection, query: str, **parameters: object) -> list[tuple]:
    return [tuple(row) for row in owner.execute(text(query), parameters)]


def on(owner: Connection, day: date) -> dict[str, str]:
    return dict(ask(owner, "SELECT code, name FROM natural_village_on(:day)", day=day))


def check_rows(owner: Connection, folder: Path, rows: Sequence[Row], **options) -> Preview:
    path = write_csv(folder / "a.csv", rows)
    return check(owner, path, Register.NATURAL_VILLAGES, Options(TODAY, **options))


def trail(owner: Connection) -> int:
    return ask(owner, "SELECT count(*) FROM row_change")[0][0]


@contextmanager
def refused(owner: Connection, constraint: str) -> Iterator[None]:
    with pytest.raises(IntegrityError) as caught, owner.begin_nested():
        yield
    assert caught.value.orig.diag.constraint_name == constraint


def test_a_new_list_is_one_entry_of_the_trail(owner, take):
    before = trail(owner)
    preview = take(ROWS, FIRST)
    assert [village.code for village in preview.comparison.added] == sorted(CODES)
    assert on(owner, TODAY) == {row["code"]: row["name"] for row in ROWS}
    assert on(owner, date(2026, 2, 28)) == {}
    assert trail(owner) == before + 1
    assert ask(owner, "SELECT DISTINCT is_demo FROM natural_village") == [(False,)]


def test_the_second_run_changes_nothing(owner, take):
    take(ROWS, FIRST)
    before = trail(owner)
    again = take(ROWS, LATER)
    assert (again.comparison.added, again.comparison.changed) == ((), ())
    assert len(again.comparison.unchanged) == 4
    assert trail(owner) == before


def test_another_name_or_place_keeps_the_old_one_on_old_days(owner, take):
    take(ROWS, FIRST)
    longitude, latitude = place(30)
    moved = ROWS[1] | {"longitude": longitude, "latitude": latitude}
    preview = take([ROWS[0] | {"name": "新屋"}, moved, *ROWS[2:]], LATER)
    assert [village.code for village in preview.comparison.renamed] == [CODES[0]]
    assert [village.code for village in preview.comparison.moved] == [CODES[1]]
    assert on(owner, date(2026, 5, 31))[CODES[0]] == "老屋0"
    assert on(owner, LATER)[CODES[0]] == "新屋"
    where = "SELECT ST_X(location) FROM natural_village_on(:day) WHERE code = :code"
    assert ask(owner, where, day=FIRST, code=CODES[1]) == [(ROWS[1]["longitude"],)]
    assert ask(owner, where, day=LATER, code=CODES[1]) == [(longitude,)]
    entries = ask(
        owner,
        "SELECT row_key, operation FROM row_change WHERE table_name = 'natural_village'"
        " AND operation <> 'BULK' ORDER BY row_key",
    )
    assert entries == sorted([(CODES[0], "UPDATE"), (CODES[1], "UPDATE")])


def test_the_same_day_corrects_without_a_history(owner, take):
    take(ROWS, FIRST)
    take([ROWS[0] | {"name": "新屋"}], FIRST)
    assert on(owner, FIRST)[CODES[0]] == "新屋"
    assert ask(owner, "SELECT count(*) FROM natural_village_former") == [(0,)]


def test_a_state_older_than_the_known_one_is_a_bad_row(owner, take, tmp_path):
    take(ROWS, LATER)
    path = write_csv(tmp_path / "b.csv", [ROWS[0] | {"name": "新屋"}, *ROWS[1:]])
    preview = check(owner, path, Register.NATURAL_VILLAGES, Options(FIRST))
    assert [bad.row_no for bad in preview.bad] == [2]
    assert "晚于本次" in preview.bad[0].reasons[0]
    assert len(preview.comparison.unchanged) == 3


FULL_WIDTH = str.maketrans("0123456789", "０１２３４５６７８９")


@pytest.mark.parametrize(
    ("values", "words"),
    [
        ({"code": ""}, "缺少代码"),
        ({"code": "36012310020"}, "须为 15 位数字"),
        ({"code": "3.60123E+14"}, "科学计数法"),
        ({"code": "36012310020X001"}, "须为 15 位数字"),
        ({"code": "360123999999001"}, "不是现行的行政村"),
        ({"code": CODES[1]}, "代码与第 3 行重复"),
        ({"name": ROWS[3]["name"]}, "名称与同一行政村的第 5 行重复"),
        ({"latitude": ""}, "坐标只填了一个"),
        ({"name": " "}, "缺少名称"),
        ({"name": "老\ufffd屋"}, "乱码"),
        ({"name": "屋" * 51}, "过长"),
        ({"longitude": "", "latitude": ""}, "缺少位置"),
        ({"longitude": "东"}, "不是数字"),
        ({"longitude": 114.0, "latitude": 25.0}, "不在安义县内"),
        ({"行政村代码": "360123999999"}, "与代码的前 12 位不符"),
        ({"原代码": "360123100200999"}, "不在库中"),
    ],
)
def test_a_bad_row_is_named_with_its_number_and_reason(owner, tmp_path, values, words):
    columns = dict.fromkeys(("行政村代码", "原代码"), "")
    rows = [columns | ROWS[0] | values, *(columns | row for row in ROWS[1:])]
    preview = check_rows(owner, tmp_path, rows)
    bad = preview.bad[0]
    assert bad.row_no == 2
    assert any(words in reason for reason in bad.reasons), bad.reasons
    good = {str(row["code"]) for row in rows[1:]} - {row.code for row in preview.bad}
    assert {village.code for village in preview.comparison.added} == good


def test_codes_may_be_written_with_full_width_digits(owner, tmp_path):
    rows = [row | {"code": str(row["code"]).translate(FULL_WIDTH)} for row in ROWS]
    assert len(check_rows(owner, tmp_path, rows).comparison.added) == 4


def test_a_natural_village_needs_a_place_in_the_file(owner, tmp_path):
    rows = [{"code": row["code"], "name": row["name"]} for row in ROWS]
    with pytest.raises(InvalidImport, match="坐标列"):
        check_rows(owner, tmp_path, rows)


def test_what_the_file_leaves_out_is_told_and_stays(owner, take):
    take(ROWS, FIRST)
    preview = take(ROWS[:3], LATER)
    assert [village.code for village in preview.comparison.missing] == [CODES[3]]
    assert CODES[3] in on(owner, LATER)


def test_on_request_it_ends_with_the_reason_and_never_comes_back(owner, take, tmp_path):
    take(ROWS, FIRST)
    take(ROWS[:3], LATER, within=COUNTY, retire_reason="整村搬迁")
    assert CODES[3] not in on(owner, LATER)
    assert on(owner, date(2026, 5, 31))[CODES[3]] == "老屋3"
    assert ask(owner, "SELECT end_reason FROM natural_village WHERE valid_to IS NOT NULL") == [
        ("整村搬迁",)
    ]
    again = check_rows(owner, tmp_path, ROWS)
    assert ["停用" in bad.reasons[0] for bad in again.bad] == [True]


def test_nothing_ends_while_a_row_is_bad(owner, take, tmp_path):
    take(ROWS, FIRST)
    rows = [ROWS[0] | {"name": ""}, *ROWS[1:3]]
    with pytest.raises(InvalidImport, match="问题行"):
        check_rows(owner, tmp_path, rows, within=COUNTY, retire_reason="整村搬迁")
    preview = check_rows(owner, tmp_path, rows)
    assert [village.code for village in preview.comparison.missing] == [CODES[3]]


def test_an_empty_file_ends_nothing(owner, take, tmp_path):
    take(ROWS, FIRST)
    path = tmp_path / "b.csv"
    path.write_text("code,name,longitude,latitude\n", encoding="utf-8")
    options = Options(LATER, within=COUNTY, retire_reason="整村搬迁")
    with pytest.raises(InvalidImport, match="没有一个村"):
        check(owner, path, Register.NATURAL_VILLAGES, options)


def test_a_row_a_thousand_times_names_a_few_of_the_others(owner, tmp_path):
    preview = check_rows(owner, tmp_path, [ROWS[0]] * 1000)
    assert len(preview.bad) == 1000
    assert preview.bad[-1].reasons == ("代码与第 2、3、4、5、6 行重复。",)


def test_behind_the_first_bad_rows_the_others_are_counted(owner, tmp_path, monkeypatch):
    monkeypatch.setattr(village_import, "Faults", partial(village_import.Faults, 2))
    bad = [natural_village(number, name="") for number in range(3)]
    preview = check_rows(owner, tmp_path, [*bad, natural_village(3)])
    assert ([row.row_no for row in preview.bad], preview.bad_count) == ([2, 3], 3)
    assert [village.code for village in preview.comparison.added] == [CODES[3]]


def test_a_row_beyond_the_division_is_bad(owner, tmp_path):
    preview = check_rows(owner, tmp_path, ROWS, within="360121")
    assert {bad.reasons[0] for bad in preview.bad} == {"代码不在“360121”的范围内。"}


def test_the_database_gives_no_code_twice(owner, take):
    take(ROWS, FIRST)
    take(ROWS[:3], LATER, within=COUNTY, retire_reason="整村搬迁")
    used_once = "natural_village_code_used_once"
    for statement in (
        "UPDATE natural_village SET valid_to = NULL, end_reason = NULL WHERE valid_to IS NOT NULL",
        "UPDATE natural_village SET code = '360123100200998' WHERE valid_to IS NULL",
        "DELETE FROM natural_village WHERE valid_to IS NULL",
    ):
        with refused(owner, used_once):
            ask_nothing(owner, statement)
    with refused(owner, "natural_village_pkey"):
        ask_nothing(
            owner,
            "INSERT INTO natural_village (code, name, location, valid_from)"
            " SELECT code, '新屋', location, '2026-07-01' FROM natural_village",
        )
    with refused(owner, "natural_village_changes_in_order"):
        ask_nothing(
            owner, "UPDATE natural_village SET valid_from = '2020-01-01' WHERE valid_to IS NULL"
        )


def ask_nothing(owner: Connection, statement: str) -> None:
    owner.execute(text(statement))


def test_merged_and_split_villages_lead_to_their_successors(owner, take):
    take([ROWS[0], ROWS[1], ROWS[2]], FIRST)
    merged = natural_village(9, 原代码=f"{CODES[0]}、{CODES[1]}")
    halves = [natural_village(number, 原代码=CODES[2]) for number in (10, 11)]
    preview = take([merged, *halves], LATER)
    assert {ending.code for ending in preview.endings} == set(CODES[:3])
    assert set(on(owner, LATER)) == {merged["code"], *(half["code"] for half in halves)}
    links = ask(owner, "SELECT code, successor_code FROM natural_village_successor")
    assert sorted(links) == sorted(
        [(CODES[0], merged["code"]), (CODES[1], merged["code"])]
        + [(CODES[2], half["code"]) for half in halves]
    )
    before = trail(owner)
    assert take([merged, *halves], TODAY).endings == ()
    assert trail(owner) == before


def village(code: str = VILLAGE, **values: object) -> Row:
    longitude, latitude = place()
    return {"行政村代码": code, "村名": "甲村", "经度": longitude, "纬度": latitude} | values


def village_on(owner: Connection, day: date, code: str = VILLAGE) -> list[tuple]:
    return ask(
        owner, "SELECT name, kind FROM division_on(:day) WHERE code = :code", day=day, code=code
    )


def test_a_village_gets_its_first_place_and_another_name(owner, take):
    old = village_on(owner, FIRST)
    preview = take([village()], LATER, Register.VILLAGES)
    assert [len(preview.comparison.placed), len(preview.comparison.renamed)] == [1, 1]
    assert village_on(owner, FIRST) == old
    assert village_on(owner, LATER) == [("甲村", old[0][1])]
    longitude, _ = place(5)
    take([village(经度=longitude)], TODAY, Register.VILLAGES)
    assert ask(
        owner, "SELECT valid_from, valid_to, ST_X(location) FROM division_location ORDER BY 1"
    ) == [(LATER, TODAY, place()[0]), (TODAY, None, longitude)]


def test_a_renamed_village_stays_on_the_map(owner, take):
    take([village()], FIRST, Register.VILLAGES)
    take([{"行政村代码": VILLAGE, "村名": "乙村"}], LATER, Register.VILLAGES)
    assert ask(owner, "SELECT names FROM village_grid WHERE layer_code = 'village'") == [
        (["乙村"],)
    ]
    assert ask(owner, "SELECT * FROM village_map_differences()") == []


def test_a_list_without_places_leaves_them_alone_and_changes_nothing(owner, take):
    take([village()], FIRST, Register.VILLAGES)
    before = trail(owner)
    preview = take([{"行政村代码": VILLAGE, "村名": "甲村"}], LATER, Register.VILLAGES)
    assert len(preview.comparison.unchanged) == 1
    assert trail(owner) == before


def test_a_new_village_follows_an_old_one_once_its_natural_villages_have_moved(owner, take):
    code = f"{VILLAGE[:9]}999"
    take([natural_village(0)], FIRST)
    first = take([village(code, 原代码=VILLAGE)], LATER, Register.VILLAGES)
    assert first.kept == (VILLAGE,)
    assert village_on(owner, LATER, code) == [("甲村", "行政村")]
    assert village_on(owner, LATER) != []
    take([natural_village(0, code=f"{code}001", 原代码=CODES[0])], LATER)
    second = take([village(code, 原代码=VILLAGE)], TODAY, Register.VILLAGES)
    assert [ending.code for ending in second.endings] == [VILLAGE]
    assert village_on(owner, TODAY) == []
    assert ask(owner, "SELECT code, successor_code FROM admin_division_successor") == [
        (VILLAGE, code)
    ]


def test_a_village_of_no_township_is_bad(owner, tmp_path):
    path = write_csv(tmp_path / "a.csv", [village("360123999001"), village()])
    preview = check(owner, path, Register.VILLAGES, Options(TODAY))
    assert [bad.reasons for bad in preview.bad] == [("代码的前 9 位“360123999”不是现行的乡镇。",)]
