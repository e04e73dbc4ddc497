"""The overview under load: reruns over the websocket, the whole page in Chromium, idle sessions."""

import asyncio
import json
import os
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from io import BytesIO
from statistics import median

from PIL import Image
from playwright.sync_api import (
    Browser,
    BrowserContext,
    FloatRect,
    Locator,
    Page,
    sync_playwright,
)

from tests.benchmarks.figures import Figure, percentile
from tests.benchmarks.portal import BenchPortal, resident_bytes
from tests.benchmarks.sessions import Tab, reruns
from tests.browser.conftest import CHROMIUM, FLAGS
from tests.paths import ROOT
from tests.ports import free_port

_SCREEN = {"width": 1920, "height": 1080}
_SETTLING = 20  # seconds in which a process gives back what its last runs left
_PATIENCE = 300_000  # ms: the naive map on a machine that is busy
_SEEN = 400  # pixels a side in the middle of a map
_VILLAGES, _CHART = ".st-key-village-map", "[data-testid='stDeckGlJsonChart']"
_LIVING_COLOURS = 5  # a painted map shows at least so many of its fills


def rerun_figures(portal: BenchPortal) -> list[Figure]:
    """Measure reruns of the overview: one session, ten, fifty that think; beside the naive page."""
    token = portal.token_of("leader")
    one = [Tab(portal.url, "overview", token)]
    asyncio.run(_settled(one, 60))
    alone = [run.seconds * 1000 for run in one[0].runs]
    received = median(run.received for run in one[0].runs)
    naive = _naive_milliseconds(portal)
    ten = [Tab(portal.url, "overview", token) for _ in range(10)]
    wall = asyncio.run(_settled(ten, 20))
    fifty = [Tab(portal.url, "overview", token) for _ in range(50)]
    asyncio.run(_settled(fifty, 5, think=5))
    thinking = [run.seconds * 1000 for tab in fifty for run in tab.runs]
    p50 = percentile(alone, 0.5)
    return [
        Figure("overview rerun, one session, p50", p50, "ms", 50, beside=f"naive {naive:.0f} ms"),
        Figure("times faster than the naive page", naive / p50, "×", 5, at_least=True),
        Figure("overview rerun over the websocket", received / 1000, "kB", 30),
        Figure("reruns of 10 sessions, no thinking", 200 / wall, "/s", 20, at_least=True),
        Figure("50 users thinking 5 s, p95", percentile(thinking, 0.95), "ms", 400),
    ]


async def _settled(tabs: list[Tab], count: int, *, think: float = 0.0) -> float:
    """Open the tabs, let them run, close them; return the wall time of the runs alone."""
    wall = await reruns(tabs, count, think=think)
    for tab in tabs:
        await tab.close()
    return wall


def _naive_milliseconds(portal: BenchPortal) -> float:
    with _naive_page(portal, "overview") as url:
        tab = Tab(url, "", None)
        asyncio.run(_settled([tab], 15))
    return percentile([run.seconds * 1000 for run in tab.runs], 0.5)


@contextmanager
def _naive_page(portal: BenchPortal, name: str) -> Iterator[str]:
    port = free_port()
    command = [sys.executable, "-m", "streamlit", "run", f"tests/benchmarks/naive_{name}.py"]
    options = ("--server.port", str(port), "--server.headless", "true")
    url = portal.owner_url.replace("postgresql://", "postgresql+psycopg://", 1)
    server = subprocess.Popen(
        [*command, *options, "--server.address", "127.0.0.1"],
        cwd=ROOT,
        env={**os.environ, "NAIVE_DATABASE_URL": url},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        _wait(f"http://127.0.0.1:{port}/_stcore/health")
        yield f"http://127.0.0.1:{port}"
    finally:
        server.terminate()
        server.wait(30)


def _wait(address: str) -> None:
    for _ in range(600):
        try:
            with urllib.request.urlopen(address, timeout=2):
                return
        except OSError:
            time.sleep(0.1)
    raise TimeoutError(address)


def idle_figures(portal: BenchPortal) -> list[Figure]:
    """Measure what 100 sessions that do nothing hold in the memory of the web process."""
    token, process = portal.token_of("leader"), portal.web_process()

    async def hold() -> int:
        warm = [Tab(portal.url, "overview", token) for _ in range(10)]
        for tab in warm:
            await tab.open()
        await asyncio.sleep(_SETTLING)
        before = resident_bytes(process)
        tabs = [Tab(portal.url, "overview", token) for _ in range(100)]
        for tab in tabs:
            await tab.open()
        await asyncio.sleep(_SETTLING)
        taken = resident_bytes(process) - before
        for tab in [*warm, *tabs]:
            await tab.close()
        return taken

    return [Figure("100 idle sessions", asyncio.run(hold()) / 1e6, "MB", 30)]


def browser_figures(portal: BenchPortal) -> list[Figure]:
    """Measure the whole overview in Chromium with software rendering: figures, map, charts."""
    cold, warm = [], []
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=[*FLAGS])
        for _ in range(3):
            context = _signed_in(browser, portal)
            page = context.new_page()
            cold.append(_painted(page, lambda page=page: page.goto(f"{portal.url}/overview")))
            warm += [_painted(page, page.reload) for _ in range(3)]
            context.close()
        browser.close()
    return [
        Figure("whole overview in Chromium, cold", median(cold), "s", 5),
        Figure("whole overview in Chromium, warm", median(warm), "s", 2.5),
    ]


