"""Files that are no workbook of ours, or meant to harm: refused quickly, with the reason."""

import io
import os
import random
import resource
import struct
import sys
import time
import zipfile
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

import pytest
from openpyxl import Workbook, load_workbook

from components.labels import error_message
from data_access import workbook_archive, workbook_cells
from data_access.workbook_archive import Limits
from data_access.workbook_cells import read_cells
from data_access.workbook_read import read_workbook
from domain.errors import WorkbookRefused
from domain.workbook import Refusal
from tests.forms import plan_form
from tests.sample_workbook import rewritten, sample_form, written

OLE = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
SHEET = "xl/worksheets/sheet2.xml"
MAIN = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
RELATIONS = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"


def reason_of(path: Path, limits: Limits | None = None) -> Refusal:
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    with pytest.raises(WorkbookRefused) as caught:
        read_workbook(path, sample_form(), limits)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    assert after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime < 5
    assert error_message(caught.value).endswith("。")
    return caught.value.details["reason"]


def given(tmp_path: Path, content: bytes) -> Path:
    path = tmp_path / "given.xlsx"
    path.write_bytes(content)
    return path


def same(name: str, content: bytes) -> bytes:
    return content


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"", Refusal.EMPTY),
        ("单位,代码\n南昌县,360121\n".encode("gbk"), Refusal.NOT_A_WORKBOOK),
        (b"%PDF-1.7\n", Refusal.NOT_A_WORKBOOK),
        (b"<html><table></table></html>", Refusal.NOT_A_WORKBOOK),
        (OLE + b"\0" * 600 + "Workbook".encode("utf-16-le"), Refusal.OLD_EXCEL),
        (OLE + b"\0" * 600 + "EncryptedPackage".encode("utf-16-le"), Refusal.ENCRYPTED),
        (b"PK\x03\x04 and nothing more", Refusal.DAMAGED),
    ],
)
def test_what_is_no_workbook(tmp_path, content, reason):
    assert reason_of(given(tmp_path, content)) is reason


@pytest.mark.parametrize(
    ("names", "reason"),
    [
        (["word/document.xml", "[Content_Types].xml"], Refusal.NOT_A_WORKBOOK),
        (["content.xml", "mimetype"], Refusal.OLD_EXCEL),
        (["xl/workbook.bin", "[Content_Types].xml"], Refusal.OLD_EXCEL),
        (["a.zip", "b.zip"], Refusal.NOT_A_WORKBOOK),
        (["../../etc/passwd"], Refusal.UNPACKS_TOO_LARGE),
        ([f"{number}.xml" for number in range(1001)], Refusal.UNPACKS_TOO_LARGE),
    ],
)
def test_other_archives(tmp_path, names, reason):
    path = tmp_path / "given.xlsx"
    with zipfile.ZipFile(path, "w") as archive:
        for name in names:
            archive.writestr(name, b"<a/>")
    assert reason_of(path) is reason


@pytest.mark.parametrize(
    ("part", "reason"),
    [
        ("xl__vbaProject_dot_bin", Refusal.MACROS),
        ("xl__macrosheets__sheet1_dot_xml", Refusal.MACROS),
        ("xl__activeX__activeX1_dot_xml", Refusal.MACROS),
        ("xl__externalLinks__externalLink1_dot_xml", Refusal.EXTERNAL_LINKS),
        ("xl__connections_dot_xml", Refusal.EXTERNAL_LINKS),
        ("xl__queryTables__queryTable1_dot_xml", Refusal.EXTERNAL_LINKS),
        ("xl__embeddings__oleObject1_dot_bin", Refusal.EMBEDDED_OBJECTS),
        ("xl__media__inner_dot_zip", Refusal.EMBEDDED_OBJECTS),
    ],
)
def test_parts_that_do_something(tmp_path, part, reason):
    path = rewritten(written(tmp_path), same, **{part: b"<a/>"})
    assert reason_of(path) is reason


@pytest.mark.parametrize(
    ("kind", "mode", "reason"),
    [
        ("vbaProject", "Internal", Refusal.MACROS),
        ("externalLink", "Internal", Refusal.EXTERNAL_LINKS),
        ("image", "External", Refusal.EXTERNAL_LINKS),
        ("oleObject", "Internal", Refusal.EMBEDDED_OBJECTS),
    ],
)
def test_relations_that_do_something_under_a_harmless_name(tmp_path, kind, mode, reason):
    link = f'<Relationship Id="x" Type="{RELATIONS}/{kind}" Target="a.xml" TargetMode="{mode}"/>'

    def add(name: str, content: bytes) -> bytes:
        closing = b"</Relationships>"
        is_wanted = name == "xl/_rels/workbook.xml.rels"
        return content.replace(closing, link.encode() + closing) if is_wanted else content

    assert reason_of(rewritten(written(tmp_path), add)) is reason


