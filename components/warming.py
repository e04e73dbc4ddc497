"""The leader's overview, read before anybody asks: the first of the morning does not wait.

Every process keeps its own figures, so each of them reads twelve month-ends anew after its start.
"""

import asyncio
import gc
import logging
from time import monotonic

from starlette.concurrency import run_in_threadpool

from components import cached
from components.map import ColourBy, Level, Picture
from components.overview_html import draw_overview
from components.overview_reading import Filters, read_overview
from components.routes.layers import PICTURES
from data_access import overview
from data_access.read_replica import read
from domain.access import Actor, Grant, Role
from domain.errors import DatabaseAway

_LOG = logging.getLogger("portal")
_EVERY = 60  # seconds: what moved meanwhile, or was kept its time, is read by nobody's click
_NEW_OBJECTS = 10_000  # between two looks at them; a report that is filed makes some thousands
_FILTERS = Filters(Level.COUNTY, ColourBy.RATIO, city=None, kind=None, as_of=None)


async def keep_warm() -> None:
    """Read what the overview of the whole installation shows, at once and every minute."""
    is_first = True
    while True:
        began = monotonic()
        try:
            await run_in_threadpool(warm)
        except DatabaseAway:
            _LOG.info("nothing was read beforehand: the database is away")
        except Exception:
            _LOG.exception("nothing was read beforehand")
        if is_first:
            _keep_out_of_collections()
            is_first = False
        await asyncio.sleep(max(1.0, _EVERY - (monotonic() - began)))


def _keep_out_of_collections() -> None:
    """Spare the garbage collector what stays for as long as the process: modules, forms, caches.

    It would look at all of it again and again, every time somebody waits for an answer.
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(_NEW_OBJECTS, 20, 20)


def warm() -> None:
    """Fill the caches of this process as the leader's first look at the overview would."""
    roots = read(None, overview.list_roots)
    actor = Actor(0, "", tuple(Grant(Role.LEADER, root, root) for root in roots))
    frame = cached.read_frame(actor)
    read_overview(actor, frame, _FILTERS)
    for may_remind in (True, False):
        draw_overview(actor, frame, _FILTERS, may_remind=may_remind)
    shown = Picture(_FILTERS.level, _FILTERS.colour_by, None, None, None, version="")
    for build in PICTURES.values():
        build(actor, frame, cached.scope_of(actor, frame), shown)
    cached.extent_of(actor, None, frame.today, frame.version)
