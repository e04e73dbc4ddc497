"""Small files of every kind, whole."""

import io
import zipfile
from collections.abc import Mapping

from PIL import Image


def pdf(text: str = "x") -> bytes:
    """Return a PDF of one empty page; `text` makes its content its own."""
    body = f"%PDF-1.4\n%{text}\n".encode()
    offsets = []
    for number, thing in enumerate(
        (
            "<< /Type /Catalog /Pages 2 0 R >>",
            "<< /Type /Pages /Kids [3 0 R] /Count 1 >>",
            "<< /Type /Page /Parent 2 0 R /MediaBox [0 0 200 200] >>",
        ),
        1,
    ):
        offsets.append(len(body))
        body += f"{number} 0 obj\n{thing}\nendobj\n".encode()
    start = len(body)
    table = "".join(f"{offset:010} 00000 n \n" for offset in offsets)
    body += f"xref\n0 4\n0000000000 65535 f \n{table}".encode()
    return body + f"trailer\n<< /Size 4 /Root 1 0 R >>\nstartxref\n{start}\n%%EOF\n".encode()


def zipped(entries: Mapping[str, bytes], method: int = zipfile.ZIP_DEFLATED) -> bytes:
    """Return an archive with these entries."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", method) as archive:
        for name, content in entries.items():
            archive.writestr(name, content)
    return buffer.getvalue()


def docx(more: Mapping[str, bytes] | None = None, main: str = "word/document.xml") -> bytes:
    """Return the least that counts as an office file."""
    return zipped({"[Content_Types].xml": b"<Types/>", main: b"<w/>", **(more or {})})


def picture(kind: str = "PNG", size: tuple[int, int] = (64, 48), **options: object) -> bytes:
    """Return a picture of one colour."""
    buffer = io.BytesIO()
    Image.new("RGB", size, "#0F5C8C").save(buffer, kind, **options)
    return buffer.getvalue()
