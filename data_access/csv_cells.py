"""CSV that somebody handed in, read and understood in a process of its own.

`python -m data_access.csv_cells FILE` takes what to look for on its input and writes lines for
`COPY`: number of the file, row, group, code, faults, problems, then the fields of the group. The
last line on its error output says, as JSON, what was read. It holds no rights and no secrets.
"""

import codecs
import csv
import io
import json
import pickle
import re
import resource
import sys
import unicodedata
import zipfile
import zlib
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import IO

from data_access.csv_columns import NULL, Column, Memory, copied
from data_access.workbook_layout import header_of
from data_access.workbook_values import CellReader
from domain.csv_data import (
    LOST_CODE,
    MORE_UNREAD,
    NO_CODE,
    STAMP,
    WRONG_CELLS,
    WRONG_CODE,
    CsvFile,
    CsvKey,
    CsvRefusal,
)
from domain.forms import Field, Form
from domain.villages import normal_code

_LONGEST_CELL = 1 << 20
_FAULTS_LISTED = 10
_SCIENTIFIC = re.compile(r"[0-9.]+[eE]\+?[0-9]+")


@dataclass(frozen=True, slots=True)
class CsvLimits:
    """What a file may be before it is refused."""

    unpacked: int = 600_000_000
    """Bytes of all files of an archive together."""
    files: int = 20
    rows: int = 1_000_000
    memory: int = 400 << 20
    """Bytes of address space of the process that reads."""
    cpu_seconds: int = 60


@dataclass(frozen=True, slots=True)
class Wanted:
    """What to look for: the form, the code of each group, and the limits."""

    form: Form
    keys: tuple[CsvKey, ...]
    limits: CsvLimits = field(default_factory=CsvLimits)


class Refused(Exception):
    """The whole file is not taken."""

    def __init__(self, reason: CsvRefusal, name: str = "") -> None:
        super().__init__(reason)
        self.reason, self.name = reason, name


def main(path: str) -> int:
    """Write the rows, and at the end what was read or why nothing is taken; 0 for both."""
    wanted: Wanted = pickle.load(sys.stdin.buffer)  # from the portal itself
    _confine(wanted.limits)
    csv.field_size_limit(_LONGEST_CELL)
    try:
        files, stamps = _Reader(wanted, sys.stdout).read(Path(path))
        said: dict[str, object] = {"files": [asdict(each) for each in files], "stamps": stamps}
    except Refused as refused:
        said = {"refused": refused.reason.value, "name": refused.name}
    except MemoryError:
        said = {"refused": CsvRefusal.TOO_LARGE.value, "name": ""}
    except (csv.Error, zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError, OSError):
        said = {"refused": CsvRefusal.DAMAGED.value, "name": ""}
    sys.stdout.flush()
    sys.stderr.write("\n" + json.dumps(said, ensure_ascii=False))
    return 0


def _confine(limits: CsvLimits) -> None:
    resource.setrlimit(resource.RLIMIT_AS, (limits.memory, limits.memory))
    resource.setrlimit(resource.RLIMIT_CPU, (limits.cpu_seconds, limits.cpu_seconds + 1))
    resource.setrlimit(resource.RLIMIT_FSIZE, (0, 0))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    resource.setrlimit(resource.RLIMIT_NOFILE, (32, 32))


# FILES


def _opened(path: Path, limits: CsvLimits) -> Iterator[tuple[str, Callable[[], IO[bytes]]]]:
    """Return the name of each CSV file and what opens it, also where they lie in an archive."""
    with path.open("rb") as file:
        is_archive = file.read(4) == b"PK\x03\x04"
    if not is_archive:
        yield "", lambda: path.open("rb")
        return
    with zipfile.ZipFile(path) as archive:
        entries = [e for e in archive.infolist() if e.filename.lower().endswith(".csv")]
        if len(entries) > limits.files or sum(e.file_size for e in entries) > limits.unpacked:
            raise Refused(CsvRefusal.TOO_LARGE)
        for entry in entries:
            yield _name_of(entry), lambda entry=entry: archive.open(entry)  # type: ignore[misc]


def _name_of(entry: zipfile.ZipInfo) -> str:
    """Return the name of a file in an archive; Windows writes it in GBK and does not say so."""
    name = entry.filename
    if not entry.flag_bits & 0x800:
        with suppress(UnicodeError):
            name = name.encode("cp437").decode("gb18030")
    return name.rpartition("/")[2]


