"""Payloads packed: what a history keeps for years is deflated, with a dictionary of the words that our documents are made of.

Each payload is read by itself, and says by the name of its encoding which dictionary it was written with. Dictionaries that were ever
written with stay for ever, unchanged: histories need them.
"""

from __future__ import annotations

import json
import zlib
from collections.abc import Callable, Mapping, Sequence
from functools import lru_cache
from importlib.resources import files

from temporalio.api.common.v1 import Payload
from temporalio.converter import (
    NexusSerializationContext,
    PayloadCodec,
    SerializationContext,
    WithSerializationContext,
)

from domain.kernel.refusals import MendableError

PACKED = "PERENNIAL_PAYLOADS_PACKED"
ENCODING = "encoding"
PLAIN = b"json/plain"
AS_IT_IS = "as-it-is"
"""Set by the converter on what somebody without a codec reads; it never reaches the server."""
OF_CUSTOMER = "of-customer"
"""Set by the converter on documents that customers' own keys seal where there are such keys; it never reaches the server either."""
IN_THE_CLEAR = "in-the-clear"
"""Set by a codec that demands sealed payloads on what came as plain JSON; it never leaves the process."""
_MARKS = frozenset({AS_IT_IS, OF_CUSTOMER, IN_THE_CLEAR})
WORDS: Mapping[bytes, str] = {b"prn1": "words-1.json"}
"""The dictionary of each encoding."""
NEWEST = b"prn1"
_SMALL = 16
"""Bytes of a document that is left alone."""
_LARGEST = 16 * 1024 * 1024
"""Bytes that a payload unpacks to at most; the engine takes an eighth of that in one."""
_RAW = -zlib.MAX_WBITS
"""Deflate without head and checksum: whatever carries and keeps a payload has its own."""


class UnreadablePayloadError(MendableError):
    """A payload that this process cannot read; the message says why, and what to do."""


@lru_cache
def _words(encoding: bytes) -> bytes:
    listed: list[str] = json.loads((files("gateway.payloads") / WORDS[encoding]).read_text(encoding="utf-8"))
    return "".join(listed).encode()


def deflated(data: bytes) -> bytes:
    """A document, deflated with the newest dictionary."""
    deflating = zlib.compressobj(9, zlib.DEFLATED, _RAW, zlib.DEF_MEM_LEVEL, zlib.Z_DEFAULT_STRATEGY, _words(NEWEST))
    return deflating.compress(data) + deflating.flush()


def inflated(data: bytes, encoding: bytes) -> bytes:
    """The document again. Raises UnreadablePayloadError."""
    inflating = zlib.decompressobj(_RAW, _words(encoding))
    try:
        found = inflating.decompress(data, _LARGEST)
    except zlib.error as error:
        raise UnreadablePayloadError(f"a payload was spoilt on its way: {error}") from None
    if not inflating.eof:
        raise UnreadablePayloadError("a payload was cut off, or is larger than any that is ever written")
    return found


def is_document(payload: Payload) -> bool:
    """True for JSON of which nothing else has to be known."""
    return len(payload.metadata) == 1 and payload.metadata[ENCODING] == PLAIN


def packed(payload: Payload) -> Payload:
    """A payload as it is kept: deflated, if it gets smaller by that."""
    if len(payload.data) < _SMALL or not is_document(payload):
        return payload
    data = deflated(payload.data)
    return Payload(metadata={ENCODING: NEWEST}, data=data) if len(data) < len(payload.data) else payload


def unpacked(payload: Payload) -> Payload:
    """A payload as it was before, or as it is if nobody has packed it. Raises UnreadablePayloadError."""
    encoding = payload.metadata.get(ENCODING, b"")
    if not encoding.startswith(b"prn"):
        return payload
    if encoding not in WORDS:
        said = (
            f"a payload was packed as {encoding.decode(errors='replace')!r} by a later release; run that one here, too"
        )
        raise UnreadablePayloadError(said)
    return Payload(metadata={ENCODING: PLAIN}, data=inflated(payload.data, encoding))


Written = Callable[[Payload], Payload]


class Packing(PayloadCodec, WithSerializationContext):
    """Packs what goes to the server, and reads what comes from there, packed or not.

    What a caller of ours reads who has no codec stays as it is: the answers of workflows, and all that goes over Nexus.
    """

    is_secret = False
    """True if what it writes is read with a key alone: whoever comes by what is only packed can read it anyway."""

    def __init__(self, write: Written = packed, read: Written = unpacked) -> None:
        self._write = write
        self._read = read

    async def encode(self, payloads: Sequence[Payload]) -> list[Payload]:
        """Payloads as the server gets them."""
        return [as_it_is(one) if AS_IT_IS in one.metadata else self._write(one) for one in payloads]

    async def decode(self, payloads: Sequence[Payload]) -> list[Payload]:
        """Payloads as they were. Raises UnreadablePayloadError."""
        return [self._read(one) for one in payloads]

    def with_context(self, context: SerializationContext) -> Packing:
        """What goes over Nexus is read by whoever calls, as their own converter reads it."""
        return Packing(as_it_is, self._read) if isinstance(context, NexusSerializationContext) else self


def as_it_is(payload: Payload) -> Payload:
    """A payload for somebody without a codec."""
    if _MARKS.isdisjoint(payload.metadata):
        return payload
    left = {name: value for name, value in payload.metadata.items() if name not in _MARKS}
    return Payload(metadata=left, data=payload.data)


def is_to_pack(environment: Mapping[str, str]) -> bool:
    """False where the environment says that what is written stays as it is; what others have packed is read all the same."""
    return environment.get(PACKED, "true").lower() not in ("0", "false", "no", "off")
