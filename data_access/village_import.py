"""Check a list of villages or natural villages, row by row, and say what it would change.

Nothing is written here: `village_import_write` does that, in the same transaction.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import TypeVar

import numpy as np
from sqlalchemy import Connection

from data_access.queries import load_queries
from data_access.rows import fetch_all
from data_access.village_import_crs import CountyShapes, Located, settle, to_degrees
from data_access.village_import_files import ListedRow, Listing, read_listing, refusal
from data_access.villages import AT_ONCE, Progress, quietly
from domain.villages import (
    Change,
    Comparison,
    Position,
    Register,
    Village,
    compare,
    county_of,
)

_SQL = load_queries("villages_import")
Key = TypeVar("Key", str, tuple[str, str])
_LONGEST_NAME = 50
_NAMED_AT_MOST = 5
_SAID_AT_MOST = 100_000
"""Bad rows whose reasons are kept; behind them rows are only counted."""
_KNOWN = {
    Register.VILLAGES: "list_known_villages",
    Register.NATURAL_VILLAGES: "list_known_natural_villages",
}
_PARENT_LEVEL = {Register.VILLAGES: "township", Register.NATURAL_VILLAGES: "village"}
_PARENT_WORD = {Register.VILLAGES: "乡镇", Register.NATURAL_VILLAGES: "行政村"}


@dataclass(frozen=True, slots=True)
class Options:
    """How the file is to be read, and from which day what it says is true."""

    day: date
    epsg: int | None = None
    swap_axes: bool = False
    layer: str | None = None
    within: str | None = None
    """The prefix of a division all of whose villages the file holds."""
    retire_reason: str | None = None


@dataclass(frozen=True, slots=True)
class KnownVillage:
    """The last state in the database; degrees of EPSG:4490."""

    code: str
    name: str
    longitude: float | None
    latitude: float | None
    valid_from: date
    valid_to: date | None

    @property
    def village(self) -> Village:
        if self.longitude is None or self.latitude is None:
            return Village(self.code, self.name, None)
        return Village(self.code, self.name, (self.longitude, self.latitude))


@dataclass(frozen=True, slots=True)
class CountyRow:
    """A county and its polygon as WKB in EPSG:4490."""

    code: str
    name: str
    boundary: bytes


@dataclass(frozen=True, slots=True)
class BadRow:
    """A row that cannot be taken, with a sentence for each reason."""

    row_no: int
    code: str
    name: str
    reasons: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Ending:
    """A village that comes to its end, and why."""

    code: str
    name: str
    reason: str


@dataclass(frozen=True, slots=True)
class Preview:
    """What the file would do; `successions` are pairs of an earlier code and its successor."""

    register: Register
    day: date
    epsg: int | None
    row_count: int
    comparison: Comparison
    kinds: Mapping[str, str]
    bad: tuple[BadRow, ...]
    """The first bad rows, with their reasons."""
    bad_count: int
    """How many rows are bad, all of them."""
    endings: tuple[Ending, ...]
    kept: tuple[str, ...]
    """Villages that should end, and stay because natural villages still belong to them."""
    successions: tuple[tuple[str, str], ...]


def check(
    owner: Connection, path: Path, register: Register, options: Options, say: Progress = quietly
) -> Preview:
    """Read the file and compare it with the database; raise InvalidImport for the whole file."""
    listing = read_listing(path, register, options.layer)
    if register is Register.NATURAL_VILLAGES and not listing.has_positions:
        raise refusal(path, "文件没有坐标列：经度和纬度，或东坐标和北坐标。")
    return _Check(owner, path, register, options, listing).preview(say)


class _Check:
    """One file against one state of the database."""

    def __init__(
        self,
        owner: Connection,
        path: Path,
        register: Register,
        options: Options,
        listing: Listing,
    ) -> None:
        self.owner = owner
        self.path = path
        self.register = register
        self.options = options
        self.listing = listing
        known = fetch_all(owner, _SQL[_KNOWN[register]], KnownVillage)
        self.known = {village.code: village for village in known}
        level = _PARENT_LEVEL[register]
        parents = owner.execute(_SQL["list_parents"], {"day": options.day, "level": level})
        self.parents = set(parents.scalars())
        self.rows_of: dict[str, tuple[int, ...]] = {}
        self.rows_named: dict[tuple[str, str], tuple[int, ...]] = {}
        for row in listing.rows:
            _note(self.rows_of, row.code, row.row_no)
            _note(self.rows_named, (row.code[: register.parent_digits], row.name), row.row_no)

    def preview(self, say: Progress) -> Preview:
        faults = Faults()
        self._check_rows(faults, say)
        epsg, positions = self._positions(faults)
        good = [row for row in self.listing.rows if row.row_no not in faults]
        comparison = self._compare(good, positions)
        for change in comparison.changed:
            faults.add(self.rows_of[change.before.code][0], self._faults_of_day(change))
        good = [row for row in good if row.row_no not in faults]
        comparison = self._compare(good, positions)
        endings = [*self._ended_by_successors(good), *self._ended_as_missing(comparison, faults)]
        kept = self._inhabited(endings)
        return Preview(
            register=self.register,
            day=self.options.day,
            epsg=epsg,
            row_count=len(self.listing.rows),
            comparison=comparison,
            kinds={row.code: row.kind for row in good},
            bad=tuple(self._bad_rows(faults)),
            bad_count=len(faults),
            endings=tuple(ending for ending in endings if ending.code not in kept),
            kept=tuple(sorted(kept)),
            successions=tuple(
                sorted((former, row.code) for row in good for former in row.predecessors)
            ),
        )

    def _check_rows(self, faults: "Faults", say: Progress) -> None:
        total = len(self.listing.rows)
        for done, row in enumerate(self.listing.rows, start=1):
            faults.add(row.row_no, self._faults(row))
            if done % AT_ONCE == 0 or done == total:
                say(done, total)

    def _bad_rows(self, faults: "Faults") -> Iterator[BadRow]:
        for row in self.listing.rows:
            if reasons := faults.reasons(row.row_no):
                yield BadRow(row.row_no, row.code, row.name, tuple(reasons))

    def _faults(self, row: ListedRow) -> Iterator[str]:
        if row.fault:
            yield row.fault
        if not row.name:
            yield "缺少名称。"
        elif len(row.name) > _LONGEST_NAME or "\ufffd" in row.name or not row.name.isprintable():
            yield f"名称“{row.name[:_LONGEST_NAME]}”过长，或含有乱码。"
        wrong = self._wrong_code(row.code)
        if wrong:
            yield wrong
            return
        yield from self._faults_of_code(row)
        for former in row.predecessors:
            yield from self._faults_of_predecessor(row, former)

    def _wrong_code(self, code: str) -> str:
        if not code:
            return "缺少代码。"
        if code.isascii() and code.isdigit() and len(code) == self.register.digits:
            return ""
        if "e+" in code.lower():
            return f"代码“{code}”被改成了科学计数法，请把该列设为文本后重新填写。"
        return f"代码“{code}”须为 {self.register.digits} 位数字。"

    def _faults_of_code(self, row: ListedRow) -> Iterator[str]:
        if others := _others(self.rows_of[row.code], row):
            yield f"代码与第 {others} 行重复。"
        digits = self.register.parent_digits
        parent = row.code[:digits]
        if not others and (named := _others(self.rows_named[parent, row.name], row)):
            yield f"名称与同一{_PARENT_WORD[self.register]}的第 {named} 行重复。"
        if parent not in self.parents:
            word = _PARENT_WORD[self.register]
            yield f"代码的前 {digits} 位“{parent}”不是现行的{word}。"
        if row.parent_code and row.parent_code != parent:
            yield f"上级代码“{row.parent_code}”与代码的前 {digits} 位不符。"
        if self.options.within and not row.code.startswith(self.options.within):
            yield f"代码不在“{self.options.within}”的范围内。"
        known = self.known.get(row.code)
        if known and known.valid_to:
            yield f"代码已于 {known.valid_to} 停用，不再使用。"

    def _faults_of_predecessor(self, row: ListedRow, former: str) -> Iterator[str]:
        known = self.known.get(former)
        if known is None or former == row.code:
            yield f"原代码“{former}”不在库中，或就是本行的代码。"
        elif known.valid_to is None and not self._may_end(known):
            yield f"原代码“{former}”自 {known.valid_from} 起生效，不能在此前或同日终止。"

    def _may_end(self, known: KnownVillage) -> bool:
        return known.code in self.rows_of or known.valid_from < self.options.day

    def _faults_of_day(self, change: Change) -> Iterator[str]:
        since = self.known[change.before.code].valid_from
        if since > self.options.day:
            yield f"库中的名称或位置自 {since} 起生效，晚于本次的生效日期。"

    def _positions(self, faults: "Faults") -> tuple[int | None, dict[str, Position]]:
        """Return the coordinate system and the position of each row; add the faults found."""
        rows = []
        for row in self.listing.rows:
            if row.east is not None and row.north is not None:
                rows.append(row)
            elif self.register is Register.NATURAL_VILLAGES and not row.fault:
                faults.add(row.row_no, ["缺少位置（坐标）。"])
        if not rows:
            return None, {}
        counties = fetch_all(self.owner, _SQL["list_counties"], CountyRow, day=self.options.day)
        shapes = CountyShapes({county.code: county.boundary for county in counties})
        names = {county.code: county.name for county in counties}
        epsg, degrees, held = self._locate(rows, shapes)
        for row, (longitude, latitude), inside in zip(rows, degrees, held, strict=True):
            county = county_of(row.code)
            if county not in shapes:
                if not self._wrong_code(row.code):
                    faults.add(row.row_no, ["没有所属县（市、区）的界线，无法核对位置。"])
            elif not inside:
                place = f"{longitude:.6f}, {latitude:.6f}"
                faults.add(row.row_no, [f"位置（{place}）不在{names[county]}内。"])
        return epsg, {row.code: place for row, place in zip(rows, degrees, strict=True)}

    def _locate(
        self, rows: Sequence[ListedRow], shapes: CountyShapes
    ) -> tuple[int, list[Position], list[bool]]:
        east = np.array([row.east for row in rows], dtype=float)
        north = np.array([row.north for row in rows], dtype=float)
        places = Located([county_of(row.code) for row in rows], east, north)
        if self.options.swap_axes:
            places = places.swapped()
        epsg = settle(self.path, places.known_to(shapes), shapes, self._said_epsg())
        longitude, latitude = to_degrees(places.east, places.north, epsg)
        held = shapes.hold(places.counties, longitude, latitude)
        degrees = list(zip(longitude.tolist(), latitude.tolist(), strict=True))
        return epsg, degrees, held.tolist()

    def _said_epsg(self) -> int | None:
        return self.listing.epsg if self.options.epsg is None else self.options.epsg

    def _compare(self, good: Iterable[ListedRow], positions: Mapping[str, Position]) -> Comparison:
        taken = [Village(row.code, row.name, positions.get(row.code)) for row in good]
        left_out = self.rows_of.keys() - {village.code for village in taken}
        known = {
            code: village.village
            for code, village in self.known.items()
            if village.valid_to is None and code not in left_out
        }
        holds = {county_of(code) for code in self.rows_of if not self._wrong_code(code)}
        return compare(taken, known, [self.options.within] if self.options.within else holds)

    def _ended_by_successors(self, good: Iterable[ListedRow]) -> Iterator[Ending]:
        successors: dict[str, list[str]] = defaultdict(list)
        for row in good:
            for former in row.predecessors:
                if former not in self.rows_of and self.known[former].valid_to is None:
                    successors[former].append(row.code)
        for former, codes in sorted(successors.items()):
            yield Ending(former, self.known[former].name, f"由{'、'.join(sorted(codes))}承继")

    def _ended_as_missing(self, comparison: Comparison, faults: "Faults") -> Iterator[Ending]:
        reason = self.options.retire_reason
        if reason is None:
            return
        if not self.listing.rows:
            raise refusal(self.path, "文件中没有一个村，不能据此终止缺漏的村。")
        if len(faults):
            raise refusal(self.path, "尚有问题行，不能终止缺漏的村；请先改正。")
        followed = {former for row in self.listing.rows for former in row.predecessors}
        for village in comparison.missing:
            if village.code in followed:
                continue
            if not self._may_end(self.known[village.code]):
                raise refusal(self.path, f"“{village.code}”的生效日期不早于本次，不能终止。")
            yield Ending(village.code, village.name, reason)

    def _inhabited(self, endings: Iterable[Ending]) -> set[str]:
        if self.register is Register.NATURAL_VILLAGES:
            return set()
        codes = [ending.code for ending in endings]
        return set(self.owner.execute(_SQL["list_inhabited"], {"codes": codes}).scalars())


class Faults:
    """What is wrong with which rows: the first with their reasons, behind them only which."""

    def __init__(self, said_at_most: int = _SAID_AT_MOST) -> None:
        self._said_at_most = said_at_most
        self._reasons: dict[int, list[str]] = {}
        self._others: set[int] = set()

    def add(self, row_no: int, reasons: Iterable[str]) -> None:
        """Note what is wrong with a row, if anything is."""
        for reason in reasons:
            if row_no in self._reasons:
                self._reasons[row_no].append(reason)
            elif row_no in self._others or len(self._reasons) >= self._said_at_most:
                self._others.add(row_no)
                return
            else:
                self._reasons[row_no] = [reason]

    def reasons(self, row_no: int) -> Sequence[str]:
        """Return what is known to be wrong with a row."""
        return self._reasons.get(row_no, ())

    def __contains__(self, row_no: int) -> bool:
        return row_no in self._reasons or row_no in self._others

    def __len__(self) -> int:
        return len(self._reasons) + len(self._others)


def _note(rows: dict[Key, tuple[int, ...]], key: Key, row_no: int) -> None:
    """Note the first rows that say the same: a file may hold one row a million times."""
    before: tuple[int, ...] = rows.get(key, ())
    if len(before) <= _NAMED_AT_MOST:
        rows[key] = (*before, row_no)


def _others(numbers: Sequence[int], row: ListedRow) -> str:
    first = [str(number) for number in numbers if number != row.row_no]
    return "、".join(first[:_NAMED_AT_MOST])
