"""Uploads: begun, received piece by piece, checked, and stored by what they contain.

How far an upload has come stands in its row, and moves only after the bytes are on the disk. The
file itself is the business of `data_access.file_store`.
"""

import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from typing import Any
from uuid import UUID

from sqlalchemy import Connection

from data_access import evidence, file_store
from data_access.database import transaction
from data_access.file_store import IncomingFile
from data_access.queries import load_queries
from data_access.rows import fetch_one
from domain.access import Actor
from domain.errors import NotFound, NotPermitted, PortalError, UploadRefused
from domain.files import ArchiveLimits, FileFault, clean_name, expected_type

_SQL = load_queries("uploads")
EVIDENCE = "evidence"
_ABANDONED_AFTER = 7  # days


@dataclass(frozen=True, slots=True)
class UploadUse:
    """What may be uploaded for a purpose, how large, and by whom."""

    use: str
    title: str
    roles: list[str]
    media_types: list[str]
    max_size: int
    """Bytes."""
    max_unpacked: int
    """Bytes of an archive's entries together."""


@dataclass(frozen=True, slots=True)
class Upload:
    upload_id: UUID
    use: str
    file_name: str
    size: int
    """Bytes, as declared."""
    received: int
    """Bytes known to be on the disk."""
    user_id: int
    target: dict[str, Any]
    sha256: str | None
    result: dict[str, Any] | None


def get_use(connection: Connection, use: str) -> UploadUse:
    """Return the limits of a purpose; raise NotFound where there is no such one."""
    found = fetch_one(connection, _SQL["find_use"], UploadUse, use=use)
    if found is None:
        raise NotFound(use=use)
    return found


def begin(
    connection: Connection,
    actor: Actor,
    *,
    use: str,
    file_name: str,
    size: int,
    target: Mapping[str, Any],
) -> UUID:
    """Open an upload of `size` bytes; raise UploadRefused, NotPermitted or NotFound at once."""
    limits = get_use(connection, use)
    name = clean_name(file_name)
    expected_type(name, limits.media_types)
    if size <= 0:
        raise UploadRefused(reason=FileFault.EMPTY)
    if size > limits.max_size:
        raise UploadRefused(reason=FileFault.TOO_LARGE, limit=limits.max_size)
    _require_right(connection, actor, limits, target)
    parameters = {
        "use": use,
        "file_name": name,
        "size": size,
        "user_id": actor.user_id,
        "target": json.dumps(target),
    }
    return UUID(str(connection.execute(_SQL["begin"], parameters).scalar_one()))


def _require_right(
    connection: Connection, actor: Actor, limits: UploadUse, target: Mapping[str, Any]
) -> None:
    if not any(role.value in limits.roles for role in actor.roles):
        raise NotPermitted(use=limits.use)
    if limits.use == EVIDENCE:
        evidence.check_target(connection, actor, evidence_target(target))


def evidence_target(target: Mapping[str, Any]) -> evidence.Target:
    """Return what a piece of evidence is for; raise NotFound where it is not said."""
    try:
        return evidence.Target(
            form_code=str(target["form_code"]),
            division_code=str(target["division_code"]),
            group_code=str(target["group"]),
            row_key=str(target["key"]),
            item=str(target["item"]),
        )
    except KeyError:
        raise NotFound(target=dict(target)) from None


def get(connection: Connection, upload_id: UUID) -> Upload:
    """Return one of the actor's own uploads; raise NotFound where it is none."""
    found = fetch_one(connection, _SQL["find_upload"], Upload, upload_id=upload_id)
    if found is None:
        raise NotFound(upload_id=upload_id)
    return found


def find_file(connection: Connection, use: str, sha256: str) -> str | None:
    """Return the name of a file that the actor uploaded for a purpose; None for no such one."""
    name: str | None = connection.scalar(_SQL["find_file"], {"use": use, "sha256": sha256})
    return name


@contextmanager
def receiving(actor: Actor, upload_id: UUID, offset: int) -> Iterator["Reception"]:
    """Open the upload for the bytes from `offset` on; note at the end how far it came.

    Raise UploadRefused where `offset` is not where it stands, or another request is at it.
    """
    _read(actor, upload_id)  # a stranger's number makes no file
    with file_store.held(upload_id) as file:
        upload = _read(actor, upload_id)
        if upload.result is not None or offset != upload.received:
            raise UploadRefused(reason=FileFault.WRONG_OFFSET, offset=upload.received)
        reception = Reception(actor, upload, file_store.resume(upload_id, file, offset))
        if reception.offset < offset:
            reception.save()
            raise UploadRefused(reason=FileFault.WRONG_OFFSET, offset=reception.offset)
        try:
            yield reception
        finally:
            reception.save()


