"""Files arrive in pieces, are checked whole, and stand in the database or nowhere."""

import hashlib
import os
from uuid import uuid4

import pytest
from psycopg.types.json import Jsonb

from data_access import evidence, file_store, uploads
from data_access.database import transaction
from domain.access import Role
from domain.errors import InvalidAction, NotFound, NotPermitted, RuleViolation, UploadRefused
from domain.files import FileFault
from tests.actors import make_actor
from tests.files import pdf, picture, zipped
from tests.reports import wanted_file

pytestmark = pytest.mark.usefixtures("store")


@pytest.fixture
def target(owner, plan_id):
    """The first item that a stage of the county's headline plan wants proved."""
    return wanted_file(owner, plan_id)


def begin(actor, target, content, name="批复.pdf", use="evidence"):
    with transaction(actor) as connection:
        return uploads.begin(
            connection, actor, use=use, file_name=name, size=len(content), target=target
        )


def send(actor, target, content, name="批复.pdf"):
    return receive(actor, begin(actor, target, content, name), content)


def receive(actor, upload_id, content, *, meanwhile=lambda: None):
    with uploads.receiving(actor, upload_id, 0) as reception:
        reception.append(content)
        meanwhile()
        return reception.finish()


def received(actor, upload_id):
    with transaction(actor) as connection:
        return uploads.get(connection, upload_id).received


def files(store):
    return sorted(path.name for path in store.rglob("*") if path.is_file())


def test_finished_upload_is_evidence_stored_by_its_content(store, county, target, plan_id):
    content = pdf()
    result = send(county, target, content)
    sha256 = hashlib.sha256(content).hexdigest()
    assert result["sha256"] == sha256
    assert file_store.stored_path(sha256).read_bytes() == content
    with transaction(county) as connection:
        found = evidence.get(connection, result["evidence_id"])
        assert [found] == evidence.list_for_plan(connection, plan_id)
    assert (found.file_name, found.media_type, found.size) == (
        "批复.pdf",
        "application/pdf",
        len(content),
    )
    assert files(store) == [sha256]


def test_file_and_evidence_leave_one_trail(owner, county, target):
    send(county, target, pdf())
    rows = owner.execute(
        "SELECT table_name, user_id, action, transaction_id FROM row_change"
        " WHERE table_name IN ('stored_file', 'evidence')"
    ).fetchall()
    assert sorted(row[0] for row in rows) == ["evidence", "stored_file"]
    assert {row[1:3] for row in rows} == {(county.user_id, "evidence.upload")}
    assert len({row[3] for row in rows}) == 1


def test_upload_goes_on_where_it_was_cut(county, target):
    content = pdf("一" * 5000)
    upload_id = begin(county, target, content)
    with uploads.receiving(county, upload_id, 0) as reception:
        reception.append(content[:7000])
    assert received(county, upload_id) == 7000
    file_store._hashes.clear()  # another process goes on
    with uploads.receiving(county, upload_id, 7000) as reception:
        reception.append(content[7000:])
        result = reception.finish()
    assert result["sha256"] == hashlib.sha256(content).hexdigest()


def test_bytes_the_database_does_not_know_of_are_sent_again(county, target):
    content = pdf()
    upload_id = begin(county, target, content)
    file_store.incoming_path(upload_id).write_bytes(b"half a page")  # then the power went
    assert receive(county, upload_id, content)["sha256"] == hashlib.sha256(content).hexdigest()


def test_lost_bytes_move_the_upload_back(county, target):
    content = pdf()
    upload_id = begin(county, target, content)
    with uploads.receiving(county, upload_id, 0) as reception:
        reception.append(content[:100])
    file_store.incoming_path(upload_id).write_bytes(content[:60])
    with pytest.raises(UploadRefused), uploads.receiving(county, upload_id, 100):
        pass
    assert received(county, upload_id) == 60


def test_wrong_offset_is_told_the_right_one(county, target):
    upload_id = begin(county, target, pdf())
    with pytest.raises(UploadRefused) as refusal, uploads.receiving(county, upload_id, 5):
        pass
    assert refusal.value.details == {"reason": FileFault.WRONG_OFFSET, "offset": 0}


