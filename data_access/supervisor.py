"""`./portal run`: database, worker, web processes and their proxy, alive until told to stop."""

import json
import os
import secrets
import signal
import socket
import sys
import urllib.request
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass, field
from subprocess import Popen
from time import monotonic, sleep
from types import FrameType

from sqlalchemy.exc import SQLAlchemyError

from data_access import cluster, installation, portal_settings, processes, proxy, trail
from data_access.administration import owner_transaction
from data_access.heartbeat import Heartbeat
from data_access.server import Server
from data_access.settings import CHECKOUT, Refusal, Settings

_STOP_SIGNALS = (signal.SIGTERM, signal.SIGINT)
_ROUND = 0.5  # seconds between two looks at the children
_STEADY = 60  # seconds after which a child counts as healthy again
_LONGEST_PAUSE = 30  # seconds
_START_PATIENCE = 120  # seconds
# Streamlit listens before it imports the application: what came then would wait for seconds,
# instead of going to a process that answers. So it is imported first.
_SERVE = "import app; from streamlit.web.cli import main; main(prog_name='streamlit')"


@dataclass(frozen=True, slots=True)
class RunOptions:
    """What the command line of `run` and `dev` chose."""

    port: int = 8501
    address: str = "127.0.0.1"
    web_processes: int = 1
    with_proxy: bool = False
    with_demo: bool = True
    reloading: bool = False
    web_only: bool = False
    """One machine of several: another one migrates, anchors the trail and does the jobs."""

    @property
    def proxied(self) -> bool:
        return self.with_proxy or self.web_processes > 1

    @property
    def web_address(self) -> str:
        return "127.0.0.1" if self.proxied else self.address

    @property
    def web_ports(self) -> range:
        """The ports of the web processes; behind a proxy those after the portal's own."""
        first = self.port + 1 if self.proxied else self.port
        return range(first, first + self.web_processes)


class _Stop(BaseException):
    """A signal asked the portal to end."""


@dataclass
class _Child:
    """A process that is started again when it ends, after longer and longer pauses."""

    name: str
    start: Callable[[], Popen[bytes]]
    process: Popen[bytes] | None = None
    failures: int = 0
    started_at: float = 0
    next_start_at: float = field(default=0)
    heartbeat: Heartbeat | None = None
    longest_silence: int = 0
    """Seconds after which a process that runs without answering is ended; 0 for never."""

    @property
    def is_web(self) -> bool:
        return self.name.startswith("web-")

    @property
    def has_ended(self) -> bool:
        return self.process is not None and self.process.poll() is not None

    def keep_alive(self) -> None:
        now = monotonic()
        if self.process is None:
            if now >= self.next_start_at:
                self.process, self.started_at = self.start(), now
                if self.heartbeat:
                    self.heartbeat.begin()
        elif self.has_ended:
            self.failures = 1 if now - self.started_at > _STEADY else self.failures + 1
            pause = min(2 ** (self.failures - 1), _LONGEST_PAUSE)
            _note(f"{self.name} ended with {self.process.returncode}; again in {pause} s")
            processes.end_group(self.process)
            self.process, self.next_start_at = None, now + pause
        elif self.heartbeat and self.longest_silence:
            self._end_when_silent(self.process, self.heartbeat)

    def _end_when_silent(self, process: Popen[bytes], heartbeat: Heartbeat) -> None:
        heartbeat.look()
        patience = self.longest_silence if heartbeat.has_answered else _START_PATIENCE
        if heartbeat.silence > patience:
            _note(f"{self.name} has not answered for {heartbeat.silence:.0f} s; ending it")
            processes.end_group(process)


