"""Ten times the villages: what an officer does in his county, and what the province reads.

A copy of the portal's database is grown by nine more of everything below its cities: 148,070
villages in 970 counties. The same calls are then timed in both, one here and one there; a figure
is the median of what one took beside the other.
"""

import time
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from dataclasses import replace
from functools import partial
from statistics import median
from unittest.mock import patch

import psycopg
from sqlalchemy import make_url

from tests.benchmarks.figures import Figure
from tests.benchmarks.portal import BenchPortal
from tests.benchmarks.village_work import Report, reports_in_hand
from tests.benchmarks.villages import leader_milliseconds

_DATABASE = "bench_growth"
_COPIES = 9
_OFFSET = 100_000_000  # between the numbers of two copies
_TIMES = 60
_WARM = 12  # calls before: from the sixth on prepared, from the eleventh on planned for good
_LEADERS_TURNS = 7
# Eight copies take other numbers of cities; the ninth takes free numbers of counties.
_GROW = """
CREATE FUNCTION grown(code text, copy integer) RETURNS text LANGUAGE sql IMMUTABLE AS $$
    SELECT CASE WHEN copy < 9 THEN left(code, 2)
                     || lpad(CAST(CAST(substr(code, 3, 2) AS integer) + 11 * copy AS text), 2, '0')
                     || substr(code, 5)
                ELSE left(code, 4) || CAST(CAST(substr(code, 5, 2) AS integer)
                     + CASE WHEN substr(code, 5, 2) < '60' THEN 40 ELSE -5 END AS text)
                     || substr(code, 7) END
$$
"""
_CODES = ("code", "division_code", "natural_code", "prefix", "parent_code")
_CODE_OF_SUM = ("code", "village_rollup")
_NUMBERS = ("submission_id", "review_event_id", "village_rollup_id")
_TABLES = {
    "admin_division": "level NOT IN ('province')",
    "admin_division_version": "code !~ '0000$'",
    "division_location": "true",
    "natural_village": "true",
    "submission": "form_code = 'village_evaluation'",
    "submission_version": "length(division_code) = 12",
    "submission_draft": "length(division_code) = 12",
    "submission_check": "length(division_code) = 12",
    "submission_receipt": "length(division_code) = 12",
    "review_event": "length(division_code) = 12",
    "accepted_village_evaluation": "true",
    "accepted_natural_village_evaluation": "true",
    "village_rollup": "level IN ('county', 'township')",
    "village_sign": "submission_id IS NOT NULL",
}
_BELOW_CITIES = "length({code}) > 6 OR {code} !~ '00$'"


def growth_figures(portal: BenchPortal) -> list[Figure]:
    """Grow a copy of the database, and compare what the same calls take in both."""
    began = time.perf_counter()
    grown = _grow(portal)
    seconds = time.perf_counter() - began
    both = _compare(portal, grown)
    figures = [Figure("ten times the villages made", seconds, "s")]
    for name, most in (("county", 1.2), ("province", 2.0)):
        for words, pairs in both[name].items():
            times = median(after / before for before, after in pairs)
            before, after = (median(column) for column in zip(*pairs, strict=True))
            beside = f"{before:.1f} ms, grown {after:.1f} ms"
            figures.append(Figure(f"{name}: {words}", times, "×", most, beside=beside))
    return figures


def _grow(portal: BenchPortal) -> BenchPortal:
    owner_url, portal_url = (_beside(url) for url in (portal.owner_url, portal.portal_url))
    _copy(portal.owner_url)
    with psycopg.connect(owner_url, autocommit=True) as owner:
        owner.execute("SET session_replication_role = replica")
        owner.execute("SET app.bulk_load = 'on'")
        owner.execute("SET synchronous_commit = off")
        owner.execute(_GROW)
        indexes = [each for table in _TABLES for each in _without_indexes(owner, table)]
        for table, chosen in _TABLES.items():
            owner.execute(f"ALTER TABLE {table} DISABLE TRIGGER ALL")
            owner.execute(_statement(owner, table, chosen), {"copies": _COPIES, "offset": _OFFSET})
            owner.execute(f"ALTER TABLE {table} ENABLE TRIGGER ALL")
        for definition in indexes:
            owner.execute(definition)
        for table in ("submission_submission_id_seq", "review_event_review_event_id_seq"):
            owner.execute("SELECT setval(%s, %s)", [table, _OFFSET * (_COPIES + 1)])
        owner.execute(
            "SELECT setval('village_rollup_village_rollup_id_seq', %s)", [_OFFSET * (_COPIES + 1)]
        )
        # Sums of cities and the province, as the clock makes them of the counties'.
        owner.execute("SELECT fold_village_rollup()")
        owner.execute("DELETE FROM village_asked")
        owner.execute("INSERT INTO village_asked SELECT * FROM village_asked_recount")
        owner.execute("VACUUM ANALYZE")
    return replace(portal, owner_url=owner_url, portal_url=portal_url)


