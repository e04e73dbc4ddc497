"""Two web processes beside one, in the same run: throughput, memory, a full house, one change.

The client and the database share the machine with the portal, so on two cores two processes cannot
come to twice of one: what is left for them is told beside the figure.
"""

import asyncio
import json
import os
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory

import psycopg
from playwright.sync_api import sync_playwright

from data_access import cluster_file
from data_access.settings import read_settings
from tests.benchmarks.figures import Figure, percentile
from tests.benchmarks.portal import BenchPortal, running_portal
from tests.benchmarks.sessions import Tab, reruns
from tests.browser.conftest import CHROMIUM, FLAGS

_BUSY_SESSIONS, _RERUNS, _ROUNDS = 16, 12, 5
_SESSIONS, _THINKING = 200, 30  # seconds
_FEW_SEATS = 40
_CHANGES = 15


def process_figures(portal: BenchPortal) -> list[Figure]:
    """Measure one and two processes behind the proxy on the database of the benchmark's portal."""
    with ExitStack() as stack:
        one = stack.enter_context(
            processes_beside(portal, 1, {"PORTAL_SESSIONS_PER_PROCESS": "40"})
        )
        two = stack.enter_context(processes_beside(portal, 2, {}))
        return [
            *_throughput(one, two),
            *_many_sessions(two),
            *_one_change(two),
            *_cold_page(two),
            *_full_house(one),
        ]


@contextmanager
def processes_beside(
    portal: BenchPortal, count: int, settings: dict[str, str]
) -> Iterator[BenchPortal]:
    """Start other processes on the same database, which they reach as its own do: by the socket."""
    known = cluster_file.read(read_settings(str(portal.data_dir), {})).urls()
    urls = {"PORTAL_DATABASE_URL": known.portal, "PORTAL_OWNER_DATABASE_URL": known.owner}
    with TemporaryDirectory(prefix="portal-processes-") as folder:
        Path(folder).chmod(0o711)
        options = ("--processes", str(count), "--proxy")
        with running_portal(Path(folder), options, urls | settings) as running:
            yield running


def _throughput(one: BenchPortal, two: BenchPortal) -> list[Figure]:
    """Return the reruns per second of both, measured in turns: a busy machine slows both."""
    rates: dict[str, list[float]] = {one.url: [], two.url: []}
    for portal in (one, two):
        _rate(portal)
    for _ in range(_ROUNDS):
        for portal in (one, two):
            rates[portal.url].append(_rate(portal))
    alone, both = median(rates[one.url]), median(rates[two.url])
    ratio = median(b / a for a, b in zip(rates[one.url], rates[two.url], strict=True))
    load, limit = os.getloadavg()[0], _limit(one)
    return [
        Figure(
            f"two processes, {_BUSY_SESSIONS} sessions, no thinking",
            both,
            "reruns/s",
            beside=f"one process {alone:.1f}/s",
        ),
        Figure(
            "times the reruns of one process",
            ratio,
            "×",
            1.7,
            at_least=True,
            beside=f"{limit}; load {load:.1f}",
        ),
    ]


def _limit(one: BenchPortal) -> str:
    """Say how often the CPU time of one web process fits into this machine beside the rest."""
    web = [each for each in family_of(one) if "streamlit" in command_of(each)]
    rest = [each for each in family_of(one) if each not in web] + backends_of(one)
    before = cpu_seconds(web), cpu_seconds(rest) + time.process_time()
    _rate(one)
    of_web, of_rest = (
        cpu_seconds(web) - before[0],
        cpu_seconds(rest) + time.process_time() - before[1],
    )
    cores, count = os.cpu_count() or 1, _BUSY_SESSIONS * _RERUNS / 1000
    most = min(2.0, cores * of_web / (of_web + of_rest))
    return (
        f"at most {most:.2f}: {of_web / count:.1f} ms CPU a rerun in the web process,"
        f" {of_rest / count:.1f} ms in client, proxy and database, on {cores} cores"
    )


def backends_of(portal: BenchPortal) -> list[int]:
    with psycopg.connect(portal.owner_url) as owner:
        rows = owner.execute("SELECT pid FROM pg_stat_activity WHERE pid <> pg_backend_pid()")
        return [int(pid) for (pid,) in rows]


def command_of(process_id: int) -> str:
    return Path(f"/proc/{process_id}/cmdline").read_bytes().decode()


def cpu_seconds(process_ids: Iterable[int]) -> float:
    """Return the CPU seconds that processes have used; one that has ended counts no more."""
    ticks = 0
    for process_id in process_ids:
        with suppress(OSError):
            stat = Path(f"/proc/{process_id}/stat").read_text().rpartition(")")[2].split()
            ticks += int(stat[11]) + int(stat[12])
    return ticks / os.sysconf("SC_CLK_TCK")


def _rate(portal: BenchPortal) -> float:
    token = portal.token_of("leader")
    tabs = [Tab(portal.url, "overview", token) for _ in range(_BUSY_SESSIONS)]
    return _BUSY_SESSIONS * _RERUNS / asyncio.run(_run(tabs, _RERUNS))


async def _run(
    tabs: list[Tab], count: int, think: float = 0, before_closing: Callable[[], None] | None = None
) -> float:
    wall = await reruns(tabs, count, think=think)
    if before_closing:
        before_closing()
    for tab in tabs:
        await tab.close()
    return wall


