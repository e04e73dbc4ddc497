"""The settings of an installation: environment variables `PORTAL_…`, read once.

docs/operations.md lists them all.
"""

import os
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import time
from ipaddress import ip_network
from pathlib import Path

CHECKOUT = Path(__file__).resolve().parent.parent


@dataclass(frozen=True, slots=True)
class Settings:
    """Where an installation keeps its data, and the database it was told to use, if any."""

    data_dir: Path
    database_url: str | None = None
    owner_database_url: str | None = None
    read_database_url: str | None = None
    read_lag_seconds: int = 2
    backup_dir: Path | None = None
    backup_at: time = time(2)
    backup_keep: int = 7
    reference_dir: Path | None = None
    worker_memory_mb: int = 3072
    sessions_per_process: int = 250
    hang_seconds: int = 30
    trusted_proxies: tuple[str, ...] = ()

    @property
    def log_dir(self) -> Path:
        return self.data_dir / "log"

    @property
    def uploads_dir(self) -> Path:
        return self.data_dir / "uploads"

    @property
    def anchors_dir(self) -> Path:
        return self.data_dir / "anchors"


def read_settings(
    data_dir: str | None = None, environment: Mapping[str, str] = os.environ
) -> Settings:
    """Read the settings; `data_dir`, from the command line, goes before the environment."""
    folder = data_dir or environment.get("PORTAL_DATA_DIR") or CHECKOUT / "var"
    url = _plain(environment.get("PORTAL_DATABASE_URL"))
    return Settings(
        data_dir=Path(folder).expanduser().absolute(),
        database_url=url,
        owner_database_url=_plain(environment.get("PORTAL_OWNER_DATABASE_URL")) or url,
        read_database_url=_plain(environment.get("PORTAL_READ_DATABASE_URL")),
        read_lag_seconds=_number(environment, "PORTAL_READ_LAG_SECONDS", 2),
        backup_dir=_optional_path(environment.get("PORTAL_BACKUP_DIR")),
        backup_at=_time_of_day(environment.get("PORTAL_BACKUP_AT") or "02:00"),
        backup_keep=max(1, _number(environment, "PORTAL_BACKUP_KEEP", 7)),
        reference_dir=_folder(environment.get("PORTAL_REFERENCE_DIR")),
        worker_memory_mb=_number(environment, "PORTAL_WORKER_MEMORY_MB", 3072),
        sessions_per_process=_number(environment, "PORTAL_SESSIONS_PER_PROCESS", 250),
        hang_seconds=_number(environment, "PORTAL_HANG_SECONDS", 30),
        trusted_proxies=_networks(environment.get("PORTAL_TRUSTED_PROXIES")),
    )


def _folder(given: str | None) -> Path | None:
    if not given:
        return None
    folder = Path(given).expanduser().absolute()
    if not folder.is_dir():
        raise Refusal(f"PORTAL_REFERENCE_DIR names {folder}, which is no folder.")
    return folder


def _optional_path(given: str | None) -> Path | None:
    return Path(given).expanduser().absolute() if given else None


def _time_of_day(given: str) -> time:
    try:
        return time.fromisoformat(given)
    except ValueError:
        raise Refusal(f"PORTAL_BACKUP_AT must be a time such as 02:00, not {given!r}.") from None


def _number(environment: Mapping[str, str], name: str, usual: int) -> int:
    given = environment.get(name) or str(usual)
    if not given.isdecimal():
        raise Refusal(f"{name} must be a whole number, not {given!r}.")
    return int(given)


def _networks(given: str | None) -> tuple[str, ...]:
    try:
        return tuple(str(ip_network(each)) for each in re.split(r"[\s,]+", given or "") if each)
    except ValueError as error:
        raise Refusal(f"PORTAL_TRUSTED_PROXIES lists addresses or networks: {error}.") from error


def _plain(url: str | None) -> str | None:
    """Return the URL as PostgreSQL's own tools read it, without the name of a Python driver."""
    return re.sub(r"^postgres(ql)?(\+\w+)?://", "postgresql://", url) if url else None


class Refusal(Exception):
    """Why a command cannot do its work: the message is one sentence for the person who typed it."""
