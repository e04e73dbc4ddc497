"""Find the programs of a PostgreSQL that is new enough and brings PostGIS.

`python -m data_access.postgis` prints their folder, or exits 1; the door asks it before it
installs anything. Only the standard library is imported, so that the answer takes no time.
"""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

POSTGRESQL = 15
POSTGIS = (3, 3)


def find_programs(exactly: int | None = None) -> Path | None:
    """Return the folder of initdb and postgres, PORTAL_POSTGRES_BIN before all, newest first.

    A cluster that exists wants `exactly` the major version that made it.
    """
    named = os.environ.get("PORTAL_POSTGRES_BIN")
    debian = sorted(Path("/usr/lib/postgresql").glob("*/bin"), key=_number, reverse=True)
    on_path = shutil.which("initdb")
    folders = [Path(named)] if named else [*debian, *([Path(on_path).parent] if on_path else [])]
    return next((folder for folder in folders if _is_enough(folder, exactly)), None)


def _number(folder: Path) -> int:
    return int(folder.parent.name) if folder.parent.name.isdigit() else 0


def _is_enough(folder: Path, exactly: int | None) -> bool:
    if not (folder / "initdb").exists() or not (folder / "postgres").exists():
        return False
    version = re.search(r"\d+", _answer(folder / "postgres", "--version"))
    control = Path(_answer(folder / "pg_config", "--sharedir")) / "extension" / "postgis.control"
    major = int(version[0]) if version else 0
    if major < POSTGRESQL or major != (exactly or major) or not control.is_file():
        return False
    postgis = re.search(r"default_version = '(\d+)\.(\d+)", control.read_text(encoding="utf-8"))
    return postgis is not None and (int(postgis[1]), int(postgis[2])) >= POSTGIS


def _answer(program: Path, option: str) -> str:
    try:
        return subprocess.run(
            [program, option], capture_output=True, text=True, check=True
        ).stdout.strip()
    except (OSError, subprocess.CalledProcessError):
        return ""


if __name__ == "__main__":
    found = find_programs()
    print(found or "")
    sys.exit(0 if found else 1)
