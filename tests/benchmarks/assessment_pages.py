"""Reruns of the pages of the assessment: the matrix, one unit, one indicator, six units."""

import asyncio

import psycopg

from tests.benchmarks.figures import Figure, percentile
from tests.benchmarks.portal import BenchPortal
from tests.benchmarks.sessions import Tab, reruns

_RERUNS = 40
_SIX_UNITS = (
    "SELECT code FROM division_on(current_date) WHERE level = 'county' ORDER BY code LIMIT 6"
)


def page_figures(portal: BenchPortal) -> list[Figure]:
    """Measure reruns of the assessment's pages over the websocket, one session each."""
    with psycopg.connect(portal.owner_url) as owner:
        units = [row[0] for row in owner.execute(_SIX_UNITS).fetchall()]
    asked = {
        "matrix": ("assessment", "set=TDT1063-2021&tier=all", 150),
        "unit": ("assessment_unit", f"code={units[0]}", 60),
        "indicator": ("assessment_indicator", "code=CULT_LAND", 60),
        "comparison of 6 units": ("assessment_comparison", f"units={','.join(units)}", 60),
    }
    token = portal.token_of("leader")
    found = []
    for name, (page, query, budget) in asked.items():
        tab = Tab(portal.url, page, token, query=query)
        asyncio.run(_settled(tab))
        seconds = [run.seconds * 1000 for run in tab.runs]
        found.append(
            Figure(f"assessment {name} rerun, p50", percentile(seconds, 0.5), "ms", budget)
        )
    return found


async def _settled(tab: Tab) -> None:
    await reruns([tab], _RERUNS)
    await tab.close()