def test_of_two_requests_at_once_one_is_refused(county, target):
    upload_id = begin(county, target, pdf())
    with uploads.receiving(county, upload_id, 0), pytest.raises(UploadRefused) as refusal:
        receive(county, upload_id, pdf())
    assert refusal.value.details["reason"] is FileFault.BUSY


def test_more_than_was_declared_is_refused(county, target):
    content = pdf()
    upload_id = begin(county, target, content)
    with pytest.raises(UploadRefused), uploads.receiving(county, upload_id, 0) as reception:
        reception.append(content + b"x")


@pytest.mark.parametrize(
    ("name", "content", "fault"),
    [
        ("批复.pdf", pdf()[:-30], FileFault.DAMAGED),
        ("批复.pdf", b"MZ" + pdf(), FileFault.CONTENT_DIFFERS),
        ("照片.png", picture()[:-20], FileFault.DAMAGED),
        ("照片.jpg", picture("JPEG", (640, 480))[:-400], FileFault.DAMAGED),
        ("照片.jpg", picture("PNG"), FileFault.CONTENT_DIFFERS),
        ("图件.zip", zipped({"../a": b"x"}), FileFault.UNSAFE_NAMES),
    ],
)
def test_refused_file_leaves_nothing(store, owner, county, target, name, content, fault):
    if fault is FileFault.CONTENT_DIFFERS and name.endswith("pdf"):
        content = b"x" * 2000
    with pytest.raises(UploadRefused) as refusal:
        send(county, target, content, name)
    assert refusal.value.details["reason"] is fault
    assert files(store) == []
    assert owner.execute(
        "SELECT (SELECT count(*) FROM upload), (SELECT count(*) FROM stored_file)"
        ", (SELECT count(*) FROM evidence)"
    ).fetchone() == (0, 0, 0)


@pytest.mark.parametrize(("kind", "name"), [("PNG", "照片.png"), ("JPEG", "照片.jpeg")])
def test_whole_picture_is_taken(county, target, kind, name):
    assert send(county, target, picture(kind), name)["media_type"].startswith("image/")


def test_progressive_picture_too_large_for_memory_is_refused(county, target, monkeypatch):
    monkeypatch.setattr(file_store, "_LARGEST_PROGRESSIVE", 10_000)
    content = picture("JPEG", (200, 200), progressive=True)
    with pytest.raises(UploadRefused) as refusal:
        send(county, target, content, "照片.jpg")
    assert refusal.value.details["reason"] is FileFault.PICTURE_TOO_LARGE


def test_same_file_for_another_item_is_flagged_and_stored_once(store, county, target):
    first = send(county, target, pdf())
    assert first["also_used_for"] == []
    second = send(county, target, pdf())
    assert [other["evidence_id"] for other in second["also_used_for"]] == [first["evidence_id"]]
    assert files(store) == [first["sha256"]]


def test_reviewer_sees_the_same_file_of_another_county(owner, county, bureau, target):
    mine = send(county, target, pdf())
    neighbour = make_actor(owner, "nanchangxian", Role.COUNTY, "360121")
    other_plan = owner.execute(
        "INSERT INTO plan (division_code, plan_type, name) VALUES ('360121', 'MASTER_COUNTY', 'x')"
        " RETURNING plan_id"
    ).fetchone()[0]
    stage = target["key"].rpartition("/")[2]
    place = {"division_code": "360121", "key": f"{other_plan}/{stage}"}
    theirs = send(neighbour, target | place, pdf())
    assert theirs["also_used_for"] == []
    with transaction(bureau) as connection:
        (found,) = evidence.duplicates_of(connection, theirs["evidence_id"])
    assert (found.evidence_id, found.division_name) == (mine["evidence_id"], "安义县")


