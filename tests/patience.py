"""Waiting for what has no event of its own."""

from collections.abc import Callable
from time import monotonic, sleep


def wait_until(holds: Callable[[], bool], patience: float = 90) -> float:
    """Return the seconds until something holds; fail when it does not come."""
    began = monotonic()
    while not holds():
        assert monotonic() - began < patience
        sleep(0.01)
    return monotonic() - began
