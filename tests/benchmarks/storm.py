"""`./portal bench --storm`: officers at work while processes are killed and sockets are cut.

A portal of two web processes behind their proxy, its own cluster with fsync on. A third of the way
in, a web process is killed with -9; later the postmaster; then the other web process. Every officer
keeps what he saw acknowledged, and the database is compared with it afterwards.
"""

import asyncio
import os
import random
import subprocess
import sys
import tempfile
import time
from argparse import ArgumentParser
from collections.abc import Callable, Coroutine
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tests.benchmarks import storm_faults, storm_ledger
from tests.benchmarks.figures import Figure, percentile
from tests.benchmarks.portal import BenchPortal, running_portal
from tests.benchmarks.storm_browser import Asked, Journal
from tests.benchmarks.storm_faults import Fault
from tests.benchmarks.storm_ledger import Balance
from tests.benchmarks.storm_officer import End, Officer, Post
from tests.benchmarks.storm_people import recruit
from tests.paths import ROOT

OPTIONS = ("--processes", "2")
_ARRIVE = 0.2  # of the storm, until the last officer has come
_AFTERWARDS = 0.1  # of the storm, that officers work on once everything is mended
_PATIENCE = 300  # seconds after the storm until the last officer has saved what he typed

Strike = Callable[[BenchPortal], Coroutine[Any, Any, Fault]]


@dataclass(frozen=True, slots=True)
class Plan:
    """How many officers, for how long, and what is killed after which share of the time."""

    officers: int = 300
    seconds: float = 300
    think: float = 8
    rounds: int = 12
    strikes: tuple[tuple[float, Strike], ...] = (
        (0.35, lambda portal: storm_faults.kill_web(portal, 1)),
        (0.55, storm_faults.kill_postmaster),
        (0.75, lambda portal: storm_faults.kill_web(portal, 2)),
    )


@dataclass
class Storm:
    """What happened: requests, faults, what was seen and what is there, and two commands' word."""

    plan: Plan
    began: float
    journal: Journal
    faults: list[Fault]
    balance: Balance = field(default_factory=Balance)
    said: dict[str, str] = field(default_factory=dict)
    """Command to the last line of what it found wrong."""

    @property
    def complaints(self) -> list[str]:
        """Return everything that may not be, a line each."""
        balance = self.balance
        return [
            *(f"lost: {line}" for line in balance.lost),
            *(f"doubled: {line}" for line in balance.doubled),
            *(f"half written: {line}" for line in balance.half_written),
            *(f"asked about his own: {line}" for line in self.journal.choices),
            *(f"{command}: {line}" for command, line in self.said.items()),
        ]


def main(words: list[str]) -> tuple[list[Figure], int]:
    """Run a storm on a demo of its own; return its figures, and 1 where one does not hold."""
    parser = ArgumentParser(prog="./portal bench --storm")
    usual = Plan()
    parser.add_argument("--officers", type=int, default=usual.officers)
    parser.add_argument("--seconds", type=float, default=usual.seconds)
    parser.add_argument("--no-demo", action="store_true", help="a few villages instead of all")
    asked = parser.parse_args(words)
    plan = Plan(officers=asked.officers, seconds=asked.seconds)
    options = (*OPTIONS, *(["--no-demo"] if asked.no_demo else []))
    with tempfile.TemporaryDirectory(prefix="portal-storm-") as folder:
        Path(folder).chmod(0o755)
        with running_portal(Path(folder), options) as portal:
            happened = run(portal, plan)
    print("\n".join(happened.complaints[:50]))
    print("\n".join(f"{count:7}  {kind}" for kind, count in happened.journal.errors.most_common()))
    measured = figures(happened)
    return measured, int(any(figure.holds is False for figure in measured))


def run(portal: BenchPortal, plan: Plan) -> Storm:
    """Let the storm pass over a running portal, and compare afterwards."""
    posts = recruit(portal.owner_url, plan.officers, plan.rounds)
    happened, officers = asyncio.run(_pass(portal, plan, posts))
    _wait_until_quiet(portal)
    records = [record for officer in officers for record in officer.records.values()]
    happened.balance = storm_ledger.compare(portal.owner_url, records)
    for command in (("rollup", "verify"), ("audit", "verify")):
        wrong = _command(portal, *command)
        if wrong:
            happened.said[" ".join(command)] = wrong
    return happened


