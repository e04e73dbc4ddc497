"""The leader's reads: answered by the streaming replica while it holds all that the primary holds.

Before each read the primary is asked how far its log is flushed, and the replica answers only when
it has replayed as much: whatever source answers, nothing is older than the moment of asking. So no
figure is stale, no cache keeps old data under a new version, and who just wrote sees what he wrote.

A replica that is away, hangs, lags, was promoted or belongs to another cluster is left alone at
once: one thread looks at it twice a second, beside the reads, and says when it is well again.
"""

import logging
import os
import socket
from collections import deque
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from enum import StrEnum
from functools import cache
from threading import Event, Lock, Thread
from time import monotonic, sleep
from typing import Any, TypeVar

from sqlalchemy import Connection, Engine
from sqlalchemy.exc import DBAPIError, SQLAlchemyError
from sqlalchemy.exc import TimeoutError as PoolExhausted

from data_access.database import (
    acting,
    build_engine,
    engine,
    faults_named,
    transaction,
)
from data_access.queries import load_queries
from data_access.rows import fetch_one
from data_access.settings import read_settings
from domain.access import Actor

_LOG = logging.getLogger("portal")
_SQL = load_queries("replica")
_ROUND = 0.5  # seconds between two looks at the replica
_LONGEST_LOOK = 1.0  # seconds after which a replica that does not answer is away
_PATIENCE = 0.1  # seconds that one read waits for the replica to catch up
_STEP = 0.002  # seconds between two questions whether it did
_CANCELLED = "57014"  # a statement that took too long takes as long on the primary
# The kernel notices a machine that vanished: milliseconds, then seconds.
_VIGILANT = {
    "connect_timeout": 2,
    "tcp_user_timeout": 1500,
    "keepalives_idle": 1,
    "keepalives_interval": 1,
    "keepalives_count": 2,
}

_MAKING = Lock()  # two threads that read first make one replica

Answer = TypeVar("Answer")


class ReplicaHealth(StrEnum):
    """What the last look at the replica came to."""

    SERVING = "serving"
    BEHIND = "behind"
    AWAY = "away"
    NO_REPLICA = "no_replica"
    """The address leads to a primary, or to a server of another cluster."""


@dataclass(frozen=True, slots=True)
class ReplicaState:
    """The replica at the last look; the lag is None where it could not be measured."""

    health: ReplicaHealth
    lag_seconds: float | None = None
    lag_bytes: int | None = None


@dataclass(frozen=True, slots=True)
class _Position:
    cluster: str
    is_replica: bool
    lsn: str


def read(actor: Actor | None, question: Callable[[Connection], Answer]) -> Answer:
    """Answer a dashboard's question in a read-only transaction of the actor.

    Where there is no replica, or it cannot answer now, the primary does; so the question may be
    asked twice, and writes nothing. Drafts, reports, queues and sessions use `transaction`.
    """
    replica = _replica()
    if replica is not None and replica.is_serving:
        with suppress(_NotAnswered):
            return replica.answer(actor, question)
    with transaction(actor, read_only=True) as connection:
        return question(connection)


def replica_state() -> ReplicaState | None:
    """Return how the replica stood at the last look, at most two seconds ago; None without one."""
    replica = _replica()
    return None if replica is None else replica.state


def look_once(primary_url: str, replica_url: str, longest_lag: float) -> ReplicaState:
    """Look at a replica from outside of the portal's processes: its lag, after half a second."""
    look = _Look(build_engine(primary_url, pool_size=1), replica_url, longest_lag)
    try:
        state = look.state()
        if state.health is ReplicaHealth.SERVING and state.lag_bytes:
            sleep(_ROUND)
            state = look.state()
        return state
    finally:
        look.close()


def close_replica() -> None:
    """Let go of the replica: the next read reads its address anew."""
    replica = _replica()
    if replica is not None:
        replica.close()
    _made_replica.cache_clear()


class _NotAnswered(Exception):
    """The replica did not answer: the primary does."""


def _replica() -> "_Replica | None":
    with _MAKING:
        return _made_replica()


@cache
def _made_replica() -> "_Replica | None":
    settings = read_settings()
    if settings.read_database_url is None:
        return None
    return _Replica(settings.read_database_url, settings.read_lag_seconds)


