"""What a setting of the portal may become."""

from enum import StrEnum


class SettingFault(StrEnum):
    SHAPE = "shape"
    RANGE = "range"
    ORDER = "order"
    FIXED = "fixed"


# What the portal says of itself and nobody may make it unsay.
FIXED = frozenset({"is_demo"})
_RANGES: dict[str, tuple[int, int]] = {
    "period_deadline_day": (1, 31),
    "reminder_answer_working_days": (1, 30),
    "session_idle_minutes": (5, 480),
    "session_hours": (1, 24),
    "bulk_undo_seconds": (1, 600),
    "position_far_km": (1, 100),
}


# Objects of counts and percentages, each of them one at least.
_COUNTED = frozenset({"village_sample", "village_outlier_limits"})
_WHOLE = 100  # percent


def fault_of(name: str, old: object, new: object) -> SettingFault | None:
    """Return why a setting cannot become `new`, None where it can.

    >>> fault_of("period_deadline_day", 25, 32)
    <SettingFault.RANGE: 'range'>
    >>> fault_of("lateness_days", {"yellow": 15, "orange": 45}, {"yellow": 50, "orange": 45})
    <SettingFault.ORDER: 'order'>
    >>> fault_of("village_sample", {"percent": 5, "least": 2}, {"percent": 101, "least": 2})
    <SettingFault.RANGE: 'range'>
    """
    if name in FIXED:
        return SettingFault.FIXED
    if not _same_shape(old, new):
        return SettingFault.SHAPE
    if name in _RANGES and isinstance(new, int):
        low, high = _RANGES[name]
        return None if low <= new <= high else SettingFault.RANGE
    if name in _COUNTED and isinstance(new, dict):
        whole = all(value >= 1 for value in new.values())
        return None if whole and new.get("percent", 1) <= _WHOLE else SettingFault.RANGE
    if name == "lateness_days" and isinstance(new, dict):
        return None if 0 < new["yellow"] < new["orange"] else SettingFault.ORDER
    return None


def _same_shape(old: object, new: object) -> bool:
    """Whole numbers stay whole, texts stay texts and say something, objects keep their keys."""
    if isinstance(old, bool) or isinstance(new, bool):
        return isinstance(old, bool) and isinstance(new, bool)
    if isinstance(old, dict):
        return (
            isinstance(new, dict)
            and old.keys() == new.keys()
            and all(_same_shape(old[key], new[key]) for key in old)
        )
    if isinstance(old, int):
        return isinstance(new, int)
    if isinstance(old, str):
        return isinstance(new, str) and bool(new.strip())
    return type(old) is type(new)
