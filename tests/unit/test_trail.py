"""What a check of the trail says about each way of tampering with a chain."""

import hashlib
from collections.abc import Callable, Iterable

import pytest

from domain.trail import (
    GENESIS,
    AnchoredHeads,
    ChainHead,
    FindingKind,
    TrailEntry,
    canonical_text,
    entry_hash,
)
from domain.trail_check import KEPT_FINDINGS, TrailCheck, TrailReport

Chain = list[TrailEntry]


def entry(chain_no: int, seq: int, previous: bytes, **fields: object) -> TrailEntry:
    """An entry that carries its right hash."""
    plain = TrailEntry(
        chain_no=chain_no,
        chain_seq=seq,
        row_change_id=chain_no * 100_000 + seq,
        table_name="submission",
        row_key=str(seq),
        operation="UPDATE",
        before='{"note": "原"}',
        after=f'{{"note": "第 {seq} 次"}}',
        user_id=7,
        action="submission.save",
        division_code="360121",
        database_login="portal",
        transaction_id=str(900 + seq),
        microseconds=str(1_795_000_000_000_000 + seq),
        previous_hash=previous,
        hash=b"",
    )._replace(**fields)
    return plain._replace(hash=entry_hash(plain))


def chain(length: int, chain_no: int = 0) -> Chain:
    entries: Chain = []
    for seq in range(1, length + 1):
        entries.append(entry(chain_no, seq, entries[-1].hash if entries else GENESIS))
    return entries


def head_of(entries: Chain) -> ChainHead:
    return ChainHead(entries[-1].chain_seq, entries[-1].hash)


def check(
    entries: Iterable[TrailEntry],
    heads: dict[int, ChainHead],
    anchors: Iterable[tuple[int, ChainHead]] = (),
) -> TrailReport:
    """Check entries the way the database sends them: by chain, head first."""
    anchored = AnchoredHeads()
    for chain_no, head in anchors:
        anchored.add(chain_no, head)
    checking = TrailCheck(anchored)
    entries = sorted(entries, key=lambda e: (e.chain_no, e.chain_seq))
    for chain_no in sorted({e.chain_no for e in entries} | set(heads)):
        if chain_no in heads:
            checking.take_head(chain_no, heads[chain_no])
        for one in (e for e in entries if e.chain_no == chain_no):
            checking.take(one)
    return checking.finish()


def named(report: TrailReport) -> list[tuple[FindingKind, int, int]]:
    return [(one.kind, one.first_seq, one.last_seq) for one in report.findings]


def renumber(entries: Chain, first: int, by: int) -> Chain:
    """Move the places of all entries from `first` on, leaving their hashes as they are."""
    return [e._replace(chain_seq=e.chain_seq + by) if e.chain_seq >= first else e for e in entries]


def rehash(entries: Chain) -> Chain:
    """Compute every link anew, as somebody would who knows how."""
    anew: Chain = []
    for one in entries:
        linked = one._replace(previous_hash=anew[-1].hash if anew else GENESIS)
        anew.append(linked._replace(hash=entry_hash(linked)))
    return anew


def test_canonical_text_is_what_postgresql_writes():
    text = canonical_text(entry(3, 2, GENESIS, action=None, user_id=None, row_key='a"\n\x01\\村'))
    assert text == (
        r'[300002, 3, 2, "submission", "a\"\n\u0001\\村", "UPDATE", {"note": "原"}'
        r', {"note": "第 2 次"}, null, null, "360121", "portal", "902", 1795000000000002]'
    )


def test_hash_runs_over_the_previous_hash_and_the_text():
    one = entry(0, 1, b"\x07" * 32)
    expected = hashlib.sha256(b"\x07" * 32 + canonical_text(one).encode()).digest()
    assert one.hash == expected


