"""The collector of garbage, told to wait while a large thing is made that leaves none."""

import gc
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def collector_waiting() -> Iterator[None]:
    """Run a block of a few seconds without looking for cycles.

    Hundreds of thousands of small objects that all stay make the collector walk over them again
    and again: a third of the time of a county's workbook. Of two such blocks in two threads the
    first to end lets it run again, which costs time and nothing else.
    """
    was_enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_enabled:
            gc.enable()
