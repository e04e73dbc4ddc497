"""`./portal bench [part …]`: a portal of its own, the figures as a table and as JSON.

Parts: start, layers, reruns, browser, idle, processes, database, queue, trail, phone, tiles,
upload, excel, villages-excel, villages, growth, assessment; without a name all of them.
`./portal bench --storm` is a run of its own.
"""

import os
import sys
import tempfile
from collections.abc import Callable
from datetime import datetime
from pathlib import Path

from domain.clock import BEIJING
from tests.benchmarks import (
    assessment,
    assessment_pages,
    batches,
    database,
    excel,
    growth,
    large,
    pages,
    phone,
    processes,
    queue,
    replica,
    storm,
    tiles,
    townships,
    villages,
    villages_excel,
)
from tests.benchmarks.figures import Figure, table
from tests.benchmarks.pages import as_json
from tests.benchmarks.portal import BenchPortal, running_portal

Part = Callable[[BenchPortal], list[Figure]]


def _start(portal: BenchPortal) -> list[Figure]:
    return [Figure("first start with demo data", portal.first_start_seconds, "s", 120)]


PARTS: dict[str, tuple[Part, ...]] = {
    "start": (_start,),
    "layers": (pages.layer_figures,),
    "reruns": (pages.rerun_figures,),
    "browser": (pages.browser_figures,),
    "idle": (pages.idle_figures,),
    "processes": (processes.process_figures,),
    "database": (database.as_of_figures, database.save_figures),
    "assessment": (assessment_pages.page_figures, assessment.assessment_figures),
    "queue": (queue.queue_figures, townships.township_figures),
    "replica": (replica.replica_figures,),
    "trail": (large.trail_figures,),
    "phone": (phone.phone_figures,),
    "tiles": (tiles.tile_figures, pages.map_figures),
    "upload": (large.upload_figures,),
    "excel": (excel.library_figures, excel.refusal_figures, batches.batch_figures),
    "villages-excel": (villages_excel.county_figures, villages_excel.province_figures),
    "villages": (villages.village_figures,),
    "growth": (growth.growth_figures,),
}


def main(names: list[str]) -> int:
    """Run the parts and print what they measured; 2 for a part that does not exist.

    A storm says 1 where an acknowledgement was lost, or anything else that may not be.
    """
    if names[:1] == ["--storm"]:
        measured, code = storm.main(names[1:])
        _tell(measured)
        return code
    unknown = [name for name in names if name not in PARTS]
    if unknown:
        print(f"There is no part {unknown[0]!r}; there are {', '.join(PARTS)}.", file=sys.stderr)
        return 2
    figures: list[Figure] = []
    with tempfile.TemporaryDirectory(prefix="portal-bench-") as folder:
        Path(folder).chmod(0o755)
        with running_portal(Path(folder)) as portal:
            for name in names or PARTS:
                for measure in PARTS[name]:
                    print(f"measuring {name}: {measure.__name__.strip('_')} …", flush=True)
                    measured = measure(portal)
                    print(table(measured), flush=True)
                    figures += measured
    _tell(figures)
    return 0


def _tell(figures: list[Figure]) -> None:
    print(table(figures))
    print(f"as JSON: {_write(figures)}")


def _write(figures: list[Figure]) -> Path:
    root = Path(os.environ.get("PORTAL_DATA_DIR", "var")) / "bench"
    root.mkdir(parents=True, exist_ok=True)
    path = root / f"{datetime.now(BEIJING):%Y%m%d-%H%M%S}.json"
    path.write_text(as_json(figures), encoding="utf-8")
    return path


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
