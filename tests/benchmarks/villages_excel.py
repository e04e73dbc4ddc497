"""A county's villages as a workbook and the province's as CSV, beside what bare tools take.

Each is measured in a process of its own (`python -m tests.benchmarks.villages_excel county|province
FOLDER`), with the memory that it, what it starts and its backends hold at once.
"""

import csv
import io
import json
import os
import subprocess
import sys
import tempfile
import threading
import time
import zipfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TypeVar

import psycopg

from tests.benchmarks.figures import Figure
from tests.benchmarks.portal import BenchPortal
from tests.paths import ROOT

Result = TypeVar("Result")
_EVERY = 10
"""One cell in so many is changed in the county's workbook; of the province every row is."""
_TYPED = ("户籍人口", "常住人口", "户籍户数", "村庄建设用地面积")


def county_figures(portal: BenchPortal) -> list[Figure]:
    """Measure the workbook of the county with the most villages: out, back, written."""
    took = _in_its_own(portal, "county")
    size = f"{took['villages']:.0f} + {took['rows']:.0f} rows"
    bare = f"xlsxwriter, the same cells {took['bare_write']:.2f} s"
    read = f"openpyxl reading it {took['bare_read']:.2f} s"
    return [
        Figure(f"county workbook of {size} made", took["export"], "s", 3, beside=bare),
        Figure("brought back: read, checked, compared", took["check"], "s", 4, beside=read),
        Figure("written into its drafts", took["write"], "s", 3),
    ]


def province_figures(portal: BenchPortal) -> list[Figure]:
    """Measure the province's CSV, every row changed: out; read, compared and written."""
    took = _in_its_own(portal, "province")
    whole = took["check"] + took["write"]
    parts = f"check {took['check']:.1f} s, write {took['write']:.1f} s"
    bare = f"{parts}; bare COPY {took['copy']:.1f} s"
    return [
        Figure(f"province CSV of {took['rows']:,.0f} rows made", took["export"], "s"),
        Figure("read, compared and written, a trail entry a row", whole, "s", 20, beside=bare),
        Figure("memory of it, database backend included", took["memory"], "MB", 800),
        Figure(
            "rules asked of every village of it, behind the preview",
            took["judge"],
            "s",
            beside=f"{took['judge_cpu']:.1f} s of CPU beside the database",
        ),
    ]


def _in_its_own(portal: BenchPortal, what: str) -> dict[str, float]:
    _all_in_hand(portal.owner_url)
    with tempfile.TemporaryDirectory(prefix="bench-villages-") as folder:
        done = subprocess.run(
            [sys.executable, "-m", "tests.benchmarks.villages_excel", what, folder],
            cwd=ROOT,
            env={
                **os.environ,
                "PYTHONPATH": str(ROOT),
                "PORTAL_DATABASE_URL": portal.portal_url,
                "PORTAL_DATA_DIR": folder,
                "BENCH_OWNER_URL": portal.owner_url,
            },
            stdout=subprocess.PIPE,
            text=True,
            check=True,
        )
    figures: dict[str, float] = json.loads(done.stdout.splitlines()[-1])
    return figures


def _all_in_hand(owner_url: str) -> None:
    """Put every village's report of the open year into its filer's hands, with a draft."""
    with psycopg.connect(owner_url, autocommit=True) as owner:
        for statement in _IN_HAND.split(";"):
            if statement.strip():
                owner.execute(statement)


_IN_HAND = """
BEGIN;
SELECT set_config('app.bulk_load', 'on', true);
INSERT INTO submission (form_code, period_id, division_code)
SELECT 'village_evaluation', period_id, code
  FROM admin_division, reporting_period
 WHERE level = 'village' AND form_code = 'village_evaluation' AND closed_at IS NULL
    ON CONFLICT DO NOTHING;
UPDATE submission SET state = 'draft', step_no = 0, receipt_no = NULL, receipt_hash = NULL
     , filed_at = NULL
  FROM reporting_period AS period
 WHERE period.period_id = submission.period_id AND period.closed_at IS NULL
   AND submission.form_code = 'village_evaluation' AND submission.state <> 'draft';
INSERT INTO submission_draft (submission_id, division_code, content, saved_by)
SELECT DISTINCT ON (this.submission_id) this.submission_id, this.division_code, version.content
     , version.submitted_by
  FROM submission AS this
  JOIN reporting_period AS period USING (period_id)
  JOIN submission AS any_year
    ON any_year.division_code = this.division_code AND any_year.form_code = this.form_code
  JOIN submission_version AS version ON version.submission_id = any_year.submission_id
 WHERE period.closed_at IS NULL AND this.form_code = 'village_evaluation'
 ORDER BY this.submission_id, version.submission_id DESC, version.version_no DESC
    ON CONFLICT DO NOTHING;
COMMIT;
VACUUM ANALYZE submission;
VACUUM ANALYZE submission_draft
"""


