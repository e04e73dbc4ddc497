"""Whether a web process still answers, asked without waiting: one that hangs holds up nobody.

The question reaches the process's event loop and nothing behind it: while the database is away,
or every thread waits for it, the process is well.
"""

import socket
from contextlib import suppress
from time import monotonic

_QUESTION = b"GET /_stcore/health HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n\r\n"
_EVERY = 2.0  # seconds between two questions
_EVERYBODY = {"0.0.0.0": "127.0.0.1", "::": "::1"}


class Heartbeat:
    """Asks one process, one question at a time."""

    def __init__(self, address: str, port: int) -> None:
        host = _EVERYBODY.get(address, address)
        self._place = (host, port)
        self._family = socket.AF_INET6 if ":" in host else socket.AF_INET
        self._line: socket.socket | None = None
        self.begin()

    def begin(self) -> None:
        """Forget what was before: the process has just been started."""
        self._hang_up()
        self._is_asked = False
        self._next_at = 0.0
        self._unanswered_since: float | None = None
        self.has_answered = False

    @property
    def silence(self) -> float:
        """How long a question has waited for its answer, in seconds."""
        since = self._unanswered_since
        return 0.0 if since is None else monotonic() - since

    def look(self) -> None:
        """Hear what has been said, or ask anew; never wait."""
        try:
            if self._line is None and monotonic() >= self._next_at:
                self._ask()
            if self._line is not None and self._hears(self._line):
                self._unanswered_since, self.has_answered = None, True
                self._hang_up()
        except BlockingIOError:
            return
        except OSError:  # refused, or closed without a word
            self._hang_up()

    def _ask(self) -> None:
        self._next_at = monotonic() + _EVERY
        if self._unanswered_since is None:
            self._unanswered_since = monotonic()
        self._line = socket.socket(self._family)
        self._line.setblocking(False)
        self._is_asked = False
        with suppress(BlockingIOError):
            self._line.connect(self._place)

    def _hears(self, line: socket.socket) -> bool:
        """Tell whether an answer has come; raise OSError where none will."""
        if not self._is_asked:
            line.send(_QUESTION)
            self._is_asked = True
        if not line.recv(64):
            raise ConnectionResetError
        return True

    def _hang_up(self) -> None:
        if self._line is not None:
            self._line.close()
            self._line = None
