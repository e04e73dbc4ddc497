"""The cells of a workbook that somebody handed in, read in a process of their own.

`python -m data_access.workbook_cells FILE …` prints them as JSON. It may use little memory and
little time, holds no rights and no secrets, and whatever becomes of it the portal only sees a
refusal.
"""

import json
import os
import resource
import signal
import subprocess
import sys
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import asdict, dataclass, field
from datetime import date, datetime, time, timedelta
from pathlib import Path
from time import monotonic
from typing import Any

from data_access.workbook_archive import Limits, Structure, inspect, refuse_by_size
from domain.errors import WorkbookRefused
from domain.workbook import Refusal

_ROOT = Path(__file__).parents[1]
_NO_MEMORY = 77
_GLANCE, _GLANCES_ASLEEP = 0.5, 4  # seconds


class DateCell(str):
    """The ISO text of a cell that Excel shows as a date, with its time where it has one."""

    __slots__ = ()


@dataclass(frozen=True)
class RawSheet:
    """One sheet as it stands; rows and columns count from 0."""

    name: str
    is_visible: bool
    rows: list[list[Any]]
    """Texts, floats, bools, DateCell; '' for nothing."""
    hidden_rows: frozenset[int] = frozenset()
    merged: tuple[tuple[int, int, int, int], ...] = ()
    formulas: frozenset[tuple[int, int]] = frozenset()
    without_value: frozenset[tuple[int, int]] = frozenset()
    errors: Mapping[tuple[int, int], str] = field(default_factory=dict)
    percents: frozenset[tuple[int, int]] = frozenset()
    """Numbers that are shown as a percentage: 0.45 as 45%."""


@dataclass(frozen=True, slots=True)
class RawWorkbook:
    sheets: tuple[RawSheet, ...]
    uses_1904: bool


def read_cells(path: Path, limits: Limits | None = None) -> RawWorkbook:
    """Return what stands in a workbook from anywhere; raise WorkbookRefused and nothing else."""
    limits = limits or Limits()
    refuse_by_size(path, limits)
    command = [sys.executable, "-m", "data_access.workbook_cells", str(path.absolute())]
    done = _run([*command, json.dumps(asdict(limits))], limits)
    if done.returncode:
        raise WorkbookRefused(reason=_reason_of(done.returncode, done.stderr))
    answer = json.loads(done.stdout, object_hook=_restored)
    if "refused" in answer:
        raise WorkbookRefused(reason=Refusal(answer["refused"]))
    return _workbook(answer)


def _run(command: list[str], limits: Limits) -> subprocess.CompletedProcess[bytes]:
    """Run the process that reads; end it when it sleeps: without memory a library may wait for
    ever, while a process that a busy machine keeps waiting is ready to run.
    """
    began, asleep = monotonic(), 0
    with subprocess.Popen(
        command,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        env={"PYTHONPATH": str(_ROOT), "PYTHONUTF8": "1"},
    ) as process:
        while True:
            try:
                said, errors = process.communicate(timeout=min(_GLANCE, limits.patience))
                return subprocess.CompletedProcess(command, process.returncode, said, errors)
            except subprocess.TimeoutExpired:
                asleep = asleep + 1 if _sleeps(process.pid) else 0
                if asleep >= _GLANCES_ASLEEP or monotonic() - began > limits.patience:
                    process.kill()
                    process.communicate()
                    raise WorkbookRefused(reason=Refusal.TOO_SLOW) from None


def _sleeps(pid: int) -> bool:
    """Tell whether a process waits for something that is neither the disk nor the processor."""
    with suppress(OSError):
        return Path(f"/proc/{pid}/stat").read_text("utf-8").rpartition(")")[2].split()[0] == "S"
    return False


def _reason_of(code: int, said: bytes) -> Refusal:
    if code in (-signal.SIGXCPU, -signal.SIGKILL):
        return Refusal.TOO_SLOW
    if code in (_NO_MEMORY, -signal.SIGABRT) or b"memory allocation" in said:
        return Refusal.TOO_MANY_CELLS
    return Refusal.DAMAGED


def _restored(value: dict[str, Any]) -> Any:
    return DateCell(value["date"]) if value.keys() == {"date"} else value


def _workbook(answer: Mapping[str, Any]) -> RawWorkbook:
    sheets = tuple(
        RawSheet(
            name=sheet["name"],
            is_visible=sheet["is_visible"],
            rows=sheet["rows"],
            hidden_rows=frozenset(sheet["hidden_rows"]),
            merged=tuple(map(tuple, sheet["merged"])),
            formulas=frozenset(map(tuple, sheet["formulas"])),
            without_value=frozenset(map(tuple, sheet["without_value"])),
            errors={(row, column): text for row, column, text in sheet["errors"]},
            percents=frozenset(map(tuple, sheet["percents"])),
        )
        for sheet in answer["sheets"]
    )
    return RawWorkbook(sheets, answer["uses_1904"])


# IN THE PROCESS OF ITS OWN


def extract(path: Path, limits: Limits) -> dict[str, Any]:
    """Return the workbook as JSON takes it; raise WorkbookRefused, MemoryError or what broke."""
    structure = inspect(path, limits)
    # Its library is loaded only after the file was found to be a workbook.
    import python_calamine

    with python_calamine.CalamineWorkbook.from_path(path) as book:
        worksheets = python_calamine.SheetTypeEnum.WorkSheet
        sheets = [
            _sheet(book.get_sheet_by_name(meta.name), meta, structure)
            for meta in book.sheets_metadata
            if meta.typ == worksheets
        ]
    return {"sheets": sheets, "uses_1904": structure.uses_1904}


def _sheet(sheet: Any, meta: Any, structure: Structure) -> dict[str, Any]:
    import python_calamine

    beside = structure.sheets[meta.name]
    return {
        "name": meta.name,
        "is_visible": meta.visible == python_calamine.SheetVisibleEnum.Visible,
        "rows": sheet.to_python(skip_empty_area=False),
        "hidden_rows": beside.hidden_rows,
        "merged": beside.merged,
        "formulas": beside.formulas,
        "without_value": beside.without_value,
        "errors": beside.errors,
        "percents": beside.percents,
    }


def _plain(value: object) -> object:
    if isinstance(value, datetime | date):
        return {"date": value.isoformat()}
    if isinstance(value, time | timedelta):
        return str(value)
    raise TypeError(type(value).__name__)


def main(path: str, limits: str) -> int:
    """Print the cells, or why there are none; 0 for both."""
    allowed = Limits(**json.loads(limits))
    _confine(allowed)
    try:
        answer = _in_one_piece(extract(Path(path), allowed))
        if len(answer) > allowed.output:
            answer = _in_one_piece({"refused": Refusal.TOO_MANY_CELLS})
    except WorkbookRefused as error:
        answer = _in_one_piece({"refused": error.details["reason"]})
    except (MemoryError, ImportError):  # a library that finds no room cannot be imported
        os._exit(_NO_MEMORY)
    sys.stdout.write(answer)
    return 0


def _in_one_piece(answer: dict[str, Any]) -> str:
    # json.dump, which writes bit by bit, takes a much slower path.
    return json.dumps(answer, ensure_ascii=False, default=_plain)


def _confine(limits: Limits) -> None:
    resource.setrlimit(resource.RLIMIT_AS, (limits.memory, limits.memory))
    resource.setrlimit(resource.RLIMIT_CPU, (limits.cpu_seconds, limits.cpu_seconds + 1))
    resource.setrlimit(resource.RLIMIT_FSIZE, (0, 0))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    resource.setrlimit(resource.RLIMIT_NOFILE, (32, 32))


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