def encoding_of(open_file: Callable[[], IO[bytes]]) -> str | None:
    """Return how the file is written: by its mark, as UTF-8 where all of it is, else GBK."""
    for encoding in ("utf-8-sig", "gb18030"):
        with open_file() as file:
            start = file.read(2)
            if start in (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE):
                return "utf-16"
            decoder = codecs.getincrementaldecoder(encoding)()
            try:
                decoder.decode(start)
                while block := file.read(1 << 20):
                    if b"\0" in block:
                        return None
                    decoder.decode(block)
                decoder.decode(b"", final=True)
            except UnicodeError:
                continue
            return encoding
    return None


class _Reader:
    def __init__(self, wanted: Wanted, target: IO[str]) -> None:
        self._wanted, self._target = wanted, target
        self._cells = CellReader(wanted.form, uses_1904=False)
        self._stamps: dict[str, None] = {}
        self._left = wanted.limits.rows

    def read(self, path: Path) -> tuple[list[CsvFile], list[str]]:
        files: list[CsvFile] = []
        for number, (name, open_file) in enumerate(_opened(path, self._wanted.limits)):
            file = self._file(number, name, open_file)
            if any(file.group == other.group for other in files):
                raise Refused(CsvRefusal.TWICE, name)
            files.append(file)
        if not any(file.row_count for file in files):
            raise Refused(CsvRefusal.EMPTY)
        return files, list(self._stamps)

    def _file(self, number: int, name: str, open_file: Callable[[], IO[bytes]]) -> CsvFile:
        encoding = encoding_of(open_file)
        if encoding is None:
            raise Refused(CsvRefusal.NOT_TEXT, name)
        with open_file() as file:
            text = io.TextIOWrapper(file, encoding=encoding, newline="")
            rows = csv.reader(text, _dialect(open_file, encoding), strict=False)
            heads = next(rows, None)
            if heads is None:
                raise Refused(CsvRefusal.EMPTY, name)
            columns = _Columns(self._wanted, heads, name)
            count = self._rows(number, columns, rows)
        codes = tuple(item.code for item in columns.fields)
        return CsvFile(name, columns.key.group, encoding, codes, count, columns.unread)

    def _rows(self, number: int, columns: "_Columns", rows: Iterator[list[str]]) -> int:
        write, count = self._target.write, 0
        key, stamp, width = columns.key_at, columns.stamp_at, columns.width
        memory = Memory()
        read = [Column(self._cells, self._wanted.form, item, memory) for item in columns.fields]
        # Most cells were seen before: one look at what they mean, in the order of the form.
        known = [(column.known.get, at) for column, at in zip(read, columns.places, strict=True)]
        start, group = f"{number}\t", columns.key.group
        order, padding = columns.order, columns.padding
        for row_no, row in enumerate(rows, 2):
            if not any(row):
                continue
            count += 1
            if count > self._left:
                raise Refused(CsvRefusal.TOO_MANY_ROWS)
            faults: list[str] = []
            problems: list[str] = []
            if len(row) != width:
                row = _fitted(row, width, faults)
            code, fault = code_of(row[key], columns.key.digits)
            if fault:
                faults.append(fault)
            texts: list[str | None] = [get(row[at]) for get, at in known]
            if None in texts:
                _understand(read, row, columns.places, texts, faults, problems)
            texts.append(NULL)
            if stamp is not None and row[stamp] not in self._stamps and len(self._stamps) < 100:
                self._stamps[row[stamp].strip()] = None
            cells = "\t".join([texts[i] for i in order])  # type: ignore[misc]
            write(
                f"{start}{row_no}\t{group}\t{code}\t{_listed(faults)}\t{_listed(problems)}\t"
                f"{cells}{padding}\n"
            )
        self._left -= count
        return count


def _understand(
    read: Sequence[Column],
    row: Sequence[str],
    places: Sequence[int],
    texts: list[str | None],
    faults: list[str],
    problems: list[str],
) -> None:
    """Fill in what was not seen before; a row of many faults is not read to its end."""
    for i, text in enumerate(texts):
        if text is not None:
            continue
        if len(faults) >= _FAULTS_LISTED:
            faults.append(MORE_UNREAD.format(count=len(faults)))
            texts[i:] = [NULL] * (len(texts) - i)
            return
        texts[i] = read[i].read(row[places[i]], faults, problems)


