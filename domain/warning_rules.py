"""A new version of the warning rules: what somebody typed, and a sentence for each fault in it.

The bands of a profile follow each other without gap or overlap, each graver one further from what
is wanted, the gravest without end: else a grave figure would count as normal.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from itertools import pairwise

from domain.assessment import Level, Measure
from domain.bands import Band, parse_band

BANDS = {Level.HINT: "blue", Level.WATCH: "yellow", Level.WARN: "orange", Level.SEVERE: "red"}
COLOUR_WORDS = {Level.HINT: "蓝", Level.WATCH: "黄", Level.WARN: "橙", Level.SEVERE: "红"}
SHARES = frozenset({Measure.RANGE, Measure.CHANGE})  # read and typed in percent
_DESCENDING = frozenset({Measure.TARGET_FLOOR, Measure.PATH_FLOOR})
_EMPTY = Band(None, None, is_empty=True)
_LONGEST = 20  # digits of an end


@dataclass(frozen=True, slots=True)
class TypedBand:
    """A band as somebody typed it; both ends blank is no band at all."""

    low: str
    with_low: bool
    high: str
    with_high: bool


@dataclass(frozen=True, slots=True)
class ProfileDraft:
    """The bands of one profile as typed, by level."""

    name: str
    measure: Measure
    bands: Mapping[Level, TypedBand]


@dataclass(frozen=True, slots=True)
class RulesDraft:
    """A new version as typed; `made_from` is the version it was begun with."""

    made_from: int
    title: str
    valid_from_year: int
    yellow_years: int
    basis: str
    basis_note: str
    profiles: Mapping[str, ProfileDraft]


def typed(text: str, measure: Measure) -> TypedBand:
    """Return a band of the database as it is typed.

    >>> typed("(0.05,0.10]", Measure.RANGE)
    TypedBand(low='5', with_low=False, high='10', with_high=True)
    >>> typed("empty", Measure.VALUE)
    TypedBand(low='', with_low=False, high='', with_high=False)
    """
    band = parse_band(text)

    def say(number: Decimal | None) -> str:
        if number is None:
            return ""
        return f"{(number * 100 if measure in SHARES else number).normalize():f}"

    return TypedBand(say(band.low), band.with_low, say(band.high), band.with_high)


def band_text(band: TypedBand, measure: Measure) -> str:
    """Return a typed band as the database writes it; raise ValueError with a sentence.

    >>> band_text(TypedBand("5", False, "10", True), Measure.RANGE)
    '(0.05,0.1]'
    >>> band_text(TypedBand("", False, "0.8", False), Measure.PATH_FLOOR)
    '(,0.8)'
    """
    return _written(_band(band, measure))


def _band(typed_band: TypedBand, measure: Measure) -> Band:
    low, high = _end(typed_band.low, measure), _end(typed_band.high, measure)
    if low is None and high is None:
        return _EMPTY
    with_low = typed_band.with_low and low is not None
    with_high = typed_band.with_high and high is not None
    if low is not None and high is not None:
        if low > high:
            raise ValueError(f"下限 {typed_band.low} 大于上限 {typed_band.high}")
        if low == high and not (with_low and with_high):
            raise ValueError(f"下限与上限同为 {typed_band.low}，区间内没有数")
    return Band(low, high, with_low, with_high)


def _end(text: str, measure: Measure) -> Decimal | None:
    plain = text.strip().removesuffix("%").strip()
    if not plain:
        return None
    try:
        number = Decimal(plain)
    except InvalidOperation:
        number = Decimal("NaN")
    if not number.is_finite() or len(plain) > _LONGEST:
        raise ValueError(f"“{text.strip()[:_LONGEST]}”不是可用的数")
    return number / 100 if measure in SHARES else number


def _written(band: Band) -> str:
    if band.is_empty:
        return "empty"
    low, high = ("" if end is None else f"{end.normalize():f}" for end in (band.low, band.high))
    return f"{'[' if band.with_low else '('}{low},{high}{']' if band.with_high else ')'}"


def profile_problems(draft: ProfileDraft) -> list[str]:
    """Return a sentence for each fault in the bands of a profile.

    >>> floor = ProfileDraft("下限型", Measure.TARGET_FLOOR, {
    ...     Level.WARN: TypedBand("1", True, "1.01", False),
    ...     Level.SEVERE: TypedBand("", False, "0.99", False)})
    >>> profile_problems(floor)
    ['“下限型”的橙与红之间有空档（0.99 至 1），其中的数会被判为正常。']
    """
    bands: list[tuple[Level, Band]] = []
    problems: list[str] = []
    for level in BANDS:
        given = draft.bands.get(level)
        try:
            band = _EMPTY if given is None else _band(given, draft.measure)
        except ValueError as error:
            problems.append(f"“{draft.name}”的{COLOUR_WORDS[level]}：{error}。")
        else:
            if not band.is_empty:
                bands.append((level, band))
    if problems or not bands:
        return problems
    if draft.measure is Measure.NONE:
        return [f"“{draft.name}”不评级，不设区间。"]
    return [f"“{draft.name}”的{fault}。" for fault in _order_faults(draft.measure, bands)]


def _order_faults(measure: Measure, bands: list[tuple[Level, Band]]) -> Iterator[str]:
    """Look at the bands from the lightest to the gravest, mirrored where less is worse."""
    sign = -1 if measure in _DESCENDING else 1
    ahead = bands if sign == 1 else [(level, _mirrored(band)) for level, band in bands]

    def said(number: Decimal) -> str:
        shown = sign * number * (100 if measure in SHARES else 1)
        return f"{shown.normalize():f}{'%' if measure in SHARES else ''}"

    for (light, near), (grave, far) in pairwise(ahead):
        names = f"{COLOUR_WORDS[light]}与{COLOUR_WORDS[grave]}"
        if near.high is None or far.low is None or far.low < near.high:
            yield f"{names}重叠或次序颠倒：越重的一级应离要求越远"
        elif near.high < far.low:
            low, high = (near.high, far.low)[::sign]
            yield f"{names}之间有空档（{said(low)} 至 {said(high)}），其中的数会被判为正常"
        elif near.with_high and far.with_low:
            yield f"{names}重叠：分界的 {said(far.low)} 只能属于一级"
        elif not near.with_high and not far.with_low:
            yield f"{names}之间漏掉分界的 {said(far.low)}，请在一级勾选“含”"
    level, last = ahead[-1]
    if last.high is not None:
        side = "上限" if sign == 1 else "下限"
        yield f"{COLOUR_WORDS[level]}是最重的一级，{side}应留空，否则更差的数会被判为正常"


def _mirrored(band: Band) -> Band:
    low = None if band.high is None else -band.high
    high = None if band.low is None else -band.low
    return Band(low, high, band.with_high, band.with_low)


def problems(draft: RulesDraft, first_year: int, is_changed: bool) -> list[str]:
    """Return a sentence for each fault; `first_year` is the earliest that new rules may be for."""
    found = []
    if not draft.title.strip():
        found.append("请填写规则名称。")
    if not draft.basis_note.strip():
        found.append("请填写依据说明：为什么改，依据什么。")
    if not first_year <= draft.valid_from_year <= first_year + 10:
        found.append(
            f"首个数据年度应在 {first_year} 至 {first_year + 10} 之间：以前年度保持原来的规则。"
        )
    if not 2 <= draft.yellow_years <= 5:
        found.append("连续黄升级的年数应为 2 至 5。")
    for profile in draft.profiles.values():
        found += profile_problems(profile)
    if not found and not is_changed:
        found.append("各级区间和连续黄年数都没有改动，不必另立版本。")
    return found
