"""Invented evidence: one small PDF for each item, stored by what it contains."""

import hashlib
from datetime import datetime
from pathlib import Path

from data_access.demo import words
from data_access.demo.bulk import Rows
from data_access.demo.pdf import make_pdf
from data_access.demo.timelines import Stage


class EvidenceStore:
    """Writes the files under `uploads` and their rows."""

    def __init__(self, rows: Rows, uploads_dir: Path) -> None:
        self._rows = rows
        self._folder = uploads_dir
        self._stored: set[str] = set()

    def add(
        self,
        plan: tuple[int, str, str],
        stage: Stage,
        item: str,
        uploaded_by: int,
        uploaded_at: datetime,
        *,
        title: str = "",
    ) -> int:
        """Store a file for an item of a stage; `plan` is (plan_id, division_code, name).

        With the `title` of another item the file is that item's once more.
        """
        plan_id, division_code, _ = plan
        lines = [f"阶段：{stage.name}", f"{division_code} {stage.stage_code}"]
        row = ("plan_progress", "milestone", f"{plan_id}/{stage.stage_code}")
        return self._add(
            row, plan, stage.stage_code, item, title or item, lines, uploaded_by, uploaded_at
        )

    def add_to_contract(
        self,
        plan: tuple[int, str, str],
        item: str,
        lines: list[str],
        uploaded_by: int,
        uploaded_at: datetime,
    ) -> int:
        """Store a file for an item of a plan's contract, with what it says."""
        row = ("compile_unit", "contract", str(plan[0]))
        return self._add(row, plan, None, item, item, lines, uploaded_by, uploaded_at)

    def _add(
        self,
        row: tuple[str, str, str],
        plan: tuple[int, str, str],
        stage_code: str | None,
        item: str,
        title: str,
        lines: list[str],
        uploaded_by: int,
        uploaded_at: datetime,
    ) -> int:
        plan_id, division_code, plan_name = plan
        said = [plan_name, *lines, f"{uploaded_at:%Y-%m-%d}"]
        sha256 = self._store(make_pdf(title, said, words.WATERMARK), uploaded_at)
        return self._rows.add_numbered(
            "evidence",
            *row,
            plan_id,
            division_code,
            stage_code,
            item,
            sha256,
            f"{item}-{plan_name.partition('（')[0]}.pdf".replace("/", "、"),
            uploaded_by,
            uploaded_at,
        )

    def _store(self, content: bytes, stored_at: datetime) -> str:
        sha256 = hashlib.sha256(content).hexdigest()
        if sha256 not in self._stored:
            self._stored.add(sha256)
            folder = self._folder / sha256[:2]
            folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            (folder / sha256).write_bytes(content)
            self._rows.add("stored_file", sha256, len(content), "application/pdf", stored_at)
        return sha256
