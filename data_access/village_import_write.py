"""Write what a checked list of villages changes: new ones as one entry of the trail, the rest one
by one.
"""

from collections.abc import Sequence

from sqlalchemy import Connection

from data_access.queries import load_queries
from data_access.village_import import Ending, Preview
from data_access.villages import (
    Load,
    Places,
    Progress,
    add_division_locations,
    add_natural_villages,
    digest,
    one_trail_entry,
)
from domain.villages import Register, Village

_SQL = load_queries("villages_import")
ACTIONS = {Register.VILLAGES: "village.import", Register.NATURAL_VILLAGES: "natural_village.import"}
_USUAL_KIND = "行政村"
_RENAMED = "更名"


def lock(owner: Connection) -> None:
    """Keep others from changing villages to the end of the transaction."""
    owner.execute(_SQL["lock_villages"])


def write(owner: Connection, preview: Preview, say: Progress = lambda done, total: None) -> None:
    """Write the preview in the owner's transaction, in which it was made."""
    load = Load(preview.day, ACTIONS[preview.register], say=say)
    if preview.register is Register.VILLAGES:
        _write_villages(owner, preview, load)
    else:
        _write_natural_villages(owner, preview, load)


def _write_natural_villages(owner: Connection, preview: Preview, load: Load) -> None:
    day = {"day": preview.day}
    add_natural_villages(owner, _places(preview.comparison.added), load)
    changed = _places([change.after for change in preview.comparison.changed])
    owner.execute(_SQL["change_natural_villages"], changed.columns() | day)
    owner.execute(_SQL["end_natural_villages"], _endings(preview.endings) | day)
    owner.execute(_SQL["link_natural_villages"], _links(preview) | day)


def _write_villages(owner: Connection, preview: Preview, load: Load) -> None:
    day = {"day": preview.day}
    added = preview.comparison.added
    if added:
        names = digest((village.code, village.name) for village in added)
        with one_trail_entry(owner, "admin_division", len(added), names, load.action):
            owner.execute(_SQL["add_villages"], {"codes": [village.code for village in added]})
            _put_versions(owner, preview, added)
    comparison = preview.comparison
    placed = [*(village for village in added if village.position), *comparison.placed]
    add_division_locations(owner, _places(placed), load)
    former = [Ending(village.code, village.name, _RENAMED) for village in comparison.renamed]
    owner.execute(_SQL["end_village_versions"], _endings(former) | day)
    _put_versions(owner, preview, comparison.renamed)
    moved = _places(comparison.moved)
    owner.execute(_SQL["end_division_locations"], {"codes": moved.codes} | day)
    owner.execute(_SQL["put_division_locations"], moved.columns() | day)
    endings = _endings(preview.endings)
    owner.execute(_SQL["end_village_versions"], endings | day)
    owner.execute(_SQL["end_division_locations"], {"codes": endings["codes"]} | day)
    owner.execute(_SQL["link_villages"], _links(preview) | day)


def _put_versions(owner: Connection, preview: Preview, villages: Sequence[Village]) -> None:
    columns = {
        "codes": [village.code for village in villages],
        "names": [village.name for village in villages],
        "kinds": [preview.kinds[village.code] for village in villages],
    }
    common = {"day": preview.day, "usual_kind": _USUAL_KIND}
    owner.execute(_SQL["put_village_versions"], columns | common)


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
