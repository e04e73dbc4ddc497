"""Write what a checked list of villages changes: new ones as one entry of the trail, the rest one
by one.
"""

from collections.abc import Mapping, Sequence
from datetime import date

from sqlalchemy import Connection

from data_access.bulk_load import one_trail_entry
from data_access.queries import load_queries
from data_access.village_import import Ending, Preview
from data_access.villages import (
    Load,
    Places,
    Progress,
    add_division_locations,
    add_natural_villages,
    digest,
    quietly,
)
from domain.villages import Register, Village

_SQL = load_queries("villages_import")
ACTIONS = {Register.VILLAGES: "village.import", Register.NATURAL_VILLAGES: "natural_village.import"}
_USUAL_KIND = "行政村"
_RENAMED = "更名"


def lock(owner: Connection) -> None:
    """Keep others from changing villages to the end of the transaction."""
    owner.execute(_SQL["lock_villages"])


def write(owner: Connection, preview: Preview, say: Progress = quietly) -> None:
    """Write the preview in the owner's transaction, in which it was made."""
    load = Load(preview.day, ACTIONS[preview.register], say=say)
    if preview.register is Register.VILLAGES:
        _write_villages(owner, preview, load)
    else:
        _write_natural_villages(owner, preview, load)


def _write_natural_villages(owner: Connection, preview: Preview, load: Load) -> None:
    add_natural_villages(owner, _places(preview.comparison.added), load)
    changed = _places([change.after for change in preview.comparison.changed])
    _run(owner, "change_natural_villages", changed.columns(), preview.day)
    _run(owner, "end_natural_villages", _endings(preview.endings), preview.day)
    _run(owner, "link_natural_villages", _links(preview), preview.day)


def _write_villages(owner: Connection, preview: Preview, load: Load) -> None:
    comparison, day = preview.comparison, preview.day
    if comparison.added:
        _add_villages(owner, preview, load.action)
    placed = [*(village for village in comparison.added if village.position), *comparison.placed]
    add_division_locations(owner, _places(placed), load)
    former = [Ending(village.code, village.name, _RENAMED) for village in comparison.renamed]
    _run(owner, "end_village_versions", _endings(former), day)
    _put_versions(owner, preview, comparison.renamed)
    moved = _places(comparison.moved)
    _run(owner, "end_division_locations", {"codes": moved.codes}, day)
    _run(owner, "put_division_locations", moved.columns(), day)
    _run(owner, "end_village_versions", _endings(preview.endings), day)
    ended = [ending.code for ending in preview.endings]
    _run(owner, "end_division_locations", {"codes": ended}, day)
    _run(owner, "link_villages", _links(preview), day)


def _add_villages(owner: Connection, preview: Preview, action: str) -> None:
    added = preview.comparison.added
    names = digest((village.code, village.name) for village in added)
    with one_trail_entry(owner, "admin_division", len(added), names, action):
        owner.execute(_SQL["add_villages"], {"codes": [village.code for village in added]})
        _put_versions(owner, preview, added)


def _put_versions(owner: Connection, preview: Preview, villages: Sequence[Village]) -> None:
    columns = {
        "codes": [village.code for village in villages],
        "names": [village.name for village in villages],
        "kinds": [preview.kinds[village.code] for village in villages],
        "usual_kind": _USUAL_KIND,
    }
    _run(owner, "put_village_versions", columns, preview.day)


def _run(owner: Connection, name: str, columns: Mapping[str, object], day: date) -> None:
    """Run a query over columns of rows, unless there are none: a trigger fires for no row too."""
    if columns["codes"]:
        owner.execute(_SQL[name], {**columns, "day": day})


def _places(villages: Sequence[Village]) -> Places:
    positions = [village.position for village in villages if village.position]
    return Places(
        [village.code for village in villages],
        [village.name for village in villages],
        [longitude for longitude, _ in positions],
        [latitude for _, latitude in positions],
    )


def _endings(endings: Sequence[Ending]) -> dict[str, list[str]]:
    return {
        "codes": [ending.code for ending in endings],
        "reasons": [ending.reason for ending in endings],
    }


def _links(preview: Preview) -> dict[str, list[str]]:
    return {
        "codes": [former for former, _ in preview.successions],
        "successor_codes": [successor for _, successor in preview.successions],
    }
