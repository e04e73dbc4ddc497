"""The random sample: its size, that it can be drawn again, and that nobody is out of its reach."""

from collections import Counter

from hypothesis import given, settings
from hypothesis import strategies as st

from domain.sampling import SampleRule, sample_size, shuffled

RULES = st.builds(SampleRule, percent=st.integers(1, 100), least=st.integers(1, 100))
CODES = st.lists(st.from_regex(r"[0-9]{12}", fullmatch=True), unique=True, max_size=80)
SEEDS = st.integers(0, 2**31)


@given(st.integers(0, 500), RULES, st.integers(0, 100))
def test_the_size_is_within_what_is_there_and_at_least_the_share(eligible, rule, before):
    size = sample_size(eligible, rule, before)
    assert 0 <= size <= eligible
    assert size * 100 >= eligible * rule.percent
    assert size + before >= min(rule.least, eligible + before)
    assert (size > 0) == (eligible > 0)


@given(RULES, st.integers(1, 200), st.integers(0, 50))
def test_more_villages_never_mean_a_smaller_sample(rule, eligible, before):
    assert sample_size(eligible, rule, before) <= sample_size(eligible + 1, rule, before)


@given(CODES, SEEDS, st.randoms())
def test_a_seed_gives_the_same_sample_in_whatever_order_the_villages_come(codes, seed, chance):
    mixed = list(codes)
    chance.shuffle(mixed)
    assert shuffled(mixed, seed) == shuffled(codes, seed)
    assert sorted(shuffled(codes, seed)) == sorted(codes)


@given(CODES, SEEDS)
def test_what_comes_or_goes_does_not_move_the_others(codes, seed):
    whole = shuffled(codes, seed)
    assert shuffled(codes[1:], seed) == [code for code in whole if code not in codes[:1]]


@settings(deadline=None, max_examples=5)
@given(st.integers(0, 2**20))
def test_every_village_is_drawn_about_as_often(start):
    codes = [f"36012310{number:04}" for number in range(20)]
    drawn = Counter(
        code for seed in range(start, start + 1000) for code in shuffled(codes, seed)[:2]
    )
    assert set(drawn) == set(codes)
    assert all(50 <= times <= 160 for times in drawn.values())  # 100 are expected
