"""Payloads sealed: packed, then encrypted (AES-GCM), so that the engine's database and backups of it hold ids and sealed bytes.

A sealed payload names its key. New ones are sealed with the newest key; those before it stay as long as there is a history that was written
with them.
"""

from __future__ import annotations

import base64
import binascii
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

from temporalio.api.common.v1 import Payload

from domain.kernel.refusals import MendableError
from gateway.payloads.packing import (
    ENCODING,
    IN_THE_CLEAR,
    PACKED,
    PLAIN,
    Packing,
    UnreadablePayloadError,
    Written,
    as_it_is,
    is_to_pack,
    packed,
    unpacked,
)

if TYPE_CHECKING:  # whoever seals nothing does without
    from cryptography.hazmat.primitives.ciphers.aead import AESGCM

SEALED = b"prs1"
KEY_FILE, KEYS, DEMANDED = "PERENNIAL_PAYLOAD_KEY_FILE", "PERENNIAL_PAYLOAD_KEYS", "PERENNIAL_PAYLOADS_SEALED"
HOW = (
    "a key is its id, a colon and 32 random bytes as base64, one a line, the newest last:"
    f" `echo 2026a:$(openssl rand -base64 32)`, in the file of {KEY_FILE}"
)
_NONCE, _TAG = 12, 16
_LONGEST_ID = 32
_WHOLE = b"\xff"
_WRAPPED = b"prk1"
_FORMS: Mapping[bytes, bytes] = {b"\x00": PLAIN, b"\x01": b"prn1"}
"""The encoding inside, as its first byte says; what has none of its own is there whole."""
_FORM_OF = {encoding: form for form, encoding in _FORMS.items()}


class KeysError(MendableError):
    """Keys that cannot be used; the message says what to do."""


@dataclass(frozen=True)
class Key:
    """A key by its id, which stands in every payload that it sealed."""

    id: str
    secret: bytes

    @cached_property
    def cipher(self) -> AESGCM:
        """What seals and opens with it."""
        from cryptography.hazmat.primitives.ciphers.aead import AESGCM

        return AESGCM(self.secret)

    @cached_property
    def head(self) -> bytes:
        """What stands before everything that it sealed, and is sealed along."""
        name = self.id.encode()
        return bytes([len(name)]) + name


class Keys:
    """The keys by their ids, the newest last."""

    def __init__(self, keys: Sequence[Key]) -> None:
        self._keys = {key.id: key for key in keys}
        self._newest = keys[-1]

    @classmethod
    def read(cls, text: str) -> Keys:
        """Keys as they are written, with white space between. Raises KeysError."""
        found = [_key(word) for line in text.splitlines() for word in line.partition("#")[0].split()]
        if not found:
            raise KeysError(f"there is no key for payloads; {HOW}")
        if len({key.id for key in found}) < len(found):
            raise KeysError("two keys for payloads have one id; each needs its own for ever")
        return cls(found)

    def sealed(self, payload: Payload) -> Payload:
        """A payload as nobody without the key reads it."""
        return sealed_with(self._newest, payload, SEALED)

    def opened(self, payload: Payload) -> Payload:
        """A payload as it was, or as it is if nobody has sealed it. Raises UnreadablePayloadError."""
        if payload.metadata.get(ENCODING) != SEALED:
            return unpacked(payload)
        key = self._keys.get(name := key_id_of(payload))
        if key is None:
            said = f"a payload was sealed with key {name!r}, which this process has not; add it again in {KEY_FILE}, above the others"
            raise UnreadablePayloadError(said)
        return opened_with(key, payload, SEALED)

    def wrapped(self, secret: bytes, name: str) -> tuple[bytes, str]:
        """Another key's secret, sealed with the newest one, whose id is told as well; `name`: the id of the other."""
        nonce = os.urandom(_NONCE)
        return nonce + self._newest.cipher.encrypt(nonce, secret, _WRAPPED + name.encode()), self._newest.id

    def unwrapped(self, wrapped: bytes, name: str, by: str) -> bytes:
        """The secret again. Raises UnreadablePayloadError."""
        from cryptography.exceptions import InvalidTag

        key = self._keys.get(by)
        if key is None:
            raise UnreadablePayloadError(
                f"the key of a customer is sealed with key {by!r}, which this process has not; add it again in {KEY_FILE}"
            )
        try:
            return key.cipher.decrypt(wrapped[:_NONCE], wrapped[_NONCE:], _WRAPPED + name.encode())
        except InvalidTag:
            raise UnreadablePayloadError(f"the key {name!r} of a customer was changed in the key store") from None

    @property
    def newest(self) -> str:
        """The id of the key that seals."""
        return self._newest.id