@pytest.mark.parametrize("length", [1, 2, 3, 200])
def test_whole_chain_has_no_finding(length):
    entries = chain(length)
    report = check(entries, {0: head_of(entries), 1: ChainHead(0, GENESIS)})
    assert (report.findings, report.entries, report.not_anchored) == ([], length, length)
    assert report.oldest_not_anchored == entries[0]


@pytest.mark.parametrize("place", [1, 2, 50, 99, 100])
@pytest.mark.parametrize(
    "change",
    [
        {"after": '{"note": "改"}'},
        {"before": None},
        {"before": "null"},
        {"user_id": 8},
        {"action": None},
        {"microseconds": None},
        {"row_change_id": 5},
        {"hash": b"\x01" * 32},
        {"previous_hash": b"\x01" * 32},
    ],
    ids=lambda change: next(iter(change)),
)
def test_altered_entry_is_named(place, change):
    entries = chain(100)
    heads = {0: head_of(entries)}
    entries[place - 1] = entries[place - 1]._replace(**change)
    assert named(check(entries, heads)) == [(FindingKind.ALTERED, place, place)]


@pytest.mark.parametrize("place", [1, 2, 50, 99])
def test_altered_entry_with_a_new_hash_of_its_own_is_named(place):
    entries = chain(100)
    heads = {0: head_of(entries)}
    old = entries[place - 1]
    entries[place - 1] = entry(0, place, old.previous_hash, after='{"note": "改"}')
    assert named(check(entries, heads)) == [(FindingKind.ALTERED, place, place)]


def test_altered_last_entry_with_a_new_hash_differs_from_the_head():
    entries = chain(5)
    heads = {0: head_of(entries)}
    entries[4] = entry(0, 5, entries[3].hash, after='{"note": "改"}')
    assert named(check(entries, heads)) == [(FindingKind.HEAD_DIFFERS, 5, 5)]


@pytest.mark.parametrize(
    ("first", "last"),
    [(1, 1), (2, 2), (50, 50), (40, 60), (1, 99), (100, 100), (90, 100), (1, 100)],
)
def test_removed_entries_are_named(first, last):
    entries = chain(100)
    heads = {0: head_of(entries)}
    del entries[first - 1 : last]
    assert named(check(entries, heads)) == [(FindingKind.REMOVED, first, last)]


@pytest.mark.parametrize(("first", "last"), [(1, 1), (2, 2), (50, 50), (40, 60), (2, 98)])
def test_removed_entries_are_named_though_the_rest_moved_up(first, last):
    entries = chain(400)
    heads = {0: head_of(entries)}
    entries = renumber(entries[: first - 1] + entries[last:], last + 1, first - last - 1)
    report = check(entries, heads)
    assert named(report) == [(FindingKind.REMOVED, first, last)]
    assert report.found == 1


def forged_plainly(entries: Chain, place: int) -> TrailEntry:
    return entry(0, place, b"\x05" * 32)._replace(hash=b"\x06" * 32)


def forged_with_hashes(entries: Chain, place: int) -> TrailEntry:
    previous = entries[place - 2].hash if place > 1 else GENESIS
    return entry(0, place, previous, after='{"note": "伪"}')


@pytest.mark.parametrize("place", [1, 2, 50, 100])
@pytest.mark.parametrize("forge", [forged_plainly, forged_with_hashes])
def test_inserted_entry_is_named_though_the_rest_moved_down(
    place: int, forge: Callable[[Chain, int], TrailEntry]
):
    entries = chain(100)
    heads = {0: head_of(entries)}
    entries = [*renumber(entries, place, 1), forge(entries, place)]
    report = check(entries, heads)
    assert named(report) == [(FindingKind.INSERTED, place, place)]
    assert report.found == 1


@pytest.mark.parametrize("forge", [forged_plainly, forged_with_hashes])
def test_entry_behind_the_head_is_inserted(forge: Callable[[Chain, int], TrailEntry]):
    entries = chain(10)
    heads = {0: head_of(entries)}
    report = check([*entries, forge(entries, 11)], heads)
    assert named(report) == [(FindingKind.INSERTED, 11, 11)]


