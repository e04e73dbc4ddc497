"""Whether the chains of the trail are whole; and if not, what happened to which entry.

Finding that something is wrong is strict and simple: an entry is sound when it carries its own
hash, stands on the next place of its chain and names the hash before it. Saying what happened is
done afterwards, on a short window of entries around the place: the hashes still link them in the
order in which they were written.
"""

from dataclasses import dataclass, replace

from domain.trail import (
    GENESIS,
    AnchoredHeads,
    ChainHead,
    Finding,
    FindingKind,
    TrailEntry,
    entry_hash,
)

# A check runs in bounded memory: further findings are counted and not kept.
KEPT_FINDINGS = 200
_WINDOW = 64
_SOUND_AGAIN = 3
_NEAR = sorted(range(-128, 129), key=abs)
_SHIFT_SEARCHES = 200
_BEGINNING = ChainHead(0, GENESIS)


@dataclass(frozen=True, slots=True)
class TrailReport:
    """What a check of all chains came to; `found` counts findings beyond the ones kept, too."""

    entries: int
    findings: list[Finding]
    found: int
    not_anchored: int
    oldest_not_anchored: TrailEntry | None


class TrailCheck:
    """Checks all chains from one stream ordered by chain and place."""

    def __init__(self, anchors: AnchoredHeads) -> None:
        self._anchors = anchors
        self._chain: ChainCheck | None = None
        self._seen: set[int] = set()
        self._findings: list[Finding] = []
        self._found = 0
        self._entries = 0
        self._not_anchored = 0
        self._oldest: TrailEntry | None = None

    def take_head(self, chain_no: int, head: ChainHead) -> None:
        """Take the head that the database remembers for a chain."""
        self._chain_of(chain_no).head = head

    def take(self, entry: TrailEntry) -> None:
        """Take the next entry."""
        self._entries += 1
        self._chain_of(entry.chain_no).take(entry)

    def finish(self) -> TrailReport:
        """Return the report once the stream has ended."""
        for chain_no in sorted(self._anchors.chains - self._seen):
            self._chain_of(chain_no)
        self._finish_chain()
        return TrailReport(
            entries=self._entries,
            findings=name_swaps(self._findings),
            found=self._found,
            not_anchored=self._not_anchored,
            oldest_not_anchored=self._oldest,
        )

    def _chain_of(self, chain_no: int) -> "ChainCheck":
        if self._chain is None or self._chain.chain_no != chain_no:
            self._finish_chain()
            self._seen.add(chain_no)
            self._chain = ChainCheck(chain_no, self._anchors)
        return self._chain

    def _finish_chain(self) -> None:
        chain, self._chain = self._chain, None
        if chain is None:
            return
        chain.finish()
        self._findings += chain.findings[: KEPT_FINDINGS - len(self._findings)]
        self._found += chain.found
        self._not_anchored += chain.not_anchored
        if chain.oldest_not_anchored is not None:
            self._oldest = min(
                filter(None, (self._oldest, chain.oldest_not_anchored)), key=_by_time
            )


