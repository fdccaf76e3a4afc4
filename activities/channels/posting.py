"""One HTTP POST of a JSON body, in a time-out that holds for all of it."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from http.client import HTTPConnection, HTTPException, HTTPSConnection
from urllib.parse import urlsplit

from activities.channels.errors import ChannelUnavailableError

_AT_ONCE = 16


class Poster:
    """Posts to one URL. Redirects are not followed; of an answer at most `limit` bytes are read."""

    def __init__(self, url: str, timeout_seconds: float, *, limit: int, name: str) -> None:
        parts = urlsplit(url)
        if parts.scheme not in ("http", "https") or not parts.hostname:
            raise ValueError(f"{url!r} is no address of a service; use http://host/path or https://host/path")
        self.host = parts.hostname
        self._secure = parts.scheme == "https"
        self._port = parts.port
        self._path = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
        self._timeout_seconds = timeout_seconds
        self._limit = limit
        # Threads of our own: a slow service must not hold those of the event loop, which look up host names.
        self._threads = ThreadPoolExecutor(max_workers=_AT_ONCE, thread_name_prefix=name)

    async def post(self, body: bytes, headers: Mapping[str, str]) -> tuple[int, bytes]:
        """The status and the body of the answer. Raises ChannelUnavailableError if there is none in time."""
        connection = self._connection()
        loop = asyncio.get_running_loop()
        try:
            async with asyncio.timeout(self._timeout_seconds):
                return await loop.run_in_executor(self._threads, self._post, connection, body, headers)
        except TimeoutError:
            raise ChannelUnavailableError(f"no answer from {self.host} in {self._timeout_seconds:g} s") from None
        except (OSError, HTTPException) as error:
            raise ChannelUnavailableError(f"{self.host}: {error or type(error).__name__}") from error
        finally:
            _hang_up(connection)

    def _connection(self) -> HTTPConnection:
        kind = HTTPSConnection if self._secure else HTTPConnection
        return kind(self.host, self._port, timeout=self._timeout_seconds)

    def _post(self, connection: HTTPConnection, body: bytes, headers: Mapping[str, str]) -> tuple[int, bytes]:
        connection.request("POST", self._path, body, {"Content-Type": "application/json", **headers})
        with connection.getresponse() as response:
            return response.status, response.read(self._limit)


def _hang_up(connection: HTTPConnection) -> None:
    """Close the connection; a thread that still waits on it wakes up with an error and is free again."""
    if connection.sock is not None:
        with suppress(OSError):
            connection.sock.shutdown(socket.SHUT_RDWR)
    connection.close()