# IN A PROCESS OF ITS OWN


def _county(folder: Path) -> dict[str, float]:
    import xlsxwriter
    from openpyxl import load_workbook

    from data_access import workbook_apply, workbook_check, workbook_exports
    from data_access.database import transaction
    from tests.workbooks import sent

    with psycopg.connect(os.environ["BENCH_OWNER_URL"]) as owner:
        code, villages = owner.execute(
            "SELECT left(code, 6), count(*) FROM admin_division WHERE level = 'village'"
            " GROUP BY 1 ORDER BY 2 DESC LIMIT 1"
        ).fetchone()
        rows = owner.execute(
            "SELECT count(*) FROM natural_village WHERE code ^@ %s AND valid_to IS NULL", [code]
        ).fetchone()[0]
        actor, period_id = _actor(owner, f"county_{code}"), _period(owner)
    key = f"{code}-all"
    took: dict[str, float] = {"villages": villages, "rows": rows}
    workbook_exports.MOST_AT_ONCE = 1_000  # the job makes it the same way
    path, _ = _timed(took, "export", lambda: workbook_exports.make(actor, period_id, key))
    book = load_workbook(path)
    cells = [[list(row) for row in sheet.iter_rows(values_only=True)] for sheet in book]
    number = 0
    for sheet in book.worksheets:
        for row in sheet.iter_rows(min_row=6):
            for cell in row:
                if isinstance(cell.value, int) and not cell.protection.locked:
                    number += 1
                    cell.value += number % _EVERY == 0
    changed = folder / "changed.xlsx"
    book.save(changed)

    def write_bare() -> None:
        bare = xlsxwriter.Workbook(str(folder / "bare.xlsx"))
        for rows in cells:
            sheet = bare.add_worksheet()
            for at, row in enumerate(rows):
                sheet.write_row(at, 0, row)
        bare.close()

    _timed(took, "bare_write", write_bare)
    _timed(took, "bare_read", lambda: [list(s.values) for s in load_workbook(changed)])
    sha256 = sent(actor, changed)
    batch_id = _timed(took, "check", lambda: workbook_check.receive(actor, sha256))

    def apply() -> None:
        with transaction(actor, action="workbook.apply", planned_once=True) as connection:
            workbook_apply.apply(connection, actor, batch_id)

    _timed(took, "write", apply)
    return took


def _province(folder: Path) -> dict[str, float]:
    from data_access import (
        csv_apply,
        csv_batches,
        csv_check,
        csv_exports,
        csv_rules,
        workbook_exports,
        workbook_scopes,
    )
    from data_access.database import transaction
    from tests.csvs import quietly, sent

    with psycopg.connect(os.environ["BENCH_OWNER_URL"]) as owner:
        actor, period_id = _actor(owner, "bureau"), _period(owner)
    took: dict[str, float] = {}
    with transaction(actor, action="csv.export") as connection:
        period = workbook_scopes.get_period(connection, period_id)
        scopes = workbook_scopes.list_scopes(connection, actor, period)
        scope = max(scopes, key=lambda each: len(each.units))
        export = workbook_exports.begin(connection, actor, period, scope)

        def make() -> Path:
            return csv_exports.write(connection, actor, export, lambda done, total: None)

        path = _timed(took, "export", make)
    changed = folder / "changed.zip"
    # A process has the memory that it ever had: the file is changed in another one.
    command = [sys.executable, "-m", "tests.benchmarks.villages_excel", "change"]
    said = subprocess.run(
        [*command, str(path), str(changed)], stdout=subprocess.PIPE, text=True, check=True
    )
    took["rows"] = float(said.stdout)
    took["copy"] = _bare_copy(path)
    sha256 = sent(actor, changed.read_bytes(), "全省.zip")
    with transaction(actor, action="csv.upload") as connection:
        batch_id = csv_batches.request(connection, actor, period_id, sha256)
    with _memory() as peak:
        _timed(took, "check", lambda: csv_check.check(actor, batch_id, quietly))
        began = time.process_time()
        _timed(took, "judge", lambda: csv_rules.judge(actor, batch_id, quietly))
        took["judge_cpu"] = time.process_time() - began
        _timed(took, "write", lambda: csv_apply.write(actor, batch_id, quietly))
    with transaction(actor, read_only=True) as connection:
        batch = csv_batches.get_batch(connection, batch_id)
    assert batch.state == "applied", batch
    took["memory"] = peak() / 1e6
    return took


