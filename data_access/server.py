"""The server of the private cluster: made, started and stopped as a child of this process.

The machine's own clusters are never touched.
"""

import os
import pwd
import re
import shutil
import signal
import socket
import stat
import subprocess
import tempfile
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from time import monotonic, sleep
from typing import IO

import psycopg

from data_access import backup_store, cluster_file, postgis, processes
from data_access.cluster_file import DatabaseUrls
from data_access.settings import Refusal, Settings

_SOCKET_PATH_LIMIT = 107 - len("/.s.PGSQL.65535")
_PATIENCE = 300  # seconds: recovery after a power cut takes its time
# What passes: backends of a killed server may hold its memory for a moment more, and somebody may
# have taken the port since it was found free.
_MEMORY_HELD, _PORT_TAKEN = "still in use", "could not create any TCP/IP sockets"

# Two cores and a machine that is shared: small queries by many, nothing lost at a power cut.
_CONFIGURATION = """
shared_buffers = 256MB
effective_cache_size = 1GB
work_mem = 16MB
maintenance_work_mem = 128MB
max_connections = 200
max_parallel_workers_per_gather = 0
jit = off
random_page_cost = 1.1
max_wal_size = 2GB
fsync = on
synchronous_commit = on
timezone = 'Asia/Shanghai'
log_timezone = 'Asia/Shanghai'
log_line_prefix = '%m [%p] %u '
log_min_duration_statement = 2s
"""


