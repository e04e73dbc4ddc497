"""Workbooks: 1,000 rows of 40 fields out, back and checked; files that mean harm refused."""

import json
import os
import subprocess
import sys
import tempfile
import time
import zipfile
from collections.abc import Callable
from contextlib import suppress
from dataclasses import asdict
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

from openpyxl import Workbook, load_workbook

from data_access.workbook_archive import Limits
from data_access.workbook_cells import read_cells
from data_access.workbook_mark import mark_workbook
from data_access.workbook_read import read_workbook
from data_access.workbook_write import write_workbook
from domain.errors import WorkbookRefused
from domain.form_rules import check
from domain.forms import Content, Context, Field, Form, Row, Severity
from domain.workbook import Mark, Reading, Stamp, WorkbookUnit
from tests.benchmarks.figures import Figure
from tests.benchmarks.portal import BenchPortal
from tests.paths import ROOT

ROWS, FIELDS = 1_000, 40
TODAY = date(2026, 11, 22)
_CODES = {"kind": {f"{number:02}": f"类型{number}" for number in range(1, 31)}}
_STAMP = Stamp("bench", "bench", 1, 1, "2026年11月", datetime(2026, 11, 22, tzinfo=UTC), True)


def library_figures(portal: BenchPortal | None) -> list[Figure]:
    """Measure a workbook out and back, beside openpyxl with the same cells and nothing else."""
    form, unit = bench_form(), bench_unit()
    with tempfile.TemporaryDirectory() as folder:
        path, plain = Path(folder) / "workbook.xlsx", Path(folder) / "plain.xlsx"
        template = _best(lambda: write_workbook(form, [unit], _STAMP, path))
        plain_write = _best(lambda: _write_plainly(unit, plain))
        read = _best(lambda: _read_and_check(path, form, unit))
        plain_read = _best(lambda: _read_plainly(plain))
        marks = [Mark("村庄", row, "f00", "请核对。", Severity.ERROR) for row in range(6, 106)]
        marked = _best(lambda: mark_workbook(path, Path(folder) / "marked.xlsx", marks), 1)
    size = f"{ROWS:,} rows × {FIELDS} columns"
    return [
        Figure(f"workbook of {size}", template, "s", 1, beside=f"openpyxl {plain_write:.2f} s"),
        Figure(
            "read in its own process and checked",
            read,
            "s",
            1,
            beside=f"openpyxl {plain_read:.2f} s",
        ),
        Figure("100 errors marked in it", marked, "s"),
    ]


def refusal_figures(portal: BenchPortal | None) -> list[Figure]:
    """Measure how long a bomb and a huge file take to be refused, and the memory of it."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "given.xlsx"
        bombs = {"declared": _declared_bomb, "within the limits": _slow_bomb, "200 MB": _huge}
        figures, memory = [], 0.0
        for name, make in bombs.items():
            make(path)
            began = time.perf_counter()
            with suppress(WorkbookRefused):
                read_cells(path)
            seconds = time.perf_counter() - began
            words = "file of 200 MB refused" if name == "200 MB" else f"bomb refused, {name}"
            figures.append(Figure(words, seconds, "s", 5))
            if name != "200 MB":
                memory = max(memory, _memory_of(path))
    return [*figures, Figure("memory of the process that refuses", memory, "MB", 200)]


def bench_form() -> Form:
    """Return a form of 40 fields: a quarter each of codes, dates, numbers and texts."""
    return Form("bench", 1, "试验", "2020", 1, tuple(map(_field, range(FIELDS))), _CODES)


def _field(number: int) -> Field:
    code = f"f{number:02}"
    more: dict[str, object] = [
        {"data_type": "code", "code_table": "kind", "required_when": "True"},
        {"data_type": "date", "required_when": "f00 == '03'", "visible_when": "f00 != '09'"},
        {"data_type": "decimal", "length": "12,2", "rules": ((f"{code} >= 0", "不能为负。"),)},
        {"data_type": "text", "length": "200"},
    ][number % 4]
    return Field("village", code, f"字段{number}", section="村庄", **more)  # type: ignore[arg-type]


def bench_unit() -> WorkbookUnit:
    """Return a county of 1,000 villages, all filled in."""
    keys = [f"36012310{number:04}" for number in range(ROWS)]
    context = Context(TODAY, rows={"village": [Row(key, f"村{key[-4:]}") for key in keys]})
    rows = [
        {"key": key, **{f"f{field:02}": _value(field, number) for field in range(FIELDS)}}
        for number, key in enumerate(keys)
    ]
    return WorkbookUnit("360123", "某县", "某市", 1, context, {"village": rows}, {})


def _value(field: int, number: int) -> object:
    match field % 4:
        case 0:
            return f"{(field + number) % 30 + 1:02}"
        case 1:
            return (TODAY - timedelta(days=(field * number) % 700)).isoformat()
        case 2:
            return f"{field * number / 8:.2f}"
    return f"第 {number} 村的说明 {field}"


def _read_and_check(path: Path, form: Form, unit: WorkbookUnit) -> Reading:
    reading = read_workbook(path, form)
    content: Content = {"village": [{"key": r.key, **r.values} for r in reading.rows]}
    problems = check(form, content, unit.context)
    assert len(reading.rows) == ROWS, "rows were lost"
    assert not problems, problems[:3]
    return reading


def _write_plainly(unit: WorkbookUnit, path: Path) -> None:
    book = Workbook()
    for row in unit.content["village"]:
        book.active.append(list(row.values()))
    book.save(path)


def _read_plainly(path: Path) -> None:
    for row in load_workbook(path).active.iter_rows(values_only=True):
        assert row


def _best(act: Callable[[], object], times: int = 3) -> float:
    """Return the seconds of the quickest run: the others met somebody else on the machine."""
    seconds = []
    for _ in range(times):
        began = time.perf_counter()
        act()
        seconds.append(time.perf_counter() - began)
    return min(seconds)


# WHAT MEANS HARM


def _declared_bomb(path: Path) -> None:
    """One gigabyte of blanks in a megabyte."""
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        with archive.open("xl/workbook.xml", "w") as part:
            for _ in range(1_000):
                part.write(b" " * 1_000_000)
        archive.writestr("[Content_Types].xml", "<Types/>")


def _slow_bomb(path: Path) -> None:
    """As many tiny cells as the limits let pass: what costs the most to find out."""
    cells = b'<c r="A1"><f>1</f></c>' * 20
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as archive:
        archive.writestr("[Content_Types].xml", "<Types/>")
        archive.writestr("xl/workbook.xml", "<workbook/>")
        with archive.open("xl/worksheets/sheet1.xml", "w") as part:
            part.write(b"<worksheet>")
            for number in range(1, 140_000_000 // (len(cells) + 30)):
                part.write(b'<row r="%d" n="%d">%s</row>' % (number, number * 7919, cells))
            part.write(b"</worksheet>")


def _huge(path: Path) -> None:
    path.write_bytes(b"PK\x03\x04")
    os.truncate(path, 200_000_000)


def _memory_of(path: Path) -> float:
    """Return the peak of a process that reads this file, in MB."""
    command = [sys.executable, "-m", "data_access.workbook_cells", str(path)]
    reader = subprocess.Popen(
        [*command, json.dumps(asdict(Limits()))],
        env={"PYTHONPATH": str(ROOT)},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    _, _, used = os.wait4(reader.pid, 0)
    return used.ru_maxrss / 1000


if __name__ == "__main__":
    from tests.benchmarks.figures import table

    print(table([*library_figures(None), *refusal_figures(None)]))
