"""A report in an officer's browser, by the rules of form_state.js and form_editor.js.

What the officer saw acknowledged goes into a record, to be compared with the database.
"""

import asyncio
import copy
import random
import re
from dataclasses import dataclass, field
from typing import Any

from tests.benchmarks.storm_browser import Answer, Browser, Journal
from tests.villages import complete

RETRY_AFTER = (1, 2, 4, 8, 15)  # seconds, as in form_parts.js
_GROUP = "natural_village"
_CUT = 0.06  # of all saves

Content = dict[str, Any]


@dataclass
class Record:
    """What one officer sent of one report, and which of it he saw acknowledged."""

    submission_id: int
    user_id: int
    sent: dict[int, tuple[str, ...]] = field(default_factory=dict)
    """Number of a value to the remarks that carry it: of the village, then of each natural one."""
    saved: list[tuple[int, int]] = field(default_factory=list)
    """Number of a value and the draft version under which it was acknowledged."""
    moves: dict[str, int] = field(default_factory=lambda: {"submit": 0, "withdraw": 0})
    filed: list[int] = field(default_factory=list)
    """Number of the value that each submission took along."""


@dataclass
class Report:
    """The form of one village, open in a tab."""

    browser: Browser
    journal: Journal
    record: Record
    state: str = ""
    revision: int = 0
    version: int = 0
    base: Content = field(default_factory=dict)
    values: Content = field(default_factory=dict)
    number: int = 0
    """Of what was typed last."""
    failures: int = 0
    _base_number: int = 0
    _unanswered: list[Content] = field(default_factory=list)
    _asked_move: str = ""
    _has_explained: bool = False

    @property
    def url(self) -> str:
        return f"/api/drafts/{self.record.submission_id}"

    @property
    def is_dirty(self) -> bool:
        return self.number != self._base_number

    @property
    def is_editable(self) -> bool:
        return self.state in ("draft", "returned")

    async def load(self) -> None:
        """Read the report until it is there; a move whose answer was lost shows in its state."""
        answer = await self.browser.ask("read", "GET", self.url)
        while not answer.ok:
            await self.pause()
            answer = await self.browser.ask("read", "GET", self.url)
        self.failures = 0
        said = answer.data
        before, self.state = self.state, said["submission"]["state"]
        self.revision = said["submission"]["lock_version"]
        self.version = said["draft_version"]
        self.base = said["content"]
        self._unanswered = []
        self._base_number = _number_of(self.base)
        self.values = copy.deepcopy(self.base)
        self.number = max(self.number, self._base_number, *self.record.sent, 0)
        if self._asked_move and before != self.state:
            self._moved(self._asked_move)
        self._asked_move = ""

    async def reopen_from_outbox(self) -> None:
        """Open the report in a new tab: what was typed is in the outbox of the browser."""
        typed, number = self.values, self.number
        await self.load()
        if self.is_editable and number != self._base_number:
            if self._base_number and self._base_number not in self.record.sent:
                self.journal.choices.append(f"{self.url}: value {self._base_number} is nobody's")
            self.values, self.number = typed, number

    # SAVING

    def type(self, mark: str) -> None:
        """Type the next value into the remark of the village and of one natural village."""
        self.number += 1
        if not self.record.sent:
            self.values = _filled_in(self.values)
        text = f"{mark}{self.number:06}"
        rows = self.values[_GROUP]
        self.values["form"]["remark"] = text
        if rows:
            rows[self.number % len(rows)]["remark"] = text

    def explain(self, mark: str) -> bool:
        """Write why what stands out is right, once; tell whether there was anything to do."""
        if self._has_explained:
            return False
        self._has_explained = True
        self.type(mark)
        for row in (self.values["form"], *self.values[_GROUP]):
            row["explanation"] = "已逐项核实。"
        return True

    async def save(self) -> bool:
        """Send once what was typed; tell whether the form says 已保存 now."""
        sent, number = copy.deepcopy(self.values), self.number
        self.record.sent[number] = remarks_of(sent)
        body = {"content": sent, "draft_version": self.version}
        if random.random() < _CUT:
            answer = await self.browser.cut("save", self.url, body)
        else:
            answer = await self.browser.ask("save", "PUT", self.url, body)
        if answer.ok:
            self._saved(sent, number, answer.data["draft_version"])
        elif answer.error == "DraftConflict":
            self._meet_conflict(answer.data)
        elif answer.is_final:
            await self.load()
        else:
            self._unanswered.append(sent)
            await self.pause()
        return not self.is_dirty

    def _saved(self, sent: Content, number: int, version: int) -> None:
        self.failures = 0
        self.version, self.base, self._base_number = version, sent, number
        self._unanswered = []
        self.record.saved.append((number, version))

    def _meet_conflict(self, said: dict[str, Any]) -> None:
        """Take the server's state where it is one's own; otherwise the officer has to choose."""
        theirs = said["content"]
        known = [_flat(each) for each in (self.base, *self._unanswered)]
        now = _flat(self.values)
        for path, value in _flat(theirs).items():
            if not any(_alike(value, each.get(path)) for each in (now, *known)):
                self.journal.choices.append(
                    f"{self.url} {path}: {value!r}, typed {now.get(path)!r}"
                )
        self._saved(theirs, _number_of(theirs), said["draft_version"])

    async def pause(self) -> None:
        """Wait as the form does before it asks again."""
        wait = RETRY_AFTER[min(self.failures, len(RETRY_AFTER) - 1)]
        self.failures += 1
        await asyncio.sleep(wait * random.uniform(0.8, 1.2))

    # MOVES

    async def move(self, action: str) -> bool:
        """Press 报送 or 撤回 once, and read the report again: a lost answer shows in its state.

        Return False where the report has to be corrected first.
        """
        body: dict[str, object] = {"lock_version": self.revision}
        if action == "submit":
            body |= {"draft_version": self.version, "no_change": False}
        self._asked_move = action
        answer = await self.browser.ask(action, "POST", f"{self.url}/{action}", body)
        if answer.ok:
            self._moved(action)
            self._asked_move = ""
        elif answer.status == 422:
            self._complain(answer)
        elif not answer.is_final:
            await self.pause()
        await self.load()
        return answer.status != 422

    def _moved(self, action: str) -> None:
        self.record.moves[action] += 1
        if action == "submit":
            self.record.filed.append(self._base_number)

    def _complain(self, answer: Answer) -> None:
        problems = answer.data.get("problems") or [{}]
        words = re.sub(r"[\d.]+", "…", str(problems[0].get("message")))
        self.journal.errors[f"submit: {words}"] += 1


