"""Signatures: addresses and Message-IDs that nobody else can make up, and that say which mail of ours they belong to.

A token is the number of its key, a digest of the delivery and an HMAC over both, in small letters and digits: mail servers
may write an address in whatever case they like. It is made without looking anything up, and the same at every attempt.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import struct
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from urllib.parse import quote, unquote

from domain.mail.text import printable

SECRET_BYTES = 32
_NUMBER = struct.Struct(">H")
_DIGEST_BYTES, _MAC_BYTES = 16, 12
_ID_LIMIT = 120
_ID_PURPOSE = "id"


class AddressPurpose(StrEnum):
    """What a signed address is for; it stands before the token."""

    REPLY = "reply"
    """an answer to the mail; it counts from whom the mail went to"""
    STOP = "stop"
    """no more optional mails for whom the mail went to, whoever asks"""
    ANSWER = "answer"
    """the answer to the question of the mail, from the page that its links lead to"""
    MAILS = "mails"
    """which optional mails whom the mail went to gets, and how often"""
    OWNED = "owned"
    """what the customer owns, for whom the mail went to"""
    STEPS = "steps"
    """the steps of an onboarding, and what whom the mail went to says of them"""
    PAPER = "paper"
    """the documents of the mail, for whoever has its link"""


@dataclass(frozen=True)
class Key:
    """A secret by which mails are signed; its number is no secret."""

    number: int
    secret: bytes = field(repr=False)


Keys = Mapping[int, Key]
"""The keys that verify, by their numbers."""


def digest_of(delivery_id: str) -> bytes:
    """How a token names a delivery; the database finds it by the same digest."""
    return hashlib.sha256(delivery_id.encode("utf-8", "replace")).digest()[:_DIGEST_BYTES]


def token_of(delivery_id: str, purpose: AddressPurpose, key: Key) -> str:
    """48 small letters and digits."""
    named = _NUMBER.pack(key.number) + digest_of(delivery_id)
    return _text(named + _mac(key, purpose.value, named))


def opened(token: str, purpose: AddressPurpose, keys: Keys) -> bytes | None:
    """The digest of the delivery that a token names; null unless one of the keys has signed it for that purpose."""
    raw = _bytes(token)
    if raw is None or len(raw) != _NUMBER.size + _DIGEST_BYTES + _MAC_BYTES:
        return None
    named, mac = raw[:-_MAC_BYTES], raw[-_MAC_BYTES:]
    key = keys.get(_NUMBER.unpack_from(named)[0])
    if key is None or not hmac.compare_digest(mac, _mac(key, purpose.value, named)):
        return None
    return named[_NUMBER.size :]


def signed_address(delivery_id: str, purpose: AddressPurpose, key: Key, domain: str) -> str:
    """An address of which the local part has 54 characters at most."""
    return f"{purpose.value}+{token_of(delivery_id, purpose, key)}@{domain}"


def token_in(address: str, purpose: AddressPurpose, domain: str) -> str | None:
    """The token of an address that looks like one of ours for that purpose."""
    local, _, under = address.lower().rpartition("@")
    box, plus, token = local.partition("+")
    return token if plus and box == purpose.value and under == domain.lower() else None


def message_id_of(delivery_id: str, mail_domain: str, key: Key | None) -> str:
    """The Message-ID of a delivery, known before it is sent: answers to it name it. Without a key it is not signed."""
    part = _id_part(delivery_id)
    if key is None:
        return f"<{part}@{mail_domain}>"
    number = _NUMBER.pack(key.number)
    return f"<{part}.{_text(number + _mac(key, _ID_PURPOSE, number + part.encode()))}@{mail_domain}>"


def looks_like_ours(message_id: str, mail_domain: str) -> bool:
    """True for an id that says that it was made under our domain, by whomever."""
    return message_id.lower().endswith(f"@{mail_domain.lower()}>")


def delivery_in(message_id: str, mail_domain: str, keys: Keys) -> str | None:
    """The delivery that a Message-ID of ours comes from, as far as it can be read back; null unless one of the keys has signed it."""
    if not looks_like_ours(message_id, mail_domain):
        return None
    part, dot, signature = message_id[1 : -len(mail_domain) - 2].rpartition(".")
    raw = _bytes(signature)
    if not dot or raw is None or len(raw) != _NUMBER.size + _MAC_BYTES:
        return None
    number, mac = raw[: _NUMBER.size], raw[_NUMBER.size :]
    key = keys.get(_NUMBER.unpack(number)[0])
    if key is None or not hmac.compare_digest(mac, _mac(key, _ID_PURPOSE, number + part.encode("utf-8", "replace"))):
        return None
    delivery_id = unquote(part)
    return delivery_id if delivery_id == printable(delivery_id) else None


def _mac(key: Key, purpose: str, content: bytes) -> bytes:
    return hmac.digest(key.secret, purpose.encode() + b"\0" + content, "sha256")[:_MAC_BYTES]


def _text(raw: bytes) -> str:
    return base64.b32encode(raw).decode().rstrip("=").lower()


def _bytes(text: str) -> bytes | None:
    try:
        return base64.b32decode(text.upper().encode("ascii") + b"=" * (-len(text) % 8))
    except (binascii.Error, UnicodeEncodeError):
        return None


def _id_part(delivery_id: str) -> str:
    """A dot-atom without dots that no other delivery has: the id, with what may not stand there percent-encoded."""
    part = quote(delivery_id, safe="", errors="replace").replace(".", "%2E")
    return part if 0 < len(part) <= _ID_LIMIT else hashlib.sha256(part.encode("ascii")).hexdigest()