def _beside(url: str) -> str:
    return make_url(url).set(database=_DATABASE).render_as_string(hide_password=False)


def _copy(owner_url: str) -> None:
    """Copy the database as it is; whoever is connected is sent away for the seconds it takes."""
    name = make_url(owner_url).database
    admin_url = make_url(owner_url).set(database="postgres").render_as_string(hide_password=False)
    with psycopg.connect(admin_url, autocommit=True) as admin:
        admin.execute(f"DROP DATABASE IF EXISTS {_DATABASE} WITH (FORCE)")
        admin.execute(f"ALTER DATABASE {name} ALLOW_CONNECTIONS false")
        try:
            admin.execute(
                "SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity WHERE datname = %s",
                [name],
            )
            admin.execute(f"CREATE DATABASE {_DATABASE} TEMPLATE {name} STRATEGY file_copy")
        finally:
            admin.execute(f"ALTER DATABASE {name} ALLOW_CONNECTIONS true")


def _without_indexes(owner: psycopg.Connection, table: str) -> list[str]:
    """Drop the indexes that no constraint needs; return how they are made again, in one go."""
    found = owner.execute(
        "SELECT CAST(CAST(indexrelid AS regclass) AS text), pg_get_indexdef(indexrelid)"
        "  FROM pg_index WHERE indrelid = CAST(%s AS regclass)"
        "   AND NOT EXISTS (SELECT FROM pg_constraint WHERE conindid = indexrelid)",
        [table],
    ).fetchall()
    for name, _ in found:
        owner.execute(f"DROP INDEX {name}")
    return [definition for _, definition in found]


def _statement(owner: psycopg.Connection, table: str, chosen: str) -> str:
    """Return the INSERT of more copies of a table's rows, codes and numbers moved."""
    columns = [
        name
        for (name,) in owner.execute(
            "SELECT column_name FROM information_schema.columns"
            " WHERE table_name = %s AND is_generated = 'NEVER' ORDER BY ordinal_position",
            [table],
        )
    ]
    # The code of a sum is of a list, not of a division.
    codes = [name for name in _CODES if name in columns and (name, table) != _CODE_OF_SUM]
    key = codes[0]
    values = ", ".join(_moved(name, codes) for name in columns)
    below = _BELOW_CITIES.format(code=key)
    return (
        f"INSERT INTO {table} ({', '.join(columns)}) OVERRIDING SYSTEM VALUE"
        f" SELECT {values} FROM {table}, generate_series(1, %(copies)s) AS copy"
        f" WHERE ({chosen}) AND ({below} OR copy < 9) AND {_is_original(key, columns)}"
    )


def _is_original(key: str, columns: list[str]) -> str:
    """Return the condition that tells the portal's rows from those of earlier copies."""
    number = next((name for name in _NUMBERS if name in columns), None)
    if number:
        return f"{number} < %(offset)s"
    return (
        f"substr({key}, 3, 2) <= '11'"
        f" AND substr({key}, 5, 2) NOT BETWEEN '41' AND '79'"
    )  # fmt: skip


def _moved(name: str, codes: list[str]) -> str:
    if name == "parent_code":
        return (
            "CASE WHEN parent_code ~ '0000$' THEN parent_code"
            " WHEN parent_code ~ '^....00$' AND copy = 9 THEN parent_code"
            " ELSE grown(parent_code, copy) END"
        )
    if name == "prefix":
        return "CASE WHEN length(prefix) > 4 OR copy < 9 THEN grown(prefix, copy) END"
    if name in codes:
        return f"grown({name}, copy)"
    if name in _NUMBERS:
        return f"{name} + copy * %(offset)s"
    if name == "passed_on":
        return "level <> 'county'"
    if name == "receipt_no":
        return "receipt_no || '-' || copy"
    return name


