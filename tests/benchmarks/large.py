"""Large things in bounded memory: a trail of a million entries, a file of five gigabytes."""

import os
import subprocess
import sys
import time

import psycopg

from tests.benchmarks.figures import Figure
from tests.benchmarks.portal import BenchPortal
from tests.benchmarks.upload import measure_upload
from tests.paths import ROOT

_ENTRIES = 1_000_000
_UPLOAD_BYTES = 5 << 30


def trail_figures(portal: BenchPortal) -> list[Figure]:
    """Write a million entries through the trigger, then verify them by the command."""
    began = time.perf_counter()
    with psycopg.connect(portal.owner_url, autocommit=True) as owner:
        owner.execute("CREATE TABLE bench_audited (id int PRIMARY KEY, value text)")
        owner.execute("COMMENT ON TABLE bench_audited IS '测试'")
        owner.execute("SELECT audit_table('bench_audited')")
        for start in range(0, _ENTRIES, 50_000):
            owner.execute(
                "INSERT INTO bench_audited SELECT number, 'value ' || number"
                " FROM generate_series(%s::int, %s::int) AS number",
                [start, start + 49_999],
            )
    written = time.perf_counter() - began
    began = time.perf_counter()
    verify = subprocess.Popen(
        [sys.executable, "-m", "data_access", "audit", "verify", "--data-dir", portal.data_dir],
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    _, status, used = os.wait4(verify.pid, 0)
    assert status == 0, "the trail does not verify"
    seconds = time.perf_counter() - began
    rate = f"written at {_ENTRIES / written:,.0f}/s"
    return [
        Figure("1,000,000 trail entries verified", seconds, "s", beside=rate),
        Figure("memory of the verification", used.ru_maxrss / 1000, "MB"),
    ]


def upload_figures(portal: BenchPortal) -> list[Figure]:
    """Send 5 GB, cut once in the middle, through the upload route."""
    taken = measure_upload(portal.owner_url, portal.portal_url, _UPLOAD_BYTES)
    rate = f"{taken.bytes_per_second / 1e6:,.0f} MB/s, hashed, cut once"
    return [Figure("memory for a 5 GB upload", taken.memory_taken / 1e6, "MB", 100, beside=rate)]
