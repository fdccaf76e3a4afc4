"""Signatures of foreign systems: whether a call comes from whoever knows the source's secret, and came just now.

Shopify: https://shopify.dev/docs/apps/build/webhooks/verify-deliveries. Stripe: https://docs.stripe.com/webhooks#verify-manually.
HubSpot, third version: https://developers.hubspot.com/docs/apps/developer-platform/build-apps/authentication/request-validation.
Standard Webhooks: https://www.standardwebhooks.com. Bearer: RFC 6750, for systems that sign nothing, such as flows of Salesforce.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from activities.channels.webhooks import signer
from gateway.events.mapping import Scheme

TOLERANCE = timedelta(minutes=5)
"""A signature with a time is taken for so long before and after it: all schemes that have one say five minutes."""
SIGNED_IDS: Mapping[Scheme, str] = {Scheme.STANDARD: "webhook-id"}
"""The header that names an event, where it is signed with the rest; another header could be changed by whoever repeats a call."""
_URL_SIGNS = {
    "%3A": ":",
    "%2F": "/",
    "%3F": "?",
    "%40": "@",
    "%21": "!",
    "%24": "$",
    "%27": "'",
    "%28": "(",
    "%29": ")",
    "%2A": "*",
    "%2C": ",",
    "%3B": ";",
}
"""What HubSpot decodes of an address before it signs it."""


@dataclass(frozen=True)
class Call:
    """A call as it came: headers by their names in small letters, the address as whoever calls knows it."""

    method: str
    url: str
    headers: Mapping[str, str]
    body: bytes


def is_from(scheme: Scheme, secrets: Sequence[str], call: Call, at: datetime) -> bool:
    """True if one of the secrets has signed the call, and, where the scheme has a time, it was signed about now.

    The time that a comparison takes says nothing of how much was right.
    """
    signs = _SCHEMES[scheme]
    return any(signs(secret, call, at) for secret in secrets)


def _digest(secret: bytes, *parts: bytes) -> bytes:
    return hmac.new(secret, b"".join(parts), hashlib.sha256).digest()


def _same(given: Iterable[str], right: str) -> bool:
    return any(hmac.compare_digest(one.encode(), right.encode()) for one in given)


def _just_now(said: str, at: datetime, per_second: int = 1) -> bool:
    if not said.isascii() or not said.isdigit() or len(said) > 16:
        return False
    return abs(at.timestamp() - int(said) / per_second) <= TOLERANCE.total_seconds()


def _shopify(secret: str, call: Call, _: datetime) -> bool:
    right = base64.b64encode(_digest(secret.encode(), call.body)).decode()
    return _same([call.headers.get("x-shopify-hmac-sha256", "")], right)


def _stripe(secret: str, call: Call, at: datetime) -> bool:
    pairs = [part.strip().partition("=") for part in call.headers.get("stripe-signature", "").split(",")[:20]]
    said = next((value for name, _, value in pairs if name == "t"), "")
    right = _digest(secret.encode(), said.encode(), b".", call.body).hex()
    return _same([value for name, _, value in pairs if name == "v1"], right) and _just_now(said, at)


def _hubspot(secret: str, call: Call, at: datetime) -> bool:
    said = call.headers.get("x-hubspot-request-timestamp", "")
    url = call.url
    for coded, sign in _URL_SIGNS.items():
        url = url.replace(coded, sign)
    right = base64.b64encode(_digest(secret.encode(), call.method.encode(), url.encode(), call.body, said.encode()))
    return _same([call.headers.get("x-hubspot-signature-v3", "")], right.decode()) and _just_now(said, at, 1000)


def _standard(secret: str, call: Call, at: datetime) -> bool:
    said, id = call.headers.get("webhook-timestamp", ""), call.headers.get("webhook-id", "")
    if not id or not _just_now(said, at):
        return False
    try:
        right = signer(secret).sign(id, datetime.fromtimestamp(int(said), UTC), call.body.decode())
    except ValueError:  # no text, or a secret that cannot sign
        return False
    return _same(call.headers.get("webhook-signature", "").split(" ")[:20], right)


def _bearer(secret: str, call: Call, at: datetime) -> bool:
    scheme, _, token = call.headers.get("authorization", "").partition(" ")
    return _same([token.strip()], secret) and scheme.lower() == "bearer"


_SCHEMES: Mapping[Scheme, Callable[[str, Call, datetime], bool]] = {
    Scheme.SHOPIFY: _shopify,
    Scheme.STRIPE: _stripe,
    Scheme.HUBSPOT: _hubspot,
    Scheme.STANDARD: _standard,
    Scheme.BEARER: _bearer,
}
