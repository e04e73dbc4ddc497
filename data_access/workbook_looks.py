"""How a workbook looks: formats, widths, print."""

import math
from functools import cached_property

import xlsxwriter
from xlsxwriter.format import Format
from xlsxwriter.worksheet import Worksheet

from data_access.workbook_layout import HEADER_ROW, SECTION_ROW, ColumnKind, SheetLayout
from domain.forms import Field, Form

_A3 = 8
_READABLE_WIDTH = 300  # letters on a page of A3
_INPUT_FORMATS = {"date": "yyyy-mm-dd", "integer": "0", "decimal": "General"}
_WIDTHS = {"date": 13, "integer": 11, "decimal": 13, "boolean": 9, "long_text": 36, "phone": 16}


class Formats:
    """Formats are shared: Excel takes 64,000 of them."""

    def __init__(self, book: xlsxwriter.Workbook) -> None:
        self._book, self._made = book, dict[tuple[object, ...], Format]()
        self._cells: dict[tuple[str, bool], Format] = {}

    def of(self, **properties: object) -> Format:
        """Return the format with these properties."""
        key = tuple(properties.items())
        if key not in self._made:
            self._made[key] = self._book.add_format(properties)
        return self._made[key]

    @cached_property
    def title(self) -> Format:
        return self.of(bold=True, font_size=12)

    @cached_property
    def legend(self) -> Format:
        return self.of(font_color="#595959")

    @cached_property
    def section(self) -> Format:
        return self.of(bold=True, bg_color="#D9E6F2")

    @cached_property
    def header(self) -> Format:
        return self.of(
            bold=True,
            bg_color="#EAF1F8",
            border=1,
            text_wrap=True,
            valign="vcenter",
            align="center",
        )

    @cached_property
    def locked(self) -> Format:
        return self.of(num_format="@", bg_color="#F2F2F2", border=1, font_color="#404040")

    def cell(self, item: Field, *, locked: bool) -> Format:
        """Return how a field's cell looks; grey where it is not to be filled."""
        key = item.data_type, locked
        if key not in self._cells:
            self._cells[key] = self._cell(item, locked=locked)
        return self._cells[key]

    def _cell(self, item: Field, *, locked: bool) -> Format:
        look: dict[str, object] = {
            "num_format": _INPUT_FORMATS.get(item.data_type, "@"),
            "border": 1,
            "valign": "top",
            "text_wrap": item.data_type == "long_text",
            "locked": locked,
        }
        return self.of(
            **look, **({"bg_color": "#F2F2F2", "font_color": "#595959"} if locked else {})
        )


def set_widths(sheet: Worksheet, form: Form, layout: SheetLayout) -> None:
    """Set how wide each column is, and hide those that are not for people."""
    for index, column in enumerate(layout.columns):
        hidden = column.kind in (ColumnKind.ROW_ID, ColumnKind.FACT)
        options = {"hidden": True} if hidden else {}
        sheet.set_column(index, index, _width(form, layout, index), None, options)


def _width(form: Form, layout: SheetLayout, index: int) -> float:
    column = layout.columns[index]
    match column.kind:
        case ColumnKind.UNIT_CODE:
            return 11
        case ColumnKind.PARENT_NAME | ColumnKind.UNIT_NAME:
            return 14
        case ColumnKind.LABEL | ColumnKind.FILES:
            return 24
    item = column.item
    if item is None:
        return 10
    if item.data_type == "code":
        longest = max(map(len, form.options(item).values()), default=8)
        return min(36, max(10, 2 * longest + 4))
    return _WIDTHS.get(item.data_type, 20)


def set_print(sheet: Worksheet, form: Form, layout: SheetLayout, *, is_demo: bool) -> None:
    """Set the print: A3 across, heads and names on every page, as many pages as stay readable."""
    shown = [
        _width(form, layout, index)
        for index, column in enumerate(layout.columns)
        if column.kind not in (ColumnKind.ROW_ID, ColumnKind.FACT)
    ]
    sheet.set_landscape()
    sheet.set_paper(_A3)
    sheet.fit_to_pages(math.ceil(sum(shown) / _READABLE_WIDTH), 0)
    sheet.repeat_rows(SECTION_ROW, HEADER_ROW)
    sheet.repeat_columns(0, layout.fixed - 1)
    sheet.set_margins(left=0.4, right=0.4, top=0.5, bottom=0.6)
    demo = " 演示数据" if is_demo else ""
    sheet.set_footer(f"&L{layout.name.replace('&', '&&')}{demo}&R第 &P 页，共 &N 页")
