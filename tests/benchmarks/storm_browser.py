"""A browser's requests in a storm: sent, timed, noted, and sometimes cut off in the middle."""

import asyncio
import json
import random
import ssl
import time
from collections import Counter
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

import httpx

_LONGEST = 60  # seconds: nobody looks at a page that does nothing for longer
_NO_TLS = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)  # made once: each takes 20 ms
_SPOKEN = (400, 401, 403, 404, 409, 422)  # a sentence of the portal, which the page shows


@dataclass(frozen=True, slots=True)
class Asked:
    """One request: what for, when (seconds of `time.monotonic`), how long, and how it ended."""

    kind: str
    began: float
    seconds: float
    status: int
    """0 where no answer came."""
    route: str
    """The process that served this browser before."""


@dataclass
class Journal:
    """What all browsers of a storm asked, and what went wrong, by kind."""

    asked: list[Asked] = field(default_factory=list)
    errors: Counter[str] = field(default_factory=Counter)
    choices: list[str] = field(default_factory=list)
    """Dialogs that asked an officer to choose between two versions, both of them his own."""

    def note(self, asked: Asked, error: str = "") -> None:
        self.asked.append(asked)
        if asked.status == 0 or asked.status >= 400:
            self.errors[f"{asked.kind}: {error or asked.status}"] += 1


@dataclass(frozen=True, slots=True)
class Answer:
    status: int
    data: Any

    @property
    def ok(self) -> bool:
        return 200 <= self.status < 300

    @property
    def error(self) -> str:
        """The class of the portal's refusal."""
        return str(self.data.get("error", "")) if isinstance(self.data, dict) else ""

    @property
    def is_final(self) -> bool:
        """Tell whether asking again would not help, as the form's script sees it."""
        return self.status in _SPOKEN and self.status != 401


class Browser:
    """The requests of one officer: one address, one jar of cookies, its lines kept open."""

    def __init__(self, url: str, address: str, journal: Journal) -> None:
        self._journal = journal
        self._place = urlsplit(url)
        self._headers = {
            "Origin": url,
            "Sec-Fetch-Site": "same-origin",
            "X-Forwarded-For": address,
        }
        self._client = httpx.AsyncClient(
            base_url=url, headers=self._headers, verify=_NO_TLS, timeout=_LONGEST, trust_env=False
        )

    @property
    def token(self) -> str | None:
        return self._client.cookies.get("portal_session")

    @property
    def route(self) -> str:
        return self._client.cookies.get("portal_route") or ""

    async def ask(self, kind: str, method: str, path: str, body: object = None) -> Answer:
        """Ask once and note how it ended; a line that breaks is an answer of status 0."""
        began, route, error = time.monotonic(), self.route, ""
        try:
            answered = await self._client.request(method, path, json=body)
            answer = Answer(answered.status_code, _data_of(answered))
            error = answer.error and f"{answer.status} {answer.error}"
        except httpx.HTTPError as broken:
            answer, error = Answer(0, None), type(broken).__name__
        seconds = time.monotonic() - began
        self._journal.note(Asked(kind, began, seconds, answer.status, route), error)
        return answer

    async def cut(self, kind: str, path: str, body: object) -> Answer:
        """Send a PUT on a line that breaks: in the middle of the body, or before the answer."""
        began, route = time.monotonic(), self.route
        content = json.dumps(body, ensure_ascii=False).encode()
        head = {
            "Host": self._place.netloc,
            "Cookie": "; ".join(f"{name}={value}" for name, value in self._client.cookies.items()),
            "Content-Type": "application/json",
            "Content-Length": str(len(content)),
            **self._headers,
        }
        lines = [f"PUT {path} HTTP/1.1", *(f"{name}: {value}" for name, value in head.items())]
        sent = "\r\n".join(lines).encode() + b"\r\n\r\n" + content
        half = random.random() < 1 / 3
        with suppress(OSError):
            _, line = await asyncio.open_connection(self._place.hostname, self._place.port)
            line.write(sent[: -len(content) // 2] if half else sent)
            await line.drain()
            await asyncio.sleep(random.choice((0, 0.01, 0.05)))
            line.transport.abort()
        seconds = time.monotonic() - began
        self._journal.note(Asked(kind, began, seconds, 0, route), "cut off")
        return Answer(0, None)

    async def close(self) -> None:
        await self._client.aclose()


def _data_of(answered: httpx.Response) -> Any:
    if "json" not in answered.headers.get("content-type", ""):
        return answered.text
    return answered.json()
