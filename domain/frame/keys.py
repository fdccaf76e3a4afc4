"""What stages, steps, deliveries, effects and attention are named by: values that are written as text, and read from it."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum
from functools import lru_cache
from typing import NamedTuple


class StageKind(StrEnum):
    """The kinds of stage, in the order in which a customer meets them. `relationship` holds what belongs to the whole account."""

    ONBOARDING = "onboarding"
    ADOPTION = "adoption"
    REORDER = "reorder"
    EXPANSION = "expansion"
    RENEWAL = "renewal"
    QUOTE = "quote"
    FULFILMENT = "fulfilment"
    BILLING = "billing"
    SERVICE = "service"
    AMENDMENT = "amendment"
    PLAY = "play"
    RELATIONSHIP = "relationship"


class StageId(NamedTuple):
    """A stage: its kind, what it is `about` (an order, a contract, an asset, a quote, a request), and the `part` of that, if it
    has some: the number of a contract's term, or whether a `contract` or an `asset` is billed. Written `renewal:K-1:2`,
    `billing:contract:K-1`, `onboarding:SO-1`, `adoption`."""

    kind: StageKind
    about: str = ""
    part: str = ""

    @classmethod
    def parse(cls, stage: str) -> StageId:
        """Raises ValueError for a kind that there is not."""
        kind, _, rest = stage.partition(":")
        found = StageKind(kind)
        if found is StageKind.RENEWAL:
            rest, _, part = rest.rpartition(":")
        elif found is StageKind.BILLING:
            part, _, rest = rest.partition(":")
        else:
            part = ""
        return cls(found, rest, part)

    def __str__(self) -> str:
        told = (self.part, self.about) if self.kind is StageKind.BILLING else (self.about, self.part)
        return ":".join(filter(None, (self.kind.value, *told)))


@lru_cache(maxsize=10_000)  # a journey of many contracts looks at the same stages whenever it does anything
def stage_id(stage: str) -> StageId:
    """A stage by its id. Raises ValueError as `StageId.parse` does."""
    return StageId.parse(stage)


def stage_kind(stage: str) -> StageKind:
    """`renewal` of `renewal:K-1:2`."""
    return stage_id(stage).kind


def about(stage: str) -> str:
    """What a stage is about: `K-1` of `renewal:K-1:2`, `SO-1` of `onboarding:SO-1`."""
    return stage_id(stage).about


def contract_of(stage: str) -> str | None:
    """`K-1` of `renewal:K-1:2` and of `billing:contract:K-1`; null for a stage that is of no contract."""
    kind, about, part = stage_id(stage)
    of_contract = kind is StageKind.RENEWAL or (kind is StageKind.BILLING and part == "contract")
    return about if of_contract else None


class StepKey(NamedTuple):
    """A step: its stage, and its name within that. Written `renewal:K-1:2/notice-60`."""

    stage: str
    name: str

    @classmethod
    def parse(cls, key: str) -> StepKey:
        stage, _, name = key.partition("/")
        return cls(stage, name)

    def __str__(self) -> str:
        return f"{self.stage}/{self.name}"


class Word(NamedTuple):
    """A word with what it is about, as attention has it: `renewal_held:K-1`, `unreachable`."""

    word: str
    about: str

    @classmethod
    def parse(cls, key: str) -> Word:
        word, _, about = key.partition(":")
        return cls(word, about)


_JOURNEY = "journey:"
_CASE = "case:"
BATCH = "batch:"
"""Begins the key of what a batch over tables does."""
_SETTLED = "/settled"


class EffectKey(NamedTuple):
    """What something is done once under: whose it is, and what. Written `journey:C-17/renewal:K-3:2/notice-60` for a step,
    `case:C-17/case_resolve:r-1` for a request, `journey:C-17/…#0` for a message."""

    whose: str
    what: str

    @classmethod
    def parse(cls, key: str) -> EffectKey:
        whose, _, what = key.partition("/")
        return cls(whose, what)

    def __str__(self) -> str:
        return f"{self.whose}/{self.what}"


def effect_key(account_id: str, what: str) -> str:
    """The business key of something done for a customer: `journey:C-17/renewal:K-3:2/notice-60`."""
    return str(EffectKey(f"{_JOURNEY}{account_id}", what))


def case_key(case_id: str, what: str) -> str:
    """The business key of something done for a case: `case:C-17/case_resolve:r-1`."""
    return str(EffectKey(f"{_CASE}{case_id}", what))


def batch_key(whose: str, what: str) -> str:
    """The business key of something that a batch does, for a customer or one of our people: `batch:s-2/week-2027-03-01`."""
    return str(EffectKey(f"{BATCH}{whose}", what))


def message_key(account_id: str, delivery_id: str) -> str:
    """A message's own key by its id within the account, which is whole for that of a case."""
    return delivery_id if case_of_delivery(delivery_id) else effect_key(account_id, delivery_id)


def within_account(account_id: str, key: str) -> str:
    """The id within the account, as a journey has it, of a message or an effect; that of a case stays whole."""
    return key.removeprefix(effect_key(account_id, ""))


_PUT_OFF = "reschedule_pace:"


def put_off_word(step: str, at: datetime) -> str:
    """Under which it is done once that a step of this key is put off from an instant."""
    return f"{_PUT_OFF}{step}@{at:%Y%m%dT%H%M%S}"


def without_put_off(word: str) -> str:
    """The key of the step that is put off under this word; any other word as it is."""
    return word.removeprefix(_PUT_OFF).partition("@")[0] if word.startswith(_PUT_OFF) else word


def settled_key(message: str) -> str:
    """The key of what follows once a message has left, or never will."""
    return f"{message}{_SETTLED}"


def settled_message(key: str) -> str:
    """The message whose end stands under this key."""
    return key.removesuffix(_SETTLED)


def case_of_delivery(delivery_id: str) -> str | None:
    """The case that a delivery is of, `C-17` of `case:C-17/reply`; null for one of a journey."""
    return EffectKey.parse(delivery_id).whose.removeprefix(_CASE) if delivery_id.startswith(_CASE) else None
