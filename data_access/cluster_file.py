"""What cluster.json keeps of the private cluster: where its files lie, who runs it, its logins.

As root the server runs as the user postgres; where that user may not enter (a checkout under
/root), the files lie in a folder of their own under /var/lib/portal-clusters. The other way, to
grant the server a capability to pass through closed folders, would open every file to it.
"""

import json
import os
import pwd
import secrets
import subprocess
from dataclasses import asdict, dataclass
from pathlib import Path
from urllib.parse import quote

from data_access.settings import Refusal, Settings

_ELSEWHERE = Path("/var/lib/portal-clusters")


@dataclass(frozen=True, slots=True)
class DatabaseUrls:
    """The database by its two logins: `owner` migrates and administers, `portal` serves."""

    owner: str
    portal: str


@dataclass(frozen=True, slots=True)
class ClusterFile:
    """What cluster.json keeps; the passwords are why it is readable by its owner alone."""

    home: str  # a folder elsewhere, or '' for the data directory's own
    socket: str
    port: int
    owner_password: str
    portal_password: str
    initialised: bool = False
    backup_dir: str = ""
    """Where the last `run` kept the log: a command that starts the server keeps it there too."""

    def urls(self) -> DatabaseUrls:
        """Return the URLs over the socket."""
        return self._at(f"/portal?host={quote(self.socket, safe='')}&port={self.port}")

    def tcp_urls(self) -> DatabaseUrls:
        """Return the URLs over the loopback, for the tools of a person."""
        return self._at(f"127.0.0.1:{self.port}/portal")

    def _at(self, place: str) -> DatabaseUrls:
        return DatabaseUrls(
            owner=f"postgresql://owner:{self.owner_password}@{place}",
            portal=f"postgresql://portal:{self.portal_password}@{place}",
        )


def path(settings: Settings) -> Path:
    """Return where the file stands, whether or not there is one."""
    return settings.data_dir / "cluster.json"


def read(settings: Settings) -> ClusterFile:
    """Read the file of a data directory that has one."""
    return ClusterFile(**json.loads(path(settings).read_text(encoding="utf-8")))


def write(settings: Settings, cluster: ClusterFile) -> None:
    """Write the file in one step, readable by its owner alone."""
    target = path(settings)
    new = target.with_suffix(".new")
    descriptor = os.open(new, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "w", encoding="utf-8") as file:
        json.dump(asdict(cluster), file, indent=2)
    new.replace(target)


def plan(settings: Settings) -> ClusterFile:
    """Choose a place and passwords for a cluster to be made, and write them down."""
    home = "" if _may_enter(settings.data_dir) else _folder_elsewhere(settings)
    cluster = ClusterFile(
        home=home,
        socket="",
        port=0,
        owner_password=secrets.token_urlsafe(24),
        portal_password=secrets.token_urlsafe(24),
    )
    write(settings, cluster)
    return cluster


def _may_enter(folder: Path) -> bool:
    if os.geteuid() != 0:
        return True
    user = postgres_user()
    test = ["test", "-x", str(folder)]
    return subprocess.run(test, user=user, group=user, extra_groups=[], cwd="/").returncode == 0


def _folder_elsewhere(settings: Settings) -> str:
    home = _ELSEWHERE / secrets.token_hex(8)
    _ELSEWHERE.mkdir(mode=0o711, exist_ok=True)
    home.mkdir(mode=0o700)
    (home / "used-by").write_text(f"{settings.data_dir}\n", encoding="utf-8")
    return str(home)


def server_user(home: Path) -> str | None:
    """Return the user to run the server as: whose files they are, else postgres; None is myself."""
    if os.geteuid() != 0:
        return None
    owner = home.stat().st_uid if home.exists() else 0
    return pwd.getpwuid(owner).pw_name if owner else postgres_user()


def postgres_user() -> str:
    """Return the user of Debian's package; raise Refusal where there is none."""
    try:
        return pwd.getpwnam("postgres").pw_name
    except KeyError:
        raise Refusal("As root the portal needs the user postgres, who is missing here.") from None
