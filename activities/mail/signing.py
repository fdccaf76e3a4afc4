"""The key that signs, remembered by a process: no mail costs a look into the table."""

from __future__ import annotations

import time

from activities.kernel.pool import Connection, Pool
from activities.mail.keys import load_signing
from domain.mail.signing import Key, Keys

REMEMBERED = 60.0
"""Seconds after which a process has noticed that keys were changed."""


class Signing:
    """The keys of a process that sends."""

    def __init__(self, pool: Pool) -> None:
        self._pool = pool
        self._keys: Keys = {}
        self._current: Key | None = None
        self._until = 0.0

    async def current(self, connection: Connection) -> Key:
        """The key that signs what is written now; `connection` is asked once a minute."""
        if self._current is None or time.monotonic() >= self._until:
            self._keys, self._current = await load_signing(connection)
            self._until = time.monotonic() + REMEMBERED
        return self._current

    async def key(self, number: int) -> Key | None:
        """The key under which something was written, retired meanwhile or not: another attempt carries the same ids."""
        if number not in self._keys:
            async with self._pool.acquire() as connection:
                self._keys, _ = await load_signing(connection)
        return self._keys.get(number)