@pytest.mark.parametrize(("one", "other"), [(1, 2), (50, 51), (99, 100), (10, 90), (1, 100)])
def test_swapped_entries_are_named(one, other):
    entries = chain(100)
    heads = {0: head_of(entries)}
    a, b = entries[one - 1], entries[other - 1]
    entries[one - 1], entries[other - 1] = a._replace(chain_seq=other), b._replace(chain_seq=one)
    assert named(check(entries, heads)) == [
        (FindingKind.SWAPPED, one, one),
        (FindingKind.SWAPPED, other, other),
    ]


def test_entries_swapped_between_chains_are_named():
    left, right = chain(20), chain(20, chain_no=1)
    heads = {0: head_of(left), 1: head_of(right)}
    a, b = left[4], right[8]
    left[4] = b._replace(chain_no=0, chain_seq=5)
    right[8] = a._replace(chain_no=1, chain_seq=9)
    assert named(check(left + right, heads)) == [
        (FindingKind.SWAPPED, 5, 5),
        (FindingKind.SWAPPED, 9, 9),
    ]


def test_rehashed_chain_is_named_from_the_last_anchor_that_holds():
    entries = chain(100)
    anchors = [(0, ChainHead(seq, entries[seq - 1].hash)) for seq in (20, 40, 60, 80)]
    entries[49] = entries[49]._replace(after='{"note": "改"}')
    entries = rehash(entries)
    report = check(entries, {0: head_of(entries)}, anchors)
    assert named(report) == [(FindingKind.REHASHED, 41, 60)]
    assert report.findings[0].entry == entries[40]
    assert report.not_anchored == 20


def test_rehashed_chain_is_seen_only_by_its_anchors():
    entries = chain(10)
    entries[8] = entries[8]._replace(after='{"note": "改"}')
    entries = rehash(entries)
    report = check(entries, {0: head_of(entries)})
    assert (report.findings, report.not_anchored) == ([], 10)


def test_tail_taken_off_together_with_the_head_is_known_by_the_anchor():
    entries = chain(100)
    anchors = [(0, head_of(entries))]
    del entries[90:]
    assert named(check(entries, {0: head_of(entries)}, anchors)) == [(FindingKind.REMOVED, 91, 100)]


def test_chain_without_its_head_row_is_named():
    entries = chain(3)
    assert named(check(entries, {})) == [(FindingKind.HEAD_MISSING, 0, 0)]


def test_chain_that_is_gone_altogether_is_known_by_the_anchor():
    entries = chain(3, chain_no=9)
    report = check([], {}, [(9, head_of(entries))])
    assert named(report) == [(FindingKind.HEAD_MISSING, 0, 0), (FindingKind.REMOVED, 1, 3)]


def test_two_tamperings_of_one_chain_are_both_named():
    entries = chain(300)
    heads = {0: head_of(entries)}
    entries[199] = entries[199]._replace(user_id=1)
    del entries[99]
    assert named(check(entries, heads)) == [
        (FindingKind.REMOVED, 100, 100),
        (FindingKind.ALTERED, 200, 200),
    ]


def test_findings_beyond_the_kept_ones_are_counted():
    entries = chain(1000)
    heads = {0: head_of(entries)}
    report = check([e._replace(user_id=1) for e in entries], heads)
    assert (len(report.findings), report.found) == (KEPT_FINDINGS, 1000)


def test_not_anchored_entries_are_counted_over_all_chains():
    left, right = chain(30), chain(10, chain_no=1)
    anchors = [(0, ChainHead(20, left[19].hash))]
    report = check(left + right, {0: head_of(left), 1: head_of(right)}, anchors)
    assert (report.findings, report.not_anchored) == ([], 20)
    assert report.oldest_not_anchored == right[0]
