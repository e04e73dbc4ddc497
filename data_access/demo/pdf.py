"""Tiny PDF files, each different, that any viewer opens: the stand-ins for evidence."""

_HEAD = "%PDF-1.4\n%\u00e2\u00e3\u00cf\u00d3\n"
# A CJK font of the reader's own: nothing is embedded, so a file stays near 1 kB.
_OBJECTS = (
    "<</Type/Catalog/Pages 2 0 R>>",
    "<</Type/Pages/Kids[3 0 R]/Count 1>>",
    "<</Type/Page/Parent 2 0 R/MediaBox[0 0 595 842]/Contents 4 0 R"
    "/Resources<</Font<</F 5 0 R>>>>>>",
    "",
    "<</Type/Font/Subtype/Type0/BaseFont/STSong-Light/Encoding/UniGB-UCS2-H"
    "/DescendantFonts[6 0 R]>>",
    "<</Type/Font/Subtype/CIDFontType0/BaseFont/STSong-Light"
    "/CIDSystemInfo<</Registry(Adobe)/Ordering(GB1)/Supplement 2>>/DW 1000/FontDescriptor 7 0 R>>",
    "<</Type/FontDescriptor/FontName/STSong-Light/Flags 6/FontBBox[-25 -254 1000 880]"
    "/ItalicAngle 0/Ascent 880/Descent -120/CapHeight 880/StemV 93>>",
)


def make_pdf(title: str, lines: list[str], watermark: str) -> bytes:
    """Return a one-page PDF: the watermark across it, a title, and lines of text."""
    page = _page(title, lines, watermark)
    body, offsets = _HEAD, []
    for number, content in enumerate(_OBJECTS, start=1):
        offsets.append(len(body))
        if number == 4:
            content = f"<</Length {len(page)}>>stream\n{page}\nendstream"
        body += f"{number} 0 obj{content}endobj\n"
    table = "".join(f"{offset:010d} 00000 n \n" for offset in offsets)
    size = len(_OBJECTS) + 1
    tail = f"xref\n0 {size}\n0000000000 65535 f \n{table}trailer<</Size {size}/Root 1 0 R>>\n"
    return f"{body}{tail}startxref\n{len(body)}\n%%EOF\n".encode("latin-1")


def _page(title: str, lines: list[str], watermark: str) -> str:
    across = f"q .85 g BT /F 84 Tf .7 .7 -.7 .7 150 240 Tm {_shown(watermark)} Tj ET Q"
    text = " ".join(f"0 -34 Td {_shown(line)} Tj" for line in lines)
    return f"{across} BT /F 20 Tf 72 740 Td {_shown(title)} Tj /F 13 Tf {text} ET"


def _shown(text: str) -> str:
    return f"<{text.encode('utf-16-be').hex()}>"
