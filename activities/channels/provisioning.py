"""The provisioning port: what was ordered is set up by a service of the seller's."""

from __future__ import annotations

import asyncio
import socket
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from http.client import HTTPConnection, HTTPException, HTTPSConnection
from typing import Protocol
from urllib.parse import urlsplit

from activities.channels.errors import ChannelUnavailableError
from domain.provisioning import (
    ProvisionedItem,
    ProvisioningAnswerError,
    ProvisioningRequest,
    ProvisioningResult,
    read_answer,
)

_BODY_LIMIT = 1 << 20
_AT_ONCE = 16
_OK = frozenset({200, 201})
# Replies that say no to the request itself. All others may pass: an overload, a wrong address or login that is mended.
_REFUSALS = frozenset({400, 409, 410, 413, 415, 422})


class Provisioner(Protocol):
    """A service that sets up what was ordered."""

    async def provision(self, request: ProvisioningRequest) -> ProvisioningResult:
        """Set up `request`, once for each `request_key` however often it is asked, and say what each line became.

        Raises ChannelUnavailableError if it should be tried again later, and ProvisioningAnswerError if the answer is
        not one to this request.
        """


class InstantProvisioner:
    """For installations without such a service: everything is active at once."""

    async def provision(self, request: ProvisioningRequest) -> ProvisioningResult:
        """Every line active; the reference is the request's key and the line."""
        items = tuple(
            ProvisionedItem(line_id=item.line_id, status="active", reference=f"{request.request_key}/{item.line_id}")
            for item in request.items
        )
        return ProvisioningResult(request_key=request.request_key, items=items)


class HttpProvisioner:
    """POSTs each request as JSON to one URL; the key is sent as the Idempotency-Key header, too."""

    def __init__(self, url: str, timeout_seconds: float = 10) -> None:
        parts = urlsplit(url)
        if parts.scheme not in ("http", "https") or not parts.hostname:
            raise ValueError(f"{url!r} is no address of a service; use http://host/path or https://host/path")
        self._secure = parts.scheme == "https"
        self._host = parts.hostname
        self._port = parts.port
        self._path = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
        self._timeout_seconds = timeout_seconds
        # Threads of our own: a slow service must not hold those of the event loop, which look up host names.
        self._threads = ThreadPoolExecutor(max_workers=_AT_ONCE, thread_name_prefix="provisioning")

    async def provision(self, request: ProvisioningRequest) -> ProvisioningResult:
        """Ask the service. Takes no longer than the time-out in all; errors as the port says."""
        connection = self._connection()
        loop = asyncio.get_running_loop()
        try:
            async with asyncio.timeout(self._timeout_seconds):
                status, body = await loop.run_in_executor(self._threads, self._post, connection, request)
        except TimeoutError:
            raise ChannelUnavailableError(f"no answer from {self._host} in {self._timeout_seconds:g} s") from None
        except (OSError, HTTPException) as error:
            raise ChannelUnavailableError(f"{self._host}: {error or type(error).__name__}") from error
        finally:
            _hang_up(connection)
        if status in _REFUSALS:
            raise ProvisioningAnswerError("status", f"the service refused the request with {status}", "200")
        if status not in _OK:
            raise ChannelUnavailableError(f"{self._host} answered {status}")
        if len(body) > _BODY_LIMIT:
            raise ProvisioningAnswerError("body", "it is too long", f"at most {_BODY_LIMIT} bytes")
        return read_answer(request, body)

    def _connection(self) -> HTTPConnection:
        kind = HTTPSConnection if self._secure else HTTPConnection
        return kind(self._host, self._port, timeout=self._timeout_seconds)

    def _post(self, connection: HTTPConnection, request: ProvisioningRequest) -> tuple[int, bytes]:
        headers = {
            "Content-Type": "application/json",
            "Accept": "application/json",
            "Idempotency-Key": request.request_key,
        }
        connection.request("POST", self._path, request.model_dump_json().encode("utf-8"), headers)
        with connection.getresponse() as response:
            return response.status, response.read(_BODY_LIMIT + 1)


def _hang_up(connection: HTTPConnection) -> None:
    """Close the connection; a thread that still waits on it wakes up with an error and is free again."""
    if connection.sock is not None:
        with suppress(OSError):
            connection.sock.shutdown(socket.SHUT_RDWR)
    connection.close()