def map_figures(portal: BenchPortal) -> list[Figure]:
    """Measure the first paint of the map of villages in Chromium, beside the naive page."""
    ours, naive = [], []
    with sync_playwright() as playwright, _naive_page(portal, "map") as url:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=[*FLAGS])
        context = _signed_in(browser, portal)
        page = context.new_page()
        for _ in range(4):
            ours.append(
                _first_paint(page, f"{portal.url}/village_map?shown=natural_village", _VILLAGES)
            )
            naive.append(_first_paint(page, url, _CHART))
        context.close()
        browser.close()
    # The first visit of each brings the scripts of Streamlit itself.
    first, beside = median(ours[1:]), median(naive[1:])
    both = f"naive ScatterplotLayer {beside:.1f} s; with an empty cache {ours[0]:.1f} s"
    return [
        Figure("first paint of the province map", first, "s", 3, beside=both),
        Figure("times faster than the naive map", beside / first, "×", 5, at_least=True),
    ]


def _first_paint(page: Page, url: str, map_box: str) -> float:
    """Return the seconds until villages are seen on the map in their colours."""
    began = time.perf_counter()
    page.goto(url, timeout=_PATIENCE)
    chart = page.locator(map_box).first
    chart.wait_for(timeout=_PATIENCE)
    # A picture of the screen holds its drawing up, so the canvas is looked at first.
    page.wait_for_function(_DRAWN, arg=map_box, timeout=_PATIENCE, polling=100)
    while not _shows_villages(_middle(page, chart)):
        page.wait_for_timeout(50)
    return time.perf_counter() - began


_DRAWN = """
(box) => [...document.querySelectorAll(`${box} canvas`)].some((canvas) => {
  const side = 200;
  const copy = new OffscreenCanvas(side, side).getContext("2d", { willReadFrequently: true });
  const [x, y] = [(canvas.width - side) / 2, (canvas.height - side) / 2];
  copy.drawImage(canvas, x, y, side, side, 0, 0, side, side);
  const drawn = copy.getImageData(0, 0, side, side).data;
  const seen = [[46, 139, 87], [43, 140, 190]].map((state) => {
    let count = 0;
    for (let at = 0; at < drawn.length; at += 4) {
      count += state.every((part, place) => Math.abs(drawn[at + place] - part) < 3);
    }
    return count;
  });
  return seen.every((count) => count > 50);
})
"""


def _middle(page: Page, chart: Locator) -> bytes:
    """Return a picture of the middle of a map: one of the whole would hold its drawing up."""
    box = chart.bounding_box(timeout=_PATIENCE)
    assert box is not None
    middle = FloatRect(
        x=box["x"] + (box["width"] - _SEEN) / 2,
        y=box["y"] + (box["height"] - _SEEN) / 2,
        width=_SEEN,
        height=_SEEN,
    )
    return page.screenshot(clip=middle, timeout=_PATIENCE)


def _shows_villages(picture: bytes) -> bool:
    """Tell whether the two commonest states, filed and submitted, are seen."""
    image = Image.open(BytesIO(picture)).convert("RGB")
    colours = {colour: count for count, colour in image.getcolors(1 << 24) or []}
    return all(colours.get(state, 0) > 100 for state in ((46, 139, 87), (43, 140, 190)))


def _signed_in(browser: Browser, portal: BenchPortal) -> BrowserContext:
    context = browser.new_context(viewport=_SCREEN, locale="zh-CN")
    cookie = {"name": "portal_session", "value": portal.token_of("leader"), "url": portal.url}
    context.add_cookies([cookie])
    return context


def _painted(page: Page, go: object) -> float:
    """Return the seconds until figures, charts and map are to be seen."""
    assert callable(go)
    began = time.perf_counter()
    go()
    page.get_by_text("平均进度").first.wait_for()
    page.get_by_text("阶段漏斗").first.wait_for()
    chart = page.locator(_CHART).first
    chart.wait_for()
    while not _shows_a_map(chart.screenshot()):
        page.wait_for_timeout(50)
    return time.perf_counter() - began


def _shows_a_map(picture: bytes) -> bool:
    colours = Image.open(BytesIO(picture)).convert("RGB").getcolors(1 << 24) or []
    large = [colour for count, colour in colours if count > 400]
    return len(large) > _LIVING_COLOURS


def layer_figures(portal: BenchPortal) -> list[Figure]:
    """Measure the boundary layer by URL: its bytes compressed, and the answer when unchanged."""
    headers = {
        "Cookie": f"portal_session={portal.token_of('leader')}",
        "Accept-Encoding": "gzip",
        "Sec-Fetch-Site": "same-origin",
    }
    address = f"{portal.url}/api/layers/county.geojson"
    with urllib.request.urlopen(urllib.request.Request(address, headers=headers)) as answer:
        body, tag = answer.read(), answer.headers["ETag"]
        assert answer.headers["Content-Encoding"] == "gzip"
    again = urllib.request.Request(address, headers={**headers, "If-None-Match": tag})
    try:
        with urllib.request.urlopen(again) as answer:
            status = answer.status
    except urllib.error.HTTPError as error:
        status = error.code
    assert status == 304, status
    return [Figure("county boundaries by URL, compressed", len(body) / 1000, "kB", 150)]


def as_json(figures: list[Figure]) -> str:
    """Return the figures as JSON, for whoever compares two runs."""
    fields = ("name", "value", "unit", "budget", "at_least", "beside", "holds")
    return json.dumps(
        [{field: getattr(figure, field) for field in fields} for figure in figures],
        ensure_ascii=False,
        indent=2,
    )
