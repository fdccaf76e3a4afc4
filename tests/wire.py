"""Between clients and a PostgreSQL server: how often it is asked and waited for, and how much it answers."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from urllib.parse import urlsplit


class Wire:
    """Between clients and a server, of which it counts the turns, and the bytes that it answers."""

    def __init__(self) -> None:
        self.turns = 0
        self.answered = 0

    @asynccontextmanager
    async def before(self, dsn: str) -> AsyncIterator[str]:
        """Another way to the server of `dsn`, within the block."""
        to = urlsplit(dsn)

        async def connected(client: asyncio.StreamReader, answers: asyncio.StreamWriter) -> None:
            reader, writer = await asyncio.open_connection(to.hostname, to.port)
            await asyncio.gather(self._asks(client, writer, theirs := Turn()), self._answers(reader, answers, theirs))

        async with await asyncio.start_server(connected, "127.0.0.1", 0) as server:
            port = server.sockets[0].getsockname()[1]
            yield dsn.replace(f":{to.port}/", f":{port}/", 1)

    async def _asks(self, client: asyncio.StreamReader, writer: asyncio.StreamWriter, turn: Turn) -> None:
        while said := await client.read(1 << 16):
            self.turns += turn.is_client
            turn.is_client = False
            writer.write(said)
        writer.close()

    async def _answers(self, server: asyncio.StreamReader, writer: asyncio.StreamWriter, turn: Turn) -> None:
        while said := await server.read(1 << 16):
            turn.is_client = True
            self.answered += len(said)
            writer.write(said)
        writer.close()


class Turn:
    """Whose turn it is on one connection."""

    is_client = True
