"""Files people hand in: what they are by content, whether they open, what they may be called.

Nothing here trusts a name or a header: the type is decided by the bytes, the extension only says
what the sender believes. Pictures are decoded in data_access, which has the library for it.
"""

import re
import unicodedata
import zipfile
import zlib
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import BinaryIO

from domain.errors import UploadRefused


class FileFault(StrEnum):
    """Why a file is not taken."""

    NO_NAME = "no_name"
    TYPE_NOT_TAKEN = "type_not_taken"
    OLD_OFFICE = "old_office"
    TOO_LARGE = "too_large"
    EMPTY = "empty"
    CONTENT_DIFFERS = "content_differs"
    DAMAGED = "damaged"
    MACROS = "macros"
    LOCKED = "locked"
    ENCRYPTED = "encrypted"
    TOO_MANY_ENTRIES = "too_many_entries"
    UNPACKS_TOO_LARGE = "unpacks_too_large"
    UNSAFE_NAMES = "unsafe_names"
    PICTURE_TOO_LARGE = "picture_too_large"
    NO_SPACE = "no_space"
    BUSY = "busy"
    WRONG_OFFSET = "wrong_offset"


class MediaType(StrEnum):
    PDF = "application/pdf"
    JPEG = "image/jpeg"
    PNG = "image/png"
    ZIP = "application/zip"
    CSV = "text/csv"
    DOCX = "application/vnd.openxmlformats-officedocument.wordprocessingml.document"
    XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"


EXTENSIONS: dict[str, MediaType] = {
    ".pdf": MediaType.PDF,
    ".jpg": MediaType.JPEG,
    ".jpeg": MediaType.JPEG,
    ".png": MediaType.PNG,
    ".zip": MediaType.ZIP,
    ".csv": MediaType.CSV,
    ".docx": MediaType.DOCX,
    ".xlsx": MediaType.XLSX,
}
PICTURES = frozenset({MediaType.JPEG, MediaType.PNG})
SHOWN_INLINE = PICTURES | {MediaType.PDF}
_OLD_OFFICE = frozenset({".doc", ".xls", ".ppt", ".wps", ".et", ".docm", ".xlsm"})
_LONGEST_NAME = 180
_OLE = b"\xd0\xcf\x11\xe0"  # a password turns an office file into the container of the old formats


@dataclass(frozen=True, slots=True)
class ArchiveLimits:
    """What an archive may hold before it is taken for a bomb."""

    unpacked: int
    """Bytes of all entries together."""
    entries: int = 20_000
    ratio: int = 200
    """Unpacked over packed size; judged above `ratio_from` bytes, where it begins to hurt."""
    ratio_from: int = 50_000_000
    read_through: int = 500_000_000
    """Archives up to this many unpacked bytes are read to the end, to find damage."""


def clean_name(name: str) -> str:
    """Return the name without folders and without what cannot be seen; raise UploadRefused."""
    last = re.split(r"[/\\]", unicodedata.normalize("NFC", name))[-1]
    visible = "".join(c for c in last if unicodedata.category(c)[0] != "C").strip(" .")
    if not visible:
        raise UploadRefused(reason=FileFault.NO_NAME)
    stem, suffix = Path(visible).stem, Path(visible).suffix
    return stem[: _LONGEST_NAME - len(suffix)] + suffix


def expected_type(name: str, taken: Sequence[str]) -> MediaType:
    """Return the type a name promises; raise UploadRefused where it is not among `taken`."""
    suffix = Path(name).suffix.lower()
    media_type = EXTENSIONS.get(suffix)
    if media_type is None or media_type not in taken:
        fault = FileFault.OLD_OFFICE if suffix in _OLD_OFFICE else FileFault.TYPE_NOT_TAKEN
        raise UploadRefused(reason=fault)
    return media_type


def extensions_of(media_types: Sequence[str]) -> tuple[str, ...]:
    """Return the extensions of these types, for a file chooser."""
    return tuple(suffix for suffix, media_type in EXTENSIONS.items() if media_type in media_types)