def test_macros_named_in_the_content_types(tmp_path):
    def rename(name: str, content: bytes) -> bytes:
        is_wanted = name == "[Content_Types].xml"
        old = b"openxmlformats-officedocument.spreadsheetml.sheet.main"
        return content.replace(old, b"ms-excel.sheet.macroEnabled.main") if is_wanted else content

    assert reason_of(rewritten(written(tmp_path), rename)) is Refusal.MACROS


def test_xml_under_another_name(tmp_path):
    def rename(name: str, content: bytes) -> bytes:
        is_wanted = name == "[Content_Types].xml"
        return content.replace(b"sharedStrings.xml", b"strings.dat") if is_wanted else content

    assert reason_of(rewritten(written(tmp_path), rename)) is Refusal.DAMAGED


def test_pictures_are_harmless(tmp_path):
    path = rewritten(written(tmp_path), same, xl__media__image1_dot_svg=b"<!DOCTYPE svg><svg/>")
    assert len(read_workbook(path, sample_form()).rows) == 4


@pytest.mark.parametrize("formula", ["cmd|'/c calc'!A1", 'WEBSERVICE("http://x/")'])
def test_a_formula_that_reaches_out(tmp_path, formula):
    path = written(tmp_path)
    book = load_workbook(path)
    book["form信息"]["Z9"] = f"={formula}"
    book.save(path)
    assert reason_of(path) is Refusal.EXTERNAL_LINKS


def test_a_link_to_a_web_page_is_harmless(tmp_path):
    path = written(tmp_path)
    book = load_workbook(path)
    book["form信息"]["Z9"].hyperlink = "http://example.org/"
    book.save(path)
    assert len(read_workbook(path, sample_form()).rows) == 4


def test_entities(tmp_path):
    bomb = b'<?xml version="1.0"?><!DOCTYPE a [<!ENTITY b "' + b"b" * 50 + b'">'
    bomb += b"".join(b'<!ENTITY c%d "&b;&b;&b;">' % i for i in range(9)) + b"]><a>&c8;</a>"

    def spoil(name: str, content: bytes) -> bytes:
        return bomb if name == "xl/sharedStrings.xml" else content

    assert reason_of(rewritten(written(tmp_path), spoil)) is Refusal.UNSAFE_XML


def test_bombs(tmp_path):
    zeros = b"<a>" + b" " * 160_000_000 + b"</a>"
    assert reason_of(rewritten(written(tmp_path), same, xl__a_dot_xml=zeros)) is (
        Refusal.UNPACKS_TOO_LARGE
    )
    thin = b"<a>" + b" " * 60_000_000 + b"</a>"
    assert reason_of(rewritten(written(tmp_path), same, xl__a_dot_xml=thin)) is (
        Refusal.UNPACKS_TOO_LARGE
    )


def test_a_bomb_that_lies_about_its_size(tmp_path):
    path = rewritten(written(tmp_path), same, xl__a_dot_xml=b"<a>" + b" " * 160_000_000 + b"</a>")
    content = path.read_bytes()
    content = content.replace(struct.pack("<L", 160_000_007), struct.pack("<L", 1_000))
    path.write_bytes(content)
    assert reason_of(path) is Refusal.DAMAGED


def test_a_text_used_a_million_times(tmp_path):
    """Small in the archive, small in its parts, and huge only once it is put together."""
    cells = b"".join(
        b'<row r="%d">%s</row>' % (row, b'<c t="s"><v>0</v></c>' * 20) for row in range(1, 20_001)
    )
    sheet = f'<worksheet xmlns="{MAIN}"><sheetData>'.encode() + cells
    strings = f'<sst xmlns="{MAIN}"><si><t>{"长" * 30_000}</t></si>{"<si/>" * 500}</sst>'.encode()
    parts = {SHEET: sheet + b"</sheetData></worksheet>", "xl/sharedStrings.xml": strings}
    path = rewritten(written(tmp_path), lambda name, content: parts.get(name, content))
    assert reason_of(path) is Refusal.TOO_MANY_CELLS


def test_what_takes_too_long_is_ended(tmp_path):
    sheet = b"<worksheet>" + b"<a/>" * 20_000_000 + b"</worksheet>"
    path = rewritten(written(tmp_path), lambda name, content: sheet if name == SHEET else content)
    limits = replace(Limits(), cpu_seconds=1, ratio_from=10**9)
    assert reason_of(path, limits) is Refusal.TOO_SLOW


def test_a_process_that_only_waits_is_ended():
    began = time.monotonic()
    with pytest.raises(WorkbookRefused) as caught:
        workbook_cells._run([sys.executable, "-c", "import time; time.sleep(60)"], Limits())
    assert caught.value.details["reason"] is Refusal.TOO_SLOW
    assert time.monotonic() - began < Limits().patience


def test_names_twice(tmp_path):
    path = written(tmp_path)
    with pytest.warns(UserWarning, match="Duplicate name"), zipfile.ZipFile(path, "a") as archive:
        archive.writestr(SHEET, b"<worksheet/>")
    assert reason_of(path) is Refusal.UNPACKS_TOO_LARGE


