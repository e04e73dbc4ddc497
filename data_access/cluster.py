"""The private PostgreSQL cluster of one data directory.

Its files lie in `<data directory>/postgres`. As root the server runs as the user postgres; where
that user may not enter (a checkout under /root), the files lie in a folder of their own under
/var/lib/portal-clusters, and cluster.json in the data directory says which. The other way,
to grant the server a capability to pass through closed folders, would open every file of the
machine to it. The machine's own clusters are never touched.
"""

import json
import os
import pwd
import re
import secrets
import shutil
import signal
import socket
import stat
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from time import monotonic, sleep
from urllib.parse import quote

import psycopg
from psycopg import sql

from data_access import postgis, processes
from data_access.settings import Refusal, Settings

_ELSEWHERE = Path("/var/lib/portal-clusters")
_SOCKET_PATH_LIMIT = 107 - len("/.s.PGSQL.65535")
_PATIENCE = 300  # seconds: recovery after a power cut takes its time

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
wal_compression = on
max_wal_size = 2GB
fsync = on
synchronous_commit = on
timezone = 'Asia/Shanghai'
log_timezone = 'Asia/Shanghai'
log_line_prefix = '%m [%p] %u '
log_min_duration_statement = 2s
"""


@dataclass(frozen=True, slots=True)
class DatabaseUrls:
    """The database by its two logins: `owner` migrates and administers, `portal` serves."""

    owner: str
    portal: str


@dataclass(frozen=True, slots=True)
class _Cluster:
    """What cluster.json keeps; the passwords are why it is readable by its owner alone."""

    home: str  # a folder elsewhere, or '' for the data directory's own
    socket: str
    port: int
    owner_password: str
    portal_password: str
    initialised: bool = False

    def urls(self) -> DatabaseUrls:
        """Return the URLs over the socket."""
        place = f"/portal?host={quote(self.socket, safe='')}&port={self.port}"
        return DatabaseUrls(
            owner=f"postgresql://owner:{self.owner_password}@{place}",
            portal=f"postgresql://portal:{self.portal_password}@{place}",
        )

    def tcp_urls(self) -> DatabaseUrls:
        """Return the URLs over the loopback, for the tools of a person."""
        place = f"127.0.0.1:{self.port}/portal"
        return DatabaseUrls(
            owner=f"postgresql://owner:{self.owner_password}@{place}",
            portal=f"postgresql://portal:{self.portal_password}@{place}",
        )


@contextmanager
def open_database(settings: Settings, *, create: bool = False) -> Iterator[DatabaseUrls]:
    """Yield the database's URLs: the outside one, the running portal's, or a cluster just for this.

    Raise Refusal when there is no portal yet and `create` is not asked for.
    """
    if settings.database_url:
        yield outside_urls(settings)
        return
    if not create and not _file(settings).exists():
        raise Refusal(f"There is no portal in {settings.data_dir} yet: start it with ./portal run.")
    running = running_urls(settings)
    if running:
        yield running
        return
    with processes.exclusive(settings.data_dir, "command"), running_cluster(settings) as server:
        yield server.urls


def outside_urls(settings: Settings) -> DatabaseUrls:
    """Return the URLs that the environment names."""
    assert settings.database_url
    return DatabaseUrls(settings.owner_database_url or settings.database_url, settings.database_url)


def running_urls(settings: Settings, *, tcp: bool = False) -> DatabaseUrls | None:
    """Return the URLs of the running portal's cluster; wait while that portal is starting."""
    if not _file(settings).exists():
        return None
    lock = processes.DataLock(settings.data_dir)
    try:
        deadline = monotonic() + _PATIENCE
        while not lock.take("command"):
            holder, _ = lock.holder()
            if holder == "run":
                cluster = _read(settings)
                return cluster.tcp_urls() if tcp else cluster.urls()
            if holder == "command":
                return None
            if monotonic() > deadline:
                raise Refusal(f"The portal on {settings.data_dir} is still starting; try again.")
            sleep(0.2)
        return None
    finally:
        lock.close()


