"""The provisioning port: what was ordered is set up by a service of the seller's."""

from __future__ import annotations

from typing import Protocol

from activities.channels.errors import ChannelUnavailableError
from domain.orders.provisioning import (
    ProvisionedItem,
    ProvisioningAnswerError,
    ProvisioningRequest,
    ProvisioningResult,
    read_answer,
)

_BODY_LIMIT = 1 << 20
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
        from activities.channels.posting import Poster  # its client takes long to load, and few have such a service

        self._poster = Poster(url, timeout_seconds, limit=_BODY_LIMIT + 1)

    async def provision(self, request: ProvisioningRequest) -> ProvisioningResult:
        """Ask the service. Takes no longer than the time-out in all; errors as the port says."""
        headers = {"Accept": "application/json", "Idempotency-Key": request.request_key}
        status, body = await self._poster.post(request.model_dump_json().encode("utf-8"), headers)
        if status in _REFUSALS:
            raise ProvisioningAnswerError("status", f"the service refused the request with {status}", "200")
        if status not in _OK:
            raise ChannelUnavailableError(f"{self._poster.host} answered {status}")
        if len(body) > _BODY_LIMIT:
            raise ProvisioningAnswerError("body", "it is too long", f"at most {_BODY_LIMIT} bytes")
        return read_answer(request, body)