def test_200_megabytes(tmp_path):
    path = given(tmp_path, b"PK\x03\x04")
    os.truncate(path, 200_000_000)
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    assert reason_of(path) is Refusal.TOO_LARGE
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 10_000


def test_content_far_away_is_too_much_and_mere_format_is_not(tmp_path):
    path = written(tmp_path)
    book = load_workbook(path)
    far = book["form信息"].cell(1_048_576, 16_384)
    far.number_format = "0.00"
    book.save(path)
    assert len(read_workbook(path, sample_form()).rows) == 4
    far.value = 1
    book.save(path)
    assert reason_of(path) is Refusal.TOO_MANY_CELLS


def test_no_time_and_no_memory(tmp_path):
    path = written(tmp_path)
    assert reason_of(path, replace(Limits(), patience=0.001)) is Refusal.TOO_SLOW
    assert reason_of(path, replace(Limits(), output=100)) is Refusal.TOO_MANY_CELLS
    # What fails first for want of memory is the machine's choice.
    reason = reason_of(path, replace(Limits(), memory=20 << 20))
    assert reason in (Refusal.TOO_MANY_CELLS, Refusal.DAMAGED)


def test_other_workbooks(tmp_path):
    plain = tmp_path / "plain.xlsx"
    Workbook().save(plain)
    assert reason_of(plain) is Refusal.NO_STAMP
    with pytest.raises(WorkbookRefused) as caught:
        read_workbook(written(tmp_path), plan_form())
    assert caught.value.details["reason"] is Refusal.OTHER_FORM
    with pytest.raises(WorkbookRefused) as caught:
        read_workbook(written(tmp_path), replace(sample_form(), version=2))
    assert caught.value.details["reason"] is Refusal.OLD_TEMPLATE


@pytest.mark.parametrize(
    ("cell", "value", "reason"),
    [
        ("B1", "0", Refusal.OLD_TEMPLATE),
        ("B4", "eins", Refusal.NO_STAMP),
        ("B7", None, Refusal.NO_STAMP),
    ],
)
def test_a_stamp_that_cannot_be_read(tmp_path, cell, value, reason):
    path = written(tmp_path)
    book = load_workbook(path)
    book["_portal"][cell] = value
    book.save(path)
    assert reason_of(path) is reason


def test_without_its_codes_there_is_no_sheet(tmp_path):
    path = written(tmp_path)
    book = load_workbook(path)
    for sheet in (book["form信息"], book["village信息"]):
        sheet.delete_rows(3)
    book.save(path)
    assert reason_of(path) is Refusal.NO_SHEETS


def test_whatever_is_broken_is_refused_and_nothing_else(tmp_path):
    """Bytes changed, cut and mixed, looked at without the process around it, which costs time."""
    whole, dice = written(tmp_path).read_bytes(), random.Random(7)
    path = tmp_path / "broken.xlsx"
    for _ in range(150):
        content = bytearray(whole)
        for _ in range(dice.randint(1, 6)):
            start = dice.randrange(len(content))
            content[start : start + dice.randint(0, 40)] = dice.randbytes(dice.randint(0, 40))
        path.write_bytes(content)
        with suppress(WorkbookRefused):
            workbook_archive.inspect(path, Limits())


def test_broken_parts_are_refused_or_read(tmp_path):
    """The archive is whole and its parts are not: the process around it takes what comes."""
    dice = random.Random(11)
    for _ in range(12):
        path = rewritten(written(tmp_path), lambda name, content: _spoilt(content, dice))
        with suppress(WorkbookRefused):
            read_workbook(path, sample_form())


def _spoilt(content: bytes, dice: random.Random) -> bytes:
    """Change a number or a word here and there, so that the XML mostly stays whole."""
    changed = bytearray(content)
    for _ in range(dice.randint(0, 4)):
        place = dice.randrange(len(changed))
        if changed[place] in b"0123456789abcdefghijklmnopqrstuvwxyzABCDEF":
            changed[place] = dice.choice(b"0189AZaz")
    return bytes(changed)


def test_the_process_holds_no_secret_and_prints_json(tmp_path, monkeypatch, capsys):
    """The same as in its process, seen from inside."""
    monkeypatch.setattr(workbook_cells, "_confine", lambda limits: None)
    limits = '{"size": 50000000}'
    assert workbook_cells.main(str(written(tmp_path)), limits) == 0
    assert '"village信息"' in capsys.readouterr().out
    assert workbook_cells.main(str(given(tmp_path, b"")), limits) == 0
    assert '"refused": "empty"' in capsys.readouterr().out


def test_times_are_texts(tmp_path):
    book = Workbook()
    book.active["A1"] = 0.5
    book.active["A1"].number_format = "hh:mm"
    buffer = io.BytesIO()
    book.save(buffer)
    assert read_cells(given(tmp_path, buffer.getvalue())).sheets[0].rows == [["12:00:00"]]
