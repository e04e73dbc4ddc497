"""Whether the database answers, asked on a connection that no page or route competes for."""

from concurrent.futures import Future, ThreadPoolExecutor
from functools import cache
from threading import Lock
from time import monotonic

import psycopg

from data_access.database import engine

_PATIENCE = 1.5  # seconds after which a database that hangs counts as away
_FRESH = 0.5  # seconds for which an answer is passed on to whoever asks next


class _Probe:
    """One question at a time, however many ask: a database that hangs holds one thread."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._pool = ThreadPoolExecutor(max_workers=1, thread_name_prefix="health")
        self._asked: Future[bool] | None = None
        self._asked_at = 0.0

    def answers(self) -> bool:
        with self._lock:
            old = monotonic() - self._asked_at > _FRESH
            if self._asked is None or (self._asked.done() and old):
                self._asked, self._asked_at = self._pool.submit(_ask), monotonic()
            asked = self._asked
        try:
            return asked.result(timeout=_PATIENCE)
        except TimeoutError:
            return False


@cache
def _probe() -> _Probe:
    return _Probe()


def database_answers() -> bool:
    """Tell within two seconds whether the database answers a question."""
    return _probe().answers()


def _ask() -> bool:
    url = engine().url.set(drivername="postgresql").render_as_string(hide_password=False)
    try:
        with psycopg.connect(url, connect_timeout=2, options="-c statement_timeout=1000") as asked:
            asked.execute("SELECT FROM portal_setting LIMIT 1")
    except psycopg.Error:
        return False
    return True
