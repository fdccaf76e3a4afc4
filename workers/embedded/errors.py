"""What can go wrong with the embedded stack, said so that the reader can mend it."""

from __future__ import annotations

from domain.kernel.refusals import MendableError


class EmbeddedError(MendableError, RuntimeError):
    """The embedded stack cannot start or go on; the message names the cause and what to do."""


class AlreadyRunningError(EmbeddedError):
    """Another live process holds this data directory.

    Attributes:
        pid: the process that holds it, or None when it left no readable number.
    """

    def __init__(self, folder: str, pid: int | None) -> None:
        holder = f"process {pid}" if pid else "another process"
        super().__init__(f"{folder} is in use by {holder}. Stop that process first, or choose another data directory.")
        self.pid = pid
