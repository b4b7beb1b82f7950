"""Files that a kill or a full disk leaves whole: replaced at once or appended to, flushed, locked by one process."""

from __future__ import annotations

import errno
import hashlib
import io
import os
import platform
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import IO, Any

import numpy as np

from ucnp_abm.errors import BadInput

if sys.platform != "win32":
    import fcntl

PARTIAL = ".partial"
"""Suffix of what is being written and not yet in its place."""
_A_READ = 1 << 20
_held: list[IO[str]] = []
_NO_LOCKS = (errno.ENOSYS, errno.ENOLCK, errno.EOPNOTSUPP)  # network file systems that were mounted without locks


def beside(path: Path) -> Path:
    """Where something grows until it is complete and is moved to its path.

    By machine and process: containers on two machines often have one process number.
    """
    return path.with_name(f".{path.name}.{platform.node()}.{os.getpid()}{PARTIAL}")


def put(path: Path, content: bytes, keep: Path | None = None, *, flush: bool = True) -> None:
    """Write a file that is there completely or not at all, also after a loss of power.

    One that exists is replaced, or moved to `keep`. Without `flush` a loss of power may leave a part of it: that is for
    files with a sum of their own.
    """
    partial = beside(path)
    try:
        with partial.open("wb", buffering=0) as file:
            append(file, content)
            if flush:
                sync(file)
        if keep is not None and path.exists():
            os.replace(path, keep)
        os.replace(partial, path)
    finally:
        partial.unlink(missing_ok=True)
    if flush:
        sync_directory(path.parent)


def sync_directory(path: Path) -> None:
    """Flush the names in a directory to the disk."""
    if sys.platform == "win32":
        return
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def sha256(path: Path, length: int | None = None) -> hashlib._Hash | None:
    """SHA-256 of a file, or of its first `length` bytes; None if it is not there or shorter."""
    sha, left = hashlib.sha256(), sys.maxsize if length is None else length
    if not path.is_file():
        return None
    with path.open("rb") as file:
        while left and (block := file.read(min(left, _A_READ))):
            sha.update(block)
            left -= len(block)
    return sha if length is None or left == 0 else None


def growing(path: Path, length: int) -> IO[bytes]:
    """A file to append to, cut to the bytes to keep."""
    file = path.open("r+b" if length else "wb", buffering=0)
    file.truncate(length)
    file.seek(length)
    return file


def append(file: IO[bytes], content: bytes) -> None:
    """Write all bytes at the end of an unbuffered file; readers see them at once."""
    view = memoryview(content)
    while view:
        view = view[os.write(file.fileno(), view) :]


def sync(file: IO[bytes]) -> None:
    """Flush a file to the disk."""
    os.fsync(file.fileno())


def npz(*, compressed: bool = True, **arrays: Any) -> bytes:
    """Arrays as the bytes of an npz file."""
    file = io.BytesIO()
    (np.savez_compressed if compressed else np.savez)(file, **arrays)
    return file.getvalue()


@contextmanager
def locked(path: Path, what: str = "run") -> Iterator[None]:
    """Hold a lock file, with the number of this process in it; the lock ends with the process, however that ends.

    Where the file system knows no locks, nothing is held.

    Raises
    ------
    BadInput
        If another process holds it, which the message names; or if the file cannot be written.
    """
    try:
        file = _opened(path, what)
    except OSError as error:
        raise BadInput(f"{what}: cannot write '{path.parent}' ({error.strerror})") from error
    try:
        file.truncate(0)
        file.write(f"{os.getpid()}\n")
        file.flush()
        _held.append(file)
        yield
    finally:
        with suppress(ValueError):
            _held.remove(file)
        with suppress(OSError):
            path.unlink()
        with suppress(OSError):
            file.close()


def leave_locks() -> None:
    """Leave the locks to the parent of this forked process: else they would outlive it as long as we do."""
    while _held:
        _held.pop().close()


def _opened(path: Path, what: str) -> IO[str]:
    while True:
        file = path.open("a+", encoding="utf-8")
        try:
            if sys.platform != "win32":
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            file.seek(0)
            holder = file.read().strip()
            file.close()
            who = holder or "unknown"
            raise BadInput(f"{what}: '{path.parent}' is being run by process {who}; wait for it") from None
        except OSError as error:
            if error.errno not in _NO_LOCKS:
                file.close()
                raise
        with suppress(FileNotFoundError):
            if os.path.samestat(os.fstat(file.fileno()), path.stat()):
                return file
        file.close()  # its holder has removed the file since it was opened here