@contextmanager
def running_cluster(settings: Settings, *, rebuild: bool = False) -> Iterator["Server"]:
    """Start the cluster for the length of the block; the caller holds the data directory.

    Where its files are gone, make a new one only if `rebuild` says so.
    """
    server = Server(settings, rebuild=rebuild)
    try:
        server.start()
        yield server
    finally:
        server.stop()


class Server:
    """The cluster's server as a child of this process: it stops cleanly when this process dies."""

    def __init__(self, settings: Settings, *, rebuild: bool = False) -> None:
        self._settings = settings
        self._rebuild = rebuild
        self._cluster = _read(settings) if _file(settings).exists() else _plan(settings)
        self._programs = programs(self._data)
        self._user = _server_user(self._home)
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def urls(self) -> DatabaseUrls:
        return self._cluster.urls()

    @property
    def running(self) -> bool:
        return self._process is not None and self._process.poll() is None

    @property
    def _home(self) -> Path:
        return Path(self._cluster.home or self._settings.data_dir / "postgres")

    @property
    def _data(self) -> Path:
        return self._home / "data"

    def start(self) -> None:
        """Make the cluster if there is none, start the server, make the database if there is none.

        Raise Refusal when it does not start.
        """
        if not (self._data / "PG_VERSION").exists():
            self._refuse_lost_files()
            self._initialise()
        _end_orphan(self._data)
        self._cluster = replace(
            self._cluster,
            socket=str(self._socket_folder()),
            port=_free_port(self._cluster.port),
            initialised=True,
        )
        _write(self._settings, self._cluster)
        self._launch()
        self._create_database()

    def stop(self) -> None:
        """Stop the server: open transactions are rolled back, the files are left in order."""
        if self._process:
            processes.stop(self._process, by=signal.SIGINT, patience=60, then=signal.SIGQUIT)
        if self._home not in Path(self._cluster.socket).parents:
            shutil.rmtree(self._cluster.socket, ignore_errors=True)

    def _refuse_lost_files(self) -> None:
        """Refuse to begin anew in silence where a disk is not mounted or files were removed."""
        if self._cluster.initialised and not self._rebuild:
            raise Refusal(
                f"The database files in {self._data} are gone: bring a backup back with"
                f" ./portal restore, or remove {_file(self._settings)} to begin anew."
            )

    def _initialise(self) -> None:
        self._make_folder(self._home)
        half_made = self._home / "data.new"
        shutil.rmtree(half_made, ignore_errors=True)
        with tempfile.NamedTemporaryFile("w", prefix="portal-") as password:
            password.write(self._cluster.owner_password)
            password.flush()
            if self._user:
                shutil.chown(password.name, self._user)
            self._run(
                "initdb",
                "-D",
                str(half_made),
                "-U",
                "owner",
                "-A",
                "scram-sha-256",
                "-E",
                "UTF8",
                "--locale=C.UTF-8",
                f"--pwfile={password.name}",
            )
        with (half_made / "postgresql.conf").open("a", encoding="utf-8") as configuration:
            configuration.write(_CONFIGURATION)
        half_made.rename(self._data)

    def _make_folder(self, folder: Path) -> None:
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        if self._user:
            shutil.chown(folder, self._user)

    def _run(self, program: str, *arguments: str) -> None:
        finished = subprocess.run(
            [self._programs / program, *arguments],
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
        folder = self._home / "socket"
        if not _is_plain(folder):
            former = self._cluster.socket
            folder = Path(former if _is_closed_folder(former) else tempfile.mkdtemp(prefix="pg-"))
        self._make_folder(folder)
        for stale in folder.iterdir():  # what a killed server left
            stale.unlink()
        return folder

    def _launch(self) -> None:
        log = self._settings.log_dir / "postgres.log"
        deadline = monotonic() + _PATIENCE
        while True:
            already = log.stat().st_size if log.exists() else 0
            self._process = self._spawn(log)
            if self._answers(deadline):
                return
            said = _text_from(log, already)
            # Backends of a killed server may hold its memory for a moment more.
            if self.running or "still in use" not in said:
                self.stop()
                raise Refusal(f"PostgreSQL does not start ({_last_line(said)}); see {log}.")
            sleep(0.5)

    def _spawn(self, log: Path) -> subprocess.Popen[bytes]:
        places = {
            "port": str(self._cluster.port),
            "listen_addresses": "127.0.0.1",
            "unix_socket_directories": _quoted(self._cluster.socket),
        }
        return processes.spawn(
            [
                str(self._programs / "postgres"),
                *("-D", str(self._data)),
                *(f"--{name}={value}" for name, value in places.items()),
            ],
            log=log,
            environment=_environment(),
            user=self._user,
            ends_by=signal.SIGINT,
        )

    def _answers(self, deadline: float) -> bool:
        while self.running and monotonic() < deadline:
            with suppress(psycopg.OperationalError):
                self._connect("postgres").close()
                return True
            sleep(0.05)
        return False

    def _create_database(self) -> None:
        with self._connect("postgres") as connection:
            known = connection.execute("SELECT 1 FROM pg_database WHERE datname = 'portal'")
            if known.fetchone() is None:
                connection.execute("CREATE DATABASE portal")

    def _connect(self, database: str) -> psycopg.Connection:
        return psycopg.connect(self.urls.owner, dbname=database, autocommit=True, connect_timeout=5)


def ensure_portal_login(settings: Settings, owner: psycopg.Connection) -> None:
    """Let the portal's login of the private cluster act as portal_app, once migrations made it."""
    if settings.database_url:
        return
    password = _read(settings).portal_password
    known = owner.execute("SELECT 1 FROM pg_roles WHERE rolname = 'portal'").fetchone()
    verb = "ALTER" if known else "CREATE"
    statement = sql.SQL(verb + " ROLE portal LOGIN PASSWORD {}")
    owner.execute(statement.format(sql.Literal(password)))
    owner.execute("GRANT portal_app TO portal")


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


def _file(settings: Settings) -> Path:
    return settings.data_dir / "cluster.json"


def _read(settings: Settings) -> _Cluster:
    return _Cluster(**json.loads(_file(settings).read_text(encoding="utf-8")))


def _write(settings: Settings, cluster: _Cluster) -> None:
    target = _file(settings)
    new = target.with_suffix(".new")
    descriptor = os.open(new, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "w", encoding="utf-8") as file:
        json.dump(asdict(cluster), file, indent=2)
    new.replace(target)


def _plan(settings: Settings) -> _Cluster:
    home = "" if _may_enter(settings.data_dir) else _folder_elsewhere(settings)
    cluster = _Cluster(
        home=home,
        socket="",
        port=0,
        owner_password=secrets.token_urlsafe(24),
        portal_password=secrets.token_urlsafe(24),
    )
    _write(settings, cluster)
    return cluster


def _may_enter(folder: Path) -> bool:
    if os.geteuid() != 0:
        return True
    test = ["test", "-x", str(folder)]
    return (
        subprocess.run(
            test, user=_postgres(), group=_postgres(), extra_groups=[], cwd="/"
        ).returncode
        == 0
    )


def _folder_elsewhere(settings: Settings) -> str:
    home = _ELSEWHERE / secrets.token_hex(8)
    _ELSEWHERE.mkdir(mode=0o711, exist_ok=True)
    home.mkdir(mode=0o700)
    (home / "used-by").write_text(f"{settings.data_dir}\n", encoding="utf-8")
    return str(home)


def _server_user(home: Path) -> str | None:
    """Return the user to run the server as: whose files they are, else postgres; None is myself."""
    if os.geteuid() != 0:
        return None
    owner = home.stat().st_uid if home.exists() else 0
    return pwd.getpwuid(owner).pw_name if owner else _postgres()


def _postgres() -> str:
    try:
        return pwd.getpwnam("postgres").pw_name
    except KeyError:
        raise Refusal("As root the portal needs the user postgres, who is missing here.") from None


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
    users = {os.geteuid()}
    return users | {pwd.getpwnam(_postgres()).pw_uid} if os.geteuid() == 0 else users


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
