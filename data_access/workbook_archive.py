"""What a workbook is made of, looked at before anything opens it: hostile until shown otherwise.

A workbook is a ZIP archive of XML parts. Every part is read once, as a stream, by a parser that
knows no entities; what the values alone do not tell (hidden rows, merged cells, formulas without a
result, errors) is noted on the way. It runs in a process of its own (`workbook_cells`).
"""

import re
import zipfile
import zlib
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import BinaryIO
from xml.parsers import expat

from data_access.workbook_parts import XML, Part, SheetStructure
from domain.errors import WorkbookRefused
from domain.workbook import Refusal

_OLE = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
_ENCRYPTED_PART = "EncryptedPackage".encode("utf-16-le")
_MAIN_PART = "xl/workbook.xml"
_MACRO_PARTS = ("vbaproject", "/activex/", "xl/macrosheets/", "xl/dialogsheets/")
_LINK_PARTS = ("xl/externallinks/", "xl/connections.xml", "xl/querytables/", "xl/model/")
_OBJECT_PARTS = ("/embeddings/", "/ctrlprops/", "/webextensions/")
_MACRO_CONTENT = re.compile("macroenabled|vbaproject|macrosheet", re.IGNORECASE)
_ARCHIVES = (".zip", ".xlsx", ".xlsm", ".docx", ".7z", ".rar", ".gz")
_STYLES_PART = "xl/styles.xml"
_CHUNK = 1 << 16


@dataclass(frozen=True, slots=True)
class Limits:
    """What a workbook may be before it is refused."""

    size: int = 50_000_000
    """Bytes of the file."""
    unpacked: int = 150_000_000
    """Bytes of all its parts together."""
    ratio: int = 200
    ratio_from: int = 30_000_000
    """The ratio of unpacked to packed is judged above this many bytes."""
    parts: int = 1_000
    cells: int = 600_000
    """Rows times columns from the first cell to the last one with content, all sheets together."""
    notes: int = 500_000
    """Formulas, errors, merged areas and hidden rows of one sheet, together."""
    output: int = 30_000_000
    """Letters of all cells together, as the portal receives them."""
    memory: int = 180 << 20
    """Bytes of address space of the process that reads."""
    cpu_seconds: int = 4
    patience: float = 30
    """Seconds by the clock. A bomb is ended by its own work, a good file not by a busy machine."""


@dataclass(slots=True)
class Structure:
    sheets: dict[str, SheetStructure]
    uses_1904: bool
    """Whether days are counted from 1904 instead of 1900."""


def inspect(path: Path, limits: Limits) -> Structure:
    """Return what the workbook is made of; raise WorkbookRefused for everything unsafe."""
    refuse_by_size(path, limits)
    with path.open("rb") as file:
        _refuse_by_signature(file)
        try:
            with zipfile.ZipFile(file) as archive:
                return _Archive(archive, limits).structure()
        except (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError, OSError) as error:
            raise WorkbookRefused(reason=Refusal.DAMAGED) from error
        except (ValueError, KeyError, RuntimeError) as error:
            raise WorkbookRefused(reason=Refusal.DAMAGED) from error


def refuse_by_size(path: Path, limits: Limits) -> None:
    """Refuse what is too large or empty, by its size alone."""
    size = path.stat().st_size
    if size == 0:
        raise WorkbookRefused(reason=Refusal.EMPTY)
    if size > limits.size:
        raise WorkbookRefused(reason=Refusal.TOO_LARGE)


def _refuse_by_signature(file: BinaryIO) -> None:
    start = file.read(8)
    if start == _OLE:
        is_locked = _ENCRYPTED_PART in file.read()
        raise WorkbookRefused(reason=Refusal.ENCRYPTED if is_locked else Refusal.OLD_EXCEL)
    if not start.startswith(b"PK"):
        raise WorkbookRefused(reason=Refusal.NOT_A_WORKBOOK)
    file.seek(0)


