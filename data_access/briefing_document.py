"""A briefing as a Word document, which Word, WPS and LibreOffice open."""

from collections.abc import Sequence
from io import BytesIO

from docx import Document
from docx.document import Document as DocumentFile
from docx.enum.table import WD_TABLE_ALIGNMENT
from docx.enum.text import WD_ALIGN_PARAGRAPH
from docx.oxml import OxmlElement
from docx.oxml.ns import qn
from docx.shared import Cm, Pt, RGBColor
from docx.table import Table as DocumentTable
from docx.table import _Cell, _Row
from docx.text.paragraph import Paragraph

from data_access.map_picture import draw_map
from domain.briefing import Briefing, LegendEntry, Table

# Faces that every Windows and WPS has; elsewhere the reader's own stand in.
_TEXT_FACE, _HEAD_FACE = "宋体", "黑体"
_DEMO = "演示数据：本简报中的填报内容为虚构，仅供演示，不得引用。"
_TEXT_WIDTH, _MAP_WIDTH = 16.2, 10.5  # cm
_HEAD_FILL = "E8EEF3"


def write_briefing(briefing: Briefing) -> bytes:
    """Return the briefing as a .docx: A4 upright, tables with repeated heads, pages numbered."""
    document = Document()
    _set_page(document)
    _set_faces(document)
    _paragraph(document, briefing.title, size=20, face=_HEAD_FACE, centred=True)
    for line in briefing.lines:
        _paragraph(document, line, size=10.5, centred=True, grey=True)
    if briefing.is_demo:
        _paragraph(document, _DEMO, size=10.5, centred=True, red=True)
    _heading(document, "总体情况")
    _paragraph(document, briefing.answer, size=14)
    _table(document, briefing.figures)
    _map(document, briefing)
    for table in briefing.tables:
        _heading(document, table.title)
        _table(document, table)
    _heading(document, "数据来源与口径")
    for source in briefing.sources:
        _paragraph(document, source, size=10.5)
    _footer(document, briefing)
    target = BytesIO()
    document.save(target)
    return target.getvalue()


def _set_page(document: DocumentFile) -> None:
    section = document.sections[0]
    section.page_width, section.page_height = Cm(21), Cm(29.7)
    section.left_margin = section.right_margin = Cm(2.4)
    section.top_margin = section.bottom_margin = Cm(2.2)


def _set_faces(document: DocumentFile) -> None:
    style = document.styles["Normal"]
    _face(style.element.get_or_add_rPr(), _TEXT_FACE)
    style.font.size = Pt(12)
    style.paragraph_format.space_after = Pt(4)


def _face(properties, face: str) -> None:  # type: ignore[no-untyped-def]
    """Set the face of Chinese and of Latin letters: Word keeps the two apart."""
    fonts = properties.get_or_add_rFonts()
    for script in ("w:eastAsia", "w:ascii", "w:hAnsi"):
        fonts.set(qn(script), face)


def _heading(document: DocumentFile, text: str) -> None:
    heading = document.add_heading(level=1)
    heading.paragraph_format.space_before, heading.paragraph_format.space_after = Pt(14), Pt(4)
    _write(heading, text, size=14, face=_HEAD_FACE)


def _paragraph(
    document: DocumentFile,
    text: str,
    *,
    size: float,
    face: str = _TEXT_FACE,
    centred: bool = False,
    grey: bool = False,
    red: bool = False,
) -> None:
    paragraph = document.add_paragraph()
    if centred:
        paragraph.alignment = WD_ALIGN_PARAGRAPH.CENTER
    colour = "B8322A" if red else "5B6B7A" if grey else "1B2733"
    _write(paragraph, text, size=size, face=face, colour=colour)


def _write(
    paragraph: Paragraph,
    text: str,
    *,
    size: float,
    face: str = _TEXT_FACE,
    colour: str = "1B2733",
    bold: bool = False,
) -> None:
    run = paragraph.add_run(text)
    run.font.size, run.font.bold = Pt(size), bold
    run.font.color.rgb = RGBColor.from_string(colour)
    _face(run._element.get_or_add_rPr(), face)


