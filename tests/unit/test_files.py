"""Files are what their bytes say, and they open, or they are not taken."""

import io
import zipfile

import pytest

from domain.errors import UploadRefused
from domain.files import (
    ArchiveLimits,
    FileFault,
    MediaType,
    check_content,
    clean_name,
    expected_type,
    extensions_of,
)
from tests.files import docx, pdf, zipped

LIMITS = ArchiveLimits(unpacked=100_000_000)
TAKEN = list(MediaType)


def fault_of(content: bytes, expected: MediaType, limits: ArchiveLimits = LIMITS) -> FileFault:
    with pytest.raises(UploadRefused) as refusal:
        check_content(io.BytesIO(content), expected, limits)
    reason = refusal.value.details["reason"]
    assert isinstance(reason, FileFault)
    return reason


@pytest.mark.parametrize(
    ("typed", "kept"),
    [
        ("批复.pdf", "批复.pdf"),
        ("C:\\文件\\批复.pdf", "批复.pdf"),
        ("../../etc/批复.pdf", "批复.pdf"),
        ("批\u202efdp.exe.pdf", "批fdp.exe.pdf"),
        ("a\r\nSet-Cookie: x.pdf", "aSet-Cookie: x.pdf"),
        ("长" * 300 + ".pdf", "长" * 176 + ".pdf"),
    ],
)
def test_name_keeps_what_a_person_reads(typed, kept):
    assert clean_name(typed) == kept


@pytest.mark.parametrize("typed", ["", " ", "..", "a/", "\u200b"])
def test_name_of_nothing_is_refused(typed):
    with pytest.raises(UploadRefused):
        clean_name(typed)


def test_type_comes_from_the_extension_in_either_case():
    assert expected_type("公示.JPG", TAKEN) is MediaType.JPEG


@pytest.mark.parametrize(
    ("name", "fault"),
    [
        ("a.exe", FileFault.TYPE_NOT_TAKEN),
        ("a", FileFault.TYPE_NOT_TAKEN),
        ("旧.doc", FileFault.OLD_OFFICE),
        ("宏.xlsm", FileFault.OLD_OFFICE),
    ],
)
def test_type_that_is_not_taken_says_which_is(name, fault):
    with pytest.raises(UploadRefused) as refusal:
        expected_type(name, TAKEN)
    assert refusal.value.details["reason"] is fault


def test_type_taken_elsewhere_is_not_taken_here():
    with pytest.raises(UploadRefused):
        expected_type("a.zip", [MediaType.PDF])


def test_chooser_lists_every_spelling():
    assert extensions_of([MediaType.JPEG, MediaType.PDF]) == (".pdf", ".jpg", ".jpeg")


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        (pdf(), MediaType.PDF),
        (zipped({"图/一.txt": b"x"}), MediaType.ZIP),
        (docx(), MediaType.DOCX),
        (docx(main="xl/workbook.xml"), MediaType.XLSX),
    ],
)
def test_whole_file_is_taken(content, expected):
    check_content(io.BytesIO(content), expected, LIMITS)


def test_content_of_another_type_is_refused():
    assert fault_of(b"MZ\x90\x00" * 99, MediaType.PDF) is FileFault.CONTENT_DIFFERS
    assert fault_of(pdf(), MediaType.ZIP) is FileFault.CONTENT_DIFFERS
    assert fault_of(docx(), MediaType.XLSX) is FileFault.CONTENT_DIFFERS


def test_office_file_with_a_password_is_said_to_have_one():
    content = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(2000)
    assert fault_of(content, MediaType.XLSX) is FileFault.ENCRYPTED
    assert fault_of(content, MediaType.PDF) is FileFault.CONTENT_DIFFERS


def test_cut_off_files_are_damaged():
    assert fault_of(pdf()[:-40], MediaType.PDF) is FileFault.DAMAGED
    assert fault_of(zipped({"a": b"x" * 999})[:-30], MediaType.ZIP) is FileFault.DAMAGED


def test_flipped_bit_within_an_archive_is_damage():
    content = bytearray(zipped({"a": bytes(range(256)) * 4}, zipfile.ZIP_STORED))
    content[300] ^= 1
    assert fault_of(bytes(content), MediaType.ZIP) is FileFault.DAMAGED


def test_macros_are_refused_whatever_the_extension():
    assert fault_of(docx({"word/vbaProject.bin": b"x"}), MediaType.DOCX) is FileFault.MACROS
    index = b"application/vnd.ms-word.document.macroEnabled.main+xml"
    assert fault_of(docx({"[Content_Types].xml": index}), MediaType.DOCX) is FileFault.MACROS


def test_bomb_is_refused_unread():
    zeros = zipped({"a": bytes(60_000_000)})
    assert len(zeros) < 100_000
    assert fault_of(zeros, MediaType.ZIP) is FileFault.UNPACKS_TOO_LARGE
    small = ArchiveLimits(unpacked=1000)
    assert fault_of(zipped({"a": bytes(1001)}), MediaType.ZIP, small) is FileFault.UNPACKS_TOO_LARGE


def test_archive_of_too_many_entries_is_refused():
    limits = ArchiveLimits(unpacked=100, entries=2)
    content = zipped({"a": b"1", "b": b"2", "c": b"3"})
    assert fault_of(content, MediaType.ZIP, limits) is FileFault.TOO_MANY_ENTRIES


@pytest.mark.parametrize("name", ["../a", "/etc/a", "b\\..\\a", "C:\\a"])
def test_archive_that_would_write_elsewhere_is_refused(name):
    assert fault_of(zipped({name: b"x"}), MediaType.ZIP) is FileFault.UNSAFE_NAMES


def test_archive_of_nothing_is_empty():
    assert fault_of(zipped({}), MediaType.ZIP) is FileFault.EMPTY


def test_archive_with_a_password_cannot_be_opened():
    content = bytearray(zipped({"a": b"x"}))
    content[6] |= 1
    content[content.index(b"PK\x01\x02") + 8] |= 1
    assert fault_of(bytes(content), MediaType.ZIP) is FileFault.LOCKED