def sealed_with(key: Key, payload: Payload, encoding: bytes) -> Payload:
    """A payload, packed and sealed with a key that it names."""
    inner = packed(as_it_is(payload))
    form = _FORM_OF.get(inner.metadata[ENCODING]) if len(inner.metadata) == 1 else None
    content = form + inner.data if form else _WHOLE + inner.SerializeToString()
    nonce = os.urandom(_NONCE)
    data = key.head + nonce + key.cipher.encrypt(nonce, content, encoding + key.head)
    return Payload(metadata={ENCODING: encoding}, data=data)


def opened_with(key: Key, payload: Payload, encoding: bytes) -> Payload:
    """A payload again that was sealed with this key. Raises UnreadablePayloadError."""
    from cryptography.exceptions import InvalidTag

    sealed = payload.data[len(key.head) :]
    try:
        content = key.cipher.decrypt(sealed[:_NONCE], sealed[_NONCE:], encoding + key.head)
    except InvalidTag:
        said = f"a payload was changed after it was sealed, or key {key.id!r} is not the one of that id"
        raise UnreadablePayloadError(said) from None
    if content[:1] == _WHOLE:
        return Payload.FromString(content[1:])
    return unpacked(Payload(metadata={ENCODING: _FORMS[content[:1]]}, data=content[1:]))


def key_id_of(payload: Payload) -> str:
    """The id of the key that a sealed payload names. Raises UnreadablePayloadError for one that is too short to be any."""
    length = payload.data[0] if payload.data else 0
    if len(payload.data) < 1 + length + _NONCE + _TAG:
        raise UnreadablePayloadError("a sealed payload was cut off")
    return payload.data[1 : 1 + length].decode(errors="replace")


def _key(word: str) -> Key:
    name, _, secret = word.partition(":")
    try:
        found = base64.b64decode(secret, validate=True)
    except binascii.Error:
        found = b""
    if not name or len(name.encode()) > _LONGEST_ID or len(found) != 32:
        raise KeysError(f"key {name[:_LONGEST_ID]!r} for payloads cannot be read; {HOW}")
    return Key(name, found)


class Sealing(Packing):
    """Seals whatever goes to the server, answers too, and reads what comes from there, sealed or not.

    Over Nexus nothing is sealed: it lies in a history of the caller's, as their own converter writes it.
    """

    is_secret = True

    def __init__(self, keys: Keys, *, demands: bool = False) -> None:
        super().__init__(keys.sealed, _marked(keys.opened) if demands else keys.opened)
        self._keys = keys
        self.demands = demands
        """true if what comes without a seal is marked, so that whoever asks something so is refused"""

    async def encode(self, payloads: Sequence[Payload]) -> list[Payload]:
        """Payloads as the server gets them."""
        return [self._keys.sealed(one) for one in payloads]


def _marked(read: Written) -> Written:
    def opened(payload: Payload) -> Payload:
        found = read(payload)
        if payload.metadata.get(ENCODING) != SEALED:  # what is only packed is read by anybody
            found = Payload(metadata={**found.metadata, IN_THE_CLEAR: b""}, data=found.data)
        return found

    return opened


def is_demanded(environment: Mapping[str, str]) -> bool:
    """True where the environment says that nothing may go in the clear."""
    return environment.get(DEMANDED, "").lower() in ("1", "true", "yes", "on")


def keys_of(environment: Mapping[str, str]) -> Keys | None:
    """The keys that the environment names; null if nothing is sealed. Raises KeysError for those that cannot be used, and if there are
    none where sealing is demanded."""
    demanded = is_demanded(environment)
    if demanded and not is_to_pack(environment):
        raise KeysError(
            f"{DEMANDED} demands that payloads are sealed, and {PACKED} that they are not: leave one of them out"
        )
    path, inline = environment.get(KEY_FILE), environment.get(KEYS)
    if path and inline:
        raise KeysError(f"give {KEY_FILE} or {KEYS}, not both")
    if path:
        try:
            return Keys.read(Path(path).read_text(encoding="utf-8"))
        except (OSError, UnicodeDecodeError) as error:
            raise KeysError(f"the keys for payloads in {path} cannot be read ({error}); {HOW}") from error
    if inline:
        return Keys.read(inline)
    if demanded:
        raise KeysError(f"{DEMANDED} demands that payloads are sealed, and there is no key; {HOW}")
    return None
