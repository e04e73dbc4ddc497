"""Check what a unit filed against the form it was filed on."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sqlalchemy import Connection

if TYPE_CHECKING:
    from domain.forms import Problem


def check_submission(
    connection: Connection,
    form_code: str,
    form_version: int,
    division_code: str,
    content: dict[str, Any],
) -> list[Problem]:
    """Return what is wrong, doubtful or unchecked in the content."""
    return []