class _Archive:
    def __init__(self, archive: zipfile.ZipFile, limits: Limits) -> None:
        self._archive, self._limits = archive, limits
        self._entries = archive.infolist()
        self._parts: dict[str, Part] = {}

    def structure(self) -> Structure:
        self._refuse_bomb()
        self._refuse_foreign()
        # The styles come first: the cells only name them.
        for entry in sorted(self._entries, key=lambda one: one.filename.lower() != _STYLES_PART):
            if entry.filename.lower().endswith(XML):
                self._parts[entry.filename] = self._read(entry)
        self._refuse_content()
        return self._structure()

    def _refuse_bomb(self) -> None:
        names = [entry.filename.lower() for entry in self._entries]
        unpacked = sum(entry.file_size for entry in self._entries)
        packed = sum(entry.compress_size for entry in self._entries)
        thin = unpacked > self._limits.ratio_from and unpacked > packed * self._limits.ratio
        if (
            unpacked > self._limits.unpacked
            or thin
            or len(names) > self._limits.parts
            or len(set(names)) < len(names)
            or any(_leads_outside(name) for name in names)
        ):
            raise WorkbookRefused(reason=Refusal.UNPACKS_TOO_LARGE)
        if any(entry.flag_bits & 1 for entry in self._entries):
            raise WorkbookRefused(reason=Refusal.ENCRYPTED)

    def _refuse_foreign(self) -> None:
        names = {entry.filename.lower() for entry in self._entries}
        if {"xl/workbook.bin", "content.xml"} & names:
            raise WorkbookRefused(reason=Refusal.OLD_EXCEL)
        if not {"[content_types].xml", _MAIN_PART} <= names:
            raise WorkbookRefused(reason=Refusal.NOT_A_WORKBOOK)
        for parts, reason in (
            (_MACRO_PARTS, Refusal.MACROS),
            (_LINK_PARTS, Refusal.EXTERNAL_LINKS),
            (_OBJECT_PARTS, Refusal.EMBEDDED_OBJECTS),
        ):
            if any(part in name for part in parts for name in names):
                raise WorkbookRefused(reason=reason)
        if any(name.endswith(_ARCHIVES) for name in names):
            raise WorkbookRefused(reason=Refusal.EMBEDDED_OBJECTS)

    def _read(self, entry: zipfile.ZipInfo) -> Part:
        styles = next(
            (part for name, part in self._parts.items() if name.lower() == _STYLES_PART), None
        )
        part = Part(self._limits.notes, frozenset(styles.percent_styles) if styles else frozenset())
        try:
            with self._archive.open(entry) as file:
                while chunk := file.read(_CHUNK):
                    part.feed(chunk)
                part.feed(b"", is_last=True)
        except expat.ExpatError as error:
            raise WorkbookRefused(reason=Refusal.DAMAGED) from error
        return part

    def _refuse_content(self) -> None:
        content = [text for part in self._parts.values() for text in part.content_types]
        if any(_MACRO_CONTENT.search(text) for text in content):
            raise WorkbookRefused(reason=Refusal.MACROS)
        if sum((p.sheet.last_row + 1) * (p.sheet.last_column + 1) for p in self._parts.values()) > (
            self._limits.cells
        ):
            raise WorkbookRefused(reason=Refusal.TOO_MANY_CELLS)

    def _structure(self) -> Structure:
        lowered = {name.lower(): part for name, part in self._parts.items()}
        main, links = lowered[_MAIN_PART], lowered["xl/_rels/workbook.xml.rels"].targets
        sheets = {}
        for name, link in main.sheets:
            target = _resolved(links[link])
            sheets[name] = lowered[target].sheet
        return Structure(sheets, main.uses_1904)


def _leads_outside(name: str) -> bool:
    return ".." in re.split(r"[/\\]", name) or name.startswith(("/", "\\")) or ":" in name


def _resolved(target: str) -> str:
    if target.startswith("/"):
        return target[1:].lower()
    return str(PurePosixPath("xl") / target).lower()
