"""The heartbeat of a web process: heard, refused, silent."""

import socket
from collections.abc import Iterator

import pytest

from data_access.heartbeat import Heartbeat
from tests.patience import wait_until


@pytest.fixture
def listener() -> Iterator[socket.socket]:
    with socket.create_server(("127.0.0.1", 0)) as made:
        yield made


def heartbeat_of(listener: socket.socket) -> Heartbeat:
    return Heartbeat("127.0.0.1", listener.getsockname()[1])


def asked(heartbeat: Heartbeat, listener: socket.socket) -> socket.socket:
    """Return the line on which the question has come."""
    heartbeat.look()
    line, _ = listener.accept()

    def has_come() -> bool:
        heartbeat.look()
        line.setblocking(False)
        try:
            return line.recv(200).startswith(b"GET /_stcore/health ")
        except BlockingIOError:
            return False

    wait_until(has_come, 10)
    return line


def test_a_process_that_answers_is_not_silent(listener):
    heartbeat = heartbeat_of(listener)
    line = asked(heartbeat, listener)
    assert heartbeat.silence > 0
    line.sendall(b"HTTP/1.1 200 OK\r\n\r\nok")
    heartbeat.look()
    wait_until(lambda: heartbeat.look() or heartbeat.has_answered, 10)
    assert heartbeat.silence == 0


def test_a_process_that_accepts_and_says_nothing_is_silent(listener):
    heartbeat = heartbeat_of(listener)
    asked(heartbeat, listener)
    before = heartbeat.silence
    wait_until(lambda: heartbeat.look() or heartbeat.silence > before + 0.05, 10)
    assert not heartbeat.has_answered


def test_a_process_that_does_not_listen_yet_has_never_answered():
    with socket.socket() as nobody:
        nobody.bind(("127.0.0.1", 0))
        heartbeat = heartbeat_of(nobody)
        heartbeat.look()
    assert not heartbeat.has_answered
    assert heartbeat.silence > 0


def test_what_was_before_a_start_counts_no_more(listener):
    heartbeat = heartbeat_of(listener)
    asked(heartbeat, listener)
    heartbeat.begin()
    assert heartbeat.silence == 0