class ChainCheck:
    """Walks one chain from its first entry to its head and collects what is wrong."""

    def __init__(self, chain_no: int, anchors: AnchoredHeads) -> None:
        self.chain_no = chain_no
        self.head: ChainHead | None = None
        self.findings: list[Finding] = []
        self.found = 0
        self.not_anchored = 0
        self.oldest_not_anchored: TrailEntry | None = None
        self._last: TrailEntry | None = None
        self._shift = 0
        self._searches = _SHIFT_SEARCHES
        self._window: list[TrailEntry] = []
        self._start = _BEGINNING
        self._sound = 0
        self._last_is_explained = False
        self._anchors = anchors.of(chain_no)
        self._anchor = next(self._anchors, None)
        self._last_anchored = anchors.last_seq(chain_no)
        self._matched_seq = 0
        self._after_match: TrailEntry | None = None
        self._reported_since_match = False

    @property
    def _seq(self) -> int:
        """The true place of the last entry: what it was hashed with."""
        return self._last.chain_seq + self._shift if self._last else 0

    def take(self, entry: TrailEntry) -> None:
        """Take the next entry, in the order of places."""
        sound = self._follows(entry, self._last)
        if sound and not self._window:
            self._last, self._last_is_explained = entry, False
            self._compare_with_anchor(entry)
        else:
            self._take_doubtful(entry, sound=sound)
        if self._seq > self._last_anchored:
            self.not_anchored += 1
            self.oldest_not_anchored = self.oldest_not_anchored or entry

    def finish(self) -> None:
        """Compare where the chain ends with its head and its anchors."""
        if self._window:
            self._explain()
        end = max(self.head.chain_seq if self.head else 0, self._last_anchored)
        if self.head is None and (self._last or end):
            self._report(Finding(FindingKind.HEAD_MISSING, self.chain_no, entry=self._last))
        if self._seq < end:
            self._report(Finding(FindingKind.REMOVED, self.chain_no, self._seq + 1, end))
        elif self._last and self.head and self._seq == self.head.chain_seq:
            self._compare_with_head(self._last, self.head)

    def _follows(self, entry: TrailEntry, before: TrailEntry | None) -> bool:
        """Tell whether the entry is sound behind the one before it."""
        place = entry.chain_seq + self._shift
        return (
            entry.previous_hash == (before.hash if before else GENESIS)
            and entry.chain_seq == (before.chain_seq if before else 0) + 1
            and (self.head is None or place <= self.head.chain_seq)
            and _fits(entry, self._shift)
        )

    def _take_doubtful(self, entry: TrailEntry, *, sound: bool) -> None:
        if not self._window:
            last = self._last
            self._window = [last] if last else []
            self._start = ChainHead(self._seq - 1, last.previous_hash) if last else _BEGINNING
        self._window.append(entry)
        self._last = entry
        self._sound = self._sound + 1 if sound else 0
        if self._sound >= _SOUND_AGAIN or len(self._window) >= _WINDOW:
            self._explain()

    def _explain(self) -> None:
        incident = Incident(self._window, self._start, self.head, self._shift, self._searches)
        if self._last_is_explained:
            incident.accused.append(self._window[0])
        for finding in incident.explain():
            self._report(finding)
        self._last_is_explained = self._sound == 0
        self._shift, self._searches = incident.shift, incident.searches
        self._window, self._sound = [], 0

    def _compare_with_anchor(self, entry: TrailEntry) -> None:
        """Look whether an anchor remembers another hash at this place."""
        seq = self._seq
        if seq == self._matched_seq + 1:
            self._after_match = entry
        while self._anchor and self._anchor.chain_seq <= seq:
            anchor, self._anchor = self._anchor, next(self._anchors, None)
            if anchor.chain_seq < seq:
                continue
            if anchor.hash == entry.hash:
                self._matched_seq, self._reported_since_match = seq, False
            elif not self._reported_since_match:
                first, named = self._matched_seq + 1, self._after_match
                self._report(Finding(FindingKind.REHASHED, self.chain_no, first, seq, named))

    def _compare_with_head(self, last: TrailEntry, head: ChainHead) -> None:
        if last.hash != head.hash and not self._last_is_explained:
            seq = last.chain_seq
            self._report(Finding(FindingKind.HEAD_DIFFERS, self.chain_no, seq, seq, last))

    def _report(self, finding: Finding) -> None:
        self.found += 1
        self._reported_since_match = True
        if len(self.findings) < KEPT_FINDINGS:
            self.findings.append(finding)