def _fitted(row: list[str], width: int, faults: list[str]) -> list[str]:
    """Return the row as wide as the titles; what is missing or too much is a fault."""
    if len(row) < width or any(row[width:]):
        faults.append(WRONG_CELLS.format(expected=width, found=len(row)))
    return (row + [""] * width)[:width]


def _dialect(open_file: Callable[[], IO[bytes]], encoding: str) -> type[csv.Dialect]:
    """Return how values are set apart: by whatever stands most often in the titles."""
    with open_file() as file:
        head = io.TextIOWrapper(file, encoding=encoding, newline="").readline()

    class Dialect(csv.excel):
        delimiter = max(",\t;", key=head.count)

    return Dialect


class _Columns:
    """Which column holds which field; by code, by name, with or without what marks a title."""

    def __init__(self, wanted: Wanted, heads: Sequence[str], name: str) -> None:
        titles = [_folded(head) for head in heads]
        self.width = len(titles)
        while self.width and not titles[self.width - 1]:
            self.width -= 1
        found = self._found_key(wanted, titles)
        if found is None:
            raise Refused(CsvRefusal.NO_CODES, name)
        self.key, self.key_at = found
        self.stamp_at = titles.index(_folded(STAMP)) if _folded(STAMP) in titles else None
        free = free_fields(wanted.form, self.key.group)
        places: dict[int, Field] = {}
        for item in free:
            names = _names_of(item)
            at = [i for i, title in enumerate(titles) if title in names]
            if len(at) > 1:
                raise Refused(CsvRefusal.TWICE, item.label)
            if at:
                places[at[0]] = item
        if not places:
            raise Refused(CsvRefusal.NO_FIELDS, name)
        self.places, self.fields = tuple(places), tuple(places.values())
        known = {self.key_at, self.stamp_at, *places}
        self.unread = tuple(
            head.strip() for i, head in enumerate(heads) if head.strip() and i not in known
        )
        # Each field of the group has its place in what is written, whether the file has it or not.
        read = {item.code: i for i, item in enumerate(self.fields)}
        self.order = tuple(read.get(item.code, len(read)) for item in free)
        self.padding = f"\t{NULL}" * (widest(wanted.form) - len(free))

    def _found_key(self, wanted: Wanted, titles: Sequence[str]) -> tuple[CsvKey, int] | None:
        """The longest code decides: rows of natural villages also carry that of their village."""
        for key in sorted(wanted.keys, key=lambda each: -each.digits):
            item = wanted.form.find_field(key.group, key.field)
            names = _names_of(item) if item else set()
            for at, title in enumerate(titles):
                if title in names:
                    return key, at
        return None


def _is_taken(item: Field) -> bool:
    return not item.read_only and item.data_type != "evidence"


def _names_of(item: Field) -> set[str]:
    return {_folded(name) for name in (item.code, item.label, header_of(item))} | {
        _folded(f"{item.group}.{item.code}")
    }


def _folded(title: str) -> str:
    plain = unicodedata.normalize("NFKC", title).casefold()
    plain = re.sub(r"[\s\ufeff*△]+", "", plain)
    return re.sub(r"\([^()]*\)$", "", plain) or plain


def code_of(cell: str, digits: int) -> tuple[str, str]:
    """Return the code, and a sentence where it is none: full-width, spaced, marked as a text.

    >>> code_of(" ’３６０１２３100201", 12)
    ('360123100201', '')
    """
    text = normal_code(cell)
    if text.isascii() and text.isdigit() and len(text) == digits:
        return text, ""
    if not text:
        return "", NO_CODE
    if _SCIENTIFIC.fullmatch(text):
        return "", LOST_CODE.format(found=text[:30])
    return "", WRONG_CODE.format(found=text[:30], digits=digits, length=len(text))


def _listed(sentences: Sequence[str]) -> str:
    return copied("\n".join(sentences)) if sentences else NULL


def free_fields(form: Form, group: str) -> tuple[Field, ...]:
    """Return the fields of a group that a file may fill in, in the order of the form."""
    return tuple(item for item in form.fields_of(group) if _is_taken(item))


def widest(form: Form) -> int:
    """Return how many fields the widest group has: so many columns every line is written with."""
    return max(len(free_fields(form, group)) for group in form.groups)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