def check_content(file: BinaryIO, expected: MediaType, limits: ArchiveLimits) -> None:
    """Refuse a file that is not what its name promises, or does not open."""
    start = file.read(1024)
    if start.startswith(_OLE) and expected in _MAIN_PART:
        raise UploadRefused(reason=FileFault.ENCRYPTED)
    if not _begins_like(start, expected):
        raise UploadRefused(reason=FileFault.CONTENT_DIFFERS)
    if expected is MediaType.PDF:
        _check_pdf(file)
    elif expected not in PICTURES and expected is not MediaType.CSV:
        _check_archive(file, expected, limits)


def _begins_like(start: bytes, expected: MediaType) -> bool:
    match expected:
        case MediaType.PDF:
            return b"%PDF-" in start
        case MediaType.JPEG:
            return start.startswith(b"\xff\xd8\xff")
        case MediaType.PNG:
            return start.startswith(b"\x89PNG\r\n\x1a\n")
        case MediaType.CSV:  # what it says is asked when it is read
            return not start.startswith((b"PK\x03\x04", _OLE, b"%PDF-", b"\x89PNG"))
        case _:
            return start.startswith((b"PK\x03\x04", b"PK\x05\x06"))


def _check_pdf(file: BinaryIO) -> None:
    """A PDF is read from its end: without the way to its table of objects nothing opens it."""
    size = file.seek(0, 2)
    file.seek(max(0, size - 4096))
    end = file.read()
    found = re.findall(rb"startxref\s+(\d+)\s+%%EOF", end)
    if not found or int(found[-1]) >= size:
        raise UploadRefused(reason=FileFault.DAMAGED)


def _check_archive(file: BinaryIO, expected: MediaType, limits: ArchiveLimits) -> None:
    try:
        with zipfile.ZipFile(file) as archive:
            entries = archive.infolist()
            _refuse_bomb(entries, limits)
            if expected is not MediaType.ZIP:
                _check_office(archive, expected)
            if sum(entry.file_size for entry in entries) <= limits.read_through:
                _read_through(archive, entries)
    except (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError, OSError, ValueError):
        raise UploadRefused(reason=FileFault.DAMAGED) from None


def _refuse_bomb(entries: list[zipfile.ZipInfo], limits: ArchiveLimits) -> None:
    unpacked = sum(entry.file_size for entry in entries)
    packed = sum(entry.compress_size for entry in entries)
    if not any(entry.file_size for entry in entries):
        raise UploadRefused(reason=FileFault.EMPTY)
    if len(entries) > limits.entries:
        raise UploadRefused(reason=FileFault.TOO_MANY_ENTRIES)
    if unpacked > limits.unpacked or (
        unpacked > limits.ratio_from and unpacked > packed * limits.ratio
    ):
        raise UploadRefused(reason=FileFault.UNPACKS_TOO_LARGE)
    if any(entry.flag_bits & 1 for entry in entries):
        raise UploadRefused(reason=FileFault.LOCKED)
    if any(_leads_outside(entry.filename) for entry in entries):
        raise UploadRefused(reason=FileFault.UNSAFE_NAMES)


def _leads_outside(name: str) -> bool:
    parts = re.split(r"[/\\]", name)
    return ".." in parts or name.startswith(("/", "\\")) or bool(re.match(r"[A-Za-z]:", name))


_MAIN_PART = {MediaType.DOCX: "word/document.xml", MediaType.XLSX: "xl/workbook.xml"}
_LARGEST_INDEX = 5_000_000  # bytes of [Content_Types].xml


def _check_office(archive: zipfile.ZipFile, expected: MediaType) -> None:
    names = set(archive.namelist())
    if not {"[Content_Types].xml", _MAIN_PART[expected]} <= names:
        raise UploadRefused(reason=FileFault.CONTENT_DIFFERS)
    with archive.open("[Content_Types].xml") as part:
        index = part.read(_LARGEST_INDEX)
    lowered = [name.lower() for name in names]
    if b"macroEnabled" in index or any(
        name.endswith("vbaproject.bin") or "/activex/" in name for name in lowered
    ):
        raise UploadRefused(reason=FileFault.MACROS)


def _read_through(archive: zipfile.ZipFile, entries: list[zipfile.ZipInfo]) -> None:
    """Read every entry to its end: the checksum is compared there."""
    for entry in entries:
        with archive.open(entry) as part:
            while part.read(1 << 20):
                pass
