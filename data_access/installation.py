"""Bring a database to the state in which it can serve: schema, login, reference data, demo."""

from collections.abc import Callable

import psycopg

from data_access import cluster, reference_data
from data_access.migrate import ChangedMigration, migrate, newest_migration
from data_access.settings import Refusal, Settings
from domain import clock


def prepare(
    settings: Settings,
    urls: cluster.DatabaseUrls,
    *,
    with_demo: bool,
    say: Callable[[str], None] = print,
) -> None:
    """Migrate, load the reference data and, into an empty database only, the demo."""
    close_folders(settings)
    with psycopg.connect(urls.owner, autocommit=True) as owner:
        applied = _migrated(owner)
        if applied:
            say(f"The schema is at {applied[-1]} ({len(applied)} migrations applied).")
        cluster.ensure_portal_login(settings, owner)
        reference_data.load_all(owner, settings.reference_dir)
        is_new = with_demo and is_empty(owner)
        if is_new:
            from data_access import demo  # half a second that every later start goes without

            say("Loading the demo data …")
            demo.load(owner, settings.data_dir, today=clock.today())
        if with_demo and lacks_villages(owner):
            from data_access.demo import villages

            say("Loading the demo's natural villages …")
            villages.load(urls.owner)
        if is_new:
            from data_access.demo import village_evaluations

            say("Loading the demo's village evaluations …")
            village_evaluations.load(urls.owner)
            from data_access.demo import assessments

            say("Loading the demo's status assessment …")
            assessments.load(urls.owner)
        if applied:
            # The planner knows nothing of rows that were just copied in.
            owner.execute("ANALYZE")


def _migrated(owner: psycopg.Connection) -> list[str]:
    try:
        return migrate(owner)
    except ChangedMigration as changed:
        raise Refusal(
            f"The migration {changed} is not the one that was applied to this database:"
            " use the version of the portal that applied it."
        ) from changed


def refuse_other_schema(url: str) -> None:
    """Raise Refusal where the database is not at the schema that this code was written for."""
    with psycopg.connect(url) as connection:
        row = connection.execute("SELECT max(name) FROM schema_migration").fetchone()
    found, wanted = row[0] if row else None, newest_migration()
    if found != wanted:
        raise Refusal(
            f"The database is at {found} and this portal needs {wanted}: upgrade the machine that"
            " migrates first, and every machine to the same version."
        )


def close_folders(settings: Settings) -> None:
    """Shut what lies in the data directory, which others may pass through, to all but its owner."""
    for folder in (settings.uploads_dir, settings.anchors_dir, settings.log_dir):
        folder.mkdir(parents=True, exist_ok=True)
        folder.chmod(0o700)


def is_empty(owner: psycopg.Connection) -> bool:
    """Tell whether nobody may sign in yet: no account was made and no demo was loaded."""
    return owner.execute("SELECT FROM account WHERE disabled_at IS NULL LIMIT 1").fetchone() is None


def lacks_villages(owner: psycopg.Connection) -> bool:
    """Tell whether this is a demo without places of villages: new, or of an earlier release."""
    found = owner.execute(
        "SELECT FROM portal_setting WHERE name = 'is_demo' AND value = 'true'"
        " AND NOT EXISTS (SELECT FROM natural_village)"
        " AND NOT EXISTS (SELECT FROM division_location)"
    )
    return found.fetchone() is not None
