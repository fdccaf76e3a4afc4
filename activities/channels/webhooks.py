"""Webhooks signed by the Standard Webhooks scheme: https://www.standardwebhooks.com."""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
from http import HTTPStatus

from activities.channels.errors import ChannelUnavailableError, MessageRejectedError
from activities.channels.posting import Poster

PREFIX = "whsec_"
_KEY_BYTES = range(24, 65)
_ANSWER_LIMIT = 1024


def signature(secret: str, message_id: str, timestamp: int, body: bytes) -> str:
    """The `webhook-signature` of a message: version 1, HMAC-SHA256 over id, timestamp (in seconds) and body.

    Raises ValueError for a secret that is not `whsec_` with 24 to 64 bytes in base64.
    """
    signed = f"{message_id}.{timestamp}.".encode() + body
    digest = hmac.new(_key(secret), signed, hashlib.sha256).digest()
    return f"v1,{base64.b64encode(digest).decode()}"


def _key(secret: str) -> bytes:
    try:
        key = base64.b64decode(secret.removeprefix(PREFIX), validate=True)
    except binascii.Error as error:
        raise ValueError("the webhook secret is no base64; make one with: openssl rand -base64 32") from error
    if not secret.startswith(PREFIX) or len(key) not in _KEY_BYTES:
        raise ValueError(f"a webhook secret is {PREFIX} and 24 to 64 bytes in base64")
    return key


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
        self._secrets = secret.split()
        if not self._secrets:
            raise ValueError("webhooks need a secret to be signed with")
        for one in self._secrets:
            _key(one)
        self._poster = Poster(url, timeout_seconds, limit=_ANSWER_LIMIT, name="webhooks")

    async def send(self, message_id: str, body: bytes, at: float) -> None:
        """One attempt, at `at` (seconds since 1970). The same id at every attempt: receivers take it once.

        Raises ChannelUnavailableError unless the endpoint says 2xx, and MessageRejectedError if it says that it is gone.
        """
        timestamp = int(at)
        headers = {
            "webhook-id": message_id,
            "webhook-timestamp": str(timestamp),
            "webhook-signature": " ".join(signature(one, message_id, timestamp, body) for one in self._secrets),
        }
        status, _ = await self._poster.post(body, headers)
        if status == HTTPStatus.GONE:
            raise MessageRejectedError(status, "the webhook endpoint is gone")
        if not HTTPStatus.OK <= status < HTTPStatus.MULTIPLE_CHOICES:
            raise ChannelUnavailableError(f"{self._poster.host} answered {status}")