class Server:
    """The cluster's server as a child of this process: it stops cleanly when this process dies."""

    def __init__(self, settings: Settings, *, rebuild: bool = False) -> None:
        self._rebuild = rebuild
        made = cluster_file.path(settings).exists()
        self._cluster = cluster_file.read(settings) if made else cluster_file.plan(settings)
        # A gap in the log is a gap in what can be restored, whoever forgot the setting.
        kept_in = Path(self._cluster.backup_dir) if self._cluster.backup_dir else None
        self._settings = replace(settings, backup_dir=settings.backup_dir or kept_in)
        self._programs = programs(self.data)
        self._user = cluster_file.server_user(self.home)
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def urls(self) -> DatabaseUrls:
        return self._cluster.urls()

    @property
    def running(self) -> bool:
        return self._process is not None and self._process.poll() is None

    @property
    def home(self) -> Path:
        """Where the cluster's folders lie: its data, its socket."""
        return Path(self._cluster.home or self._settings.data_dir / "postgres")

    @property
    def data(self) -> Path:
        """The database files."""
        return self.home / "data"

    def start(self) -> None:
        """Make the cluster if there is none, start the server, make the database if there is none.

        Raise Refusal when it does not start.
        """
        if not (self.data / "PG_VERSION").exists():
            self._refuse_lost_files()
            self._initialise()
        self._take_place()
        self._launch(self.data)
        self._create_database()

    def recover(self, data: Path, options: Mapping[str, str]) -> None:
        """Start the server on a backup's files beside its own, open on its closed socket alone.

        Their passwords may be another cluster's. Raise Refusal when it does not start.
        """
        self._take_place()
        with tempfile.NamedTemporaryFile("w", prefix="portal-") as rules:
            rules.write("local all owner trust\n")
            rules.flush()
            if self._user:
                shutil.chown(rules.name, self._user)
            self._launch(data, hba_file=rules.name, listen_addresses="", **options)

    def _take_place(self) -> None:
        _end_orphan(self.data)
        self._cluster = replace(
            self._cluster,
            socket=str(self._socket_folder()),
            port=_free_port(self._cluster.port),
            initialised=self._cluster.initialised or self.data.exists(),
        )
        cluster_file.write(self._settings, self._cluster)

    def keep_log_in(self, backup_dir: Path | None) -> None:
        """Say for this and every later start where the log is kept; None keeps it nowhere."""
        self._cluster = replace(self._cluster, backup_dir=str(backup_dir or ""))
        self._settings = replace(self._settings, backup_dir=backup_dir)
        cluster_file.write(self._settings, self._cluster)

    def stop(self) -> None:
        """Stop the server: open transactions are rolled back, the files are left in order."""
        if self._process:
            processes.stop(self._process, by=signal.SIGINT, patience=60, then=signal.SIGQUIT)
        if self.home not in Path(self._cluster.socket).parents:
            shutil.rmtree(self._cluster.socket, ignore_errors=True)

    def _refuse_lost_files(self) -> None:
        """Refuse to begin anew in silence where a disk is not mounted or files were removed."""
        if self._cluster.initialised and not self._rebuild:
            raise Refusal(
                f"The database files in {self.data} are gone: bring a backup back with"
                f" ./portal restore, or remove {cluster_file.path(self._settings)} to begin anew."
            )

    def _initialise(self) -> None:
        self._make_folder(self.home)
        half_made = self.home / "data.new"
        shutil.rmtree(half_made, ignore_errors=True)
        with tempfile.NamedTemporaryFile("w", prefix="portal-") as password:
            password.write(self._cluster.owner_password)
            password.flush()
            if self._user:
                shutil.chown(password.name, self._user)
            self._run(
                *("initdb", "-D", str(half_made), "--encoding=UTF8", "--locale=C.UTF-8"),
                *("--username=owner", "--auth=scram-sha-256", f"--pwfile={password.name}"),
            )
        with (half_made / "postgresql.conf").open("a", encoding="utf-8") as configuration:
            configuration.write(_CONFIGURATION)
            configuration.write(f"wal_compression = {self._best_packing(half_made)}\n")
        half_made.rename(self.data)

    def _best_packing(self, data: Path) -> str:
        """Return how pages are packed in the log: by lz4, far less work, where it is built in."""
        with suppress(Refusal):
            asked = ("-D", str(data), "-C", "wal_compression", "--wal_compression=lz4")
            self._run("postgres", *asked)
            return "lz4"
        return "on"

    def connect(self, database: str = "portal") -> psycopg.Connection:
        """Connect as the owner."""
        return psycopg.connect(self.urls.owner, dbname=database, autocommit=True, connect_timeout=5)

    def unpack(self, content: Path) -> Path:
        """Unpack a base backup beside the database files, as its user; return the folder."""
        folder = self.home / "data.recovering"
        shutil.rmtree(folder, ignore_errors=True)
        self._make_folder(self.home)
        self._make_folder(folder)
        folder.chmod(0o700)
        with content.open("rb") as file:
            self._run("tar", "-xz", "-C", str(folder), given=file)
        return folder

    def _make_folder(self, folder: Path) -> None:
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        if self._user:
            shutil.chown(folder, self._user)

    def _run(self, program: str, *arguments: str, given: IO[bytes] | None = None) -> None:
        own = self._programs / program
        finished = subprocess.run(
            [str(own) if own.exists() else program, *arguments],
            stdin=given,
            capture_output=True,
            text=True,
            cwd="/",
            env=_environment(),
            user=self._user,
            group=self._user,
            extra_groups=[] if self._user else None,
        )
        if finished.returncode:
            raise Refusal(f"{program} failed: {_last_line(finished.stderr)}")

    def _socket_folder(self) -> Path:
        """Return an empty folder for the socket: in the home, or for a difficult path in /tmp."""
        folder = self.home / "socket"
        if not _is_plain(folder):
            former = self._cluster.socket
            folder = Path(former if _is_closed_folder(former) else tempfile.mkdtemp(prefix="pg-"))
        self._make_folder(folder)
        for stale in folder.iterdir():  # what a killed server left
            stale.unlink()
        return folder

    def _launch(self, data: Path, **options: str) -> None:
        log = self._settings.log_dir / "postgres.log"
        deadline = monotonic() + _PATIENCE
        while True:
            already = log.stat().st_size if log.exists() else 0
            self._process = self._spawn(log, data, options)
            if self._answers(deadline):
                return
            said = _text_from(log, already)
            if self.running or not any(words in said for words in (_MEMORY_HELD, _PORT_TAKEN)):
                self.stop()
                raise Refusal(f"PostgreSQL does not start ({_last_line(said)}); see {log}.")
            if _PORT_TAKEN in said:
                self._take_place()
            sleep(0.5)

    def _spawn(self, log: Path, data: Path, options: Mapping[str, str]) -> subprocess.Popen[bytes]:
        given = {
            "port": str(self._cluster.port),
            "listen_addresses": "127.0.0.1",
            "unix_socket_directories": _quoted(self._cluster.socket),
            **backup_store.archive_options(self._settings, data, self._user),
            **options,
        }
        return processes.spawn(
            [
                str(self._programs / "postgres"),
                *("-D", str(data)),
                *(f"--{name}={value}" for name, value in given.items()),
            ],
            log=log,
            environment=_environment(),
            user=self._user,
            ends_by=signal.SIGINT,
        )

    def _answers(self, deadline: float) -> bool:
        while self.running and monotonic() < deadline:
            with suppress(psycopg.OperationalError):
                self.connect("postgres").close()
                return True
            sleep(0.05)
        return False

    def _create_database(self) -> None:
        with self.connect("postgres") as connection:
            known = connection.execute("SELECT 1 FROM pg_database WHERE datname = 'portal'")
            if known.fetchone() is None:
                connection.execute("CREATE DATABASE portal")

    def program(self, name: str) -> Path:
        """Return one of PostgreSQL's programs, of the cluster's own version."""
        return self._programs / name


