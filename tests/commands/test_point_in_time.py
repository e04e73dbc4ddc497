"""Back to a moment: what was written before it is there, what was destroyed after it is not."""

import json
import shutil
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from pathlib import Path

import psycopg
import pytest

from data_access import __main__ as commands
from data_access import backup_store, cluster, point_in_time, processes, trail
from data_access.administration import owner_transaction
from data_access.settings import Settings, read_settings
from domain.clock import BEIJING

TypeCommand = Callable[..., int]
EVIDENCE = b"the evidence of a public notice"
SHA256 = "e3" + "0" * 62


@dataclass(frozen=True, slots=True)
class Wreck:
    """An installation that lost something after `moment`, and what it was."""

    settings: Settings
    moment: datetime

    @property
    def to(self) -> str:
        return self.moment.isoformat(sep=" ")


@pytest.fixture(scope="module")
def backup_dir(folder: Path) -> Path:
    return folder / "100% of the backups"


@pytest.fixture
def settings(folder: Path, backup_dir: Path, monkeypatch: pytest.MonkeyPatch) -> Settings:
    monkeypatch.setenv("PORTAL_BACKUP_DIR", str(backup_dir))
    monkeypatch.setenv("PORTAL_BACKUP_KEEP", "3")
    return read_settings(str(folder / "var"))


@pytest.fixture
def type_command(settings: Settings) -> TypeCommand:
    def type_command(*line: str | Path) -> int:
        return commands.main([*map(str, line), "--data-dir", str(settings.data_dir)])

    return type_command


@pytest.fixture(scope="module")
def moments() -> list[datetime]:
    """When the wreck happened: it happens once for all tests."""
    return []


@pytest.fixture
def wreck(settings: Settings, type_command: TypeCommand, moments: list[datetime]) -> Wreck:
    """zhang and his evidence, then a moment, then lisi and the end of zhang."""
    if not moments:
        assert type_command("migrate") == 0
        assert type_command("backup") == 0
        with cluster.running_cluster(settings) as server:
            add_account(server.urls.owner, settings, "zhang")
            store_evidence(server.urls.owner, settings)
            backup_store.copy_files(settings)
            moments.append(now(server.urls.owner))
            add_account(server.urls.owner, settings, "lisi")
            with psycopg.connect(server.urls.owner) as owner:
                owner.execute("UPDATE account SET username = 'nobody' WHERE username = 'zhang'")
    return Wreck(settings, moments[0])


def add_account(url: str, settings: Settings, name: str) -> None:
    """Make an account, and anchor the trail of it."""
    with owner_transaction(url, action="account.create") as owner:
        owner.exec_driver_sql(
            "INSERT INTO account (username, display_name, password_hash) VALUES (%s, %s, '')",
            (name, name),
        )
    with owner_transaction(url) as owner:
        trail.anchor(owner, settings.data_dir)


def store_evidence(url: str, settings: Settings) -> None:
    path = settings.uploads_dir / SHA256[:2] / SHA256
    path.parent.mkdir()
    path.write_bytes(EVIDENCE)
    with psycopg.connect(url) as owner:
        owner.execute(
            "INSERT INTO stored_file (sha256, size, media_type) VALUES (%s, %s, 'application/pdf')",
            [SHA256, len(EVIDENCE)],
        )


def now(url: str) -> datetime:
    with psycopg.connect(url) as owner:
        row = owner.execute("SELECT clock_timestamp()").fetchone()
    assert row
    return row[0].astimezone(BEIJING)


def accounts(settings: Settings) -> list[str]:
    with cluster.open_database(settings) as urls, psycopg.connect(urls.owner) as owner:
        rows = owner.execute(
            "SELECT username FROM account WHERE username <> 'system' ORDER BY username"
        ).fetchall()
    return [name for (name,) in rows]


def test_the_moment_comes_back_with_its_trail_and_files(wreck, type_command, capsys):
    assert accounts(wreck.settings) == ["lisi", "nobody"]
    shutil.rmtree(wreck.settings.uploads_dir)

    assert type_command("restore", "--to", wreck.to) == 1
    assert "--force" in capsys.readouterr().err
    assert type_command("restore", "--to", wreck.to, "--force") == 0
    said = capsys.readouterr().out
    assert "before-restore" in said
    assert accounts(wreck.settings) == ["zhang"]
    assert (wreck.settings.uploads_dir / SHA256[:2] / SHA256).read_bytes() == EVIDENCE
    assert type_command("audit", "verify") == 0


