"""A port for a server that a test starts, which nobody else takes between asking and starting."""

import random
import socket

_NEIGHBOURS = 10
_BLOCKS = range(2000, 3200)
"""Ports 20000 to 31999: below those that the kernel gives to connections going out."""
_kept: list[socket.socket] = []


def free_port() -> int:
    """Return a port of the loopback that is free, as are the nine after it, for web processes."""
    for block in random.sample(_BLOCKS, len(_BLOCKS)):
        ports = range(block * _NEIGHBOURS, (block + 1) * _NEIGHBOURS)
        if _is_kept(block) and all(map(_is_free, ports)):
            return ports[0]
    raise OSError("No ten ports of the loopback are free.")


def _is_kept(block: int) -> bool:
    """Keep the ports from other tests until this process ends; False where another keeps them."""
    keeper = socket.socket(socket.AF_UNIX)
    try:
        keeper.bind(f"\0portal-tests-{block}")
    except OSError:
        keeper.close()
        return False
    _kept.append(keeper)
    return True


def _is_free(port: int) -> bool:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
    return True
