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


def month_day(day: date) -> str:
    """Return a day of this year as a person reads it: 11月22日."""
    return f"{day.month}月{day.day}日"


def moment(at: datetime) -> str:
    """Return a time as a person reads it, in Beijing: 11月22日 10:32, with its year if another."""
    local = at.astimezone(BEIJING)
    year = "" if local.year == now().year else f"{local.year}年"
    return f"{year}{month_day(local)} {local:%H:%M}"
