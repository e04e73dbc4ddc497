"""What time it is, for everything that a deadline or a person reads."""

import os
from datetime import date, datetime
from zoneinfo import ZoneInfo

BEIJING = ZoneInfo("Asia/Shanghai")


def now() -> datetime:
    """Return this moment in Beijing time; PORTAL_NOW (ISO 8601) stands in for it in tests."""
    fixed = os.environ.get("PORTAL_NOW")
    return datetime.fromisoformat(fixed).astimezone(BEIJING) if fixed else datetime.now(BEIJING)


def today() -> date:
    """Return today's date in Beijing."""
    return now().date()
