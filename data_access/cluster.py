"""The database of an installation: an outside one, or the private cluster of its data."""

from collections.abc import Iterator
from contextlib import contextmanager
from time import monotonic, sleep

import psycopg
from psycopg import sql

from data_access import cluster_file, processes
from data_access.cluster_file import DatabaseUrls
from data_access.server import Server
from data_access.settings import Refusal, Settings

__all__ = ["DatabaseUrls", "Server"]

_PATIENCE = 300  # seconds: a first start loads the demo


@contextmanager
def open_database(settings: Settings, *, create: bool = False) -> Iterator[DatabaseUrls]:
    """Yield the database's URLs: the outside one, the running portal's, or a cluster just for this.

    Raise Refusal when there is no portal yet and `create` is not asked for.
    """
    if settings.database_url:
        yield outside_urls(settings)
        return
    if not create and not cluster_file.path(settings).exists():
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
    if not cluster_file.path(settings).exists():
        return None
    lock = processes.DataLock(settings.data_dir)
    try:
        deadline = monotonic() + _PATIENCE
        while not lock.take("command"):
            holder, _ = lock.holder()
            if holder == "run":
                cluster = cluster_file.read(settings)
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
def running_cluster(
    settings: Settings, *, rebuild: bool = False, serves: bool = False
) -> Iterator[Server]:
    """Start the cluster for the length of the block; the caller holds the data directory.

    Where its files are gone, make a new one only if `rebuild` says so. The portal that `serves`
    decides where the log is kept; other commands go on with that.
    """
    server = Server(settings, rebuild=rebuild)
    try:
        if serves:
            server.keep_log_in(settings.backup_dir)
        server.start()
        yield server
    finally:
        server.stop()


def ensure_portal_login(settings: Settings, owner: psycopg.Connection) -> None:
    """Let the portal's login of the private cluster act as portal_app, once migrations made it."""
    if settings.database_url:
        return
    password = cluster_file.read(settings).portal_password
    known = owner.execute("SELECT 1 FROM pg_roles WHERE rolname = 'portal'").fetchone()
    verb = "ALTER" if known else "CREATE"
    statement = sql.SQL(verb + " ROLE portal LOGIN PASSWORD {}")
    owner.execute(statement.format(sql.Literal(password)))
    owner.execute("GRANT portal_app TO portal")
