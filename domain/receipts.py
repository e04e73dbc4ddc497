"""Checksums that anyone can recompute: of a filed content, and of the receipt for it."""

import hashlib
import json
from datetime import datetime
from typing import Any


def receipt_hash(receipt_no: str, content_sha256: str, filed_at: datetime) -> str:
    """Return a receipt's checksum: SHA-256 over number, content and second of filing."""
    filed_second = int(filed_at.timestamp())
    return hashlib.sha256(f"{receipt_no}|{content_sha256}|{filed_second}".encode()).hexdigest()


def content_sha256(content: dict[str, Any]) -> str:
    """Return the checksum of a content: SHA-256 of its JSON with sorted keys."""
    return text_sha256(canonical(content))


def text_sha256(text: str) -> str:
    """Return the checksum of a content that is canonical JSON already."""
    return hashlib.sha256(text.encode()).hexdigest()


def receipt_holds(
    receipt_no: str, stored_hash: str, content: dict[str, Any], filed_at: datetime
) -> bool:
    """Tell whether a receipt belongs to this very content, recomputing both checksums."""
    return receipt_hash(receipt_no, content_sha256(content), filed_at) == stored_hash


def canonical(value: object) -> str:
    """Return the JSON of a value with sorted keys: the same text for the same content."""
    return json.dumps(value, ensure_ascii=False, sort_keys=True)