def _many_sessions(two: BenchPortal) -> list[Figure]:
    token = two.token_of("leader")
    tabs = [Tab(two.url, "overview", token) for _ in range(_SESSIONS)]
    weighed: list[int] = []
    asyncio.run(
        _run(tabs, 3, _THINKING, lambda: weighed.extend(map(_proportional_bytes, family_of(two))))
    )
    seconds = [run.seconds * 1000 for tab in tabs for run in tab.runs]
    return [
        Figure(
            f"{_SESSIONS} sessions thinking {_THINKING} s, p95",
            percentile(seconds, 0.95),
            "ms",
            500,
            beside=f"p50 {percentile(seconds, 0.5):.0f} ms",
        ),
        Figure(
            "supervisor, proxy, web and worker together",
            sum(weighed) / 1e6,
            "MB",
            1200,
            beside=f"{len(weighed)} processes, shared memory counted once",
        ),
    ]


def family_of(portal: BenchPortal) -> list[int]:
    """Return the supervisor and everything below it; the database is another's."""
    parents: dict[int, int] = {}
    for process in Path("/proc").glob("[0-9]*"):
        try:
            stat = (process / "stat").read_text().rpartition(")")[2].split()
        except OSError:
            continue
        parents[int(process.name)] = int(stat[1])
    family = [portal.supervisor]
    for member in family:
        family += [child for child, parent in parents.items() if parent == member]
    return family


def _proportional_bytes(process_id: int) -> int:
    rollup = Path(f"/proc/{process_id}/smaps_rollup").read_text("ascii")
    return (
        next(int(line.split()[1]) for line in rollup.splitlines() if line.startswith("Pss:")) * 1024
    )


def _one_change(two: BenchPortal) -> list[Figure]:
    """Return how long until both processes know of a change that a third one committed."""
    token, delays = two.token_of("leader"), []
    port = int(two.url.rsplit(":", 1)[1])
    places = [f"http://127.0.0.1:{port + number}/api/overview/version" for number in (1, 2)]
    with psycopg.connect(two.owner_url, autocommit=True) as owner:
        for _ in range(_CHANGES):
            before = [_version(place, token) for place in places]
            owner.execute("INSERT INTO dashboard_change DEFAULT VALUES")
            began = time.perf_counter()
            while any(_version(place, token) in before for place in places):
                time.sleep(0.002)
            delays.append((time.perf_counter() - began) * 1000)
    return [
        Figure(
            "a change until every process shows it, slowest",
            max(delays),
            "ms",
            1000,
            beside=f"median of {_CHANGES}: {median(delays):.0f} ms",
        )
    ]


def _version(address: str, token: str) -> str:
    asked = urllib.request.Request(address, headers={"Cookie": f"portal_session={token}"})
    with urllib.request.urlopen(asked, timeout=20) as answer:
        return str(json.load(answer)["version"])


def _cold_page(two: BenchPortal) -> list[Figure]:
    """Return what a browser without a cache fetches for the overview, beside its raw size."""
    sent: list[float] = []
    raw: dict[str, int] = {}
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=[*FLAGS])
        context = browser.new_context(locale="zh-CN")
        cookie = {"name": "portal_session", "value": two.token_of("leader"), "url": two.url}
        context.add_cookies([cookie])
        page = context.new_page()
        wire = context.new_cdp_session(page)
        wire.send("Network.enable")
        wire.on("Network.loadingFinished", lambda event: sent.append(event["encodedDataLength"]))
        wire.on(
            "Network.dataReceived",
            lambda event: raw.update(
                {event["requestId"]: raw.get(event["requestId"], 0) + event["dataLength"]}
            ),
        )
        page.goto(f"{two.url}/overview")
        page.locator("[data-testid='stDeckGlJsonChart']").first.wait_for()
        page.wait_for_timeout(4000)
        browser.close()
    return [
        Figure(
            "cold overview through the proxy",
            sum(sent) / 1e6,
            "MB",
            beside=f"raw {sum(raw.values()) / 1e6:.1f} MB in {len(raw)} answers",
        )
    ]


def _full_house(one: BenchPortal) -> list[Figure]:
    """Return how long a newcomer waits for the busy page, and what those who sit notice."""

    async def full() -> list[float]:
        token = one.token_of("leader")
        tabs = [Tab(one.url, "overview", token) for _ in range(_FEW_SEATS)]
        for tab in tabs:
            await tab.open()
        waits = [await asyncio.to_thread(_turned_away, one.url) for _ in range(50)]
        await asyncio.gather(*(tab.rerun() for tab in tabs))
        for tab in tabs:
            await tab.close()
        return waits

    waits = asyncio.run(full())
    return [
        Figure(
            "busy page for a newcomer, p95",
            percentile(waits, 0.95) * 1000,
            "ms",
            100,
            beside=f"{_FEW_SEATS} of {_FEW_SEATS} seats taken, all of them served on",
        )
    ]


def _turned_away(url: str) -> float:
    began = time.perf_counter()
    try:
        status, page = 200, urllib.request.urlopen(f"{url}/overview", timeout=10).read()
    except urllib.error.HTTPError as refusal:
        status, page = refusal.code, refusal.read()
    assert (status, "系统繁忙" in page.decode()) == (503, True)
    return time.perf_counter() - began
