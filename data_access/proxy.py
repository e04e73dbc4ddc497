"""The proxy before several web processes: nginx, under a configuration of its own.

It keeps a browser with one process, passes on to another when that one is gone, compresses, and
answers calmly when every seat is taken. proxy.conf beside this module is the whole of it, with
`@NAMES@` for what differs between installations.
"""

import os
import pwd
import re
import shutil
import subprocess
import tempfile
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from html import escape
from pathlib import Path

from data_access.settings import CHECKOUT, Refusal, Settings

BUSY_SENTENCE = "当前使用人数较多，请稍候，页面会自动重试。已填内容保留在本机，不会丢失。"
_TEMPLATE = Path(__file__).with_suffix(".conf")
_BUSY_PAGE = CHECKOUT / "assets" / "busy.html"
_LOOPBACK = ("127.0.0.1", "::1")
_UNPRIVILEGED = ("www-data", "nginx", "nobody")
_REQUESTS = 100  # of open pages, at once, beside the connections the pages themselves hold


@dataclass(frozen=True, slots=True)
class Proxy:
    """Where the proxy listens, and the ports of the web processes behind it."""

    program: str
    folder: Path
    address: str
    port: int
    web_ports: tuple[int, ...]
    seats_per_process: int
    fronts: tuple[str, ...] = ()
    """Addresses or networks of other proxies in front of this one, besides the loopback."""

    @property
    def command(self) -> list[str]:
        return [self.program, "-e", "stderr", "-p", str(self.folder), "-c", self._configuration]

    @property
    def _configuration(self) -> str:
        return str(self.folder / "nginx.conf")

    def prepare(self, system_name: str) -> None:
        """Write configuration and busy page; raise Refusal where nginx does not accept them."""
        for name in ("temp", "pages", "cache"):
            (self.folder / name).mkdir(mode=0o711, exist_ok=True)
        page = _BUSY_PAGE.read_text(encoding="utf-8").replace("@SYSTEM@", escape(system_name))
        _publish(self.folder / "pages" / "portal-busy.html", page)
        Path(self._configuration).write_text(self.configuration(), encoding="utf-8")
        checked = subprocess.run([*self.command, "-t", "-q"], capture_output=True, text=True)
        if checked.returncode:
            said = checked.stderr.strip().splitlines() or ["no message"]
            raise Refusal(f"nginx does not accept {self._configuration}: {said[0]}.")

    def remove(self) -> None:
        """Remove the folder where it is not the data directory's own."""
        if self.folder.name != "proxy":
            shutil.rmtree(self.folder, ignore_errors=True)

    def configuration(self) -> str:
        """Return the text of nginx.conf."""
        count = len(self.web_ports)
        seats = count * self.seats_per_process
        fronts = [*_LOOPBACK, *self.fronts]
        values = {
            "USER": f"user {_worker_user()};" if _worker_user() else "",
            "FOLDER": str(self.folder),
            "LISTEN": f"{_host(self.address)}:{self.port} backlog=1024",
            "FILES": 8 * seats + 2048,
            "CONNECTIONS": 4 * seats + 1024,
            "FRONTS": _lines(f"set_real_ip_from {front};" for front in fronts),
            "FRONT_MARKS": _lines((f"{front} 1;" for front in fronts), depth=2),
            "ANY": _lines((self._server(port) for port in self.web_ports), depth=2),
            "POOLS": "".join(self._pool(number) for number in range(1, count + 1)),
            "ROUTES": _lines((f'"{n}" portal_{n};' for n in range(1, count + 1)), depth=2),
            "SERVED": _lines(
                (f'"~:{port}$" {n};' for n, port in enumerate(self.web_ports, 1)), depth=2
            ),
            "KEPT": _lines((f'"{n}={n}" "";' for n in range(1, count + 1)), depth=2),
            "SEATS": seats,
            "DOOR": max(1, seats - seats // 10),
            "BUSY": BUSY_SENTENCE,
        }
        template = _TEMPLATE.read_text(encoding="utf-8")
        return re.sub(r"@([A-Z_]+)@", lambda match: str(values[match[1]]), template)

    def _server(self, port: int, role: str = "") -> str:
        most = self.seats_per_process + _REQUESTS
        return f"server 127.0.0.1:{port} max_conns={most} max_fails=1 fail_timeout=2s{role};"

    def _pool(self, number: int) -> str:
        """Return the upstream of one process; the others take over while it is gone or full."""
        servers = [
            self._server(port, "" if each == number else " backup")
            for each, port in enumerate(self.web_ports, 1)
        ]
        kept = _lines(("keepalive 16;", "keepalive_timeout 3s;"), depth=2)
        return f"    upstream portal_{number} {{\n{_lines(servers, depth=2)}\n{kept}\n    }}\n"


def make_proxy(settings: Settings, *, address: str, port: int, web_ports: Sequence[int]) -> Proxy:
    """Return the proxy of an installation; raise Refusal without nginx."""
    program = shutil.which("nginx", path=f"{os.environ.get('PATH', '')}:/usr/sbin:/usr/local/sbin")
    if program is None:
        raise Refusal("Several web processes need a proxy: please install Debian's nginx.")
    return Proxy(
        program=program,
        folder=_folder(settings.data_dir / "proxy"),
        address=address,
        port=port,
        web_ports=tuple(web_ports),
        seats_per_process=max(1, settings.sessions_per_process),
        fronts=settings.trusted_proxies,
    )


def _folder(wanted: Path) -> Path:
    """Return a folder that nginx can name and its workers may enter: the wanted one, or in /tmp."""
    wanted.mkdir(mode=0o711, exist_ok=True)
    if re.fullmatch(r"[\w ./-]+", str(wanted)) and _may_enter(wanted):
        return wanted
    made = Path(tempfile.mkdtemp(prefix="portal-proxy-"))
    made.chmod(0o711)
    return made


def _may_enter(folder: Path) -> bool:
    user = _worker_user()
    if user is None:
        return True
    asked = ["test", "-x", str(folder)]
    return subprocess.run(asked, user=user, group=user, extra_groups=[], cwd="/").returncode == 0


def _worker_user() -> str | None:
    """Return the user of nginx's workers where root starts it, else None."""
    if os.geteuid() != 0:
        return None
    known = {user.pw_name for user in pwd.getpwall()}
    return next((name for name in _UNPRIVILEGED if name in known), "nobody")


def _publish(path: Path, text: str) -> None:
    path.write_text(text, encoding="utf-8")
    path.chmod(0o644)


def _host(address: str) -> str:
    return f"[{address}]" if ":" in address else address


def _lines(lines: Iterable[str], depth: int = 1) -> str:
    return "\n".join("    " * depth + line for line in lines)
