"""Whatever is done to whichever entries of the trail, a check says so."""

from hypothesis import assume, given, settings
from hypothesis import strategies as st

from domain.trail import TrailEntry, canonical_text
from tests.unit.test_trail import Chain, chain, check, entry, head_of, rehash, renumber

CHAINS = {length: chain(length) for length in range(1, 90)}
TEXTS = st.text(st.characters(exclude_categories=["Cs"]), max_size=20)
CHANGES = st.one_of(
    st.fixed_dictionaries({"row_key": TEXTS}),
    st.fixed_dictionaries({"table_name": TEXTS}),
    st.fixed_dictionaries({"operation": st.sampled_from(["INSERT", "DELETE", "BULK"])}),
    st.fixed_dictionaries({"after": st.sampled_from([None, "null", "{}", '{"a": 1}'])}),
    st.fixed_dictionaries({"user_id": st.none() | st.integers(0, 6)}),
    st.fixed_dictionaries({"division_code": st.none() | TEXTS}),
    st.fixed_dictionaries({"chain_seq": st.integers(1, 120)}),
    st.fixed_dictionaries({"hash": st.binary(min_size=32, max_size=32)}),
    st.fixed_dictionaries({"previous_hash": st.binary(min_size=32, max_size=32)}),
)
WAYS = st.sampled_from(
    ["alter", "forge", "remove", "close_up", "insert", "swap", "move", "reverse"]
)


def tamper(entries: Chain, way: str, place: int, other: int, change: dict[str, object]) -> Chain:
    """Return the chain after one act of tampering."""
    one, two = entries[place], entries[other]
    rest = entries[:place] + entries[place + 1 :]
    if way == "alter":
        return [*rest, one._replace(**change)]
    if way == "forge":
        return [*rest, entry(0, one.chain_seq, one.previous_hash, row_key="伪")]
    if way == "remove":
        return rest
    if way == "close_up":
        return renumber(rest, one.chain_seq, -1)
    if way == "insert":
        forged = entry(0, one.chain_seq, one.previous_hash, row_key="伪")
        return [*renumber(entries, one.chain_seq, 1), forged]
    if way == "swap":
        keep = [e for e in entries if e not in (one, two)]
        a, b = one._replace(chain_seq=two.chain_seq), two._replace(chain_seq=one.chain_seq)
        return [*keep, a, b]
    if way == "move":
        return [*rest, one._replace(chain_seq=two.chain_seq)]
    return [e._replace(chain_seq=len(entries) + 1 - e.chain_seq) for e in entries]


@st.composite
def tampered_chains(draw: st.DrawFn, *, most_acts: int = 3) -> tuple[Chain, Chain]:
    """A whole chain, and the same after some acts of tampering."""
    entries = whole = CHAINS[draw(st.integers(1, 89))]
    for _ in range(draw(st.integers(1, most_acts))):
        assume(entries)
        place, other = (
            draw(st.integers(0, len(entries) - 1)),
            draw(st.integers(0, len(entries) - 1)),
        )
        entries = tamper(entries, draw(WAYS), place, other, draw(CHANGES))
        entries = sorted(entries, key=lambda one: one.chain_seq)
    assume(entries != whole)
    return whole, entries


@settings(max_examples=200, deadline=None)
@given(tampered_chains())
def test_tampering_with_a_chain_is_always_found(chains):
    whole, tampered = chains
    report = check(tampered, {0: head_of(whole)})
    assert report.found > 0
    assert report.findings


@settings(max_examples=150, deadline=None)
@given(tampered_chains(most_acts=1))
def test_the_first_finding_is_not_behind_the_first_entry_that_differs(chains):
    whole, tampered = chains
    # The table holds one entry a place; two would have to begin with the schema.
    assume(len({one.chain_seq for one in tampered}) == len(tampered))
    differing = next(
        (place for place, (a, b) in enumerate(zip(whole, tampered, strict=False), 1) if a != b),
        min(len(whole), len(tampered)) + 1,
    )
    first = check(tampered, {0: head_of(whole)}).findings[0]
    # An entry that stands further back now is named where it stands: its number tells.
    written = first.entry.row_change_id if first.entry else first.first_seq
    assert min(first.first_seq, written) <= differing


@settings(max_examples=60, deadline=None)
@given(st.integers(2, 89), st.data())
def test_rehashing_is_found_when_an_anchor_stands_behind_the_altered_entry(length, data):
    whole = CHAINS[length]
    place = data.draw(st.integers(1, length - 1))
    anchored = data.draw(st.integers(place, length))
    earlier = data.draw(st.integers(1, length))
    anchors = [(0, head_of(whole[:seq])) for seq in sorted({earlier, anchored})]
    tampered = list(whole)
    tampered[place - 1] = tampered[place - 1]._replace(row_key="改")
    tampered = rehash(tampered)
    [finding] = check(tampered, {0: head_of(tampered)}, anchors).findings
    assert finding.first_seq <= place <= finding.last_seq


@given(
    st.builds(dict, row_key=TEXTS, table_name=TEXTS, action=TEXTS),
    st.builds(dict, row_key=TEXTS, table_name=TEXTS, action=TEXTS),
)
def test_two_entries_with_the_same_text_are_the_same(one, other):
    base: TrailEntry = CHAINS[1][0]
    a, b = base._replace(**one), base._replace(**other)
    assert (canonical_text(a) == canonical_text(b)) == (a == b)
