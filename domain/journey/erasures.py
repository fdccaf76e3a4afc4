"""What proves that somebody was erased: what went where, what stays, digests of what named them, and a signature over all of it.

A digest is made with a key of ours, so that a certificate tells nobody a name, and names are found again by whoever has the key.
"""

from __future__ import annotations

import hmac
import json
from collections.abc import Iterable, Sequence
from functools import cached_property
from typing import Self

from pydantic import AwareDatetime

from domain.frame.state import ERASED
from domain.journey.naming import Form, Sizes, forms_of
from domain.journey.traces import Traces
from domain.kernel.base import Carried
from domain.mail.signing import Key, Keys

UNKNOWN_PERSON = "UnknownPerson"
NOT_YET = "NotYetErasable"
PURPOSE = "erasure"


class ErasedWord(Carried):
    """What named somebody, as only its kind, its length, the number of its words and its digest say it; `key`: the number of the key that
    made it. Without a key nothing of it can be guessed."""

    key: int
    kind: str
    length: int
    parts: int = 1
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
    """The digests of names and addresses, in every form in which they are found; what names nobody by itself is found by its column
    alone."""
    given = (tuple(one for one in said if one != ERASED) for said in (traces.names, traces.addresses))
    forms = forms_of(*given) - forms_of(traces.stays, traces.stays)
    return [
        ErasedWord(key=key.number, kind=kind, length=len(said), parts=parts, digest=_digest(kind, said, key))
        for kind, said, parts in sorted(forms)
    ]


def _digest(kind: str, said: str, key: Key) -> str:
    return hmac.digest(key.secret, f"erased-word\0{kind}\0{said}".encode(), "sha256")[:16].hex()


class FoundAgain(Traces):
    """Looks for what named somebody, without knowing it, and for what is known `beside`. Raises LookupError for digests of a key that
    is not there."""

    def __init__(
        self, words: Iterable[ErasedWord], keys: Keys, ids: tuple[str, ...] = (), beside: Traces | None = None
    ) -> None:
        also = beside or Traces()
        super().__init__(also.names, also.addresses, also.texts, ids, also.stays, also.stock)
        every = list(words)
        for word in every:
            if word.key not in keys:
                raise LookupError(f"signing key {word.key} is not on record")
        self.__dict__.update(_words=every, _keys=keys, _seen={})

    def keeping(self, stays: Sequence[str], stock: Sequence[str] = ()) -> Self:
        """The same, beside people who stay."""
        beside = Traces(self.names, self.addresses, self.texts, (), stays, stock)
        return type(self)(self.__dict__["_words"], self.__dict__["_keys"], tuple(self.ids), beside)

    def knows(self, form: Form) -> bool:
        """True for a way to name them that is known, or of which there is a digest."""
        if super().knows(form):
            return True
        seen: dict[Form, bool] = self.__dict__["_seen"]
        if form not in seen:
            seen[form] = any(
                _digest(form.kind, form.said, self.__dict__["_keys"][number]) in digests
                for number, digests in self._digests.get((form.kind, len(form.said), form.parts), {}).items()
            )
        return seen[form]

    @cached_property
    def _digests(self) -> dict[tuple[str, int, int], dict[int, set[str]]]:
        found: dict[tuple[str, int, int], dict[int, set[str]]] = {}
        for word in self.__dict__["_words"]:
            of_key = found.setdefault((word.kind, word.length, word.parts), {})
            of_key.setdefault(word.key, set()).add(word.digest)
        return found

    @cached_property
    def _sizes(self) -> Sizes:
        known = ((one.kind, len(one.said), one.parts) for one in self._forms)
        return Sizes.of([*known, *self._digests])