class Incident:
    """A few entries around a place that is not sound, to be put back into their true order."""

    def __init__(
        self,
        window: list[TrailEntry],
        start: ChainHead,
        head: ChainHead | None,
        shift: int,
        searches: int,
    ) -> None:
        self.shift = shift
        """What must be added to a place to get the one the entry was hashed with."""
        self.searches = searches
        """How many more renumbered entries may be looked for: each costs 256 hashes."""
        self.accused: list[TrailEntry] = []
        self._window = window
        self._start = start
        self._head = head
        self._named = {entry.previous_hash for entry in window} | ({head.hash} if head else set())
        self._left_over: list[TrailEntry] = []
        self._findings: list[Finding] = []

    def explain(self) -> list[Finding]:
        """Return what happened, in the order of the entries; never nothing."""
        expected = self._start.chain_seq + 1
        before: TrailEntry | None = None
        for entry, linked in self._true_order():
            expected = self._judge(entry, before, expected, linked=linked) + 1
            before = entry
        for entry in self._left_over:
            self._say(FindingKind.INSERTED, entry.chain_seq, entry.chain_seq, entry)
        if not self._findings:
            self._say_of(FindingKind.ALTERED, self._window[-1])
        return sorted(self._findings, key=lambda finding: finding.first_seq)

    def _true_order(self) -> list[tuple[TrailEntry, bool]]:
        """Follow the hashes; return each entry and whether the one before leads to it."""
        waiting = list(self._window)
        order: list[tuple[TrailEntry, bool]] = []
        reached = self._start.hash
        while waiting:
            leading = [entry for entry in waiting if entry.previous_hash == reached]
            if not leading and self._window[-1] not in waiting:
                break
            entry = self._likeliest(leading) if leading else self._next_of(waiting, order)
            waiting.remove(entry)
            order.append((entry, bool(leading)))
            reached = entry.hash
        self._left_over = waiting
        return order

    def _next_of(
        self, waiting: list[TrailEntry], order: list[tuple[TrailEntry, bool]]
    ) -> TrailEntry:
        last = order[-1][0].chain_seq if order else self._start.chain_seq
        return next((entry for entry in waiting if entry.chain_seq > last), waiting[0])

    def _likeliest(self, leading: list[TrailEntry]) -> TrailEntry:
        """Of entries that name the same hash, return the one that others follow, not its copy."""
        if len(leading) == 1:
            return leading[0]
        return max(leading, key=lambda one: (self._is_named(one), _shift_of(one) is not None))

    def _is_named(self, entry: TrailEntry) -> bool:
        return entry.hash in self._named

    def _judge(
        self, entry: TrailEntry, before: TrailEntry | None, expected: int, *, linked: bool
    ) -> int:
        """Say what is wrong between two entries; return the true place of the later one."""
        whole = _fits(entry, self.shift)
        if not whole and (shift := self._find_shift(entry)) is not None:
            self._say_renumbered(entry, shift, expected)
            return entry.chain_seq + shift
        place = expected if linked and not whole else entry.chain_seq + self.shift
        if self._head and place > self._head.chain_seq:
            self._say_of(FindingKind.INSERTED, entry)
        elif place > expected:
            self._say(FindingKind.REMOVED, expected, place - 1, entry)
        if not whole:
            self._say_of(FindingKind.ALTERED, entry)
        elif place < expected:
            self._say_of(FindingKind.INSERTED, entry)
        elif not linked and place == expected:
            self._say_of(FindingKind.ALTERED, self._culprit(entry, before))
        return place

    def _culprit(self, entry: TrailEntry, before: TrailEntry | None) -> TrailEntry:
        """Of two whole entries that do not link, return the one that the others do not know."""
        return before if before and self._is_named(entry) else entry

    def _find_shift(self, entry: TrailEntry) -> int | None:
        """Return by how much this entry and the next were renumbered, or None if they were not."""
        if self.searches <= 0:
            return None
        self.searches -= 1
        shift = _shift_of(entry)
        return shift if shift is not None and self._is_confirmed(entry, shift) else None

    def _is_confirmed(self, entry: TrailEntry, shift: int) -> bool:
        position = self._window.index(entry) + 1
        if position < len(self._window):
            return _fits(self._window[position], shift)
        return self._head is not None and entry.chain_seq + shift == self._head.chain_seq

    def _say_renumbered(self, entry: TrailEntry, shift: int, expected: int) -> None:
        moved, self.shift = self.shift - shift, shift
        if moved < 0:
            self._say(FindingKind.REMOVED, expected, entry.chain_seq + shift - 1, entry)
            return
        first, last = entry.chain_seq - moved, entry.chain_seq - 1
        inside = [other for other in self._left_over if first <= other.chain_seq <= last]
        self._left_over = [other for other in self._left_over if other not in inside]
        self._say(FindingKind.INSERTED, first, last, inside[0] if inside else entry)

    def _say_of(self, kind: FindingKind, entry: TrailEntry) -> None:
        if entry not in self.accused:
            self.accused.append(entry)
            self._say(kind, entry.chain_seq, entry.chain_seq, entry)

    def _say(self, kind: FindingKind, first: int, last: int, entry: TrailEntry) -> None:
        self._findings.append(Finding(kind, entry.chain_no, first, last, entry))


def name_swaps(findings: list[Finding]) -> list[Finding]:
    """Return the findings with altered entries that carry each other's places as swapped."""
    altered = [finding for finding in findings if finding.kind is FindingKind.ALTERED]
    swapped = {
        id(one) for one in altered for other in altered if one is not other and _swapped(one, other)
    }
    return [
        replace(finding, kind=FindingKind.SWAPPED) if id(finding) in swapped else finding
        for finding in findings
    ]


def _swapped(one: Finding, other: Finding) -> bool:
    if one.entry is None or other.entry is None:
        return False
    there = one.entry._replace(chain_no=other.entry.chain_no, chain_seq=other.entry.chain_seq)
    return entry_hash(there) == one.entry.hash


def _shift_of(entry: TrailEntry) -> int | None:
    """Return how many places further the entry carries its hash, or None if nowhere near."""
    return next((shift for shift in _NEAR if _fits(entry, shift)), None)


def _fits(entry: TrailEntry, shift: int) -> bool:
    """Tell whether the entry carries its hash when it stands `shift` places further."""
    if shift:
        entry = entry._replace(chain_seq=entry.chain_seq + shift)
    return entry_hash(entry) == entry.hash


def _by_time(entry: TrailEntry) -> int:
    try:
        return int(entry.microseconds or "")
    except ValueError:
        return 0
