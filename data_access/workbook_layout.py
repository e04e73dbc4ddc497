"""Where everything stands in a workbook: sheets and columns, derived from the form alone.

A sheet begins with five rows: title and stamp, legend, hidden codes, sections, headers. The codes
make a column known wherever it is moved and whatever it is called; the hidden row identity does
the same for rows.
"""

import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from enum import StrEnum

from domain.expressions import BadExpression, parse
from domain.form_values import normal_value
from domain.forms import FORM_GROUP, Context, Field, Form, Row, rows_of
from domain.workbook import WorkbookUnit

TITLE_ROW, LEGEND_ROW, CODE_ROW, SECTION_ROW, HEADER_ROW, FIRST_ROW = range(6)
STAMP_SHEET, CODES_SHEET, GUIDE_SHEET, ERROR_SHEET = "_portal", "_codes", "填表说明", "错误清单"
STAMP_MARK, LAYOUT_VERSION = "portal-workbook", 1
HEADER_MARK, SECTION_MARK = "#header", "#section"
LONGEST_TEXT = 32_767  # characters in a cell of Excel
KEPT = "〔内容过长，Excel 放不下；留着这句话，原内容不变〕"
EXACT_BELOW = 10**15
"""Excel keeps fifteen digits of a number."""
_FIRST_DAY = date(1900, 3, 1)  # Excel counts a 29th of February before it
_FORBIDDEN = re.compile(r"[\[\]:*?/\\']")
_NUMBER = re.compile(r"-?[0-9]+(\.[0-9]+)?")
_SEPARATOR = "|"
_CODE_WORD = "代码"


class ColumnKind(StrEnum):
    UNIT_CODE = "@unit"
    PARENT_NAME = "@parent"
    UNIT_NAME = "@name"
    ROW_ID = "@row"
    LABEL = "@label"
    FIELD = "field"
    FILES = "@files"
    ACCEPTED = "@accepted"
    FACT = "@fact"


@dataclass(frozen=True, slots=True)
class Column:
    kind: ColumnKind
    header: str
    item: Field | None = None
    name: str = ""
    """Of a fact that conditions use; the place of a label in its chain."""

    @property
    def code(self) -> str:
        """Return what stands in the hidden row of codes."""
        if self.kind is ColumnKind.FIELD and self.item:
            return field_code(self.item)
        if self.item:
            return f"{self.kind}.{field_code(self.item)}"
        return f"{self.kind}.{self.name}" if self.name else self.kind.value


@dataclass(frozen=True, slots=True)
class SheetLayout:
    group: str
    name: str
    columns: tuple[Column, ...]
    fixed: int
    """Columns that stay on the screen."""

    def index_of(self, item: Field) -> int | None:
        """Return the place of a field's own column, from 0."""
        for index, column in enumerate(self.columns):
            if column.kind in (ColumnKind.FIELD, ColumnKind.FILES) and column.item == item:
                return index
        return None

    def index(self, kind: ColumnKind) -> int:
        """Return the place of the first column of a kind, from 0."""
        return next(i for i, column in enumerate(self.columns) if column.kind is kind)


def field_code(item: Field) -> str:
    """Return the code of a field's column."""
    return f"{item.group}.{item.code}"


def row_id(division_code: str, key: str) -> str:
    """Return what stands in the hidden identity of a row."""
    return f"{division_code}{_SEPARATOR}{key}"


def split_row_id(text: str) -> tuple[str, str] | None:
    """Return (division code, key), or None for what is no identity of a row."""
    code, separator, key = text.partition(_SEPARATOR)
    return (code, key) if separator and code else None


# SHEETS AND COLUMNS


def layouts(form: Form, units: Sequence[WorkbookUnit]) -> tuple[SheetLayout, ...]:
    """Return one sheet for each group of the form."""
    names = sheet_names(form)
    return tuple(_layout(form, group, names[group], units) for group in form.groups)


def sheet_names(form: Form) -> dict[str, str]:
    """Return group to the name of its sheet: its first section, told apart where two are alike."""
    taken = {GUIDE_SHEET, ERROR_SHEET, STAMP_SHEET, CODES_SHEET}
    sections = {group: form.fields_of(group)[0].section for group in form.groups}
    often = Counter(sections.values())
    names = {}
    for group, section in sections.items():
        told = section if often[section] == 1 else _rows_of(form, group) or section
        wished = _FORBIDDEN.sub(" ", told or group).strip()[:28]
        name = wished or group[:28]
        while name in taken:
            name = f"{wished[:24]}（{len(taken)}）"
        taken.add(name)
        names[group] = name
    return names


def _rows_of(form: Form, group: str) -> str:
    """Return what the rows of a group are, by the last code that the portal gives them: 自然村."""
    codes = [
        item.label.removesuffix(_CODE_WORD)
        for item in form.fields_of(group)
        if item.read_only and item.label.endswith(_CODE_WORD)
    ]
    return codes[-1] if codes else ""