def _change(path: str, target: str) -> int:
    """Change figures in every row of the archive; return how many rows there are."""
    count = 0
    with (
        zipfile.ZipFile(path) as source,
        zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as changed,
    ):
        for name in source.namelist():
            if not name.endswith(".csv"):
                continue
            rows = csv.reader(io.TextIOWrapper(source.open(name), "utf-8-sig", newline=""))
            heads = next(rows)
            places = [i for i, head in enumerate(heads) if head.startswith(_TYPED)]
            with changed.open(name, "w", force_zip64=True) as raw:
                text = io.TextIOWrapper(raw, "utf-8-sig", newline="")
                writer = csv.writer(text)
                writer.writerow(heads)
                for row in rows:
                    count += 1
                    for place in places:
                        row[place] = str(int(float(row[place] or 0)) + 1)
                    writer.writerow(row)
                text.flush()
                text.detach()
    return count


def _bare_copy(path: Path) -> float:
    """Return the seconds of copying the same rows into an indexed table and nothing else."""
    with psycopg.connect(os.environ["BENCH_OWNER_URL"]) as owner:
        owner.execute("CREATE TABLE bench_copied (no bigint PRIMARY KEY, cells text[])")
        began, number = time.perf_counter(), 0
        with (
            owner.cursor().copy("COPY bench_copied FROM STDIN") as copy,
            zipfile.ZipFile(path) as archive,
        ):
            for name in archive.namelist():
                if name.endswith(".csv"):
                    lines = io.TextIOWrapper(archive.open(name), "utf-8-sig", newline="")
                    for row in csv.reader(lines):
                        number += 1
                        copy.write_row([number, row])
        owner.commit()
        took = time.perf_counter() - began
        owner.execute("DROP TABLE bench_copied")
        owner.commit()
    return took


def _actor(owner: "psycopg.Connection", username: str):
    from data_access.database import transaction
    from data_access.sessions import actor_today

    row = owner.execute("SELECT user_id FROM account WHERE username = %s", [username]).fetchone()
    with transaction(None, read_only=True) as connection:
        return actor_today(connection, row[0])


def _period(owner: "psycopg.Connection") -> int:
    return owner.execute(
        "SELECT period_id FROM reporting_period"
        " WHERE form_code = 'village_evaluation' AND closed_at IS NULL"
    ).fetchone()[0]


def _timed(took: dict[str, float], name: str, act: Callable[[], Result]) -> Result:
    began = time.perf_counter()
    result = act()
    took[name] = time.perf_counter() - began
    return result


@contextmanager
def _memory() -> Iterator[Callable[[], int]]:
    """Watch what this process, its children and the backends of the database hold at once."""
    most, over = 0, threading.Event()

    def watch() -> None:
        nonlocal most
        while not over.wait(0.05):
            most = max(most, sum(map(_own_bytes, _ours())))

    watcher = threading.Thread(target=watch, daemon=True)
    watcher.start()
    try:
        yield lambda: most
    finally:
        over.set()
        watcher.join()


def _ours() -> Iterator[Path]:
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            parent = int((folder / "stat").read_text().rpartition(")")[2].split()[1])
            line = (folder / "cmdline").read_bytes()
        except (OSError, ValueError):
            continue
        is_own = folder.name == str(os.getpid()) or parent == os.getpid()
        if is_own or (line.startswith(b"postgres: portal ") and b"idle\0" not in line):
            yield folder


def _own_bytes(folder: Path) -> int:
    """Return the memory that is the process's own; buffers shared by all are counted by none."""
    try:
        for line in (folder / "status").read_text().splitlines():
            if line.startswith("RssAnon:"):
                return int(line.split()[1]) * 1024
    except OSError:
        pass
    return 0


if __name__ == "__main__":
    match sys.argv[1:]:
        case ["change", source, target]:
            print(_change(source, target))
        case ["county", folder]:
            print(json.dumps(_county(Path(folder))))
        case ["province", folder]:
            print(json.dumps(_province(Path(folder))))
