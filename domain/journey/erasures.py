"""What proves that somebody was erased: what went where, what stays, digests of what named them, and a signature over all of it.

A digest is made with a key of ours, so that a certificate tells nobody a name, and names are found again by whoever has the key.
"""

from __future__ import annotations

import hmac
import json
import zlib
from collections.abc import Collection, Iterable, Iterator, Mapping
from typing import Any, Self

from pydantic import AwareDatetime

from domain.journey.traces import ERASED, Traces
from domain.kernel.base import Carried
from domain.mail.signing import Key, Keys

UNKNOWN_PERSON = "UnknownPerson"
NOT_YET = "NotYetErasable"
PURPOSE = "erasure"
_SHORTEST = 4
_SIEVE = 0xFFFF


class ErasedWord(Carried):
    """What named somebody, as only its length, a sieve and its digest say it; `key`: the number of the key that made it."""

    key: int
    length: int
    sieve: int
    digest: str


class ErasedRun(Carried):
    """A run whose history was deleted."""

    workflow_id: str
    run_id: str
    events: int


class Certificate(Carried):
    """What was erased of whom. `contact_id` is null for a customer as a whole; `cells`: how many by table and column; `kept`: what of
    the customer's figures stays on record; `mails`: how many of our mails stay without their words; `keys`: how many keys
    of journeys and cases were thrown away."""

    erasure_id: str
    account_id: str
    contact_id: str | None = None
    at: AwareDatetime
    by: str
    over_at: AwareDatetime
    cells: dict[str, int]
    search_pieces: int = 0
    mails: int = 0
    files: int = 0
    runs: list[ErasedRun] = []
    keys: int = 0
    kept: dict[str, str] = {}
    words: list[ErasedWord] = []
    key: int
    signature: str = ""

    def content(self) -> bytes:
        """What is signed: what is as if it were not said is left out, so that a later release signs the same."""
        said = self.model_dump(mode="json", exclude={"signature"}, exclude_defaults=True)
        return json.dumps(said, ensure_ascii=False, sort_keys=True, separators=(",", ":")).encode()

    def signed(self, key: Key) -> Self:
        """With its signature."""
        return self.having(signature=_signature(self.content(), key))

    def is_true(self, keys: Keys) -> bool:
        """True if one of our keys has signed it as it is."""
        key = keys.get(self.key)
        return key is not None and hmac.compare_digest(self.signature, _signature(self.content(), key))


def _signature(content: bytes, key: Key) -> str:
    return hmac.digest(key.secret, PURPOSE.encode() + b"\0" + content, "sha256").hex()


def words_of(traces: Traces, key: Key) -> list[ErasedWord]:
    """The digests of names and addresses; what is too short is found by its column alone."""
    bare = dict.fromkeys(_bare(one) for one in (*traces.names, *traces.addresses) if one != ERASED)
    return [_word(one, key) for one in bare if len(one) >= _SHORTEST]


def _word(bare: str, key: Key) -> ErasedWord:
    return ErasedWord(
        key=key.number, length=len(bare), sieve=zlib.crc32(bare.encode()) & _SIEVE, digest=_digest(bare, key)
    )


def _digest(bare: str, key: Key) -> str:
    return hmac.digest(key.secret, b"erased-word\0" + bare.encode(), "sha256")[:16].hex()


class FoundAgain(Traces):
    """Looks for what named somebody, without knowing it, and for what is known `beside`. Raises LookupError for digests of a key that
    is not there."""

    def __init__(
        self, words: Iterable[ErasedWord], keys: Keys, ids: tuple[str, ...] = (), beside: Traces | None = None
    ) -> None:
        also = beside or Traces()
        super().__init__(also.names, also.addresses, also.texts, ids)
        by_key: dict[int, dict[int, set[int]]] = {}
        digests: set[str] = set()
        for word in words:
            if word.key not in keys:
                raise LookupError(f"signing key {word.key} is not on record")
            digests.add(word.digest)
            by_key.setdefault(word.key, {}).setdefault(word.length, set()).add(word.sieve)
        self.__dict__.update(_by_key=by_key, _digests=digests, _keys=keys)

    def cleared(self, text: str) -> str:
        """`ERASED` for a text in which one of them stands."""
        text = super().cleared(text)
        if not text or text == ERASED or text in self.ids:
            return text
        found: dict[str, Any] = self.__dict__
        bare = _bare(text)
        for number, by_length in found["_by_key"].items():
            key = found["_keys"][number]
            if any(_digest(piece, key) in found["_digests"] for piece in _sifted(bare, by_length)):
                return ERASED
        return text


def _sifted(bare: str, by_length: Mapping[int, Collection[int]]) -> Iterator[str]:
    for length, sieves in by_length.items():
        for at in range(len(bare) - length + 1):
            piece = bare[at : at + length]
            if zlib.crc32(piece.encode()) & _SIEVE in sieves:
                yield piece


def _bare(text: str) -> str:
    """Letters and digits alone, small: how somebody is found however their name is set."""
    return "".join(filter(str.isalnum, text.casefold()))
