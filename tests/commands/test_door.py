"""The door answers from anywhere, and says in one sentence what it cannot do."""

import pytest

from data_access import __main__ as commands
from data_access.commands import SUMMARIES, Command
from tests.commands.conftest import portal, refusal

SHOWN = [name for name, (_, summary) in SUMMARIES.items() if summary]


def test_help_lists_every_command():
    listed = portal("help").stdout
    assert [line.split()[0] for line in listed.splitlines() if line.startswith("  ")] == SHOWN


@pytest.mark.parametrize("name", [name for name in SUMMARIES if name != "help"])
def test_every_command_takes_the_data_directory(name, capsys):
    with pytest.raises(SystemExit):
        commands.main([name, "--help"])
    assert "--data-dir" in capsys.readouterr().out


@pytest.mark.parametrize(
    "line",
    [
        ["nonsense"],
        ["run", "--port", "many"],
        ["status", "--nonsense"],
        ["import", "villages", "file.csv"],
        ["backup"],
    ],
    ids=" ".join,
)
def test_a_wrong_line_is_refused_with_a_sentence(line):
    assert refusal(portal(*line))


@pytest.mark.parametrize(
    "line", [["status"], ["database-url"], ["user", "list"], ["audit", "verify"]], ids=" ".join
)
def test_without_a_portal_a_command_says_how_to_start_one(line, tmp_path, capsys):
    assert commands.main([*line, "--data-dir", str(tmp_path / "none")]) == 1
    assert "./portal run" in capsys.readouterr().err
    assert not (tmp_path / "none").exists()


def test_a_missing_file_is_named(tmp_path, capsys):
    missing = tmp_path / "missing.tar"
    assert commands.main(["restore", str(missing), "--data-dir", str(tmp_path)]) == 1
    assert capsys.readouterr().err == f"There is no file {missing}.\n"


def test_a_fault_of_the_program_leaves_its_id_in_the_log(tmp_path, capsys, monkeypatch):
    def fail(*_):
        raise RuntimeError("the inside")

    monkeypatch.setattr("data_access.commands.status.COMMANDS", {"status": Command(fail)})
    assert commands.main(["status", "--data-dir", str(tmp_path)]) == 1
    said = capsys.readouterr().err
    assert "the inside" not in said
    number = said.split()[-1].rstrip(".")
    assert f"fault {number}" in (tmp_path / "log" / "commands.log").read_text()
