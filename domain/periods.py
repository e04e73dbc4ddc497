"""Reporting periods: months, quarters, half years, years, each beginning with a month."""

from datetime import date


def period_start(day: date, months: int) -> date:
    """Return the first day of the period of so many months (a divisor of 12) that holds the day.

    >>> period_start(date(2026, 11, 22), 3)
    datetime.date(2026, 10, 1)
    """
    return date(day.year, (day.month - 1) // months * months + 1, 1)


def last_month(starts_on: date, months: int) -> date:
    """Return the first day of the period's last month.

    >>> last_month(date(2026, 10, 1), 3)
    datetime.date(2026, 12, 1)
    """
    return starts_on.replace(month=starts_on.month + months - 1)


def period_name(starts_on: date, months: int) -> str:
    """Return what people call the period.

    >>> period_name(date(2026, 10, 1), 3), period_name(date(2026, 11, 1), 1)
    ('2026年第四季度', '2026年11月')
    >>> period_name(date(2026, 7, 1), 6), period_name(date(2026, 1, 1), 12)
    ('2026年下半年', '2026年')
    """
    year, month = starts_on.year, starts_on.month
    if months == 1:
        return f"{year}年{month}月"
    if months == 3:
        return f"{year}年第{'一二三四'[(month - 1) // 3]}季度"
    if months == 6:
        return f"{year}年{'上' if month == 1 else '下'}半年"
    if months == 12:
        return f"{year}年"
    return f"{year}年{month}—{month + months - 1}月"
