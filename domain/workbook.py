"""Workbooks of a form: what is written into one, what comes back out of one, what is refused.

A workbook has one sheet for each group of the form and holds one or many units. Which unit, row
and field a cell belongs to stands in hidden codes, so order, names and widths are the user's.
What is not understood becomes a fault with its cell; what is left out stands in a note.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from dataclasses import field as made
from datetime import datetime
from enum import StrEnum

from domain.forms import Content, Context, Severity


class Refusal(StrEnum):
    """Why a whole file is not taken."""

    EMPTY = "empty"
    TOO_LARGE = "too_large"
    NOT_A_WORKBOOK = "not_a_workbook"
    OLD_EXCEL = "old_excel"
    ENCRYPTED = "encrypted"
    DAMAGED = "damaged"
    MACROS = "macros"
    EXTERNAL_LINKS = "external_links"
    EMBEDDED_OBJECTS = "embedded_objects"
    UNPACKS_TOO_LARGE = "unpacks_too_large"
    UNSAFE_XML = "unsafe_xml"
    TOO_MANY_CELLS = "too_many_cells"
    TOO_SLOW = "too_slow"
    NO_STAMP = "no_stamp"
    OLD_TEMPLATE = "old_template"
    OTHER_FORM = "other_form"
    NO_SHEETS = "no_sheets"


class FaultKind(StrEnum):
    """Why a row or a cell is not understood."""

    DUPLICATE_ROW = "duplicate_row"
    UNKNOWN_ROW = "unknown_row"
    NEW_ROW = "new_row"
    CODE_DIFFERS = "code_differs"
    SCIENTIFIC = "scientific"
    MERGED = "merged"
    FORMULA_WITHOUT_VALUE = "formula_without_value"
    EXCEL_ERROR = "excel_error"
    DUPLICATE_COLUMN = "duplicate_column"
    DUPLICATE_SHEET = "duplicate_sheet"


FAULT_SENTENCES: Mapping[FaultKind, str] = {
    FaultKind.DUPLICATE_ROW: "与第 {first} 行是同一行，两行都未采用。请只保留一行。",
    FaultKind.UNKNOWN_ROW: "本单位没有这一行，未采用。请勿改动隐藏的标识列，必要时重新下载。",
    FaultKind.NEW_ROW: (
        "这一行没有标识，未采用。请填在已有的行里；确要新增的，先在网页上（自然村则由上级在"
        "名录中）增加，再重新下载工作簿填写。"
    ),
    FaultKind.CODE_DIFFERS: "单位代码“{found}”与本行原有的代码“{expected}”不一致，未采用。请改回。",
    FaultKind.SCIENTIFIC: "“{found}”已变成科学计数，末尾数字可能丢失。请设为文本格式后重新填写。",
    FaultKind.MERGED: "单元格已与 {cells} 合并，无法判断各行的值。请取消合并后逐行填写。",
    FaultKind.FORMULA_WITHOUT_VALUE: "公式没有计算结果。请用 Excel 打开并保存，或改为直接填写。",
    FaultKind.EXCEL_ERROR: "公式出错，显示为“{found}”。请改正公式或直接填写。",
    FaultKind.DUPLICATE_COLUMN: "“{label}”在表中有两列，都未采用。请只保留一列。",
    FaultKind.DUPLICATE_SHEET: "与工作表“{first}”是同一张表，未采用。请只保留一张。",
}


@dataclass(frozen=True, slots=True)
class Stamp:
    """What a workbook was taken from; `export_id` names what the server keeps of it."""

    export_id: str
    form_code: str
    form_version: int
    period_id: int
    period_name: str
    taken_at: datetime
    is_demo: bool
    deadline_at: datetime | None = None
    """Only shown; it is not read back."""


@dataclass(frozen=True, slots=True)
class WorkbookUnit:
    """A unit as it goes into a workbook."""

    division_code: str
    unit_name: str
    parent_name: str
    draft_version: int
    context: Context
    content: Content
    accepted: Content


@dataclass(frozen=True, slots=True)
class ReadRow:
    """One row of one unit; `row_no` counts from 1 as Excel does.

    `values` holds each field whose column is in the file, in its normal form where it was
    understood; None where the cell is empty. A field with a fault is not in it, evidence neither.
    """

    sheet: str
    row_no: int
    division_code: str
    group: str
    key: str
    values: Mapping[str, object]


@dataclass(frozen=True, slots=True)
class Fault:
    """A row or cell that was not taken; `column` is Excel's letters, both empty for a sheet."""

    sheet: str
    row_no: int
    column: str
    field: str
    kind: FaultKind
    details: Mapping[str, str] = made(default_factory=dict)
    division_code: str = ""
    group: str = ""
    key: str = ""

    @property
    def message(self) -> str:
        """Return what is wrong and what to do."""
        return FAULT_SENTENCES[self.kind].format_map(self.details)


@dataclass(frozen=True, slots=True)
class Reading:
    stamp: Stamp
    rows: tuple[ReadRow, ...]
    faults: tuple[Fault, ...]
    notes: tuple[str, ...]
    """Sentences about what was read in another way than it stands there, or left out."""
    columns: Mapping[tuple[str, str], str] = made(default_factory=dict)
    """(sheet, field) to Excel's letters."""


@dataclass(frozen=True, slots=True)
class Mark:
    """What to say at a cell of a workbook; with an empty field, at the start of the row."""

    sheet: str
    row_no: int
    field: str
    message: str
    severity: Severity
    advice: str = ""
