"""`./portal import natural-villages`: a preview, then the good rows; every bad one is named."""

import csv
import json
import sys
from collections.abc import Callable
from pathlib import Path

import psycopg
import pytest

from data_access import __main__ as commands
from data_access.commands.village_imports import _bar
from tests.village_lists import natural_village, write_csv

ROWS = [natural_village(number) for number in range(3)]
BAD = natural_village(7, name="")


@pytest.fixture
def type_import(
    owner: psycopg.Connection, cluster: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Callable[..., int]:
    url = f"postgresql+psycopg://owner@/portal_test?host={cluster}"
    monkeypatch.setenv("PORTAL_OWNER_DATABASE_URL", url)
    monkeypatch.setenv("PORTAL_DATA_DIR", str(tmp_path))
    file = write_csv(tmp_path / "list.csv", [*ROWS, BAD])
    return lambda *options: commands.main(["import", "natural-villages", str(file), *options])


def count(owner: psycopg.Connection) -> int:
    return owner.execute("SELECT count(*) FROM natural_village").fetchall()[0][0]


def test_a_preview_writes_nothing_and_names_every_bad_row(owner, type_import, tmp_path, capsys):
    saved = tmp_path / "bad.csv"
    assert type_import("--bad-rows", str(saved)) == 0
    said = capsys.readouterr().out
    assert "read as EPSG:4490" in said
    assert f"第 5 行 {BAD['code']} ：缺少名称。" in said
    assert "Nothing was written" in said
    assert count(owner) == 0
    with saved.open(encoding="utf-8-sig", newline="") as file:
        assert list(csv.reader(file)) == [
            ["行号", "代码", "名称", "问题"],
            ["5", str(BAD["code"]), "", "缺少名称。"],
        ]


def test_commit_writes_the_good_rows_and_status_counts_them(owner, type_import, capsys):
    assert type_import("--commit", "--strict") == 1
    assert count(owner) == 0
    assert type_import("--commit") == 0
    assert count(owner) == 3
    [(action, login)] = owner.execute(
        "SELECT action, database_login FROM row_change WHERE table_name = 'natural_village'"
    ).fetchall()
    assert (action, login) == ("natural_village.import", "owner")
    capsys.readouterr()
    assert commands.main(["status", "--json"]) == 0
    status = json.loads(capsys.readouterr().out)
    assert (status["administrative_villages"], status["natural_villages"]) == (14_807, 3)


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (["--retire-missing", "搬迁"], "--within"),
        (["--retire-missing", " ", "--within", "360123"], "reason"),
        (["--within", "999999"], "999999"),
        (["--crs", "2343"], "EPSG:2343"),
        (["--swap-axes"], "去掉"),
        (["--valid-from", "2999-01-01"], "still to come"),
    ],
)
def test_what_cannot_be_done_is_said_in_a_sentence(type_import, capsys, options, said):
    assert type_import("--commit", *options) == 1
    assert said in capsys.readouterr().err


def test_a_person_at_a_terminal_sees_how_far_it_is(monkeypatch, capsys):
    monkeypatch.setattr(sys.stderr, "isatty", lambda: True)
    draw = _bar("written")
    draw(10_000, 40_000)
    draw(40_000, 40_000)
    assert "10,000 of 40,000" in (drawn := capsys.readouterr().err)
    assert drawn.endswith("40,000 of 40,000 written\n")


def test_a_program_sees_no_bar(capsys):
    _bar("written")(10_000, 40_000)
    assert capsys.readouterr().err == ""