def run(settings: Settings, options: RunOptions) -> None:
    """Serve until SIGTERM or SIGINT; raise Refusal when the portal cannot start.

    The worker waits until the pages answer: a person waits for those.
    """
    with suppress(_Stop), _signals_stop(), ExitStack() as stack:
        _refuse_taken_ports(options)
        lock = stack.enter_context(processes.exclusive(settings.data_dir, "starting"))
        server = None
        if settings.database_url is None:
            if options.web_only:
                raise Refusal("--web-only needs PORTAL_DATABASE_URL, the database of all machines.")
            server = stack.enter_context(cluster.running_cluster(settings, serves=True))
        urls = server.urls if server else cluster.outside_urls(settings)
        if options.web_only:
            installation.refuse_other_schema(urls.portal)
        else:
            installation.prepare(settings, urls, with_demo=options.with_demo)
            _anchor(settings, urls)
            stack.callback(_anchor, settings, urls)  # once more when the children have stopped
        children = _children(settings, urls, options)
        stack.callback(_stop_all, children)
        _start_web(settings, options, [child for child in children if child.is_web])
        if options.proxied:
            children.append(_start_proxy(settings, urls, options, stack))
        lock.announce("run")
        _announce(settings, options)
        _watch(children, server)


def _anchor(settings: Settings, urls: cluster.DatabaseUrls) -> None:
    """Anchor the trail; a database that is away keeps nobody from stopping."""
    try:
        with owner_transaction(urls.owner) as connection:
            trail.anchor(connection, settings.data_dir)
    except (OSError, SQLAlchemyError) as error:
        _note(f"the trail was not anchored: {error}")


@contextmanager
def _signals_stop() -> Iterator[None]:
    def stop(number: int, frame: FrameType | None) -> None:
        for each in _STOP_SIGNALS:
            signal.signal(each, signal.SIG_IGN)  # once is enough: stopping is under way
        raise _Stop

    for each in _STOP_SIGNALS:
        signal.signal(each, stop)
    yield


def _refuse_taken_ports(options: RunOptions) -> None:
    places = [(options.web_address, port) for port in options.web_ports]
    if options.proxied:
        places.append((options.address, options.port))
    for address, port in places:
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind((address, port))
            except (OSError, OverflowError) as error:
                said = getattr(error, "strerror", None) or error
                raise Refusal(
                    f"Port {port} of {address} cannot be used ({said}): choose another with --port."
                ) from error


def _children(settings: Settings, urls: cluster.DatabaseUrls, options: RunOptions) -> list[_Child]:
    """Return the web processes, the worker, and the backups' clock where backups are asked for.

    Only the last, which copies the whole database, is given the owner's URL.
    """
    environment = _environment(settings, urls)

    def child(name: str, command: Sequence[str], environment: dict[str, str]) -> _Child:
        log = settings.log_dir / f"{name}.log"
        return _Child(
            name,
            lambda: processes.spawn(command, log=log, environment=environment, folder=CHECKOUT),
        )

    def web(port: int) -> _Child:
        made = child(f"web-{port}", _web_command(options, port), environment)
        made.heartbeat = Heartbeat(options.web_address, port)
        made.longest_silence = settings.hang_seconds
        return made

    command = [sys.executable, "-m", "data_access"]
    children = [web(port) for port in options.web_ports]
    if not options.web_only:
        children.append(child("worker", [*command, "worker"], environment))
        if settings.backup_dir:
            children.append(child("backup", [*command, "backup", "--schedule"], _own(settings)))
    return children


def _own(settings: Settings) -> dict[str, str]:
    """Return the environment of this process's own commands."""
    own = {"PYTHONPATH": str(CHECKOUT), "PYTHONUNBUFFERED": "1"}
    return {**os.environ, **own, "PORTAL_DATA_DIR": str(settings.data_dir)}


def _start_web(settings: Settings, options: RunOptions, web: list[_Child]) -> None:
    for child in web:
        child.keep_alive()
    places = {child.name: (options.web_address, int(child.name[4:])) for child in web}
    _await_health(settings, web, places)


def _start_proxy(
    settings: Settings, urls: cluster.DatabaseUrls, options: RunOptions, stack: ExitStack
) -> _Child:
    """Start the proxy last: it answers for processes that answer."""
    front = proxy.make_proxy(
        settings, address=options.address, port=options.port, web_ports=options.web_ports
    )
    stack.callback(front.remove)
    front.prepare(_system_name(urls))
    log = settings.log_dir / "proxy.log"
    child = _Child("proxy", lambda: processes.spawn(front.command, log=log))
    stack.callback(_stop_all, [child])
    child.keep_alive()
    _await_health(settings, [child], {child.name: (options.address, options.port)})
    return child


