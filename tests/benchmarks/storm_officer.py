"""One officer in a storm: signs in, opens villages at a desk or on a phone, saves, submits."""

import asyncio
import random
import re
import time
from dataclasses import dataclass, field
from typing import Any

import websockets
from streamlit.proto.ForwardMsg_pb2 import ForwardMsg

from tests.benchmarks.sessions import Tab
from tests.benchmarks.storm_browser import Asked, Browser, Journal
from tests.benchmarks.storm_form import RETRY_AFTER, Record, Report

_PHONES = 0.3  # of the officers
_KILLED_TABS = 0.1  # of the saves of a phone that were not answered
_CUT_PAGES = 0.05  # of the looks at a page
_MARK = "风暴"  # before the number of each value that is typed
_EDITOR = re.compile(rb"form-editor-(\d+)")


@dataclass(frozen=True, slots=True)
class Post:
    """An account of the storm, and the villages that nobody else fills in."""

    user_id: int
    username: str
    password: str
    address: str
    villages: tuple[str, ...]


@dataclass
class _VillagePage(Tab):
    """A tab that learns which report its page shows."""

    submission_id: int = 0

    def _ends(self, message: ForwardMsg) -> bool:
        found = _EDITOR.search(message.SerializeToString())
        if found:
            self.submission_id = int(found[1])
        return super()._ends(message)


@dataclass
class End:
    """When everybody goes home (of `time.monotonic`): unknown while something is still broken."""

    at: float = float("inf")

    @property
    def has_come(self) -> bool:
        return time.monotonic() > self.at


@dataclass
class Officer:
    """One person at work until the end."""

    post: Post
    url: str
    journal: Journal
    end: End
    think: float
    """Seconds between two saves, on average."""
    records: dict[int, Record] = field(default_factory=dict)
    _page: _VillagePage | None = None

    def __post_init__(self) -> None:
        self._browser = Browser(self.url, self.post.address, self.journal)
        self._is_phone = random.Random(self.post.username).random() < _PHONES
        self._failures = 0

    async def work(self, after: float) -> None:
        """Arrive after so many seconds, and work; leave nothing that was typed unsaved."""
        try:
            await asyncio.sleep(after)
            await self._sign_in()
            while not self.end.has_come:
                for village in self.post.villages:
                    if not self.end.has_come:
                        await self._fill_in(village)
        finally:
            await self._leave_page()
            await self._browser.close()

    async def _sign_in(self) -> None:
        given = {"username": self.post.username, "password": self.post.password}
        while True:
            known = await self._browser.ask("sign-in", "POST", "/phone/sign-in", given)
            if known.ok:
                opened = await self._browser.ask("session", "POST", "/api/session", known.data)
                if opened.ok:
                    self._failures = 0
                    return
            await self._pause()

    async def _fill_in(self, village: str) -> None:
        """Open a village, save a few times, submit it; one that was submitted is taken back."""
        report = await self._open(village)
        if not report.is_editable:
            await self._until(report, "withdraw", "draft")
        for turn in range(random.randint(3, 6)):
            await asyncio.sleep(self.think * random.uniform(0.5, 1.5))
            report.type(_MARK)
            await self._save(report)
            if not self._is_phone and turn % 3 == 2:
                await self._look_again()
            if self.end.has_come:
                break
        await self._until(report, "submit", "submitted")

    async def _until(self, report: Report, action: str, state: str) -> None:
        """Press until the report says that it is so; a refusal for good ends it."""
        for _ in range(12):
            if report.state == state:
                return
            if not await report.move(action):
                if not report.explain(_MARK):
                    break
                await self._save(report)
        self.journal.errors[f"{action}: given up"] += 1

    async def _save(self, report: Report) -> None:
        """Save until everything typed is on the server; somebody who waits types on."""
        while not await report.save():
            if not report.is_editable:
                return
            if self._is_phone and random.random() < _KILLED_TABS:
                await report.reopen_from_outbox()
            elif not self.end.has_come and random.random() < 0.5:
                report.type(_MARK)

    # PAGES

    async def _open(self, village: str) -> Report:
        number = await (self._open_phone(village) if self._is_phone else self._open_page(village))
        record = self.records.setdefault(number, Record(number, self.post.user_id))
        report = Report(self._browser, self.journal, record)
        await report.load()
        return report

    async def _open_phone(self, village: str) -> int:
        await self._until_read("phone list", "/phone")
        page = await self._until_read("phone page", f"/phone/{village}")
        found = re.search(r'data-submission="(\d+)"', page)
        assert found, page[:500]
        return int(found[1])

    async def _until_read(self, kind: str, path: str) -> str:
        answer = await self._browser.ask(kind, "GET", path)
        while not answer.ok:
            await self._pause()
            answer = await self._browser.ask(kind, "GET", path)
        self._failures = 0
        return str(answer.data)

    async def _open_page(self, village: str) -> int:
        """Look at the worklist, then open the village's page: each is a websocket of its own."""
        await self._until_open("worklist", "villages", "")
        page = await self._until_open("village page", "village", f"code={village}")
        while not page.submission_id:  # the page waited for the database, and runs once more
            page = await self._until_open("village page", "village", f"code={village}")
        return page.submission_id

    async def _until_open(self, kind: str, name: str, query: str) -> _VillagePage:
        while True:
            await self._leave_page()
            page = _VillagePage(self.url, name, self._browser.token, query, self._browser.route)
            if await self._timed(kind, page.open()):
                self._page, self._failures = page, 0
                return page
            await page.close()
            await self._pause()

    async def _look_again(self) -> None:
        """Let the page run again; a line that breaks is taken up as Streamlit's script does."""
        page = self._page
        assert page is not None
        if random.random() < _CUT_PAGES and page._socket is not None:
            page._socket.transport.abort()
        if not await self._timed("rerun", page.rerun()):
            await self._until_open("page again", page.page, page.query)

    async def _timed(self, kind: str, run: Any) -> bool:
        began, route = time.monotonic(), self._browser.route
        status, error = 200, ""
        try:
            await run
        except websockets.InvalidStatus as refused:
            status = refused.response.status_code
        except (OSError, TimeoutError, websockets.WebSocketException) as broken:
            status, error = 0, type(broken).__name__
        except RuntimeError as shown:  # what the page says in red
            status, error = 500, str(shown)[:80]
        self.journal.note(Asked(kind, began, time.monotonic() - began, status, route), error)
        return status == 200

    async def _leave_page(self) -> None:
        if self._page is not None:
            page, self._page = self._page, None
            await page.close()

    async def _pause(self) -> None:
        wait = RETRY_AFTER[min(self._failures, len(RETRY_AFTER) - 1)]
        self._failures += 1
        await asyncio.sleep(wait * random.uniform(0.8, 1.2))
