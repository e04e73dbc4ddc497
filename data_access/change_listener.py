"""What was kept in memory and may have changed: every process hears of a commit within moments.

A cached read carries `mark(topic)` in its key. The mark moves when the database tells that
somebody, in whichever process, committed a change of the topic. While nobody listens (the
connection is lost, or this is a command) the mark moves by the clock, so nothing is kept longer
than a round. A read that began before a change is kept under the mark it began with.
"""

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from enum import StrEnum
from threading import Event, Lock, Thread
from time import monotonic

import psycopg
from psycopg.conninfo import make_conninfo

from data_access.database import engine

_LOG = logging.getLogger("portal")
_ROUND = 0.5  # seconds that anything is kept while nobody listens
_LOOK = 1.0  # seconds between two looks whether the connection still holds
# The kernel notices a machine that vanished: seconds, then milliseconds.
_VIGILANT = {"connect_timeout": 3, "keepalives_idle": 2, "tcp_user_timeout": 2000}


class Topic(StrEnum):
    """What a notice of migration 0015 is about."""

    DASHBOARD = "dashboard"
    SETTINGS = "settings"
    MAP = "map"
    FORMS = "forms"
    INBOX = "inbox"


class _Listener:
    """One connection of the process that waits for notices, in a thread of its own."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._changes = dict.fromkeys(Topic, 0)
        self._hears = Event()
        self._ending = Event()
        self._thread: Thread | None = None

    def mark(self, topics: tuple[Topic, ...]) -> int:
        """Return a number that was never returned before the last change of the topics."""
        with self._lock:
            if self._hears.is_set():
                return sum(self._changes[topic] for topic in topics)
        return -int(monotonic() / _ROUND)

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
            self._note(*Topic)  # whatever happened while nobody listened
            self._hears.set()
            while not self._ending.is_set():
                for notice in connection.notifies(timeout=_LOOK):
                    self._note(*(topic for topic in Topic if topic == notice.payload))
                connection.execute("SELECT")

    def _note(self, *topics: Topic) -> None:
        with self._lock:
            for topic in topics:
                self._changes[topic] += 1


_LISTENER = _Listener()


def mark(*topics: Topic) -> int:
    """Return what the key of a cached read of the topics holds; equal only while nothing moved."""
    return _LISTENER.mark(topics)


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
