"""A place on a page to upload one file: it streams past the page's script and survives cuts."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import streamlit as st

from data_access import uploads
from data_access.database import transaction
from domain.access import Actor
from domain.files import extensions_of

_ASSETS = Path(__file__).parents[1] / "assets"
_element = st.components.v2.component(
    "upload_field",
    css=(_ASSETS / "upload_field.css").read_text("utf-8"),
    js="\n".join((_ASSETS / name).read_text("utf-8") for name in ("upload.js", "upload_field.js")),
)


def upload_field(
    actor: Actor,
    label: str,
    *,
    key: str,
    use: str = uploads.EVIDENCE,
    target: Mapping[str, Any] | None = None,
) -> dict[str, Any] | None:
    """Draw the field; return the stored file in the run in which it arrived, else None.

    The answer has sha256, media_type, size and file_name; of evidence also evidence_id and
    also_used_for, where the same file stands already.
    """
    with transaction(actor, read_only=True) as connection:
        limits = uploads.get_use(connection, use)
    result = _element(
        key=key,
        data={
            "label": label,
            "hint": limits_text(limits),
            "accept": ",".join(extensions_of(limits.media_types)),
            "target": {"use": use, **(target or {})},
        },
        on_uploaded_change=_noted,
    )
    uploaded: dict[str, Any] | None = result.uploaded
    return uploaded


def _noted() -> None:
    """Let the trigger rerun the page."""


def limits_text(limits: uploads.UploadUse) -> str:
    """Return what is taken, in words: 支持 pdf、jpg，不超过 200 MB."""
    spellings = extensions_of(limits.media_types)
    kinds = [each.removeprefix(".") for each in spellings if each != ".jpeg"]
    return f"支持 {'、'.join(kinds)}，不超过 {size_text(limits.max_size)}"


def size_text(size: int) -> str:
    """Return a number of bytes as a person reads it.

    >>> size_text(209715200), size_text(10 << 30), size_text(900)
    ('200 MB', '10 GB', '1 kB')
    """
    if size >= 1 << 30:
        return f"{round(size / (1 << 30), 1):g} GB"
    if size >= 1 << 20:
        return f"{round(size / (1 << 20), 1):g} MB"
    return f"{max(1, round(size / 1024))} kB"
