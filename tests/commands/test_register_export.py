"""`./portal export`: what it writes is what the imports read, and changes nothing where it was."""

import csv
from pathlib import Path

from tests.village_lists import natural_village, write_csv

ROWS = [natural_village(number) for number in range(3)]


def read(file: Path) -> list[dict[str, str]]:
    with file.open(encoding="utf-8-sig", newline="") as opened:
        return list(csv.DictReader(opened))


def test_natural_villages_come_back_as_they_were(type_command, tmp_path, capsys):
    listed = write_csv(tmp_path / "list.csv", ROWS)
    assert type_command("import", "natural-villages", listed, "--commit") == 0
    out = tmp_path / "out.csv"
    assert type_command("export", "natural-villages", out) == 0
    rows = read(out)
    assert [(row["code"], row["name"]) for row in rows] == sorted(
        (row["code"], row["name"]) for row in ROWS
    )
    assert {row["note"] for row in rows} == {""}  # imported, and so not invented
    capsys.readouterr()
    assert type_command("import", "natural-villages", out) == 0
    assert "unchanged              3" in capsys.readouterr().out


def test_villages_and_divisions_come_back_as_they_were(type_command, owner, tmp_path, capsys):
    villages, divisions = tmp_path / "villages.csv", tmp_path / "divisions.csv"
    assert type_command("export", "villages", villages, "--within", "360121") == 0
    assert type_command("export", "divisions", divisions) == 0
    assert len(read(divisions)) == 16_307
    assert {row["code"][:6] for row in read(villages)} == {"360121"}
    capsys.readouterr()
    assert type_command("import", "villages", villages) == 0
    assert f"unchanged       {len(read(villages)):>8,}" in capsys.readouterr().out
    versions = "SELECT * FROM admin_division_version ORDER BY code, valid_from"
    before = owner.execute(versions).fetchall()
    assert type_command("import", "divisions", divisions) == 0
    assert owner.execute(versions).fetchall() == before


def test_a_file_that_is_there_is_kept_and_nothing_is_left_by_half(type_command, tmp_path, capsys):
    kept = tmp_path / "kept.csv"
    kept.write_text("mine")
    assert type_command("export", "villages", kept) == 1
    assert "--replace" in capsys.readouterr().err
    assert type_command("export", "villages", tmp_path / "none" / "out.csv") == 1
    assert type_command("export", "villages", tmp_path / "out.csv", "--within", "999999") == 1
    assert "999999" in capsys.readouterr().err
    assert type_command("export", "villages", tmp_path, "--replace") == 1
    assert "is a folder" in capsys.readouterr().err
    assert kept.read_text() == "mine"
    assert type_command("export", "villages", kept, "--replace", "--within", "360121") == 0
    assert read(kept)
    assert list(tmp_path.iterdir()) == [kept]
