"""Villages ready to be saved and filed, and the officers who do it over HTTP."""

import asyncio
import json
import time
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import psycopg

from tests.benchmarks.portal import BenchPortal
from tests.villages import complete

_NATURAL = 10  # natural villages of a village that is measured
# Villages whose reports of the open year are not filed for good, with an account of their county.
_VILLAGES = """
SELECT DISTINCT ON (village.code) village.code, account.username, village.natural
  FROM (SELECT division_code AS code, array_agg(code ORDER BY code) AS natural
          FROM natural_village WHERE valid_to IS NULL
         GROUP BY division_code HAVING count(*) = %(natural)s) AS village
  JOIN account_grant AS post ON post.division_code = left(village.code, 6) AND post.role = 'county'
  JOIN account USING (user_id)
  LEFT JOIN submission
         ON submission.division_code = village.code AND submission.period_id = %(period)s
 WHERE coalesce(submission.state, 'draft') <> 'filed'
 ORDER BY village.code, account.username
"""
_BEGIN = """
INSERT INTO submission (form_code, period_id, division_code)
SELECT 'village_evaluation', %s, code FROM unnest(%s::text[]) AS code
    ON CONFLICT ON CONSTRAINT submission_one_per_unit_and_period DO NOTHING
"""
_TAKE_BACK = """
UPDATE submission SET state = 'draft', step_no = 0
 WHERE period_id = %s AND division_code = ANY (%s) AND state <> 'draft'
"""
_FILL = """
INSERT INTO submission_draft (submission_id, division_code, content, saved_by)
SELECT submission_id, division_code, %(content)s::jsonb
     , (SELECT user_id FROM account WHERE username = %(username)s)
  FROM submission WHERE period_id = %(period)s AND division_code = %(code)s
    ON CONFLICT (submission_id) DO UPDATE SET content = excluded.content
"""
_READY = """
SELECT division_code, submission_id, draft_version, lock_version
  FROM submission JOIN submission_draft USING (submission_id, division_code)
 WHERE period_id = %s AND division_code = ANY (%s) AND state = 'draft'
"""


@dataclass
class Report:
    """A report in its officer's hands, complete, in the version that stands now."""

    code: str
    username: str
    submission_id: int
    draft_version: int
    lock_version: int
    content: dict[str, Any]


def reports_in_hand(portal: BenchPortal, most: int | None = None) -> list[Report]:
    """Put villages of ten natural villages into their officers' hands, filled in."""
    with psycopg.connect(portal.owner_url) as owner:
        owner.execute("SELECT set_config('app.bulk_load', 'on', true)")
        period = _period(owner)
        found = owner.execute(_VILLAGES, {"period": period, "natural": _NATURAL}).fetchall()[:most]
        codes = [code for code, _, _ in found]
        owner.execute(_BEGIN, [period, codes])
        owner.execute(_TAKE_BACK, [period, codes])
        contents = {code: _content(natural) for code, _, natural in found}
        with owner.cursor() as cursor:
            cursor.executemany(
                _FILL,
                [
                    {"content": json.dumps(contents[code]), "username": username,
                     "period": period, "code": code}
                    for code, username, _ in found
                ],
            )  # fmt: skip
        ready = {row[0]: row[1:] for row in owner.execute(_READY, [period, codes])}
    return [Report(code, name, *ready[code], contents[code]) for code, name, _ in found]


def _period(owner: psycopg.Connection) -> int:
    row = owner.execute(
        "SELECT max(period_id) FROM reporting_period"
        " WHERE form_code = 'village_evaluation' AND closed_at IS NULL"
    ).fetchone()
    assert row is not None
    return int(row[0])


def _content(natural: Iterable[str]) -> dict[str, Any]:
    """Return what a village of many natural villages says, its warnings explained."""
    content = complete({"form": {}, "natural_village": [{"key": code} for code in natural]})
    more = {"total_area": "5000", "construction_area": "80", "homestead_area": "40"}
    content["form"] |= more | {"explanation": "已核实"}
    for row in content["natural_village"]:
        row["explanation"] = "已核实"
    return content


# OVER HTTP


class Officer:
    """One browser of an officer: a connection that stays open, his session, his process."""

    def __init__(self, url: str) -> None:
        self._host, _, port = url.removeprefix("http://").partition(":")
        self._port = int(port)
        self._route = ""
        self._streams: tuple[asyncio.StreamReader, asyncio.StreamWriter] | None = None

    async def ask(
        self, token: str, method: str, path: str, body: object
    ) -> tuple[int, dict[str, Any], float]:
        """Return status, answer and milliseconds of one request."""
        sent = json.dumps(body, ensure_ascii=False).encode()
        if self._streams is None:
            self._streams = await asyncio.open_connection(self._host, self._port)
        reader, writer = self._streams
        began = time.perf_counter()
        writer.write(
            f"{method} {path} HTTP/1.1\r\nHost: {self._host}:{self._port}\r\n"
            f"Cookie: portal_session={token}{self._route}\r\n"
            f"Content-Type: application/json\r\nContent-Length: {len(sent)}\r\n\r\n".encode()
            + sent
        )
        head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1")
        length = head.lower().partition("content-length:")[2].partition("\r\n")[0]
        answer = await reader.readexactly(int(length))
        taken = (time.perf_counter() - began) * 1000
        route = head.partition("portal_route=")[2].partition(";")[0]
        self._route = f"; portal_route={route}" if route else self._route
        return int(head[9:12]), json.loads(answer), taken

    def leave(self) -> None:
        if self._streams:
            self._streams[1].close()


def tokens_of(portal: BenchPortal, reports: Sequence[Report]) -> dict[str, str]:
    """Open a session for each officer of the reports; return username to token."""
    return {name: portal.token_of(name) for name in {report.username for report in reports}}