def _filled_in(content: Content) -> Content:
    """Return the report as it may be filed, however many natural villages there are."""
    filled = complete(content)
    filled["form"] |= {"forest_area": "10"}  # of a demo's village: within the total of `complete`
    for row in filled[_GROUP]:
        row |= {"construction_area": "0.1", "homestead_area": "0.05"}
    return filled


def remarks_of(content: Content) -> tuple[str, ...]:
    """Return the remark of the village and of each of its natural villages."""
    rows = [content["form"], *content[_GROUP]]
    return tuple(str(row.get("remark") or "") for row in rows)


def _number_of(content: Content) -> int:
    found = re.search(r"(\d{6})$", str(content["form"].get("remark") or ""))
    return int(found[1]) if found else 0


def _flat(content: Content) -> dict[str, Any]:
    flat = {f"form.{name}": value for name, value in content["form"].items()}
    for row in content[_GROUP]:
        flat |= {f"{_GROUP}[{row['key']}].{name}": value for name, value in row.items()}
    return flat


def _alike(one: Any, other: Any) -> bool:
    """Tell whether one value is the other as it was typed."""
    if one in (None, "") or other in (None, ""):
        return one in (None, "") and other in (None, "")
    try:
        return one == other or float(one) == float(other)
    except (TypeError, ValueError):
        return str(one).strip() == str(other).strip()
