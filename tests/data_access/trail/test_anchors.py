"""Anchors: what they name, and what a verification finds by them."""

import json
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from data_access import trail
from data_access.database import transaction
from data_access.trail_anchors import anchor_path
from domain.errors import NotPermitted
from domain.trail import FindingKind
from tests.trail import AUDITOR, FILER, kinds, write


def test_anchor_says_what_is_not_anchored_yet(note, verify, anchor):
    write("INSERT INTO note VALUES (1)")
    before = verify()
    assert before.not_anchored == before.entries
    assert before.oldest_not_anchored_at is not None
    anchor()
    write("UPDATE note SET n = 1")
    after = verify()
    assert (after.not_anchored, after.anchors, after.is_whole) == (1, 1, True)


def test_nothing_new_is_not_anchored_again(note, anchor, tmp_path):
    write("INSERT INTO note VALUES (1)")
    assert [anchor(), anchor()] == [1, None]
    assert len(anchor_path(tmp_path).read_bytes().splitlines()) == 1


def test_later_line_names_only_the_chains_that_grew(note, anchor, tmp_path):
    write("INSERT INTO note VALUES (1)")
    anchor()
    write("UPDATE note SET n = 1")
    anchor()
    lines = [json.loads(line) for line in anchor_path(tmp_path).read_text().splitlines()]
    assert len(lines[1]["heads"]) == 1
    assert lines[1]["complete_at"] == lines[0]["complete_at"] == 0


def test_worker_can_anchor_through_the_portals_login(note, verify, tmp_path):
    write("INSERT INTO note VALUES (1)")
    with transaction(None, action="trail.anchor") as connection:
        assert trail.anchor(connection, tmp_path) == 1
    assert verify().not_anchored == 0


def test_auditor_can_verify_through_the_portals_login(note, tmp_path):
    write("INSERT INTO note VALUES (1)")
    with transaction(AUDITOR, read_only=True) as connection:
        assert trail.verify(connection, tmp_path).is_whole
    with pytest.raises(NotPermitted), transaction(FILER, read_only=True) as connection:
        trail.verify(connection, tmp_path)


def anchor_often(anchor: Callable[[], int | None], times: int) -> None:
    write("INSERT INTO note VALUES (1)")
    anchor()
    for n in range(1, times):
        write("UPDATE note SET n = :n", n=n)
        anchor()


@pytest.fixture
def anchored(note, anchor, tmp_path: Path) -> Path:
    """An anchor file of five lines."""
    anchor_often(anchor, 5)
    return anchor_path(tmp_path)


def test_long_anchor_file_names_all_heads_now_and_then(note, anchor, verify, tmp_path):
    anchor_often(anchor, 105)
    result = verify()
    assert (result.is_whole, result.anchors, result.not_anchored) == (True, 105, 0)
    lines = anchor_path(tmp_path).read_text().splitlines()
    assert len({json.loads(line)["complete_at"] for line in lines}) == 2


def edit(path: Path, change: Callable[[list[bytes]], list[bytes]]) -> None:
    path.write_bytes(b"".join(change(path.read_bytes().splitlines(keepends=True))))


def later(line: bytes) -> bytes:
    return line.replace(b'"anchored_at":"20', b'"anchored_at":"19')


def test_edited_line_is_named(anchored, verify):
    edit(anchored, lambda lines: [*lines[:2], later(lines[2]), *lines[3:]])
    [finding] = verify().findings
    assert (finding.kind, finding.first_seq) == (FindingKind.ANCHORS_EDITED, 3)


def test_edited_last_line_is_named(anchored, verify):
    edit(anchored, lambda lines: [*lines[:-1], later(lines[-1])])
    [finding] = verify().findings
    assert (finding.kind, finding.first_seq) == (FindingKind.ANCHORS_EDITED, 5)


def test_line_that_is_no_line_is_named_and_the_next_anchor_begins_anew(anchored, verify, anchor):
    edit(anchored, lambda lines: [*lines[:-1], b"{}\n"])
    assert FindingKind.ANCHORS_EDITED in kinds(verify())
    write("UPDATE note SET n = -1")
    assert anchor() is not None
    result = verify()
    assert set(kinds(result)) == {FindingKind.ANCHORS_EDITED}
    assert result.not_anchored == 0


def test_removed_line_is_found(anchored, verify):
    edit(anchored, lambda lines: [*lines[:2], *lines[3:]])
    assert FindingKind.ANCHORS_EDITED in kinds(verify())


def test_shortened_file_is_found(anchored, verify):
    edit(anchored, lambda lines: lines[:-2])
    [finding] = verify().findings
    assert (finding.kind, finding.first_seq, finding.last_seq) == (
        FindingKind.ANCHORS_SHORTENED,
        4,
        5,
    )


def test_missing_file_is_found(anchored, verify):
    anchored.unlink()
    [finding] = verify().findings
    assert (finding.kind, finding.last_seq) == (FindingKind.ANCHORS_SHORTENED, 5)


def test_half_a_line_after_a_power_cut_is_no_tampering(anchored, verify, anchor):
    with anchored.open("ab") as file:
        file.write(b'{"anchor_no":6,"anch')
    assert verify().is_whole
    write("UPDATE note SET n = -1")
    assert anchor() == 6
    assert verify().is_whole


def test_anchor_whose_transaction_fails_is_still_an_anchor(note, owners, verify, anchor, tmp_path):
    write("INSERT INTO note VALUES (1)")
    with owners.connect() as connection:
        assert trail.anchor(connection, tmp_path) == 1
        connection.rollback()
    assert verify().is_whole
    write("UPDATE note SET n = 1")
    assert anchor() == 2
    assert verify().is_whole


def test_anchors_made_at_once_do_not_fork_the_file(note, verify, owners, tmp_path):
    write("INSERT INTO note VALUES (1)")

    def change_and_anchor(n: int) -> None:
        write("UPDATE note SET n = :n", n=n + 1)
        with owners.begin() as connection:
            trail.anchor(connection, tmp_path)

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(change_and_anchor, range(40)))
    assert verify().is_whole