def _read(actor: Actor, upload_id: UUID) -> Upload:
    with transaction(actor, read_only=True) as connection:
        return get(connection, upload_id)


class Reception:
    """One upload while its bytes arrive."""

    def __init__(self, actor: Actor, upload: Upload, file: IncomingFile) -> None:
        self.upload = upload
        self._actor = actor
        self._file = file
        self._saved = upload.received

    @property
    def offset(self) -> int:
        return self._file.offset

    @property
    def is_complete(self) -> bool:
        return self.offset == self.upload.size

    def append(self, data: bytes | bytearray) -> None:
        """Take bytes; raise UploadRefused where they are more than was declared."""
        if self.offset + len(data) > self.upload.size:
            raise UploadRefused(reason=FileFault.TOO_LARGE, limit=self.upload.size)
        self._file.append(data)

    def save(self) -> None:
        """Bring the bytes to the disk, then say so in the row."""
        if self.offset == self._saved:
            return
        self._file.flush()
        parameters = {"upload_id": self.upload.upload_id, "received": self.offset}
        with transaction(self._actor, action="upload.receive") as connection:
            if connection.execute(_SQL["note_received"], parameters).first() is None:
                file_store.forget(self.upload.upload_id)
                raise NotFound(upload_id=self.upload.upload_id)
        self._saved = self.offset

    def finish(self) -> dict[str, Any]:
        """Check the file, store it and record what it is for; return the answer.

        A file that is not what it should be is removed with its upload, and nothing is written.
        """
        self.save()
        try:
            return _finish(self._actor, self.upload, self._file.sha256())
        except PortalError as error:
            if _is_final(error):
                _discard(self._actor, self.upload.upload_id)
            raise


def _is_final(error: PortalError) -> bool:
    """Tell whether the file itself is refused: a full disk or a database that is away is not it."""
    if isinstance(error, UploadRefused):
        return error.details.get("reason") is not FileFault.NO_SPACE
    return isinstance(error, NotFound | NotPermitted)


def _finish(actor: Actor, upload: Upload, sha256: str) -> dict[str, Any]:
    with transaction(actor, read_only=True) as connection:
        limits = get_use(connection, upload.use)
    expected = expected_type(upload.file_name, limits.media_types)
    path = file_store.incoming_path(upload.upload_id)
    file_store.check(path, expected, ArchiveLimits(unpacked=limits.max_unpacked))
    with (
        file_store.placed(upload.upload_id, sha256),
        transaction(actor, action=f"{upload.use}.upload") as connection,
    ):
        stored = {"sha256": sha256, "size": upload.size, "media_type": expected.value}
        connection.execute(_SQL["store_file"], stored)
        result = {
            **stored,
            "file_name": upload.file_name,
            **_record(connection, actor, upload, sha256),
        }
        parameters = {"upload_id": upload.upload_id, "sha256": sha256, "result": json.dumps(result)}
        connection.execute(_SQL["finish"], parameters)
        return result


def _record(connection: Connection, actor: Actor, upload: Upload, sha256: str) -> dict[str, Any]:
    """Write what the file is for; return what the answer says of it."""
    if upload.use != EVIDENCE:
        return {}
    target = evidence_target(upload.target)
    evidence_id = evidence.add(connection, actor, target, sha256=sha256, file_name=upload.file_name)
    elsewhere = evidence.duplicates_of(connection, evidence_id)
    also = [{**asdict(other), "uploaded_at": other.uploaded_at.isoformat()} for other in elsewhere]
    return {"evidence_id": evidence_id, "also_used_for": also}


def cancel(actor: Actor, upload_id: UUID) -> None:
    """Forget an upload that has not finished; raise NotFound where there is none."""
    if not _discard(actor, upload_id):
        raise NotFound(upload_id=upload_id)


def _discard(actor: Actor, upload_id: UUID) -> bool:
    with transaction(actor, action="upload.cancel") as connection:
        gone = connection.execute(_SQL["cancel"], {"upload_id": upload_id}).first() is not None
    if gone:
        file_store.forget(upload_id)
    return gone


def remove_abandoned(connection: Connection, days: int = _ABANDONED_AFTER) -> int:
    """Forget uploads that nothing was added to for `days` days; return how many files went."""
    connection.execute(_SQL["remove_abandoned"], {"days": days})
    return file_store.forget_older_than(days * 86_400)
