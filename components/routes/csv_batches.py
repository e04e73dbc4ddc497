"""What of a CSV file was not taken or is left to correct, to take away as CSV."""

import csv
import io
from collections.abc import Iterable, Iterator
from pathlib import Path
from urllib.parse import quote

from starlette.requests import Request
from starlette.responses import Response, StreamingResponse
from starlette.routing import BaseRoute, Route

from components.csv_batches import UPLOADERS, row_words
from components.routes.auth import require
from data_access import csv_batches
from data_access.database import transaction
from domain.access import Actor

_ROWS_AT_ONCE = 2_000
_TITLES = ("文件", "行号", "代码", "名称", "问题")


def download_bad_rows(request: Request) -> Response:
    """Answer with all bad rows of the actor's own batch, some thousand read at a time."""
    actor = require(request, *UPLOADERS)
    batch_id = int(request.path_params["batch_id"])
    with transaction(actor, read_only=True) as connection:
        batch = csv_batches.get_batch(connection, batch_id)
    name = quote(f"{Path(batch.file_name).stem}_问题行.csv", safe="")
    disposition = f"attachment; filename=\"rows.csv\"; filename*=UTF-8''{name}"
    return StreamingResponse(
        _lines(actor, batch_id),
        media_type="text/csv; charset=utf-8",
        headers={"Content-Disposition": disposition, "Cache-Control": "no-store"},
    )


def _lines(actor: Actor, batch_id: int) -> Iterator[bytes]:
    """Yield the file; no transaction lasts as long as somebody's slow line."""
    yield ("\ufeff" + _written([_TITLES])).encode()
    after = 0
    while True:
        with transaction(actor, read_only=True) as connection:
            rows = csv_batches.list_bad_rows(connection, batch_id, after, _ROWS_AT_ONCE)
        if not rows:
            return
        after = rows[-1].entry_no
        yield _written(
            (
                row.file,
                row.row_no,
                row.row_key or row.division_code or "",
                row.row_name or row.unit_name,
                row_words(row),
            )
            for row in rows
        ).encode()


def _written(rows: Iterable[tuple[object, ...]]) -> str:
    text = io.StringIO()
    csv.writer(text).writerows(rows)
    return text.getvalue()


ROUTES: list[BaseRoute] = [
    Route("/api/csv/{batch_id:int}/bad-rows", download_bad_rows, methods=["GET"]),
]
