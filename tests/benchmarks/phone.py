"""The phone page on a village's network: 1.6 Mbit/s, 300 ms, nothing in the cache, Chromium."""

import time
from statistics import median

import psycopg
from playwright.sync_api import Browser, sync_playwright

from tests.benchmarks.figures import Figure
from tests.benchmarks.portal import BenchPortal
from tests.browser.conftest import CHROMIUM, FLAGS, PHONE

_SLOW = {
    "offline": False,
    "latency": 300,  # ms
    "downloadThroughput": 1_600_000 / 8,  # bytes/s
    "uploadThroughput": 750_000 / 8,
}
_TIMES = 3
# The officer's villages in hand that have the usual number of natural villages.
_VILLAGES = """
SELECT village.code
  FROM account_grant AS post JOIN account USING (user_id)
  JOIN admin_division AS village ON village.prefix ^@ post.prefix AND village.level = 'village'
  JOIN natural_village ON natural_village.code ^@ village.code
  LEFT JOIN submission JOIN reporting_period AS period USING (period_id)
    ON submission.division_code = village.code AND period.closed_at IS NULL
   AND submission.form_code = 'village_evaluation'
 WHERE username = %s AND coalesce(submission.state, 'draft') IN ('draft', 'returned')
 GROUP BY village.code
 ORDER BY abs(count(*) - 9), village.code LIMIT 1
"""


def phone_figures(portal: BenchPortal) -> list[Figure]:
    """Measure from the address until a field can be typed into, and what came over the wire."""
    username = portal.usernames("township")[0]
    with psycopg.connect(portal.owner_url) as owner:
        row = owner.execute(_VILLAGES, [username]).fetchone()
    assert row is not None, "the demo's township has no village in hand"
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=[*FLAGS])
        seen = [_opened(browser, portal, username, f"/phone/{row[0]}") for _ in range(_TIMES)]
        browser.close()
    return [
        Figure("phone: village editable, cold, slow network", median(s for s, _ in seen), "s", 10),
        Figure("phone: bytes until then", median(size for _, size in seen) / 1000, "kB", 60),
    ]


def _opened(
    browser: Browser, portal: BenchPortal, username: str, address: str
) -> tuple[float, int]:
    """Return the seconds until a field can be typed into, and the bytes received."""
    width, height = PHONE
    context = browser.new_context(viewport={"width": width, "height": height}, locale="zh-CN")
    cookie = {"name": "portal_session", "value": portal.token_of(username), "url": portal.url}
    context.add_cookies([cookie])
    page = context.new_page()
    line = context.new_cdp_session(page)
    received: list[int] = []
    line.on("Network.loadingFinished", lambda event: received.append(event["encodedDataLength"]))
    line.send("Network.enable")
    line.send("Network.emulateNetworkConditions", _SLOW)
    began = time.perf_counter()
    page.goto(portal.url + address, wait_until="commit")
    page.locator(".card:not([hidden]) :is(input, select)").first.focus()
    seconds = time.perf_counter() - began
    size = sum(received)
    context.close()
    return seconds, int(size)
