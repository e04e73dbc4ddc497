"""The files under `<data directory>/uploads`: on their way in, then by what they contain.

`incoming/<upload id>` grows while a file arrives; `<ab>/<sha256>` is where it stays. Both lie on
one file system, so that moving is one step that happens or does not.
"""

import fcntl
import hashlib
import os
import time
from collections import OrderedDict
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from errno import EDQUOT, ENOSPC
from functools import cache
from pathlib import Path
from threading import Lock
from typing import IO, Protocol
from uuid import UUID

from PIL import Image

from data_access.settings import read_settings
from domain.errors import UploadRefused
from domain.files import PICTURES, ArchiveLimits, FileFault, MediaType, check_content

_BLOCK = 1 << 20
# Pixels: a scanned A0 sheet at 300 dpi has 140 million. A progressive picture has to be held in
# memory as a whole, 6 bytes a pixel.
_LARGEST_PICTURE = 150_000_000
_LARGEST_PROGRESSIVE = 40_000_000
Image.MAX_IMAGE_PIXELS = _LARGEST_PICTURE
_HASHES_KEPT = 64


class Digest(Protocol):
    def update(self, data: bytes | bytearray, /) -> None: ...

    def hexdigest(self) -> str: ...


@cache
def root() -> Path:
    """Return the folder of this process's files, made when it is not there yet."""
    folder = read_settings().uploads_dir
    (folder / "incoming").mkdir(mode=0o700, parents=True, exist_ok=True)
    return folder


def stored_path(sha256: str) -> Path:
    """Return where the file with this content lies."""
    return root() / place_of(sha256)


def place_of(sha256: str) -> Path:
    """Return the place of the file with this content below the folder of files."""
    return Path(sha256[:2], sha256)


def incoming_path(upload_id: UUID) -> Path:
    """Return where an upload grows while it arrives."""
    return root() / "incoming" / str(upload_id)


class IncomingFile:
    """The open file of one upload, held by one request at a time."""

    def __init__(self, upload_id: UUID, file: IO[bytes], offset: int, digest: Digest) -> None:
        self.upload_id = upload_id
        self.offset = offset
        self._file = file
        self._digest = digest

    def append(self, data: bytes | bytearray) -> None:
        """Write and hash; raise UploadRefused when the disk is full."""
        with _disk_faults():
            self._file.write(data)
        self._digest.update(data)
        self.offset += len(data)

    def flush(self) -> None:
        """Bring what was written to the disk, so that a power cut does not take it."""
        with _disk_faults():
            self._file.flush()
            os.fsync(self._file.fileno())
        _remember(self.upload_id, self.offset, self._digest)

    def sha256(self) -> str:
        return self._digest.hexdigest()


@contextmanager
def held(upload_id: UUID) -> Iterator[IO[bytes]]:
    """Open the upload's file for this request alone; raise UploadRefused while another has it.

    The kernel's lock binds all processes of the machine and ends with the one that holds it.
    """
    with _disk_faults(), incoming_path(upload_id).open("ab") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise UploadRefused(reason=FileFault.BUSY) from None
        yield file


def resume(upload_id: UUID, file: IO[bytes], offset: int) -> IncomingFile:
    """Go on behind the `offset` bytes that are known to be on the disk, or behind fewer."""
    offset = min(offset, file.seek(0, os.SEEK_END))
    file.truncate(offset)
    return IncomingFile(upload_id, file, offset, _digest_of(upload_id, offset))


@contextmanager
def _disk_faults() -> Iterator[None]:
    try:
        yield
    except OSError as error:
        if error.errno in (ENOSPC, EDQUOT):
            raise UploadRefused(reason=FileFault.NO_SPACE) from error
        raise


# A hash in the middle of its work cannot be stored; the process that received the last part
# still has it, any other one reads the part again.
_hashes: OrderedDict[UUID, tuple[int, Digest]] = OrderedDict()
_hashes_lock = Lock()


def _remember(upload_id: UUID, offset: int, digest: Digest) -> None:
    with _hashes_lock:
        _hashes[upload_id] = (offset, digest)
        _hashes.move_to_end(upload_id)
        while len(_hashes) > _HASHES_KEPT:
            _hashes.popitem(last=False)


def _digest_of(upload_id: UUID, offset: int) -> Digest:
    with _hashes_lock:
        known, digest = _hashes.pop(upload_id, (-1, hashlib.sha256()))
    return digest if known == offset else _read_again(incoming_path(upload_id), offset)


def _read_again(path: Path, length: int) -> Digest:
    digest = hashlib.sha256()
    with path.open("rb") as file:
        while length > 0 and (block := file.read(min(_BLOCK, length))):
            digest.update(block)
            length -= len(block)
    return digest


def check(path: Path, expected: MediaType, limits: ArchiveLimits) -> None:
    """Refuse a file that is not what its name promises, or does not open."""
    with path.open("rb") as file:
        check_content(file, expected, limits)
    if expected in PICTURES:
        _check_picture(path, expected)


def _check_picture(path: Path, expected: MediaType) -> None:
    """Read a picture to its end, at an eighth of its size where the format allows."""
    name = "JPEG" if expected is MediaType.JPEG else "PNG"
    try:
        with Image.open(path, formats=[name]) as image:
            _refuse_large_picture(image)
            if name == "PNG":
                image.verify()
            else:
                image.draft("L", (max(1, image.width // 8), max(1, image.height // 8)))
                image.load()
    except Image.DecompressionBombError:
        raise UploadRefused(reason=FileFault.PICTURE_TOO_LARGE) from None
    except (OSError, SyntaxError, ValueError):
        raise UploadRefused(reason=FileFault.DAMAGED) from None


def _refuse_large_picture(image: Image.Image) -> None:
    limit = _LARGEST_PROGRESSIVE if image.info.get("progressive") else _LARGEST_PICTURE
    if image.width * image.height > limit:
        raise UploadRefused(reason=FileFault.PICTURE_TOO_LARGE)


@contextmanager
def placed(upload_id: UUID, sha256: str) -> Iterator[None]:
    """Move the file to its place for the length of the block; bring it back when that fails."""
    source, target = incoming_path(upload_id), stored_path(sha256)
    known = target.exists()
    if not known:
        _move(source, target)
    try:
        yield
    except BaseException:
        if not known:
            target.replace(source)
        raise
    source.unlink(missing_ok=True)


def _move(source: Path, target: Path) -> None:
    with _disk_faults():
        target.parent.mkdir(mode=0o700, exist_ok=True)
        source.replace(target)
        _sync_folder(target.parent)


def _sync_folder(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def forget(upload_id: UUID) -> None:
    """Remove what has arrived of an upload."""
    with _hashes_lock:
        _hashes.pop(upload_id, None)
    incoming_path(upload_id).unlink(missing_ok=True)


def forget_older_than(seconds: float) -> int:
    """Remove incoming files that nothing was added to for so long; return how many."""
    limit = time.time() - seconds
    removed = 0
    for path in (root() / "incoming").iterdir():
        with suppress(FileNotFoundError):
            if path.stat().st_mtime < limit:
                path.unlink()
                removed += 1
    return removed