def test_with_the_disk_gone_the_backup_folder_alone_is_enough(wreck, type_command):
    shutil.rmtree(wreck.settings.data_dir)
    assert type_command("restore", "--to", wreck.to) == 0
    assert accounts(wreck.settings) == ["zhang"]
    assert (wreck.settings.uploads_dir / SHA256[:2] / SHA256).read_bytes() == EVIDENCE
    assert type_command("audit", "verify") == 0


def test_the_last_moment_is_everything_there_was(wreck, type_command):
    """What happened after the first restore is another timeline: the clock tells which."""
    with cluster.running_cluster(wreck.settings) as server:
        add_account(server.urls.owner, wreck.settings, "wang")
        moment = now(server.urls.owner)
    assert type_command("restore", "--to", moment.isoformat(), "--force") == 0
    assert accounts(wreck.settings) == ["wang", "zhang"]
    assert type_command("audit", "verify") == 0


def test_old_backups_and_their_log_are_forgotten(wreck, type_command, backup_dir):
    for _ in range(3):
        assert type_command("backup") == 0
    bases = backup_store.list_bases(backup_dir)
    assert len(bases) == 3
    first = min(base.manifest.first_segment[8:] for base in bases)
    segments = [
        path.name for path in bases[0].wal.iterdir() if len(path.name) == len("0" * 24 + ".gz")
    ]
    assert segments
    assert min(name[8:24] for name in segments) >= first


def test_status_tells_the_age_of_the_backup_and_whether_the_log_is_kept(
    wreck, type_command, capsys
):
    holding = processes.exclusive(wreck.settings.data_dir, "run")
    with holding, cluster.running_cluster(wreck.settings):
        type_command("status", "--json")
    told = json.loads(capsys.readouterr().out)
    assert 0 <= told["backup_age_seconds"] < 600
    assert told["log_archiving"] == "ok"


def test_a_command_that_forgot_the_setting_leaves_no_gap_in_the_log(
    wreck,
):
    with cluster.running_cluster(wreck.settings, serves=True):
        pass
    forgetful = replace(wreck.settings, backup_dir=None)
    with cluster.running_cluster(forgetful) as server, server.connect() as owner:
        assert owner.execute("SHOW archive_mode").fetchone() == ("on",)
    with cluster.running_cluster(forgetful, serves=True) as server, server.connect() as owner:
        assert owner.execute("SHOW archive_mode").fetchone() == ("off",)


@pytest.mark.parametrize(
    ("moment", "sentence"),
    [
        ("2020-01-01 00:00", "No base backup is older than 2020-01-01 00:00:00"),
        ((datetime.now(BEIJING) + timedelta(days=1)).isoformat(), "is still to come"),
        ("yesterday", "invalid moment value"),
    ],
)
def test_a_moment_that_no_backup_covers_is_refused(moment, sentence, wreck, type_command, capsys):
    before = accounts(wreck.settings)
    assert type_command("restore", "--to", moment, "--force") == 1
    assert sentence in capsys.readouterr().err
    assert accounts(wreck.settings) == before


def test_a_backup_of_a_newer_portal_is_refused(wreck, type_command, monkeypatch, capsys):
    monkeypatch.setattr(point_in_time, "newest_migration", lambda: "0001_foundation.sql")
    to = datetime.now(BEIJING).isoformat()
    assert type_command("restore", "--to", to, "--force") == 1
    assert "comes from a newer portal" in capsys.readouterr().err


def test_a_damaged_base_backup_is_refused_and_nothing_changes(
    wreck, type_command, backup_dir, capsys
):
    newest = backup_store.list_bases(backup_dir)[-1]
    with newest.content.open("r+b") as file:
        file.seek(1000)
        file.write(b"\0\0\0\0")
    before = accounts(wreck.settings)
    to = datetime.now(BEIJING).isoformat()
    assert type_command("restore", "--to", to, "--force") == 1
    assert "is damaged" in capsys.readouterr().err
    assert accounts(wreck.settings) == before


def test_a_full_disk_is_told_before_anything_is_touched(
    wreck, type_command, backup_dir, monkeypatch, capsys
):
    monkeypatch.setattr(shutil, "disk_usage", lambda path: shutil._ntuple_diskusage(1, 1, 0))
    assert type_command("backup") == 1
    assert "needs about" in capsys.readouterr().err


def test_without_a_folder_for_backups_no_moment_is_promised(
    wreck, type_command, monkeypatch, capsys
):
    monkeypatch.delenv("PORTAL_BACKUP_DIR")
    assert type_command("backup") == 1
    assert "PORTAL_BACKUP_DIR" in capsys.readouterr().err
    assert type_command("restore", "--to", wreck.to, "--force") == 1
    assert "PORTAL_BACKUP_DIR is not set" in capsys.readouterr().err
    assert type_command("restore") == 1
    assert "either an archive or" in capsys.readouterr().err
