"""What was kept in memory and may have changed: every process hears of a commit within moments.

A cached read carries `mark(topic)` in its key. The mark moves when the database tells that
somebody, in whichever process, committed a change of the topic. While nobody listens (the
connection is lost, or this is a command) the mark moves by the clock, so nothing is kept longer
than a round. A read that began before a change is kept under the mark it began with. Whose
villages moved is not told but looked for, twice a second (decision 45).
"""

import logging
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from enum import StrEnum
from threading import Event, Lock, Thread
from time import monotonic
from typing import Any

import psycopg
from psycopg.conninfo import make_conninfo

from data_access.database import driver_text, engine
from data_access.queries import load_queries

_SQL = load_queries("change_listener")
_LOG = logging.getLogger("portal")
_ROUND = 0.5  # seconds that anything is kept while nobody listens
_LOOK = 0.5  # seconds between two looks at whose villages moved, and whether the connection holds
# The kernel notices a machine that vanished: seconds, then milliseconds.
_VIGILANT = {"connect_timeout": 3, "keepalives_idle": 2, "tcp_user_timeout": 2000}


class Topic(StrEnum):
    """What a notice of migrations 0015 and 0033 is about."""

    DASHBOARD = "dashboard"
    SETTINGS = "settings"
    MAP = "map"
    FORMS = "forms"
    INBOX = "inbox"
    ASSESSMENT = "assessment"


class _Listener:
    """One connection of the process that waits for notices, in a thread of its own."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._changes = dict.fromkeys(Topic, 0)
        self._counties: dict[str, int] = {}
        self._missed = 0
        self._moved_at = monotonic()
        self._hears = Event()
        self._ending = Event()
        self._thread: Thread | None = None

    def mark(self, topics: tuple[Topic, ...]) -> int:
        """Return a number that was never returned before the last change of the topics."""
        with self._lock:
            if self._hears.is_set():
                return sum(self._changes[topic] for topic in topics)
        return -int(monotonic() / _ROUND)

    def county_mark(self, counties: Iterable[str]) -> int:
        """Return the same as `mark`, of the villages of counties."""
        with self._lock:
            if self._hears.is_set():
                return self._missed + sum(self._counties.get(county, 0) for county in counties)
        return -int(monotonic() / _ROUND)

    def scope_mark(self, prefixes: tuple[str, ...]) -> int:
        """Return the same as `county_mark`, of every county that the prefixes cover."""
        with self._lock:
            covered = [county for county in self._counties if lies_in(county, prefixes)]
        return self.county_mark(covered)

    def quiet_seconds(self) -> float:
        with self._lock:
            return monotonic() - self._moved_at

    def start(self) -> None:
        self._ending.clear()
        self._thread = Thread(target=self._run, name="change-listener", daemon=True)
        self._thread.start()

    def stop(self) -> None:
        self._ending.set()
        if self._thread is not None:
            self._thread.join()

    def hears(self, patience: float) -> bool:
        """Tell whether the connection stands, within `patience` seconds."""
        return self._hears.wait(patience)

    def _run(self) -> None:
        while not self._ending.is_set():
            try:
                self._listen()
            except psycopg.Error as error:
                _LOG.warning("changes are looked for by the clock: %s", error)
            finally:
                self._hears.clear()
            self._ending.wait(_LOOK)

    def _listen(self) -> None:
        url = engine().url.set(drivername="postgresql").render_as_string(hide_password=False)
        with psycopg.connect(make_conninfo(url, **_VIGILANT), autocommit=True) as connection:
            connection.execute("LISTEN portal_change")
            seen = _one(connection, "look_now")[0]
            self._note(*Topic)  # whatever happened while nobody listened
            self._note_every_village()
            self._hears.set()
            while not self._ending.is_set():
                for notice in connection.notifies(timeout=_LOOK):
                    self._note(*(topic for topic in Topic if topic == notice.payload))
                seen, counties = _one(connection, "list_moved", seen=seen)
                self._note_villages(counties)

    def _note(self, *topics: Topic) -> None:
        with self._lock:
            for topic in topics:
                self._changes[topic] += 1

    def _note_every_village(self) -> None:
        with self._lock:
            self._moved_at = monotonic()
            self._missed += 1

    def _note_villages(self, counties: Sequence[str]) -> None:
        with self._lock:
            for county in counties:
                self._moved_at = monotonic()
                self._counties[county] = self._counties.get(county, 0) + 1


def _one(connection: psycopg.Connection, question: str, **parameters: object) -> tuple[Any, ...]:
    row = connection.execute(driver_text(_SQL[question]), parameters).fetchone()
    assert row is not None
    return row


def lies_in(county: str, prefixes: tuple[str, ...]) -> bool:
    """Tell whether a county has villages that the prefixes cover."""
    return any(county.startswith(prefix) or prefix.startswith(county) for prefix in prefixes)


_LISTENER = _Listener()


def mark(*topics: Topic) -> int:
    """Return what the key of a cached read of the topics holds; equal only while nothing moved."""
    return _LISTENER.mark(topics)


def county_mark(counties: Iterable[str]) -> int:
    """Return what a cached read of these counties' villages holds; equal while nothing moved."""
    return _LISTENER.county_mark(counties)


def scope_mark(prefixes: tuple[str, ...]) -> int:
    """Return what a cached read of all villages below the prefixes holds."""
    return _LISTENER.scope_mark(prefixes)


def quiet_seconds() -> float:
    """Return how long no village has moved, in seconds."""
    return _LISTENER.quiet_seconds()


@contextmanager
def listening() -> Iterator[None]:
    """Listen for the changes of other processes while the block runs; it never fails or waits."""
    _LISTENER.start()
    try:
        yield
    finally:
        _LISTENER.stop()


def is_listening(patience: float = 0) -> bool:
    """Tell whether this process hears of changes, within `patience` seconds."""
    return _LISTENER.hears(patience)
