"""The restore drill: backup, wreck, restore; and every archive that must not be restored."""

import json
import shutil
from collections.abc import Callable
from pathlib import Path

import psycopg
import pytest

from data_access import __main__ as commands
from data_access import cluster
from data_access.settings import Settings

UPLOAD = "uploads/ab/abcdef"
CONTENT = b"the evidence of a public notice"


@pytest.fixture(scope="module")
def installation(folder: Path) -> Settings:
    """A portal with one account and one upload, not running."""
    settings = Settings(data_dir=folder / "var")
    assert commands.main(["migrate", "--data-dir", str(settings.data_dir)]) == 0
    with cluster.open_database(settings) as urls, psycopg.connect(urls.owner) as owner:
        owner.execute(
            "INSERT INTO account (username, display_name, password_hash) VALUES ('zhang', '张', '')"
        )
    stored = settings.data_dir / UPLOAD
    stored.parent.mkdir(parents=True)
    stored.write_bytes(CONTENT)
    return settings


@pytest.fixture
def type_command(installation: Settings) -> Callable[..., int]:
    def type_command(*line: str | Path) -> int:
        return commands.main([*map(str, line), "--data-dir", str(installation.data_dir)])

    return type_command


@pytest.fixture(scope="module")
def archive(installation: Settings, folder: Path) -> Path:
    target = folder / "backup.tar"
    line = ["backup", str(target), "--data-dir", str(installation.data_dir)]
    assert commands.main(line) == 0
    return target


def test_after_a_wreck_the_backup_brings_everything_back(
    installation, archive, type_command, capsys
):
    type_command("status", "--json")
    before = json.loads(capsys.readouterr().out)
    shutil.rmtree(installation.data_dir / "postgres")
    shutil.rmtree(installation.data_dir / "uploads")

    assert type_command("restore", archive) == 0
    capsys.readouterr()

    type_command("status", "--json")
    assert json.loads(capsys.readouterr().out) == before
    assert before["accounts"] == 1
    assert (installation.data_dir / UPLOAD).read_bytes() == CONTENT
    assert type_command("audit", "verify") == 0


def test_a_database_in_use_is_replaced_only_by_force(installation, archive, type_command, capsys):
    with cluster.open_database(installation) as urls, psycopg.connect(urls.owner) as owner:
        owner.execute(
            "INSERT INTO account (username, display_name, password_hash) VALUES ('li4', '李', '')"
        )
    assert type_command("restore", archive) == 1
    assert "--force" in capsys.readouterr().err
    assert type_command("restore", archive, "--force") == 0
    capsys.readouterr()
    type_command("status", "--json")
    assert json.loads(capsys.readouterr().out)["accounts"] == 1


def test_an_archive_with_one_wrong_byte_is_refused_by_the_name_of_the_file(
    archive, type_command, capsys
):
    damaged = archive.with_name("damaged.tar")
    damaged.write_bytes(archive.read_bytes().replace(CONTENT, CONTENT.upper()))
    assert type_command("restore", damaged, "--force") == 1
    assert f"{UPLOAD} is not what the manifest promises" in capsys.readouterr().err


@pytest.mark.parametrize("share", [0.1, 0.9])
def test_an_archive_that_was_cut_off_is_refused(share, archive, type_command, capsys):
    short = archive.with_name("short.tar")
    content = archive.read_bytes()
    short.write_bytes(content[: int(len(content) * share)])
    assert type_command("restore", short, "--force") == 1
    assert "short.tar" in capsys.readouterr().err


def test_a_file_that_is_no_backup_is_refused(folder, type_command, capsys):
    other = folder / "other.tar"
    other.write_text("hello")
    assert type_command("restore", other, "--force") == 1
    assert "cannot be read as a backup" in capsys.readouterr().err


def test_an_archive_is_not_overwritten_unasked(archive, type_command, capsys):
    assert type_command("backup", archive) == 1
    assert "exists already" in capsys.readouterr().err