def _layout(form: Form, group: str, name: str, units: Sequence[WorkbookUnit]) -> SheetLayout:
    fixed = [Column(ColumnKind.UNIT_CODE, "单位代码")]
    if len(units) > 1:
        fixed.append(Column(ColumnKind.PARENT_NAME, "所属"))
    fixed += [Column(ColumnKind.UNIT_NAME, "单位"), Column(ColumnKind.ROW_ID, HEADER_MARK)]
    if group != FORM_GROUP:
        depth = max((len(chain) for chain in _chains(group, units)), default=1)
        fixed += [
            Column(ColumnKind.LABEL, "项目" if place == depth - 1 else "上级项目", name=str(place))
            for place in range(depth)
        ]
    accepted = _accepted_fields(form, group, units)
    fields = [c for item in form.fields_of(group) for c in _field_columns(item, accepted)]
    facts = [Column(ColumnKind.FACT, name, name=name) for name in fact_names(form, group)]
    return SheetLayout(group, name, (*fixed, *fields, *facts), len(fixed))


def _field_columns(item: Field, accepted: set[str]) -> Iterable[Column]:
    if item.data_type == "evidence":
        yield Column(ColumnKind.FILES, f"{item.label}（请在网页上传）", item)
        return
    yield Column(ColumnKind.FIELD, header_of(item), item)
    if item.code in accepted:
        yield Column(ColumnKind.ACCEPTED, f"{item.label}（上次认定）", item)


def header_of(item: Field) -> str:
    """Return a column's header: marked where it must be filled, with its unit."""
    mark = {None: "", "": "", "True": "*"}.get(item.required_when, "△")
    unit = f"（{item.unit}）" if item.unit else ""
    return f"{mark}{item.label}{unit}"


def _accepted_fields(form: Form, group: str, units: Sequence[WorkbookUnit]) -> set[str]:
    return {
        item.code
        for unit in units
        for _, row in rows_of(unit.accepted, group)
        for item in form.fields_of(group)
        if row.get(item.code) is not None
    }


def fact_names(form: Form, group: str) -> list[str]:
    """Return the names that conditions of a group use beside the fields of their own row."""
    names: dict[str, None] = {}
    for item in form.fields_of(group):
        for condition in (item.visible_when, item.required_when):
            try:
                found = parse(condition).names if condition else frozenset()
            except BadExpression:
                continue
            names |= dict.fromkeys(sorted(found))
    own = {item.code for item in form.fields_of(group)}
    return [name for name in names if name not in own and name != "today"]


# ROWS


def rows_in(context: Context, group: str) -> Sequence[Row]:
    """Return the rows a unit has in a group; the form itself is one row with the key ''."""
    return (Row("", ""),) if group == FORM_GROUP else context.rows.get(group, ())


def label_chain(context: Context, row: Row) -> tuple[str, ...]:
    """Return what a person calls the row, from the outermost parent to itself."""
    chain = [row.label]
    above = row.parent
    while above and len(chain) < 4:
        parent = context.find_row(*above)
        if parent is None:
            break
        chain.insert(0, parent.label)
        above = parent.parent
    return tuple(chain)


def _chains(group: str, units: Sequence[WorkbookUnit]) -> Iterable[tuple[str, ...]]:
    for unit in units:
        for row in rows_in(unit.context, group):
            yield label_chain(unit.context, row)


# VALUES AS THEY STAND IN A CELL


def cell_value(form: Form, item: Field, value: object, shown: Mapping[str, str]) -> object:
    """Return None, a text, a number, a bool or a date: what a cell shows for a value.

    `shown` is `shown_codes` of the field's options. A number that Excel would round, and a date it
    cannot count, stand there as text.
    """
    normal = normal_value(form, item, value)
    match item.data_type:
        case "code":
            return shown.get(str(normal), normal)
        case "boolean" if isinstance(normal, bool):
            return "是" if normal else "否"
        case "date":
            return _date_cell(normal)
        case "integer" | "decimal":
            return _number_cell(normal)
    return normal


def shown_codes(options: Mapping[str, str]) -> dict[str, str]:
    """Return each code to what stands for it in a cell: its name, if that means no other code."""
    count = Counter(map(str.strip, options.values()))
    return {
        code: name
        if count[name] == 1 and (name == code or name not in options)
        else f"{name}（{code}）"
        for code, name in options.items()
    }


def _date_cell(normal: object) -> object:
    try:
        day = date.fromisoformat(normal) if isinstance(normal, str) else None
    except ValueError:
        return normal
    return day if day and day >= _FIRST_DAY else normal


def _number_cell(normal: object) -> object:
    if isinstance(normal, bool) or not _NUMBER.fullmatch(str(normal)):
        return normal
    number = Decimal(str(normal))
    if abs(number) >= EXACT_BELOW:
        return str(normal)
    if number == number.to_integral_value():
        return int(number)
    return float(number) if Decimal(f"{float(number):.15g}") == number else str(normal)
