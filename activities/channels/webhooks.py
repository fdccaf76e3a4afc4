"""Webhooks signed by the Standard Webhooks scheme: https://www.standardwebhooks.com."""

from __future__ import annotations

import base64
import binascii
import json
from datetime import UTC, datetime
from http import HTTPStatus
from typing import Any

from standardwebhooks import Webhook

from activities.channels.errors import ChannelUnavailableError, MessageRejectedError
from activities.channels.posting import Poster

_PREFIX = "whsec_"
_KEY_BYTES = range(24, 65)
_ANSWER_LIMIT = 1024


def signer(secret: str) -> Webhook:
    """What signs with `secret`. Raises ValueError for one that is not `whsec_` with 24 to 64 bytes in base64."""
    try:
        key = base64.b64decode(secret.removeprefix(_PREFIX), validate=True)
    except binascii.Error as error:
        raise ValueError("the webhook secret is no base64; make one with: openssl rand -base64 32") from error
    if not secret.startswith(_PREFIX) or len(key) not in _KEY_BYTES:
        raise ValueError(f"a webhook secret is {_PREFIX} and 24 to 64 bytes in base64")
    return Webhook(key)


def encoded(body: dict[str, Any]) -> bytes:
    """An event as it is sent: the same bytes at every attempt."""
    return json.dumps(body, ensure_ascii=False, separators=(",", ":")).encode()


class WebhookChannel:
    """Sends events to one endpoint.

    Args:
        url: the endpoint.
        secret: the shared secret, `whsec_…`; several with spaces between while one replaces another.
        timeout_seconds: how long the endpoint may take in all.

    Raises:
        ValueError: The address or a secret cannot be used.
    """

    def __init__(self, url: str, secret: str, timeout_seconds: float = 15) -> None:
        self._signers = [signer(one) for one in secret.split()]
        if not self._signers:
            raise ValueError("webhooks need a secret to be signed with")
        self.url = url
        self._poster = Poster(url, timeout_seconds, limit=_ANSWER_LIMIT)

    async def send(self, message_id: str, body: bytes, at: float) -> None:
        """One attempt, at `at` (seconds since 1970). The same id at every attempt: receivers take it once.

        Raises ChannelUnavailableError unless the endpoint says 2xx, and MessageRejectedError if it says that it is gone.
        """
        instant = datetime.fromtimestamp(int(at), UTC)
        headers = {
            "webhook-id": message_id,
            "webhook-timestamp": str(int(at)),
            "webhook-signature": " ".join(one.sign(message_id, instant, body.decode()) for one in self._signers),
        }
        status, _ = await self._poster.post(body, headers)
        if status == HTTPStatus.GONE:
            raise MessageRejectedError(status, "the webhook endpoint is gone")
        if not HTTPStatus.OK <= status < HTTPStatus.MULTIPLE_CHOICES:
            raise ChannelUnavailableError(f"{self._poster.host} answered {status}")