def _table(document: DocumentFile, table: Table) -> None:
    if not table.rows:
        _paragraph(document, table.empty, size=12)
        return
    drawn = document.add_table(rows=1, cols=len(table.heads), style="Table Grid")
    drawn.alignment, drawn.autofit = WD_TABLE_ALIGNMENT.CENTER, False
    for cell, head, number in zip(drawn.rows[0].cells, table.heads, table.numbers, strict=True):
        _cell(cell, head, number=number, fill=_HEAD_FILL, face=_HEAD_FACE)
    _repeat_head(drawn)
    for texts in table.rows:
        for cell, text, number in zip(drawn.add_row().cells, texts, table.numbers, strict=True):
            _cell(cell, text, number=number)
    for row in drawn.rows:
        _keep_whole(row)
    for column, share in zip(drawn.columns, table.widths, strict=True):
        width = Cm(_TEXT_WIDTH * share / sum(table.widths))
        column.width = width  # what LibreOffice reads; Word reads the cells'
        for cell in column.cells:
            cell.width = width


def _cell(
    cell: _Cell,
    text: str,
    *,
    number: bool,
    fill: str | None = None,
    face: str = _TEXT_FACE,
    size: float = 10.5,
    centred: bool = False,
) -> None:
    paragraph = cell.paragraphs[0]
    paragraph.paragraph_format.space_before = paragraph.paragraph_format.space_after = Pt(1.5)
    if number or centred:
        right, middle = WD_ALIGN_PARAGRAPH.RIGHT, WD_ALIGN_PARAGRAPH.CENTER
        paragraph.alignment = right if number else middle
    _write(paragraph, text, size=size, face=face)
    if fill:
        _shade(cell, fill)


def _shade(cell: _Cell, fill: str) -> None:
    shading = OxmlElement("w:shd")
    for name, value in (("w:val", "clear"), ("w:color", "auto"), ("w:fill", fill)):
        shading.set(qn(name), value)
    cell._element.get_or_add_tcPr().append(shading)


def _repeat_head(table: DocumentTable) -> None:
    head = OxmlElement("w:tblHeader")
    head.set(qn("w:val"), "true")
    table.rows[0]._tr.get_or_add_trPr().append(head)


def _keep_whole(row: _Row) -> None:
    """Let a row of the table go to the next page rather than break."""
    row._tr.get_or_add_trPr().append(OxmlElement("w:cantSplit"))


def _map(document: DocumentFile, briefing: Briefing) -> None:
    picture = draw_map(briefing.drawing)
    if not picture:
        return
    _heading(document, briefing.map_title)
    paragraph = document.add_paragraph()
    paragraph.alignment = WD_ALIGN_PARAGRAPH.CENTER
    paragraph.add_run().add_picture(BytesIO(picture), width=Cm(_MAP_WIDTH))
    _legend(document, briefing.legend)


def _legend(document: DocumentFile, entries: Sequence[LegendEntry]) -> None:
    """Draw the classes side by side: the colour, and below it its words with the count."""
    legend = document.add_table(rows=2, cols=len(entries))
    legend.alignment = WD_TABLE_ALIGNMENT.CENTER
    for column, entry in zip(legend.columns, entries, strict=True):
        colour, text = column.cells
        _shade(colour, entry.colour.lstrip("#"))
        colour.paragraphs[0].paragraph_format.keep_with_next = True
        _cell(text, f"{entry.text}\n{entry.count} 个", number=False, size=9, centred=True)


def _footer(document: DocumentFile, briefing: Briefing) -> None:
    paragraph = document.sections[0].footer.paragraphs[0]
    paragraph.alignment = WD_ALIGN_PARAGRAPH.CENTER
    if briefing.is_demo:
        _write(paragraph, "演示数据 · ", size=9, colour="B8322A")
    _write(paragraph, "第 ", size=9, colour="5B6B7A")
    _page_number(paragraph)
    _write(paragraph, " 页", size=9, colour="5B6B7A")


def _page_number(paragraph: Paragraph) -> None:
    field = OxmlElement("w:fldSimple")
    field.set(qn("w:instr"), "PAGE")
    paragraph._element.append(field)
    # The field's own run takes the paragraph's size.
    if paragraph.style is not None:
        paragraph.style.font.size = Pt(9)
