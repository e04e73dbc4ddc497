"""Lists of villages: codes come back whole, in any order of rows, and nothing changes twice."""

import unicodedata
from random import Random

from hypothesis import given
from hypothesis import strategies as st

from domain.villages import Village, compare, county_of, normal_code

FULL_WIDTH = str.maketrans("0123456789.", "０１２３４５６７８９．")
codes = st.from_regex(r"3601(21|23)10[0-2]20[0-3]00[0-5]", fullmatch=True)
positions = st.none() | st.tuples(
    st.sampled_from([115.5, 115.50000001]), st.sampled_from([28.8, 28.9])
)
names = st.sampled_from(["上屋", "下屋", "塘背"])
lists = st.dictionaries(codes, st.builds(lambda name, place: (name, place), names, positions)).map(
    lambda rows: [Village(code, *values) for code, values in rows.items()]
)


def by_code(villages):
    return {village.code: village for village in villages}


def applied(known, comparison):
    changes = {change.before.code: change.after for change in comparison.changed}
    return known | by_code(comparison.added) | changes


@given(st.from_regex("[0-9]{12}([0-9]{3})?", fullmatch=True))
def test_a_code_survives_every_way_of_writing_it(code):
    grouped = f" {code[:6]} {code[6:]}\u3000"
    for written in (code, f"'{code}", grouped, code.translate(FULL_WIDTH), f"{code}.0"):
        assert normal_code(written) == code
    assert normal_code(normal_code(code)) == code
    if not code.startswith("0"):
        assert normal_code(int(code)) == normal_code(float(code)) == code


# What no database can hold becomes a visible mark, which is no part of what was typed.
WRITABLE = st.characters(exclude_categories=["Cs"], exclude_characters="\x00")


@given(st.text(WRITABLE))
def test_what_is_no_code_is_not_made_one(text):
    typed = unicodedata.normalize("NFKC", text)
    made = normal_code(text)
    assert made in "".join(typed.split())


@given(lists, lists, st.randoms(use_true_random=False))
def test_any_order_of_rows_gives_the_same_comparison(listed, known, random: Random):
    shuffled = random.sample(listed, len(listed))
    holds = {county_of(village.code) for village in listed}
    assert compare(shuffled, by_code(known), holds) == compare(listed, by_code(known), holds)


@given(lists, lists)
def test_a_second_run_changes_nothing(listed, known):
    first = compare(listed, by_code(known), ["36"])
    after = applied(by_code(known), first)
    second = compare(listed, after, ["36"])
    assert (second.added, second.changed) == ((), ())
    assert second.missing == first.missing


@given(lists, lists)
def test_each_village_is_counted_once(listed, known):
    found = compare(listed, by_code(known), ["36"])
    taken = len(found.added) + len(found.changed) + len(found.unchanged)
    assert taken == len(listed)
    assert taken - len(found.added) + len(found.missing) == len(known)


@given(lists, lists)
def test_only_what_a_list_should_hold_can_be_missing(listed, known):
    missing = compare(listed, by_code(known), ["360123"]).missing
    assert all(village.code.startswith("360123") for village in missing)
    assert compare(listed, by_code(known), []).missing == ()


@given(lists)
def test_a_list_without_places_moves_nobody(known):
    listed = [Village(village.code, village.name, None) for village in known]
    assert compare(listed, by_code(known), ["36"]).changed == ()
