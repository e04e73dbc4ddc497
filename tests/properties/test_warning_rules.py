"""Bands that are accepted judge without a hole: whatever is worse is never judged lighter."""

from decimal import Decimal

from hypothesis import given
from hypothesis import strategies as st

from domain.assessment import Measure, Profile
from domain.bands import parse_band
from domain.warning_rules import BANDS, ProfileDraft, TypedBand, band_text, profile_problems

MEASURES = st.sampled_from([m for m in Measure if m is not Measure.NONE])
NUMBERS = st.decimals(0, 3, places=2, allow_nan=False)
DESCENDING = (Measure.TARGET_FLOOR, Measure.PATH_FLOOR)


@st.composite
def chains(draw, measure):
    """Four bands end to end, as the page asks for them; now and then one end is typed wrong."""
    cuts = draw(st.lists(NUMBERS, min_size=4, max_size=4, unique=True).map(sorted))
    if measure in DESCENDING:
        cuts.reverse()
    holds = draw(st.lists(st.booleans(), min_size=4, max_size=4))
    ends = [str(cut) for cut in cuts]
    bands = {}
    for number, level in enumerate(BANDS):
        near, far = (ends[number], holds[number]), ("", False)
        if number < 3:
            far = (ends[number + 1], not holds[number + 1])
        low, high = (far, near) if measure in DESCENDING else (near, far)
        bands[level] = TypedBand(low[0], low[1], high[0], high[1])
    slips = draw(st.dictionaries(st.sampled_from(list(bands)), NUMBERS.map(str), max_size=1))
    for level, typed in slips.items():
        bands[level] = TypedBand(typed, bands[level].with_low, bands[level].high, True)
    return ProfileDraft("模型", measure, bands), not slips


@given(st.data(), MEASURES, st.lists(NUMBERS, min_size=2, max_size=6))
def test_what_is_worse_is_never_judged_lighter(data, measure, values):
    draft, is_whole = data.draw(chains(measure))
    problems = profile_problems(draft)
    assert not (is_whole and problems), problems
    if problems:
        return
    written = {name: parse_band(band_text(draft.bands[level], measure))
               for level, name in BANDS.items()}  # fmt: skip
    profile = Profile(measure, **written)
    worse = sorted(map(Decimal, values), reverse=measure in DESCENDING)
    ranks = [profile.level(value).rank for value in worse]
    assert ranks == sorted(ranks)
