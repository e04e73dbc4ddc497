"""import villages, import natural-villages: a preview of a file, or with --commit its writing."""

import csv
import sys
from argparse import ArgumentParser, Namespace
from collections.abc import Callable, Iterator
from datetime import date
from pathlib import Path

from sqlalchemy import Connection

from data_access import village_import, village_import_write
from data_access.administration import administration
from data_access.commands import Command
from data_access.queries import load_queries
from data_access.settings import Refusal, Settings
from data_access.village_import import Options, Preview
from data_access.villages import Progress, quietly
from domain import clock
from domain.villages import Register

_SQL = load_queries("villages_import")
_BAR = 40
_LISTED = 1_000


def _add_arguments(parser: ArgumentParser) -> None:
    parser.add_argument("--commit", action="store_true", help="write; else only a preview")
    parser.add_argument("--strict", action="store_true", help="write nothing if one row is bad")
    parser.add_argument("--bad-rows", type=Path, metavar="FILE", help="save the bad rows as CSV")
    parser.add_argument(
        "--crs", type=int, metavar="EPSG", help="4490, 4326, 4526, 4527, 4547, 4548"
    )
    parser.add_argument("--swap-axes", action="store_true", help="the columns are north, east")
    parser.add_argument("--layer", help="the sheet or layer, where the file has several")
    parser.add_argument(
        "--valid-from",
        type=date.fromisoformat,
        metavar="DAY",
        help="since when what is new or changed holds, else today",
    )
    parser.add_argument(
        "--within", metavar="CODE", help="the division whose villages the file holds completely"
    )
    parser.add_argument(
        "--retire-missing",
        metavar="REASON",
        help="end the villages of --within that the file leaves out",
    )


def _importer(register: Register) -> Callable[[Namespace, Settings], int]:
    def execute(arguments: Namespace, settings: Settings) -> int:
        _refuse_bad_arguments(arguments)
        action = village_import_write.ACTIONS[register]
        with administration(settings, action=action) as owner:
            return _import(owner, register, arguments)

    return execute


def _refuse_bad_arguments(arguments: Namespace) -> None:
    if arguments.valid_from and arguments.valid_from > clock.today():
        raise Refusal(
            f"--valid-from {arguments.valid_from} is still to come: the map and the counts show"
            " what stands today. Import the file on that day."
        )
    if arguments.retire_missing is not None:
        if not arguments.within:
            raise Refusal(
                "--retire-missing needs --within: of which division is the file complete?"
            )
        if not arguments.retire_missing.strip():
            raise Refusal("--retire-missing needs a reason.")


def _import(owner: Connection, register: Register, arguments: Namespace) -> int:
    if arguments.commit:
        village_import_write.lock(owner)
    options = _options(owner, arguments)
    preview = village_import.check(owner, arguments.file, register, options, _bar("checked"))
    print("\n".join(_lines(arguments.file, preview)))
    if arguments.bad_rows:
        _save_bad_rows(arguments.bad_rows, preview)
    if not arguments.commit:
        print("Nothing was written: this is a preview; --commit writes.")
        return 0
    if arguments.strict and preview.bad:
        raise Refusal(f"Nothing was written: {preview.bad_count:,} rows are bad.")
    village_import_write.write(owner, preview, _bar("written"))
    print(
        "Written."
        if not preview.bad_count
        else f"Written, without the {preview.bad_count:,} bad rows."
    )
    return 0


def _options(owner: Connection, arguments: Namespace) -> Options:
    return Options(
        day=arguments.valid_from or clock.today(),
        epsg=arguments.crs,
        swap_axes=arguments.swap_axes,
        layer=arguments.layer,
        within=prefix_of(owner, arguments.within) if arguments.within else None,
        retire_reason=arguments.retire_missing,
    )


def prefix_of(owner: Connection, code: str) -> str:
    """Return what the codes below a division begin with; raise Refusal where there is none."""
    prefix = owner.scalar(_SQL["get_prefix"], {"code": code})
    if prefix is None:
        raise Refusal(f"There is no division {code}.")
    return str(prefix)


def _lines(path: Path, preview: Preview) -> Iterator[str]:
    comparison = preview.comparison
    read_as = f", read as EPSG:{preview.epsg}" if preview.epsg else ""
    yield f"{path.name}{read_as}, true from {preview.day}:"
    counts = {
        "rows": preview.row_count,
        "new": len(comparison.added),
        "renamed": len(comparison.renamed),
        "given a place": len(comparison.placed),
        "moved": len(comparison.moved),
        "unchanged": len(comparison.unchanged),
        "ending": len(preview.endings),
        "bad": preview.bad_count,
        "not in the file": len(comparison.missing),
    }
    for word, count in counts.items():
        yield f"  {word:<16}{count:>8,}"
    for bad in preview.bad[:_LISTED]:
        yield f"第 {bad.row_no} 行 {bad.code} {_in_one_line(bad.name)}：{''.join(bad.reasons)}"
    if preview.bad_count > _LISTED:
        yield (
            f"以上是前 {_LISTED:,} 个问题行，共 {preview.bad_count:,} 行；"
            f"用 --bad-rows FILE 另存前 {len(preview.bad):,} 行的行号和问题。"
        )
    for change in comparison.changed:
        if change.is_renamed:
            yield f"{change.before.code} 更名：{change.before.name} → {change.after.name}"
    for ending in preview.endings:
        yield f"{ending.code} {ending.name} 终止：{ending.reason}"
    for code in preview.kept:
        yield f"{code} 仍有现行自然村，暂不终止；其自然村改用新代码后再导入一次。"


def _in_one_line(name: str) -> str:
    return " ".join(name.split())


def _save_bad_rows(path: Path, preview: Preview) -> None:
    with path.open("w", encoding="utf-8-sig", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(["行号", "代码", "名称", "问题"])
        for bad in preview.bad:
            writer.writerow([bad.row_no, bad.code, bad.name, "".join(bad.reasons)])
        if unsaid := preview.bad_count - len(preview.bad):
            writer.writerow(["", "", "", f"另有 {unsaid:,} 个问题行没有列出，请先改正以上各行。"])


def _bar(word: str) -> Progress:
    """Return what draws how far the work is, for a person who waits at a terminal."""

    def draw(done: int, total: int) -> None:
        bar = "#" * (_BAR * done // total)
        end = "\n" if done == total else ""
        line = f"\r[{bar:<{_BAR}}] {done:,} of {total:,} {word}"
        print(line, end=end, file=sys.stderr, flush=True)

    return draw if sys.stderr.isatty() else quietly


KINDS: dict[str, tuple[str, Command]] = {
    "villages": (
        "villages from CSV, XLSX, GeoPackage or Shapefile",
        Command(_importer(Register.VILLAGES), _add_arguments),
    ),
    "natural-villages": (
        "natural villages from CSV, XLSX, GeoPackage or Shapefile",
        Command(_importer(Register.NATURAL_VILLAGES), _add_arguments),
    ),
}
