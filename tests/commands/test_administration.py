"""Administration on an outside database: nothing is started, and the trail records it."""

import json
import re
from pathlib import Path

import pytest

from data_access import __main__ as commands
from data_access import sessions
from data_access.settings import read_settings
from tests.actors import COUNTY
from tests.villages import add_natural_villages, villages_of


def test_status_counts_what_the_outside_database_holds(type_command, tmp_path, capsys):
    assert type_command("status", "--json") == 0
    status = json.loads(capsys.readouterr().out)
    assert (status["database"], status["reporting_units"], status["compile_units"]) == (
        *("ok", 111, 72),
    )
    assert not (tmp_path / "postgres").exists()


def test_the_outside_url_is_given_as_every_tool_reads_it(type_command, capsys):
    assert type_command("database-url", "--login", "portal") == 0
    assert capsys.readouterr().out.startswith("postgresql://portal@/portal_test?")


def test_a_database_that_is_away_is_told_and_counted_as_such(monkeypatch, capsys):
    monkeypatch.setenv("PORTAL_DATABASE_URL", "postgresql://nobody@127.0.0.1:1/none")
    assert commands.main(["status", "--json"]) == 1
    assert json.loads(capsys.readouterr().out) == {"database": "away"}
    assert commands.main(["user", "list"]) == 1
    assert "does not answer" in capsys.readouterr().err


def test_a_new_account_signs_in_with_the_password_that_was_printed(owner, type_command, capsys):
    assert (
        type_command("user", "add", "wang", "--name", "王芳", "--role", "information_centre") == 0
    )
    said = capsys.readouterr().out
    password = re.search(r"with (\S+) and", said)[1]
    stored = owner.execute(
        "SELECT password_hash, must_change_password FROM account WHERE username = 'wang'"
    ).fetchone()
    assert sessions.password_matches(password, stored[0])
    assert stored[1]
    type_command("user", "list")
    assert "wang\t王芳\topen\tinformation_centre@" in capsys.readouterr().out


def test_what_the_command_did_stands_in_the_trail(owner, type_command):
    type_command("user", "add", "wang", "--role", "leader")
    entry = owner.execute(
        "SELECT action, database_login, after ->> 'username' FROM row_change"
        " WHERE table_name = 'account' ORDER BY row_change_id DESC LIMIT 1"
    ).fetchone()
    assert entry == ("account.add", "owner", "wang")


def test_accounts_are_unlocked_reset_granted_and_disabled_by_name(owner, type_command, capsys):
    type_command("user", "add", "wang", "--role", "county", "--division", "360121")
    for line in (
        ["unlock", "wang"],
        ["reset", "wang"],
        ["grant", "wang", "--role", "county", "--division", "360123", "--to", "2099-01-01"],
        ["disable", "wang"],
    ):
        assert type_command("user", *line) == 0
    capsys.readouterr()
    type_command("user", "list")
    assert "wang\twang\tdisabled\tcounty@360121 county@360123" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("line", "said"),
    [
        (["add", "W!", "--role", "leader"], "account_username_form"),
        (["add", "wang", "--role", "emperor"], "emperor"),
        (["add", "wang", "--role", "county", "--division", "999999"], "999999"),
        (["unlock", "nobody"], "nobody"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else "",
)
def test_a_wrong_account_line_is_refused_and_changes_nothing(
    line, said, owner, type_command, capsys
):
    assert type_command("user", *line) == 1
    assert said in capsys.readouterr().err
    assert owner.execute("SELECT FROM account WHERE disabled_at IS NULL").fetchone() is None


def test_a_file_with_a_bad_row_is_refused_with_its_number(owner, type_command, tmp_path, capsys):
    file = tmp_path / "divisions.csv"
    file.write_text(
        "code,name,level,kind,parent_code,prefix\n430000,湖南省,province,省,,43\nx,y,county,县,,x\n"
    )
    assert type_command("import", "divisions", file) == 1
    assert "第 3 行" in capsys.readouterr().err
    assert owner.execute("SELECT FROM admin_division WHERE code = '430000'").fetchone() is None


def test_another_provinces_divisions_load_by_the_same_command(owner, type_command, tmp_path):
    file = tmp_path / "divisions.csv"
    file.write_text("code,name,level,kind,parent_code,prefix\n430000,湖南省,province,省,,43\n")
    assert type_command("import", "divisions", file) == 0
    assert owner.execute("SELECT FROM admin_division WHERE code = '430000'").fetchone() is not None


def test_an_altered_entry_of_the_trail_is_named(owner, type_command, capsys):
    type_command("user", "add", "wang", "--role", "leader")
    assert type_command("audit", "verify") == 0
    owner.execute("SET session_replication_role = replica")
    altered = owner.execute(
        "UPDATE row_change SET after = jsonb_set(after, '{username}', '\"li\"')"
        " WHERE table_name = 'account' AND after ->> 'username' = 'wang' RETURNING row_change_id"
    ).fetchone()
    capsys.readouterr()
    assert type_command("audit", "verify") == 1
    assert "Altered: chain" in (said := capsys.readouterr()).err
    assert f"entry {altered[0]} " in said.out


def test_a_village_that_the_map_shows_otherwise_is_named_and_counted_anew(
    owner, type_command, capsys
):
    signed, moved = villages_of(owner, COUNTY)[:2]
    for village in (signed, moved):
        add_natural_villages(owner, village, 2)
    assert type_command("rollup", "verify") == 0
    owner.execute(
        "INSERT INTO village_sign (division_code, accepted_year, village_class)"
        " VALUES (%s, 2025, '1')",
        [signed],
    )
    owner.execute(
        "UPDATE village_grid SET names[1] = '别村' WHERE division_code = %s"
        " AND layer_code = 'natural_village'",
        [moved],
    )
    capsys.readouterr()
    assert type_command("rollup", "verify") == 1
    said = capsys.readouterr()
    first, second = said.out.splitlines()
    assert first.startswith(f"{signed} map, sign: kept")
    assert first.endswith("counted nothing")
    assert re.match(rf"{moved} map, natural_village \d+/\d+: kept 2 points \w+, counted 2", second)
    assert said.err.startswith("2 of ")
    assert type_command("rollup", "rebuild") == 0
    assert owner.execute("SELECT count(*) FROM village_map_differences()").fetchone() == (0,)


def test_the_command_line_goes_before_the_environment():
    settings = read_settings("/here", {"PORTAL_DATA_DIR": "/there"})
    assert settings.data_dir == Path("/here")


def test_a_setting_that_is_no_number_is_refused_by_its_name(monkeypatch, capsys):
    monkeypatch.setenv("PORTAL_WORKER_MEMORY_MB", "much")
    assert commands.main(["status"]) == 1
    assert "PORTAL_WORKER_MEMORY_MB" in capsys.readouterr().err