async def _pass(portal: BenchPortal, plan: Plan, posts: list[Post]) -> tuple[Storm, list[Officer]]:
    journal, began, end = Journal(), time.monotonic(), End()
    officers = [Officer(post, portal.url, journal, end, plan.think) for post in posts]
    arrivals = [random.uniform(0, plan.seconds * _ARRIVE) for _ in officers]
    async with asyncio.timeout(plan.seconds + _PATIENCE), asyncio.TaskGroup() as group:
        for officer, after in zip(officers, arrivals, strict=True):
            group.create_task(officer.work(after))
        faults = await _strike(portal, plan, began)
        end.at = max(began + plan.seconds, time.monotonic() + _AFTERWARDS * plan.seconds)
    return Storm(plan, began, journal, faults), officers


async def _strike(portal: BenchPortal, plan: Plan, began: float) -> list[Fault]:
    """Break things at their times, whether or not the one before is mended; wait for all."""

    async def at(share: float, strike: Strike) -> Fault:
        await asyncio.sleep(began + share * plan.seconds - time.monotonic())
        return await strike(portal)

    return list(await asyncio.gather(*(at(share, strike) for share, strike in plan.strikes)))


def _wait_until_quiet(portal: BenchPortal) -> None:
    deadline = time.monotonic() + _PATIENCE
    while not storm_ledger.is_quiet(portal.owner_url):
        assert time.monotonic() < deadline, "a transaction does not end"
        time.sleep(0.2)


def _command(portal: BenchPortal, *words: str) -> str:
    """Type a command at the portal's door; return what it says is wrong, or nothing."""
    finished = subprocess.run(
        [sys.executable, "-m", "data_access", *words, "--data-dir", str(portal.data_dir)],
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
    )
    return (finished.stderr.strip() or "failed") if finished.returncode else ""


# FIGURES


def figures(happened: Storm) -> list[Figure]:
    """Return what a storm measured; what has a budget must hold."""
    balance, journal = happened.balance, happened.journal
    return [
        *_requests(happened),
        *(_recovery(journal, fault) for fault in happened.faults),
        *_saves(happened),
        _none("acknowledged and lost", balance.lost, beside=_seen(balance)),
        _none("acknowledged and there twice", balance.doubled),
        _none("half written", balance.half_written),
        _none("officers asked about what they typed themselves", journal.choices),
        _none("sums or trail not whole", list(happened.said), beside="rollup verify, audit verify"),
    ]


def _none(name: str, findings: list[str], beside: str = "") -> Figure:
    return Figure(name, len(findings), "", 0, beside=beside)


def _seen(balance: Balance) -> str:
    return (
        f"{balance.saves:,} saves, {balance.submits:,} submissions,"
        f" {balance.withdrawals:,} withdrawals seen"
    )


def _requests(happened: Storm) -> list[Figure]:
    asked, plan = happened.journal.asked, happened.plan
    failed = [each for each in asked if each.status == 0 or each.status >= 400]
    faults = [each for each in asked if each.status == 500]
    name = f"{plan.officers} officers, {plan.seconds:g} s: requests and page runs"
    return [
        Figure(name, len(asked), "", beside=f"{len(failed):,} cut, refused or without an answer"),
        Figure("answers that were faults of the program", len(faults), "", 0),
    ]


def _recovery(journal: Journal, fault: Fault) -> Figure:
    """Return how long nobody concerned could save; beside it, when the process was back."""
    saved = [
        each.began + each.seconds
        for each in journal.asked
        if each.kind == "save" and each.status == 200 and each.began > fault.began
        and (not fault.route or each.route == fault.route)
    ]  # fmt: skip
    seconds = min(saved, default=float("inf")) - fault.began
    back = f"the process answers after {fault.back - fault.began:.1f} s"
    return Figure(f"{fault.name} killed: its officers save again after", seconds, "s", beside=back)


def _saves(happened: Storm) -> list[Figure]:
    faults, saves = happened.faults, [
        each for each in happened.journal.asked if each.kind == "save" and each.status == 200
    ]  # fmt: skip
    came = happened.began + _ARRIVE * happened.plan.seconds
    first, last = min(each.began for each in faults), max(each.back for each in faults)
    parts = {
        "before the faults": [each for each in saves if came < each.began < first],
        "during them": [each for each in saves if first <= each.began <= last],
        "after them": [each for each in saves if each.began > last],
    }
    return [_share(f"save, p95, {name}", part) for name, part in parts.items()]


def _share(name: str, part: list[Asked]) -> Figure:
    if not part:
        return Figure(name, float("nan"), "ms", beside="none")
    times = [each.seconds * 1000 for each in part]
    beside = f"p50 {percentile(times, 0.5):.0f} ms of {len(times):,}"
    return Figure(name, percentile(times, 0.95), "ms", beside=beside)
