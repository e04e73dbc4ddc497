"""Child processes that end with their parent, and the one lock on a data directory."""

import ctypes
import fcntl
import os
import signal
import subprocess
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import closing, contextmanager, suppress
from pathlib import Path
from time import monotonic, sleep
from typing import IO

from data_access.settings import Refusal

_LIBC = ctypes.CDLL(None, use_errno=True)
_PR_SET_PDEATHSIG = 1
_LARGE_LOG = 20_000_000  # bytes


def spawn(
    command: Sequence[str],
    *,
    log: Path,
    environment: Mapping[str, str] | None = None,
    folder: Path = Path("/"),
    user: str | None = None,
    ends_by: signal.Signals = signal.SIGTERM,
) -> subprocess.Popen[bytes]:
    """Start a child in a session of its own; it gets `ends_by` when this process dies, however."""
    with open_log(log) as output:
        return subprocess.Popen(
            command,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            cwd=folder,
            env=environment,
            user=user,
            group=user,
            extra_groups=[] if user else None,
            start_new_session=True,
            preexec_fn=_dying_with(os.getpid(), ends_by),
        )


def _dying_with(parent: int, ends_by: signal.Signals) -> Callable[[], None]:
    def prepare() -> None:
        signal.pthread_sigmask(signal.SIG_SETMASK, [])
        _LIBC.prctl(_PR_SET_PDEATHSIG, int(ends_by))
        if os.getppid() != parent:  # it died between fork and prctl
            os._exit(1)

    return prepare


def open_log(path: Path) -> IO[bytes]:
    """Open a log for appending; one that has grown large becomes `….1` first."""
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    if path.exists() and path.stat().st_size > _LARGE_LOG:
        path.replace(path.with_name(path.name + ".1"))
    return path.open("ab")


def stop(
    process: subprocess.Popen[bytes],
    *,
    by: signal.Signals = signal.SIGTERM,
    patience: float = 10,
    then: signal.Signals = signal.SIGKILL,
) -> None:
    """Ask a child to end; after `patience` seconds send `then`."""
    if process.poll() is not None:
        return
    process.send_signal(by)
    try:
        process.wait(patience)
    except subprocess.TimeoutExpired:
        process.send_signal(then)
        process.wait()


def end_group(process: subprocess.Popen[bytes]) -> None:
    """End what a child that died left behind: its own children hold its port or its files."""
    with suppress(ProcessLookupError, PermissionError):
        os.killpg(process.pid, signal.SIGKILL)


def make_data_dir(folder: Path) -> None:
    """Make the data directory where there is none: others may pass through, and list nothing.

    The server's user must pass; what lies within closes itself.
    """
    try:
        if not folder.exists():
            folder.mkdir(parents=True)
            folder.chmod(0o711)
    except OSError as error:
        raise Refusal(f"The data directory {folder} cannot be made: {error.strerror}.") from error


class DataLock:
    """Who works on a data directory: `starting`, `run` or `command`, each with its process id.

    The kernel lets go of the lock when the process ends, so a killed portal leaves none behind.
    """

    def __init__(self, data_dir: Path) -> None:
        make_data_dir(data_dir)
        self._path = data_dir / "portal.lock"
        self._file = os.open(self._path, os.O_RDWR | os.O_CREAT, 0o600)

    def take(self, purpose: str) -> bool:
        """Take the lock and announce the purpose; return False when another process has it."""
        try:
            fcntl.flock(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
        self.announce(purpose)
        return True

    def announce(self, purpose: str) -> None:
        """Tell the others what the lock is held for."""
        self._path.write_text(f"{purpose} {os.getpid()}\n", encoding="utf-8")

    def holder(self) -> tuple[str, int]:
        """Return the purpose and process id that the last holder announced."""
        try:
            purpose, pid = self._path.read_text(encoding="utf-8").split()
        except ValueError:
            return "starting", 0
        return purpose, int(pid)

    def close(self) -> None:
        """Let go of the lock, if it was taken."""
        os.close(self._file)


@contextmanager
def exclusive(data_dir: Path, purpose: str, *, patience: float = 60) -> Iterator[DataLock]:
    """Hold the data directory; wait for another command, refuse beside a running portal."""
    with closing(DataLock(data_dir)) as lock:
        deadline = monotonic() + patience
        while not lock.take(purpose):
            holder, pid = lock.holder()
            if holder != "command":
                raise Refusal(f"Another portal (process {pid}) is running on {data_dir}.")
            if monotonic() > deadline:
                raise Refusal(f"Another command (process {pid}) is at work on {data_dir}.")
            sleep(0.2)
        yield lock
