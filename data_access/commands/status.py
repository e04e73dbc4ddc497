"""status: counts and health; database-url: where the database listens."""

import json
from argparse import ArgumentParser, Namespace
from datetime import UTC, datetime

import psycopg
from sqlalchemy import Connection
from sqlalchemy.exc import OperationalError

from data_access import backup_clock, cluster, read_replica
from data_access.administration import administration
from data_access.commands import Command
from data_access.queries import load_queries
from data_access.settings import Refusal, Settings

_SQL = load_queries("status")


def _add_status_arguments(parser: ArgumentParser) -> None:
    parser.add_argument("--json", action="store_true", help="one JSON object, for programs")


def _status(arguments: Namespace, settings: Settings) -> int:
    counts = {**_counts(settings), **_replica(settings)}
    if arguments.json:
        print(json.dumps(counts, ensure_ascii=False))
    else:
        print("\n".join(f"{name.replace('_', ' '):<22}{value}" for name, value in counts.items()))
    return 0 if counts["database"] == "ok" else 1


def _counts(settings: Settings) -> dict[str, object]:
    try:
        with administration(settings) as connection:
            row = connection.execute(_SQL["count_everything"]).mappings().one()
            return {"database": "ok", **row, **_backup(settings, connection)}
    except (OperationalError, psycopg.OperationalError):
        return {"database": "away"}


def _replica(settings: Settings) -> dict[str, object]:
    if settings.read_database_url is None:
        return {}
    with cluster.open_database(settings) as urls:
        state = read_replica.look_once(
            urls.portal, settings.read_database_url, settings.read_lag_seconds
        )
    return {
        "replica": state.health,
        "replica_lag_seconds": state.lag_seconds,
        "replica_lag_bytes": state.lag_bytes,
    }


def _backup(settings: Settings, connection: Connection) -> dict[str, object]:
    """Return how old the newest backup is and, of the private cluster, the newest kept log."""
    if settings.backup_dir is None:
        return {}
    newest = {"backup_age_seconds": _age(backup_clock.newest_at(settings))}
    if settings.database_url:
        return {**newest}
    row = connection.execute(_SQL["archived_log"]).one()
    return {**newest, "log_age_seconds": _age(row.archived_at), "log_archiving": row.verdict}


def _age(moment: datetime | None) -> int | None:
    return int((datetime.now(UTC) - moment).total_seconds()) if moment else None


def _add_url_arguments(parser: ArgumentParser) -> None:
    parser.add_argument(
        "--login",
        choices=("owner", "portal"),
        default="owner",
        help="the owner, who administers, or the login of the web processes",
    )


def _database_url(arguments: Namespace, settings: Settings) -> int:
    if settings.database_url:
        urls = cluster.outside_urls(settings)
    else:
        running = cluster.running_urls(settings, tcp=True)
        if running is None:
            raise Refusal(f"No portal is running on {settings.data_dir}: start it: ./portal run.")
        urls = running
    print(urls.owner if arguments.login == "owner" else urls.portal)
    return 0


COMMANDS = {
    "status": Command(_status, _add_status_arguments),
    "database-url": Command(_database_url, _add_url_arguments),
}