@pytest.mark.parametrize(
    ("change", "error"),
    [
        ({"key": "999999/X"}, NotFound),
        ({"item": "没有这一项"}, NotFound),
        ({"form_code": "x"}, NotFound),
        ({"division_code": "360124"}, NotFound),
    ],
)
def test_evidence_for_nothing_is_refused_before_a_byte_is_sent(county, target, change, error):
    with pytest.raises(error):
        begin(county, {**target, **change}, pdf())


def test_who_does_not_file_for_the_unit_uploads_nothing(bureau, city, target):
    for actor in (bureau, city):
        with pytest.raises(NotPermitted):
            begin(actor, target, pdf())


def test_another_county_does_not_even_see_the_plan(owner, target):
    neighbour = make_actor(owner, "nanchangxian", Role.COUNTY, "360121")
    with pytest.raises(NotFound):
        begin(neighbour, target, pdf())


def test_too_large_is_refused_before_a_byte_is_sent(county, target):
    with pytest.raises(UploadRefused) as refusal, transaction(county) as connection:
        uploads.begin(
            connection, county, use="evidence", file_name="a.pdf", size=1 << 40, target=target
        )
    assert refusal.value.details["reason"] is FileFault.TOO_LARGE


def test_unknown_use_and_empty_file(county, target):
    with pytest.raises(NotFound):
        begin(county, target, pdf(), use="nothing")
    with pytest.raises(UploadRefused):
        begin(county, target, b"")


def test_nobody_touches_the_upload_of_another(county, bureau, target):
    upload_id = begin(county, target, pdf())
    with pytest.raises(NotFound), uploads.receiving(bureau, upload_id, 0):
        pass
    with pytest.raises(NotFound):
        uploads.cancel(bureau, upload_id)
    assert not file_store.incoming_path(uuid4()).exists()


def test_cancelled_upload_is_gone(store, county, target):
    upload_id = begin(county, target, pdf())
    with uploads.receiving(county, upload_id, 0) as reception:
        reception.append(b"%PDF-")
    uploads.cancel(county, upload_id)
    assert files(store) == []
    with pytest.raises(NotFound):
        received(county, upload_id)


def test_cancel_during_a_request_leaves_nothing(store, county, target):
    upload_id = begin(county, target, pdf())
    with pytest.raises(NotFound):
        receive(county, upload_id, pdf(), meanwhile=lambda: uploads.cancel(county, upload_id))
    assert files(store) == []


def test_full_disk_is_a_sentence_and_no_half_file(store, county, target, monkeypatch):
    content = pdf()
    upload_id = begin(county, target, content)

    def no_space(descriptor):
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr(file_store.os, "fsync", no_space)
        with pytest.raises(UploadRefused) as refusal:
            receive(county, upload_id, content)
    assert refusal.value.details["reason"] is FileFault.NO_SPACE
    assert received(county, upload_id) == 0
    assert receive(county, upload_id, content)["evidence_id"]


def test_fault_at_the_commit_brings_the_file_back(store, county, target, monkeypatch):
    content = pdf()
    upload_id = begin(county, target, content)

    def fail(*arguments, **named):
        raise RuleViolation(constraint="x")

    with monkeypatch.context() as patch:
        patch.setattr(evidence, "add", fail)
        with pytest.raises(RuleViolation):
            receive(county, upload_id, content)
    assert files(store) == [str(upload_id)]
    with uploads.receiving(county, upload_id, len(content)) as reception:
        assert reception.finish()["evidence_id"]


def test_finished_upload_answers_the_same_again(county, target):
    content = pdf()
    upload_id = begin(county, target, content)
    result = receive(county, upload_id, content)
    with transaction(county) as connection:
        assert uploads.get(connection, upload_id).result == result


def test_removed_evidence_leaves_the_list_and_stays_readable(county, bureau, target, plan_id):
    evidence_id = send(county, target, pdf())["evidence_id"]
    with pytest.raises(NotPermitted), transaction(bureau) as connection:
        evidence.remove(connection, bureau, evidence_id)
    with transaction(county) as connection:
        evidence.remove(connection, county, evidence_id)
    with transaction(county) as connection:
        assert evidence.list_for_plan(connection, plan_id) == []
        assert evidence.get(connection, evidence_id).removed_at is not None


