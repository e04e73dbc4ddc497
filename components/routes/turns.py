"""How many do the same at once in this process; the others wait in the order in which they came."""

import asyncio
from weakref import WeakKeyDictionary


class Turns:
    """A semaphore of the event loop that asks for it."""

    def __init__(self, at_once: int) -> None:
        self._at_once = at_once
        self._of_loop: WeakKeyDictionary[asyncio.AbstractEventLoop, asyncio.Semaphore]
        self._of_loop = WeakKeyDictionary()

    async def __aenter__(self) -> None:
        await self._here().acquire()

    async def __aexit__(self, *_: object) -> None:
        self._here().release()

    def _here(self) -> asyncio.Semaphore:
        loop = asyncio.get_running_loop()
        return self._of_loop.setdefault(loop, asyncio.Semaphore(self._at_once))
