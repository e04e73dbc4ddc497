"""The owner's connection, for the commands of the machine's administrator."""

from collections.abc import Iterator
from contextlib import contextmanager

from sqlalchemy import Connection, create_engine, make_url
from sqlalchemy.exc import IntegrityError
from sqlalchemy.pool import NullPool

from data_access.cluster import open_database
from data_access.database import begin_as, constraint_name
from data_access.settings import Settings
from domain.errors import RuleViolation


@contextmanager
def administration(settings: Settings, *, action: str = "") -> Iterator[Connection]:
    """Yield the owner's connection in one transaction, which the trail records as `action`.

    No row policy binds it. Raise Refusal when there is no portal in the data directory, and
    RuleViolation when the database refuses the values.
    """
    with open_database(settings) as urls, owner_transaction(urls.owner, action=action) as owner:
        yield owner


@contextmanager
def owner_transaction(owner_url: str, *, action: str = "") -> Iterator[Connection]:
    """Yield one transaction of the owner's login, for whoever knows its URL already."""
    url = make_url(owner_url).set(drivername="postgresql+psycopg")
    options = {"options": "-c TimeZone=Asia/Shanghai", "connect_timeout": 5}
    engine = create_engine(url, poolclass=NullPool, connect_args=options)
    try:
        with engine.begin() as connection:
            begin_as(connection, None, action=action)
            yield connection
    except IntegrityError as error:
        raise RuleViolation(constraint=constraint_name(error)) from error
