"""What can be asked of the renewal of a contract beside a yes and a no: other terms, and the approval of what is given."""

from __future__ import annotations

from collections import Counter
from datetime import date
from decimal import Decimal
from enum import StrEnum
from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from domain.contracts.requests import AssetKey, Percent
from domain.frame.renewal_facts import ChurnReason
from domain.kernel.base import Received
from domain.kernel.calendar import within_reach
from domain.kernel.ids import ContractRef
from domain.kernel.requests import Reason, Remark, Request
from domain.orders.order import Text

Units = Annotated[int, Field(strict=True, ge=0, le=10_000_000)]
Given = Annotated[Decimal, Field(ge=0, le=100, decimal_places=6)]


class RenewedUnits(Received):
    """The units of an asset in the next term; 0: it is not renewed with the others."""

    asset_id: AssetKey
    quantity: Units


class ReviseRenewal(Request):
    """The next term otherwise than it was quoted: other units, another length, another price. It is a new version of the quote.

    The customer gets it, and renews by a yes. `seats` are all units of a contract with one asset, else `assets` says which. `months` is
    a length that the playbook offers. `discount_percent` comes off the prices after the uplift; `uplift_percent` replaces the contract's
    by a lower one. What is given that way needs the `role` of whoever gives it, and above its limit an approval. What is not named stays
    as the version before has it.
    """

    contract_id: ContractRef
    seats: Units | None = None
    assets: Annotated[tuple[RenewedUnits, ...], Field(max_length=500)] = ()
    months: Annotated[int, Field(strict=True, ge=1, le=240)] | None = None
    discount_percent: Given | None = None
    uplift_percent: Percent | None = None
    role: Text | None = None
    reason: Remark = ""

    @property
    def gives(self) -> bool:
        """True if it is about the price."""
        return self.discount_percent is not None or self.uplift_percent is not None

    @model_validator(mode="after")
    def _says_something(self) -> Self:
        if self.seats is None and not self.assets and self.months is None and not self.gives:
            raise ValueError("say what is to be otherwise: seats or assets, months, discount_percent or uplift_percent")
        if self.seats is not None and self.assets:
            raise ValueError("give seats or assets, not both")
        if self.gives and self.role is None:
            raise ValueError("a price that is given needs the role of whoever gives it, such as sales")
        if twice := [id for id, times in Counter(one.asset_id for one in self.assets).items() if times > 1]:
            raise ValueError(f"asset_id {twice[0]!r} is named twice; each asset once")
        return self


class ApproveRenewal(Request):
    """What whoever is asked says to the price of a renewal that waits for an approval; `role` is theirs. A rejection needs its reason."""

    contract_id: ContractRef
    version: Annotated[int, Field(ge=1)] | None = None
    decision: Literal["approve", "reject"] = "approve"
    role: Text
    reason: Remark = ""

    @model_validator(mode="after")
    def _says_why_not(self) -> Self:
        if self.decision == "reject" and not self.reason:
            raise ValueError("a rejection needs its reason")
        return self


class GiveNotice(Request):
    """Notice of a contract without an end. It ends with the first period that the contract's notice leaves time for, or with the one in
    which the day `on` lies.

    Until it ends, a `rollback` of an asset takes the notice back. `why` is the reason in a word of the list, where `reason` says it in others.
    """

    contract_id: ContractRef
    on: date | None = None
    reason: Remark = ""
    why: ChurnReason | None = None

    @model_validator(mode="after")
    def _within_reach(self) -> Self:
        if self.on is not None:
            within_reach(self.on)
        return self


class ConvertContract(Request):
    """A contract without an end gets one: `months` after the period that runs. It then renews as any other does: by itself if
    `auto_renew` says so, for `renewal_months` (those of the term, by default), its prices raised by `uplift_percent`."""

    contract_id: ContractRef
    months: Annotated[int, Field(strict=True, ge=1, le=240)]
    auto_renew: bool = False
    renewal_months: Annotated[int, Field(strict=True, ge=1, le=240)] | None = None
    uplift_percent: Given = Decimal(0)
    reason: Remark = ""


class NoteChurnReason(Request):
    """Why a contract was not renewed, in a word of the list; the customer says it in answer to the farewell, or one of our people
    who has found it out. `said` are the words for it."""

    contract_id: ContractRef
    reason: ChurnReason
    said: Remark = ""


class ExpectedCategory(StrEnum):
    """What a person can expect of a renewal."""

    COMMIT = "commit"
    PROBABLE = "probable"
    BEST_CASE = "best_case"
    AT_RISK = "at_risk"


class SetRenewalCategory(Request):
    """What is expected of a renewal, otherwise than the figures say, and why. It counts until the renewal is decided; the journal keeps
    every change."""

    contract_id: ContractRef
    category: ExpectedCategory
    reason: Reason
