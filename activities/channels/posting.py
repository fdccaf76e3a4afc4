"""One HTTP POST of a JSON body, in a time-out that holds for all of it."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import Mapping
from functools import cache
from urllib.parse import urlsplit

import httpx2

from activities.channels.errors import ChannelUnavailableError

_FIXED = {"Content-Type": "application/json", "Accept-Encoding": "identity"}


@cache
def trusted() -> ssl.SSLContext:
    """The certificates that this machine trusts."""
    return ssl.create_default_context()


class Poster:
    """Posts to one URL. Redirects are not followed; of an answer at most `limit` bytes are read."""

    def __init__(self, url: str, timeout_seconds: float, *, limit: int) -> None:
        parts = urlsplit(url)
        if parts.scheme not in ("http", "https") or not parts.hostname:
            raise ValueError(f"{url!r} is no address of a service; use http://host/path or https://host/path")
        self.host = parts.hostname
        self._url = url
        self._timeout_seconds = timeout_seconds
        self._limit = limit

    async def post(self, body: bytes, headers: Mapping[str, str]) -> tuple[int, bytes]:
        """The status and the body of the answer. Raises ChannelUnavailableError if there is none in time."""
        try:
            async with (
                asyncio.timeout(self._timeout_seconds),
                httpx2.AsyncClient(verify=trusted(), trust_env=False, timeout=None) as client,
                client.stream("POST", self._url, content=body, headers={**_FIXED, **headers}) as answer,
            ):
                return answer.status_code, await _beginning(answer, self._limit)
        except TimeoutError:
            raise ChannelUnavailableError(f"no answer from {self.host} in {self._timeout_seconds:g} s") from None
        except (OSError, httpx2.HTTPError, httpx2.InvalidURL) as error:
            raise ChannelUnavailableError(f"{self.host}: {error or type(error).__name__}") from error


async def _beginning(answer: httpx2.Response, limit: int) -> bytes:
    found = b""
    async for part in answer.aiter_raw():
        found += part
        if len(found) >= limit:
            break
    return found[:limit]
