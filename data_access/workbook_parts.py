"""One XML part of a workbook, read as a stream by a parser that knows no entities.

What the values alone do not tell is noted on the way: hidden rows, merged cells, formulas without
a result, errors, percentages. What reaches out of the workbook is refused.
"""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from xml.parsers import expat

from domain.errors import WorkbookRefused
from domain.workbook import Refusal

Cell = tuple[int, int]
"""Row and column, from 0."""
XML = (".xml", ".rels")
"""How the names of the parts end that are read."""
_LINK_TYPES = ("externalLink", "connections", "queryTable", "externalLinkPath")
_OBJECT_TYPES = ("oleObject", "package", "control", "ctrlProp", "webextension")
_MACRO_TYPES = ("vbaProject", "xlMacrosheet", "xlIntlMacrosheet", "attachedToolbars")
_XML_NOT_READ = (".vml",)  # how comments look; Excel itself writes some that are not well-formed
# A topic of another program (DDE), or a function that asks a server.
_REACHES_OUT = re.compile(r"\w\s*\|[^\"]*!|\b(WEBSERVICE|DDE)\s*\(", re.IGNORECASE)
_PERCENT_FORMATS = ("9", "10")  # 0% and 0.00%, which no workbook describes
_WRITTEN_OUT = re.compile(r'"[^"]*"|\\.|\[[^\]]*\]')  # what a number format shows as it stands


@dataclass(slots=True)
class SheetStructure:
    """What stands beside the values of one sheet."""

    hidden_rows: list[int] = field(default_factory=list)
    merged: list[tuple[int, int, int, int]] = field(default_factory=list)
    """First row, first column, last row, last column."""
    formulas: list[Cell] = field(default_factory=list)
    without_value: list[Cell] = field(default_factory=list)
    errors: list[tuple[int, int, str]] = field(default_factory=list)
    percents: list[Cell] = field(default_factory=list)
    """Numbers that are shown as a percentage: 0.45 as 45%."""
    last_row: int = -1
    last_column: int = -1

    @property
    def notes(self) -> int:
        """Return how much was noted; each note takes memory, and a bomb is made of them."""
        beside = len(self.hidden_rows) + len(self.merged) + len(self.percents)
        return beside + len(self.formulas) + len(self.errors)


