"""Pages hear that something happened: one listener at PostgreSQL for the process, told on to every open page that may know."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from http import HTTPStatus
from typing import Any

import asyncpg
from starlette.responses import Response, StreamingResponse

from activities.frame.customers import customers_of
from activities.kernel.news import CHANNEL, of_account, of_case
from activities.kernel.pool import TRANSPORT_ERRORS, Connection, Pool
from domain.kernel.refusals import UNKNOWN_ACCOUNT, Refusal
from gateway.console.visit import Visit

_log = logging.getLogger(__name__)
MOST = 500
"""So many pages are told at once; further ones are asked to come again, and show what they have."""
_BEAT, _LONGEST, _LOOKED_AT = 20.0, 600.0, 5.0
"""Seconds: how often a page hears that the line stands, after how long it comes anew, how often the listener looks after its own."""
_AGAIN, _AGAIN_AT_MOST = 0.5, 30.0
_SOON = 0.25
"""What happens within so many seconds is told once."""
ALL = "all"


class _Reader:
    """An open page. wanted: what it is told of; null for anything."""

    def __init__(self, wanted: frozenset[str] | None) -> None:
        self.wanted = wanted
        self.heard = asyncio.Event()


class News:
    """What goes on for as long as pages are open. It holds one connection of the pool while anybody looks on, or one of its own by
    `line`: a session of a pooler belongs to nobody for longer than a transaction."""

    def __init__(self, pool: Pool, line: str | None = None) -> None:
        self._pool = pool
        self._line = line
        self._readers: set[_Reader] = set()
        self._listening: asyncio.Task[None] | None = None
        self._stands = asyncio.Event()
        self._over = False

    def end(self) -> None:
        """Every open page is let go."""
        self._over = True
        self._tell_all()
        if self._listening is not None:
            self._listening.cancel()

    async def answer(self, visit: Visit) -> Response:
        """A stream of server-sent events: only that something happened, never what."""
        wanted = await _wanted(visit)
        if self._over or len(self._readers) >= MOST:
            return visit.finished(Response(status_code=HTTPStatus.SERVICE_UNAVAILABLE, headers={"Retry-After": "60"}))
        response = StreamingResponse(self._stream(wanted), media_type="text/event-stream")
        response.headers["X-Accel-Buffering"] = "no"
        return visit.finished(response)

    async def _stream(self, wanted: frozenset[str] | None) -> AsyncIterator[str]:
        reader = _Reader(wanted)
        self._readers.add(reader)
        try:
            if self._listening is None or self._listening.done():
                self._listening = asyncio.create_task(self._listen())
            with suppress(TimeoutError):  # the database may be away; the page hears of it once it is back
                await asyncio.wait_for(self._stands.wait(), _LOOKED_AT)
            yield "retry: 5000\n\n"
            ends = asyncio.get_running_loop().time() + _LONGEST
            while not self._over and asyncio.get_running_loop().time() < ends:
                try:
                    await asyncio.wait_for(reader.heard.wait(), _BEAT)
                except TimeoutError:
                    yield ": the line stands\n\n"
                    continue
                if not self._over:
                    await asyncio.sleep(_SOON)
                    reader.heard.clear()
                    yield "data: news\n\n"
        finally:
            self._readers.discard(reader)

    def _tell_all(self) -> None:
        for reader in self._readers:
            reader.heard.set()

    def _heard(self, _connection: Any, _process: int, _channel: str, about: object) -> None:
        for reader in self._readers:
            if reader.wanted is None or about in reader.wanted:
                reader.heard.set()

    @asynccontextmanager
    async def _connected(self) -> AsyncIterator[Connection]:
        if self._line is None:
            async with self._pool.acquire() as connection:
                yield connection
            return
        own = await asyncpg.connect(self._line, timeout=_LOOKED_AT, command_timeout=_LOOKED_AT)
        try:
            yield own
        finally:
            own.terminate()

    async def _listen(self) -> None:
        """Until nobody looks on. If the database was away, every page looks anew: what was told meanwhile, nobody heard."""
        pause = _AGAIN
        missed = False
        while self._readers:
            try:
                async with self._connected() as connection:
                    await connection.add_listener(CHANNEL, self._heard)
                    self._stands.set()
                    try:
                        if missed:
                            self._tell_all()
                        pause, missed = _AGAIN, False
                        while self._readers:
                            await connection.execute("select 1")  # a line that is broken says so
                            await asyncio.sleep(_LOOKED_AT)
                    finally:
                        self._stands.clear()
                        with suppress(*TRANSPORT_ERRORS):
                            await connection.remove_listener(CHANNEL, self._heard)
            except TRANSPORT_ERRORS as error:
                _log.warning("pages are not told of news: %s", type(error).__name__)
                missed = True
                await asyncio.sleep(pause)
                pause = min(pause * 2, _AGAIN_AT_MOST)


async def _wanted(visit: Visit) -> frozenset[str] | None:
    """Of what the page that asks is told. Raises `Refusal` for what its reader may not see."""
    about = visit.asked("about")
    kind, _, name = about.partition("/")
    if kind == "account":
        await visit.place.acting.sees(visit.who, name)
        return frozenset({of_account(name)})
    if kind == "case":
        await visit.place.acting.sees_case(visit.who, name)
        return frozenset({of_case(name)})
    if about != ALL:
        raise Refusal(UNKNOWN_ACCOUNT, "there is no news of that")
    if not visit.who.own_only or visit.who.staff_id is None:
        return None
    async with visit.place.doors.pool.acquire() as connection:
        return frozenset(map(of_account, await customers_of(connection, visit.who.staff_id)))