def test_evidence_that_a_report_relies_on_stays(owner, county, target, period_id):
    """The row's field in the filed content names the file."""
    evidence_id = send(county, target, pdf())["evidence_id"]
    row = {"key": target["key"], "evidence": {target["item"]: evidence_id}}
    content = {"form": {"note": "x"}, "milestone": [row]}
    submission_id = owner.execute(
        "INSERT INTO submission (form_code, period_id, division_code, state, step_no, version_no)"
        " VALUES ('plan_progress', %s, '360123', 'submitted', 1, 1) RETURNING submission_id",
        [period_id],
    ).fetchone()[0]
    owner.execute(
        "INSERT INTO submission_version (submission_id, version_no, division_code, round_no"
        ", form_version, rule_version, code_version, workflow_version, content, content_sha256"
        ", submitted_by) VALUES (%s, 1, '360123', 1, 1, 1, '1', 1, %s, '', %s)",
        [submission_id, Jsonb(content), county.user_id],
    )
    with pytest.raises(InvalidAction), transaction(county) as connection:
        evidence.remove(connection, county, evidence_id)


def test_abandoned_uploads_are_forgotten_after_a_week(store, owner, county, target):
    old, new = begin(county, target, pdf()), begin(county, target, pdf())
    for upload_id in (old, new):
        with uploads.receiving(county, upload_id, 0) as reception:
            reception.append(b"%PDF-")
    kept = send(county, target, pdf())
    owner.execute(
        "UPDATE upload SET touched_at = now() - interval '8 days' WHERE upload_id = %s", [old]
    )
    path = file_store.incoming_path(old)
    week_ago = path.stat().st_mtime - 8 * 86_400
    os.utime(path, (week_ago, week_ago))
    with transaction(None) as connection:
        assert uploads.remove_abandoned(connection) == 1
    assert files(store) == sorted([str(new), kept["sha256"]])
    with pytest.raises(NotFound):
        received(county, old)
    assert received(county, new) == 5


def test_other_uses_are_stored_without_evidence(owner, county):
    owner.execute(
        "INSERT INTO upload_use"
        " VALUES ('package', '数据包', '{county}', '{application/zip}', 9999, 99)"
    )
    content = zipped({"a": b"x"})
    upload_id = begin(county, {}, content, "包.zip", use="package")
    result = receive(county, upload_id, content)
    assert result == {
        "sha256": hashlib.sha256(content).hexdigest(),
        "size": len(content),
        "media_type": "application/zip",
        "file_name": "包.zip",
    }


def test_hashes_of_few_uploads_are_held_in_memory(county, target, monkeypatch):
    monkeypatch.setattr(file_store, "_HASHES_KEPT", 1)
    for _ in range(3):
        with uploads.receiving(county, begin(county, target, pdf()), 0) as reception:
            reception.append(b"%PDF-")
    assert len(file_store._hashes) == 1


def test_disk_that_fails_is_a_fault_and_not_a_refusal(county, target, monkeypatch):
    upload_id = begin(county, target, pdf())

    def broken(descriptor):
        raise OSError(5, "Input/output error")

    monkeypatch.setattr(file_store.os, "fsync", broken)
    with pytest.raises(OSError, match="Input/output"):
        receive(county, upload_id, pdf())
    assert received(county, upload_id) == 0


def test_picture_that_unfolds_beyond_measure_is_refused_unread(county, target, monkeypatch):
    monkeypatch.setattr(file_store.Image, "MAX_IMAGE_PIXELS", 100)
    with pytest.raises(UploadRefused) as refusal:
        send(county, target, picture(), "照片.png")
    assert refusal.value.details["reason"] is FileFault.PICTURE_TOO_LARGE


def test_evidence_nobody_knows_is_not_found(county):
    with pytest.raises(NotFound), transaction(county, read_only=True) as connection:
        evidence.get(connection, 1)
