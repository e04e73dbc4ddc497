"""A large file through the portal's own route: seconds, and the memory it took the server.

`python -m tests.benchmarks.upload [GB]` runs it alone: a throw-away cluster, the routes in a
process of their own, the file made on the way out.
"""

import http.client
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path

import psycopg

from tests.paths import ROOT
from tests.ports import free_port

_BLOCK = bytes(1 << 20)
_SERVER = """
import os, sys, uvicorn
from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from components.middleware import SecurityHeaders, SessionRequired
from components.routes import auth, uploads
from domain.errors import PortalError
app = Starlette(routes=uploads.ROUTES,
                middleware=[Middleware(SecurityHeaders), Middleware(SessionRequired)],
                exception_handlers={PortalError: auth.portal_error, HTTPException: auth.http_error})
uvicorn.run(app, host="127.0.0.1", port=int(sys.argv[1]), log_level="warning")
"""


@dataclass(frozen=True, slots=True)
class UploadFigures:
    """What one upload cost."""

    size: int
    """Bytes."""
    seconds: float
    bytes_per_second: float
    memory_before: int
    """Bytes resident before the first byte came."""
    memory_taken: int
    """Bytes the server's peak lay above that."""
    cut_after: int
    """Bytes after which the connection was cut, and the upload gone on with."""


def measure_upload(owner_url: str, portal_url: str, size: int = 5 << 30) -> UploadFigures:
    """Send `size` bytes, cut once in the middle, to a server of its own; return what it cost.

    The database is migrated; an account, its session and the use `bench` are made for it.
    """
    token = _prepare(owner_url)
    with tempfile.TemporaryDirectory(prefix="portal-bench-") as folder:
        port = free_port()
        environment = {
            **os.environ,
            "PYTHONPATH": str(ROOT),
            "PORTAL_DATABASE_URL": portal_url,
            "PORTAL_DATA_DIR": folder,
        }
        server = subprocess.Popen([sys.executable, "-c", _SERVER, str(port)], env=environment)
        try:
            return _measure(server.pid, port, token, size)
        finally:
            server.terminate()
            server.wait()


def _prepare(owner_url: str) -> str:
    from data_access.sessions import digest

    with psycopg.connect(owner_url, autocommit=True) as owner:
        owner.execute(
            "INSERT INTO upload_use VALUES ('bench', '测试', '{county}', '{application/pdf}'"
            ", %s, 0) ON CONFLICT DO NOTHING",
            [10 << 30],
        )
        user_id = owner.execute(
            "INSERT INTO account (username, display_name, password_hash, must_change_password)"
            " VALUES ('bench-upload', 'bench', '!', false)"
            " ON CONFLICT (username) DO UPDATE SET display_name = 'bench' RETURNING user_id"
        ).fetchone()
        assert user_id is not None
        owner.execute(
            "INSERT INTO account_grant (user_id, role, division_code, prefix)"
            " SELECT %s, 'county', code, prefix FROM admin_division WHERE level = 'county'"
            " AND NOT EXISTS (SELECT FROM account_grant WHERE user_id = %s) LIMIT 1",
            [user_id[0], user_id[0]],
        )
        token = f"bench-{time.time_ns()}"
        owner.execute(
            "INSERT INTO portal_session (token_hash, user_id, expires_at)"
            " VALUES (%s, %s, now() + interval '1 hour')",
            [digest(token), user_id[0]],
        )
    return token


def _measure(process_id: int, port: int, token: str, size: int) -> UploadFigures:
    headers = {"Cookie": f"portal_session={token}"}
    asked = json.dumps({"use": "bench", "file_name": "成果.pdf", "size": size})
    answer = _ask(port, "POST", "/api/uploads", asked.encode(), headers)
    place = f"/api/uploads/{answer['upload_id']}"
    before = _memory(process_id, "VmRSS")
    began = time.perf_counter()
    cut = size // 2
    _send_and_cut(port, place, headers, size, cut)
    offset = _settled_offset(port, place, headers)
    rest = _content(size, offset)
    headers |= {"Upload-Offset": str(offset), "Content-Length": str(size - offset)}
    finished = _ask(port, "PATCH", place, rest, headers)
    seconds = time.perf_counter() - began
    assert finished["finished"], finished
    taken = _memory(process_id, "VmHWM") - before
    return UploadFigures(size, seconds, size / seconds, before, taken, cut)


def _content(size: int, offset: int) -> Iterator[bytes]:
    """Yield from `offset` on what passes for a PDF of `size` bytes, a block at a time."""
    start, end = b"%PDF-1.7\n", b"\nstartxref\n9\n%%EOF\n"
    stop = size - len(end)
    if offset < len(start):
        yield start[offset:]
        offset = len(start)
    while offset < stop:
        part = min(len(_BLOCK), stop - offset)
        yield _BLOCK[:part]
        offset += part
    yield end[offset - stop :]


def _send_and_cut(port: int, place: str, headers: dict[str, str], size: int, cut: int) -> None:
    connection = http.client.HTTPConnection("127.0.0.1", port)
    connection.putrequest("PATCH", place)
    for name, value in {**headers, "Upload-Offset": "0", "Content-Length": str(size)}.items():
        connection.putheader(name, value)
    connection.endheaders()
    sent = 0
    for part in _content(size, 0):
        connection.send(part)
        sent += len(part)
        if sent >= cut:
            break
    connection.close()


def _settled_offset(port: int, place: str, headers: dict[str, str]) -> int:
    """Return how far the upload came, once the server has noticed the cut."""
    while True:
        probe = {**headers, "Upload-Offset": str(_ask(port, "GET", place, b"", headers)["offset"])}
        answer = _ask(port, "PATCH", place, b"", probe)
        if "reason" not in answer:
            return int(answer["offset"])
        time.sleep(0.05)


def _ask(
    port: int, method: str, path: str, body: bytes | Iterator[bytes], headers: dict[str, str]
) -> dict[str, object]:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=600)
    for _ in range(200):
        try:
            connection.connect()
            break
        except ConnectionRefusedError:
            time.sleep(0.1)
    connection.request(method, path, body=body, headers=headers)
    answer = json.loads(connection.getresponse().read())
    connection.close()
    assert isinstance(answer, dict)
    return answer


def _memory(process_id: int, what: str) -> int:
    """Return resident bytes now (VmRSS) or at their peak (VmHWM)."""
    for line in Path(f"/proc/{process_id}/status").read_text("ascii").splitlines():
        if line.startswith(what):
            return int(line.split()[1]) * 1024
    raise ProcessLookupError(process_id)


if __name__ == "__main__":
    owner, portal = os.environ["PORTAL_OWNER_DATABASE_URL"], os.environ["PORTAL_DATABASE_URL"]
    gigabytes = float(sys.argv[1]) if len(sys.argv) > 1 else 5
    print(json.dumps(asdict(measure_upload(owner, portal, int(gigabytes * (1 << 30)))), indent=2))