def programs(data: Path | None = None) -> Path:
    """Return the folder of PostgreSQL's programs: for a cluster that exists, of its own version.

    Raise Refusal when they are not on this machine.
    """
    made_by = data / "PG_VERSION" if data else None
    version = int(made_by.read_text(encoding="utf-8")) if made_by and made_by.exists() else None
    found = postgis.find_programs(version)
    if found is None:
        wanted = f"PostgreSQL {version}" if version else f"PostgreSQL {postgis.POSTGRESQL} or newer"
        raise Refusal(
            f"{wanted} with PostGIS {'.'.join(map(str, postgis.POSTGIS))} or newer is not on this"
            f" machine: install Debian's postgresql-{version or '…'}-postgis-3."
        )
    return found


def _environment() -> dict[str, str]:
    return {"PATH": os.environ.get("PATH", os.defpath), "LC_ALL": "C.UTF-8", "TZ": "Asia/Shanghai"}


def _free_port(wanted: int) -> int:
    """Return the port of last time where it is still free, else any free one of the loopback."""
    for port in (wanted, 0):
        with socket.socket() as probe, suppress(OSError):
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            probe.bind(("127.0.0.1", port))
            return int(probe.getsockname()[1])
    raise Refusal("No port of the loopback is free.")


def _end_orphan(data: Path) -> None:
    """End the server that a killed portal left, or forget its lock file when it is gone."""
    lock_file = data / "postmaster.pid"
    try:
        pid = int(lock_file.read_text(encoding="utf-8").split("\n")[0])
    except (FileNotFoundError, ValueError):
        return
    deadline = monotonic() + 60
    while _is_server_of(pid, data) and monotonic() < deadline:
        with suppress(ProcessLookupError):
            os.kill(pid, signal.SIGINT if monotonic() < deadline - 30 else signal.SIGQUIT)
        sleep(0.2)
    # The number may belong to a stranger by now, whom PostgreSQL would take for its server.
    if not _is_server_of(pid, data):
        lock_file.unlink(missing_ok=True)


def _is_server_of(pid: int, data: Path) -> bool:
    with suppress(OSError):
        return Path(f"/proc/{pid}/cwd").resolve() == data.resolve()
    return False


def _is_plain(folder: Path) -> bool:
    """Tell whether the kernel takes the path (107 bytes) and every reader of URLs reads it alike.

    SQLAlchemy writes a space in a URL as a plus, which libpq takes for a plus.
    """
    short = len(os.fsencode(folder)) <= _SOCKET_PATH_LIMIT
    return short and re.fullmatch(r"[\w/.-]+", str(folder), re.ASCII) is not None


def _is_closed_folder(path: str) -> bool:
    """Tell whether nobody else could have put a folder of his own there: /tmp is everybody's."""
    if not path or not Path(path).is_dir() or Path(path).is_symlink():
        return False
    status = Path(path).stat()
    return stat.S_IMODE(status.st_mode) == 0o700 and status.st_uid in _own_users()


def _own_users() -> set[int]:
    if os.geteuid() != 0:
        return {os.geteuid()}
    return {0, pwd.getpwnam(cluster_file.postgres_user()).pw_uid}


def _quoted(folder: str) -> str:
    escaped = folder.replace('"', '""')
    return f'"{escaped}"'


def _text_from(log: Path, offset: int) -> str:
    with log.open("rb") as file:
        file.seek(offset)
        return file.read().decode(errors="replace")


def _last_line(text: str) -> str:
    lines = [line for line in text.splitlines() if line.strip()]
    return lines[-1].strip() if lines else "no message"