class Part:
    """One XML part, read as a stream; no end of an element is ever needed."""

    def __init__(self, most_notes: int, percents: frozenset[str]) -> None:
        self.percent_styles: list[str] = []
        self._percents = percents
        self._percent_formats = set(_PERCENT_FORMATS)
        self._styles = -1
        self.content_types: list[str] = []
        self.targets: dict[str, str] = {}
        self.sheets: list[tuple[str, str]] = []
        self.uses_1904 = False
        self.sheet = SheetStructure()
        self._most_notes = most_notes
        self._parser = expat.ParserCreate()
        self._parser.buffer_text = True
        self._parser.StartElementHandler = self._first
        self._parser.CharacterDataHandler = self._text
        self._parser.StartDoctypeDeclHandler = _refuse_doctype
        self._parser.EntityDeclHandler = _refuse_doctype
        self._row, self._column = -1, -1
        self._kind, self._has_value, self._is_formula = "", False, False
        self._is_percent = False
        self._texts: list[str] | None = None
        self._formula: list[str] = []
        self._value: list[str] = []
        self._handlers: Mapping[str, Callable[[dict[str, str]], None]] = {
            "row": self._on_row,
            "v": self._on_value,
            "is": self._on_value,
            "f": self._on_formula,
            "definedName": self._on_defined_name,
            "mergeCell": self._on_merged,
            "Relationship": self._on_relationship,
            "Default": self._on_content_type,
            "Override": self._on_content_type,
            "sheet": self._on_sheet,
            "workbookPr": self._on_workbook,
            "numFmt": self._on_number_format,
            "cellXfs": self._on_cell_styles,
            "xf": self._on_cell_style,
        }

    def feed(self, data: bytes, *, is_last: bool = False) -> None:
        self._parser.Parse(data, is_last)
        if is_last:
            self._finish_cell()

    def _first(self, name: str, attributes: dict[str, str]) -> None:
        self._parser.StartElementHandler = self._start
        self._start(name, attributes)

    def _start(self, name: str, attributes: dict[str, str]) -> None:
        if ":" in name:
            name = name.rpartition(":")[2]
        if name == "c":
            self._on_cell(attributes)
            return
        handler = self._handlers.get(name)
        if handler is not None:
            handler(attributes)

    def _text(self, text: str) -> None:
        if self._texts is not None:
            self._texts.append(text)

    # CELLS

    def _on_row(self, attributes: dict[str, str]) -> None:
        self._finish_cell()
        if self.sheet.notes > self._most_notes:
            raise WorkbookRefused(reason=Refusal.TOO_MANY_CELLS)
        self._row = int(attributes["r"]) - 1 if "r" in attributes else self._row + 1
        self._column = -1
        if attributes.get("hidden") in ("1", "true"):
            self.sheet.hidden_rows.append(self._row)

    def _on_cell(self, attributes: dict[str, str]) -> None:
        self._finish_cell()
        reference = attributes.get("r")
        if reference is None:
            self._column += 1
        else:
            self._row, self._column = cell_of(reference)
        self._kind = attributes.get("t", "")
        self._is_percent = attributes.get("s") in self._percents and self._kind in ("", "n")

    def _on_value(self, attributes: dict[str, str]) -> None:
        self._has_value = True
        self._texts = self._value if self._is_formula or self._kind == "e" else None

    def _on_formula(self, attributes: dict[str, str]) -> None:
        self._is_formula = True
        self._texts = self._formula

    def _on_defined_name(self, attributes: dict[str, str]) -> None:
        self._on_formula(attributes)
        self._finish_cell()
        self._is_formula, self._texts = True, self._formula

    def _finish_cell(self) -> None:
        sheet = self.sheet
        if self._has_value:
            sheet.last_row = max(sheet.last_row, self._row)
            sheet.last_column = max(sheet.last_column, self._column)
            if self._is_percent:
                sheet.percents.append((self._row, self._column))
        if self._is_formula or self._kind == "e":
            self._note_result()
        self._has_value = self._is_formula = self._is_percent = False
        self._kind, self._texts = "", None

    def _note_result(self) -> None:
        value = "".join(self._value).strip()
        if self._is_formula:
            if _REACHES_OUT.search("".join(self._formula)):
                raise WorkbookRefused(reason=Refusal.EXTERNAL_LINKS)
            self.sheet.formulas.append((self._row, self._column))
            if not value and self._kind != "str":
                self.sheet.without_value.append((self._row, self._column))
        if self._kind == "e":
            self.sheet.errors.append((self._row, self._column, value[:20]))
        self._formula.clear()
        self._value.clear()

    def _on_merged(self, attributes: dict[str, str]) -> None:
        self._finish_cell()
        first, _, last = attributes["ref"].partition(":")
        self.sheet.merged.append((*cell_of(first), *cell_of(last or first)))

    # STYLES

    def _on_number_format(self, attributes: dict[str, str]) -> None:
        if "%" in _WRITTEN_OUT.sub("", attributes.get("formatCode", "")):
            self._percent_formats.add(attributes.get("numFmtId", ""))

    def _on_cell_styles(self, _: dict[str, str]) -> None:
        self._styles = 0

    def _on_cell_style(self, attributes: dict[str, str]) -> None:
        """Note a style of cells; what stands before them are the styles with a name."""
        if self._styles < 0:
            return
        if attributes.get("numFmtId") in self._percent_formats:
            self.percent_styles.append(str(self._styles))
        self._styles += 1

    # THE WORKBOOK'S OWN PARTS

    def _on_relationship(self, attributes: dict[str, str]) -> None:
        kind = attributes.get("Type", "").rpartition("/")[2]
        is_outside = attributes.get("TargetMode") == "External" and kind != "hyperlink"
        for kinds, reason in (
            (_MACRO_TYPES, Refusal.MACROS),
            (_OBJECT_TYPES, Refusal.EMBEDDED_OBJECTS),
            (_LINK_TYPES, Refusal.EXTERNAL_LINKS),
        ):
            if kind in kinds:
                raise WorkbookRefused(reason=reason)
        if is_outside:
            raise WorkbookRefused(reason=Refusal.EXTERNAL_LINKS)
        self.targets[attributes.get("Id", "")] = attributes.get("Target", "")

    def _on_content_type(self, attributes: dict[str, str]) -> None:
        kind = attributes.get("ContentType", "").lower()
        name = attributes.get("PartName", f".{attributes.get('Extension', '')}").lower()
        # Whatever is XML was looked at, or is looked at by nobody.
        is_xml = kind.endswith("xml") and not kind.startswith("image/")
        if is_xml and not name.endswith(XML + _XML_NOT_READ):
            raise WorkbookRefused(reason=Refusal.DAMAGED)
        self.content_types.append(kind)

    def _on_sheet(self, attributes: dict[str, str]) -> None:
        links = [value for name, value in attributes.items() if name.rpartition(":")[2] == "id"]
        if "name" in attributes and links:
            self.sheets.append((attributes["name"], links[0]))

    def _on_workbook(self, attributes: dict[str, str]) -> None:
        self.uses_1904 = attributes.get("date1904") in ("1", "true")


def _refuse_doctype(*_: object) -> None:
    raise WorkbookRefused(reason=Refusal.UNSAFE_XML)


_COLUMNS: dict[str, int] = {}


def cell_of(reference: str) -> Cell:
    """Return row and column from 0 of a cell such as B3; raise ValueError for what is none."""
    letters = reference.rstrip("0123456789")
    column = _COLUMNS.get(letters)
    if column is None:
        column = _COLUMNS[letters] = _column_of(letters)
    return int(reference[len(letters) :]) - 1, column


def _column_of(letters: str) -> int:
    number = 0
    for letter in letters.replace("$", "").upper():
        if not "A" <= letter <= "Z":
            raise ValueError(letters)
        number = number * 26 + ord(letter) - 64
    if not 0 < number <= 16_384:
        raise ValueError(letters)
    return number - 1
