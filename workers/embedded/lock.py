"""One owner at a time for a data directory."""

import contextlib
import fcntl
import os
from pathlib import Path
from types import TracebackType

from workers.embedded.errors import AlreadyRunningError, EmbeddedError


class FolderLock:
    """An advisory lock on a folder, released by the kernel when its holder dies, however it dies.

    The file `owner.lock` in the folder carries the holder's process id for the error message of whoever comes
    second. It stays when the lock is released: a lock on a deleted file would not keep anybody out.

    Raises:
        AlreadyRunningError: on entering, when a live process holds the folder.
        EmbeddedError: on entering, when the folder was made by another user.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._fd: int | None = None

    def __enter__(self) -> "FolderLock":
        path = self._folder / "owner.lock"
        try:
            fd = os.open(path, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW, 0o600)
        except PermissionError as error:
            raise EmbeddedError(_other_user(self._folder)) from error
        try:
            # Root could go on in another user's folder, but would leave files there which that user cannot open.
            if os.fstat(fd).st_uid != os.geteuid():
                raise EmbeddedError(_other_user(self._folder))
            try:
                fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError as error:
                raise AlreadyRunningError(str(self._folder), _holder(fd)) from error
            os.ftruncate(fd, 0)
            os.pwrite(fd, f"{os.getpid()}\n".encode(), 0)
        except BaseException:
            os.close(fd)
            raise
        self._fd = fd
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._fd is not None:
            os.close(self._fd)
            self._fd = None


def _holder(fd: int) -> int | None:
    with contextlib.suppress(ValueError):
        return int(os.pread(fd, 32, 0))
    return None


def _other_user(folder: Path) -> str:
    return (
        f"{folder} was made by another user (uid {folder.stat().st_uid}; this process has uid {os.geteuid()}). "
        "Run as that user, or choose another data directory."
    )