class _Look:
    """Compares the replica's position with the primary's, over a connection of its own to each."""

    def __init__(self, primary: Engine, replica_url: str, longest_lag: float) -> None:
        self._primary = primary
        self._replica = build_engine(replica_url, pool_size=1, connect_args=_VIGILANT)
        self._longest_lag = longest_lag
        self._due: deque[tuple[float, int]] = deque()
        """When the primary was seen where the replica had not come yet, oldest first."""

    def state(self) -> ReplicaState:
        """Return how the replica stands now; it may take as long as connecting may."""
        try:
            primary, replica = _position(self._primary), _position(self._replica)
        except SQLAlchemyError:
            return ReplicaState(ReplicaHealth.AWAY)
        if not replica.is_replica or replica.cluster != primary.cluster:
            return ReplicaState(ReplicaHealth.NO_REPLICA)
        return self._compared(_number(primary.lsn), _number(replica.lsn))

    def _compared(self, primary: int, replica: int) -> ReplicaState:
        self._due.append((monotonic(), primary))
        while self._due and self._due[0][1] <= replica:
            self._due.popleft()
        lag = monotonic() - self._due[0][0] if self._due else 0.0
        behind = lag > self._longest_lag
        return ReplicaState(
            ReplicaHealth.BEHIND if behind else ReplicaHealth.SERVING,
            round(lag, 3),
            max(0, primary - replica),
        )

    def close(self) -> None:
        self._primary.dispose()
        self._replica.dispose()


class _Replica:
    """The replica of this process: its connections, and a thread that looks after it."""

    def __init__(self, url: str, longest_lag: float) -> None:
        self.state = ReplicaState(ReplicaHealth.AWAY)
        self._engine = build_engine(url, connect_args=_VIGILANT, pool_timeout=_PATIENCE)
        primary = build_engine(os.environ["PORTAL_DATABASE_URL"], pool_size=1)
        self._look = _Look(primary, url, longest_lag)
        self._asking = ThreadPoolExecutor(max_workers=1, thread_name_prefix="replica-look")
        self._asked: Future[ReplicaState] | None = None
        self._reading: set[Connection] = set()
        self._lock = Lock()
        self._closed = Event()
        self._watch = Thread(target=self._look_after, name="replica-watch", daemon=True)
        self._watch.start()

    @property
    def is_serving(self) -> bool:
        return self.state.health is ReplicaHealth.SERVING

    def answer(self, actor: Actor | None, question: Callable[[Connection], Answer]) -> Answer:
        """Answer from the replica; raise _NotAnswered when it cannot, now or in the middle."""
        lsn = _primary_lsn()
        try:
            with (
                self._engine.connect() as connection,
                self._noted(connection),
                acting(connection, actor, read_only=True),
            ):
                _await(connection, lsn)
                return question(connection)
        except PoolExhausted as error:
            raise _NotAnswered from error
        except DBAPIError as error:
            state = getattr(error.orig, "sqlstate", None)
            if state == _CANCELLED:
                raise
            if state is None or error.connection_invalidated:
                self._take(ReplicaState(ReplicaHealth.AWAY))
            raise _NotAnswered from error

    @contextmanager
    def _noted(self, connection: Connection) -> Iterator[None]:
        with self._lock:
            self._reading.add(connection)
        try:
            yield
        finally:
            with self._lock:
                self._reading.discard(connection)

    def _look_after(self) -> None:
        while not self._closed.wait(_ROUND if self._asked else 0):
            state = self._looked()
            self._take(state)
            if state.health is ReplicaHealth.AWAY:
                self._hang_up()

    def _looked(self) -> ReplicaState:
        """Look at the replica; one that hangs holds one thread, and is away."""
        if self._asked is None or self._asked.done():
            self._asked = self._asking.submit(self._look.state)
        try:
            return self._asked.result(timeout=_LONGEST_LOOK)
        except TimeoutError:
            return ReplicaState(ReplicaHealth.AWAY)

    def _take(self, state: ReplicaState) -> None:
        before, self.state = self.state.health, state
        if state.health is not before:
            _LOG.warning("the read replica is %s (it was %s)", state.health, before)

    def _hang_up(self) -> None:
        """End the reads that wait for a replica that hangs: the primary answers them."""
        with self._lock:
            for connection in self._reading:
                _shut_down(connection)

    def close(self) -> None:
        self._closed.set()
        self._watch.join()
        self._asking.shutdown()
        self._look.close()
        self._engine.dispose()


def _await(connection: Connection, lsn: str) -> None:
    deadline = monotonic() + _PATIENCE
    while not connection.scalar(_SQL["has_replayed"], {"lsn": lsn}):
        if monotonic() > deadline:
            raise _NotAnswered
        sleep(_STEP)


def _primary_lsn() -> str:
    with faults_named(), engine().connect() as connection:
        connection.execution_options(isolation_level="AUTOCOMMIT")
        return str(connection.scalar(_SQL["primary_lsn"]))


def _position(server: Engine) -> _Position:
    with server.connect() as connection:
        connection.execution_options(isolation_level="AUTOCOMMIT")
        found = fetch_one(connection, _SQL["position"], _Position)
    assert found is not None
    return found


def _number(lsn: str) -> int:
    high, low = lsn.split("/")
    return (int(high, 16) << 32) | int(low, 16)


def _shut_down(connection: Connection) -> None:
    driver: Any = connection.connection.driver_connection
    with suppress(Exception), socket.socket(fileno=os.dup(driver.fileno())) as line:
        line.shutdown(socket.SHUT_RDWR)
