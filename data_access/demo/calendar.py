"""Working days and office hours, for times that look as if people had kept them."""

from bisect import bisect_left
from collections.abc import Mapping
from datetime import date, datetime, time, timedelta
from functools import cached_property
from random import Random

from domain.clock import BEIJING

_DAY = timedelta(days=1)


class WorkCalendar:
    """The working days between two dates, `exceptions` to Monday–Friday included."""

    def __init__(self, first: date, last: date, exceptions: Mapping[date, bool]) -> None:
        self._first = first
        self._last = last
        self._exceptions = exceptions

    @cached_property
    def _days(self) -> list[date]:
        span = (self._last - self._first).days + 1
        days = (self._first + _DAY * number for number in range(span))
        return [day for day in days if self._exceptions.get(day, day.isoweekday() < 6)]

    def between(self, first: date, last: date) -> list[date]:
        """Return the working days from `first` to `last`, both included."""
        return self._days[bisect_left(self._days, first) : bisect_left(self._days, last + _DAY)]

    def on_or_before(self, day: date) -> date:
        """Return the day itself or the last working day before it."""
        return self._days[bisect_left(self._days, day + _DAY) - 1]

    def on_or_after(self, day: date) -> date:
        """Return the day itself or the first working day after it."""
        return self._days[bisect_left(self._days, day)]

    def later(self, day: date, count: int) -> date:
        """Return the day on which `count` working days after `day` are over."""
        return self._days[bisect_left(self._days, day + _DAY) + count - 1]

    def pick(self, rng: Random, first: date, last: date) -> date:
        """Return a working day between the two, or the last one of them where there is none."""
        return rng.choice(self.between(first, last) or [last])


def office_hour(rng: Random, day: date) -> datetime:
    """Return a moment of the day at which somebody sits in an office, Beijing time."""
    morning = rng.randint(8 * 60 + 35, 11 * 60 + 50)
    minute = rng.choice((morning, rng.randint(14 * 60, 17 * 60 + 40)))
    clock = time(minute // 60, minute % 60, rng.randint(0, 59))
    return datetime.combine(day, clock, BEIJING)


def midnight(day: date) -> datetime:
    """Return the first moment of the day, Beijing time."""
    return datetime.combine(day, time(), BEIJING)


def month_after(day: date) -> date:
    """Return the first day of the month after the day's."""
    return (day.replace(day=1) + timedelta(days=32)).replace(day=1)


def month_before(day: date) -> date:
    """Return the first day of the month before the day's."""
    return (day.replace(day=1) - _DAY).replace(day=1)
