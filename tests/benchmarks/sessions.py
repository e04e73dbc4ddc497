"""Browser tabs without a browser: Streamlit's websocket protocol, many sessions at once.

A session keeps the hashes of the messages it has, as the browser does, and waits for the end of
each run before it asks for the next.
"""

import asyncio
import random
import time
from dataclasses import dataclass, field
from urllib.parse import urlsplit

import websockets
from streamlit.proto.BackMsg_pb2 import BackMsg
from streamlit.proto.ForwardMsg_pb2 import ForwardMsg

_PATIENCE = 60


@dataclass
class Run:
    seconds: float
    received: int
    """Bytes over the websocket."""


@dataclass
class Tab:
    """One session on one page."""

    url: str
    page: str
    token: str | None
    query: str = ""
    route: str = ""
    """The process behind the proxy that the browser was served by before."""
    runs: list[Run] = field(default_factory=list)
    _hashes: set[str] = field(default_factory=set)
    _page_hash: str = ""
    _socket: websockets.ClientConnection | None = None

    async def open(self) -> None:
        parts = urlsplit(self.url)
        cookies = {"portal_session": self.token, "portal_route": self.route}
        said = "; ".join(f"{name}={value}" for name, value in cookies.items() if value)
        headers = {"Cookie": said} if said else {}
        self._socket = await websockets.connect(
            f"ws://{parts.netloc}/_stcore/stream",
            subprotocols=[websockets.Subprotocol("streamlit")],
            origin=websockets.Origin(f"http://{parts.netloc}"),
            additional_headers=headers,
            max_size=None,
            open_timeout=_PATIENCE,
            compression=None,
        )
        await self.rerun()
        self.runs.clear()

    async def rerun(self) -> Run:
        """Ask for a run of the page and wait for its end; raise on an error in it."""
        assert self._socket is not None
        began, received = time.perf_counter(), 0
        await self._socket.send(self._question())
        async with asyncio.timeout(_PATIENCE):
            while True:
                raw = await self._socket.recv(decode=False)
                received += len(raw)
                message = ForwardMsg()
                message.ParseFromString(raw)
                if self._ends(message):
                    break
        run = Run(time.perf_counter() - began, received)
        self.runs.append(run)
        return run

    async def close(self) -> None:
        if self._socket is not None:
            await self._socket.close()

    def _question(self) -> bytes:
        message = BackMsg()
        state = message.rerun_script
        state.query_string = self.query
        if self._page_hash:
            state.page_script_hash = self._page_hash
        else:
            state.page_name = self.page
        state.context_info.timezone = "Asia/Shanghai"
        state.context_info.locale = "zh-CN"
        state.context_info.url = f"{self.url}/{self.page}"
        state.cached_message_hashes.extend(self._hashes)
        return bytes(message.SerializeToString())

    def _ends(self, message: ForwardMsg) -> bool:
        kind = message.WhichOneof("type")
        if kind == "delta":
            if message.metadata.cacheable and message.hash:
                self._hashes.add(message.hash)
            if message.delta.new_element.WhichOneof("type") == "exception":
                raise RuntimeError(message.delta.new_element.exception.message)
        elif kind == "navigation":
            self._page_hash = message.navigation.page_script_hash or self._page_hash
        elif kind == "script_finished":
            early = ForwardMsg.ScriptFinishedStatus.Value("FINISHED_EARLY_FOR_RERUN")
            return message.script_finished != early
        return False


async def reruns(tabs: list[Tab], count: int, *, think: float = 0.0) -> float:
    """Let every tab run `count` times, thinking around `think` seconds; return the wall time."""
    for tab in tabs:
        if tab._socket is None:
            await tab.open()
    began = time.perf_counter()
    await asyncio.gather(*(_use(tab, count, think) for tab in tabs))
    return time.perf_counter() - began


async def _use(tab: Tab, count: int, think: float) -> None:
    for _ in range(count):
        if think:
            await asyncio.sleep(random.uniform(0.5, 1.5) * think)
        await tab.rerun()