def _system_name(urls: cluster.DatabaseUrls) -> str:
    with owner_transaction(urls.owner) as connection:
        return str(portal_settings.read_settings(connection).get("system_name", ""))


def _environment(settings: Settings, urls: cluster.DatabaseUrls) -> dict[str, str]:
    inherited = {
        name: value for name, value in os.environ.items() if name != "PORTAL_OWNER_DATABASE_URL"
    }
    return inherited | {
        "PYTHONPATH": str(CHECKOUT),
        "PYTHONUNBUFFERED": "1",
        "PORTAL_DATABASE_URL": urls.portal,
        "PORTAL_DATA_DIR": str(settings.data_dir),
        "STREAMLIT_SERVER_COOKIE_SECRET": _cookie_secret(settings),
    }


def _cookie_secret(settings: Settings) -> str:
    """Return the secret that all web processes share and that outlives a restart."""
    path = settings.data_dir / "cookie_secret"
    if not path.exists():
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT, 0o600)
        with os.fdopen(descriptor, "w", encoding="utf-8") as file:
            file.write(secrets.token_hex(32))
    return path.read_text(encoding="utf-8")


def _web_command(options: RunOptions, port: int) -> list[str]:
    flags = {
        "server.port": port,
        "server.address": options.web_address,
        "server.headless": "true",
        "server.fileWatcherType": "auto" if options.reloading else "none",
        "server.runOnSave": str(options.reloading).lower(),
        "server.enableAgentApi": "false",
        "server.enableXsrfProtection": "true",
        "runner.postScriptGC": "false",
        "client.showErrorDetails": "none",
        "client.toolbarMode": "minimal",
        "browser.gatherUsageStats": "false",
    }
    command = [sys.executable, "-c", _SERVE, "run", "app.py"]
    return command + [f"--{name}={value}" for name, value in flags.items()]


def _await_health(
    settings: Settings, children: list[_Child], places: dict[str, tuple[str, int]]
) -> None:
    """Wait until each child answers at its place (address and port); raise Refusal otherwise."""
    deadline = monotonic() + _START_PATIENCE
    waiting = dict(places)
    while waiting:
        waiting = {name: place for name, place in waiting.items() if not _is_healthy(*place)}
        dead = [child.name for child in children if child.has_ended]
        if dead or (waiting and monotonic() > deadline):
            name = dead[0] if dead else next(iter(waiting))
            log = settings.log_dir / f"{name}.log"
            raise Refusal(f"The process {name} does not start; its log is {log}.")
        sleep(0.1)


def _is_healthy(address: str, port: int) -> bool:
    host = {"0.0.0.0": "127.0.0.1", "::": "[::1]"}.get(address, address)
    try:
        with urllib.request.urlopen(f"http://{host}:{port}/health", timeout=5) as answer:
            return bool(answer.status == 200 and json.load(answer))
    except (OSError, ValueError):
        return False


def _announce(settings: Settings, options: RunOptions) -> None:
    accounts = settings.data_dir / "demo_accounts.csv"
    demo = f" (demo accounts: {accounts})" if accounts.exists() else ""
    place = f"http://{options.address}:{options.port}"
    print(f"The portal is at {place}{demo}; stop it with Ctrl-C.", flush=True)


def _watch(children: list[_Child], server: Server | None) -> None:
    while True:
        sleep(_ROUND)
        with _signals_wait():
            if server and not server.running:
                _restart(server)
            for child in children:
                child.keep_alive()


@contextmanager
def _signals_wait() -> Iterator[None]:
    """Hold signals back for the block: a process that just started must be known to be stopped."""
    signal.pthread_sigmask(signal.SIG_BLOCK, _STOP_SIGNALS)
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_UNBLOCK, _STOP_SIGNALS)


def _restart(server: Server) -> None:
    _note("the database server ended; starting it again")
    try:
        server.start()
    except Refusal as refusal:
        _note(str(refusal))


def _stop_all(children: list[_Child]) -> None:
    for child in children:
        if child.process and child.process.poll() is None:
            child.process.terminate()
    for child in children:
        if child.process:
            processes.stop(child.process)


def _note(sentence: str) -> None:
    print(f"portal: {sentence}", file=sys.stderr, flush=True)