# THE SAME IN BOTH

Act = Callable[[Report], object]
Pairs = list[tuple[float, float]]


def _compare(portal: BenchPortal, grown: BenchPortal) -> dict[str, dict[str, Pairs]]:
    """Time each call in the one and at once in the other: what else the machine does meets both."""
    places = portal, grown
    counties = [_County(place) for place in places]
    county = {words: _pairs(words, counties, _WARM, _TIMES) for words in _County.READS}
    # Of a report that is filed nothing can be filed again.
    county["village filed"] = _pairs("village filed", counties, _WARM, None)
    for each in counties:
        each.leave()
    leader = [
        _in_turns(turn, [lambda: leader_milliseconds(portal, "360000")[0],
                         lambda: leader_milliseconds(grown, "360000")[0]])
        for turn in range(_LEADERS_TURNS)
    ]  # fmt: skip
    return {"county": county, "province": {"leader's page": leader}}


def _pairs(words: str, counties: Sequence["_County"], warm: int, times: int | None) -> Pairs:
    """Return the milliseconds of one call after another in both; the warm ones are left out."""
    reports = min(len(each.reports) for each in counties)
    pairs = [
        _in_turns(turn, [partial(each.milliseconds, words, turn % reports) for each in counties])
        for turn in range(reports if times is None else warm + times)
    ]
    return pairs[warm:]


def _in_turns(turn: int, measures: Sequence[Callable[[], float]]) -> tuple[float, float]:
    """Measure both, the one first in every other turn."""
    if turn % 2:
        after = measures[1]()
        return measures[0](), after
    return measures[0](), measures[1]()


class _County:
    """An officer's work in one county of one of the databases, on a connection that stays."""

    READS = ("draft saved", "worklist", "review queue")

    def __init__(self, portal: BenchPortal) -> None:
        from data_access import database
        from tests.benchmarks.database import actor_of

        self.reports = _reports_of_one_county(portal)
        self._engine = database.build_engine(portal.portal_url)
        self._acts: dict[str, Act] = {
            "draft saved": self._save,
            "worklist": self._worklist,
            "review queue": self._queue,
            "village filed": self._submit,
        }
        with self._here():
            self._actor = actor_of(portal, self.reports[0].username)

    def leave(self) -> None:
        self._engine.dispose()

    def milliseconds(self, words: str, number: int) -> float:
        """Return what one call takes with one of the reports."""
        report = self.reports[number]
        with self._here():
            began = time.perf_counter()
            self._acts[words](report)
            return (time.perf_counter() - began) * 1000

    def _here(self) -> AbstractContextManager[object]:
        from data_access import database

        return patch.object(database, "engine", lambda: self._engine)

    def _save(self, report: Report) -> None:
        from data_access import filing
        from data_access.database import transaction

        report.content["form"]["remark"] = str(time.time_ns())
        with transaction(self._actor, action="draft.save") as connection:
            saved = filing.save_checked(
                connection, self._actor, report.submission_id, report.content, report.draft_version
            )
        report.draft_version = saved.saved.draft_version

    def _submit(self, report: Report) -> None:
        from data_access import decisions
        from data_access.database import transaction

        with transaction(self._actor, action="submission.submit") as connection:
            decisions.submit(
                connection, self._actor, report.submission_id, report.lock_version,
                seen=report.draft_version,
            )  # fmt: skip

    def _worklist(self, report: Report) -> None:
        from data_access import village_worklist
        from data_access.database import transaction

        with transaction(self._actor, read_only=True) as connection:
            held = village_worklist.read_held(connection, self._actor)
        held.townships(), held.worklist()

    def _queue(self, report: Report) -> None:
        from data_access import review_queue
        from data_access.database import transaction
        from domain.review_filter import QueueFilter

        with transaction(self._actor, read_only=True) as connection:
            review_queue.list_page(connection, self._actor, QueueFilter())


def _reports_of_one_county(portal: BenchPortal) -> list[Report]:
    reports = reports_in_hand(portal)
    counties: dict[str, list[Report]] = {}
    for report in reports:
        counties.setdefault(report.username, []).append(report)
    # Of the first province, which stands in both databases.
    own = [each for each in counties.values() if each[0].code[2:4] <= "11"]
    return max(own, key=lambda each: (len(each), each[0].code))
