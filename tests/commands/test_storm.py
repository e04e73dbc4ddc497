"""A minute of storm: officers at work while processes are killed and sockets are cut."""

import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.benchmarks import storm, storm_faults
from tests.benchmarks.portal import running_portal
from tests.benchmarks.storm import Plan, Storm

MINUTE = Plan(
    officers=40,
    seconds=60,
    think=3,
    rounds=4,  # signing in is not what is tried here
    strikes=(
        (20 / 60, lambda portal: storm_faults.kill_web(portal, 1)),
        (35 / 60, storm_faults.kill_postmaster),
    ),
)


@pytest.fixture(scope="module")
def passed() -> Iterator[Storm]:
    folder = Path(tempfile.mkdtemp(prefix="portal-storm-"))
    folder.chmod(0o711)
    with running_portal(folder, ("--no-demo", *storm.OPTIONS)) as portal:
        yield storm.run(portal, MINUTE)
    shutil.rmtree(folder)


def test_nothing_that_an_officer_saw_acknowledged_is_lost_or_doubled(passed):
    assert passed.complaints == []
    assert [figure for figure in storm.figures(passed) if figure.holds is False] == []


def test_the_storm_was_one(passed):
    """Officers saved and submitted while processes died, and had answers cut off."""
    balance, errors = passed.balance, passed.journal.errors
    assert balance.saves > 200
    assert balance.submits > 20
    assert balance.withdrawals > 0
    assert errors["save: cut off"] > 0
    assert [fault.name for fault in passed.faults] == ["web process 1", "postmaster"]
    last = max(fault.back for fault in passed.faults)
    assert any(
        each.kind == "save" and each.status == 200 and each.began > last
        for each in passed.journal.asked
    )
