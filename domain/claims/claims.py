"""Claims on a case for money back: what is known of a claim, of the order line that it is about, and of its price now."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from enum import StrEnum
from typing import Any

from pydantic import AwareDatetime

from domain.catalogue.pricebook import PriceUnit
from domain.claims.price_protection import ApprovalLevel
from domain.kernel.base import Carried
from domain.kernel.money import Money, rounding_of
from domain.kernel.tax import Taxed, all_of, taxed
from domain.orders.order import PricePer, ProductKind

ZERO = Decimal(0)

UNKNOWN_LINE = "UnknownLine"
UNKNOWN_CLAIM = "UnknownClaim"
PAID_OVER_TIME = "PaidOverTime"
NOT_DELIVERED = "NotDelivered"
LINE_RETURNED = "LineReturned"
TOO_MANY_UNITS = "TooManyUnits"
PRICE_UNKNOWN = "PriceUnknown"
OTHER_CURRENCY = "OtherCurrency"
ALREADY_CLAIMED = "AlreadyClaimed"
NOTHING_LEFT = "NothingLeft"
NOT_AS_SHOWN = "NotAsShown"
ABOVE_LINE = "AboveLine"
OVER_BUDGET = "OverBudget"


class ClaimKind(StrEnum):
    """Owed by the policy, or granted beside it."""

    PRICE_MATCH = "price_match"
    GOODWILL = "goodwill"


class ClaimStatus(StrEnum):
    """Where a claim stands."""

    WAITING = "waiting"
    REFUNDED = "refunded"
    REJECTED = "rejected"
    TIMED_OUT = "timed_out"


COUNTING = frozenset({ClaimStatus.WAITING, ClaimStatus.REFUNDED})
"""What a later claim is reduced by."""


class Claim(Carried):
    """A claim on record; `amount` includes tax, `gross` and `tax` add up to it. `key` is its business key."""

    claim_id: str
    key: str
    kind: ClaimKind
    account_id: str
    case_id: str
    order_id: str | None = None
    line_id: str | None = None
    currency: str
    amount: Decimal
    quantity: int | None = None
    unit_paid: Decimal | None = None
    unit_now: Decimal | None = None
    gross: Decimal | None = None
    tax: Decimal | None = None
    limited_by: str | None = None
    paid_on: date | None = None
    price_book: str | None = None
    price_since: date | None = None
    price_version: str | None = None
    window_ends_on: date | None = None
    policy_version: int
    approval: ApprovalLevel
    status: ClaimStatus
    reason: str = ""
    claimed_at: AwareDatetime
    claimed_on: date
    claimed_by: str
    remind_at: AwareDatetime | None = None
    reminded_at: AwareDatetime | None = None
    due_at: AwareDatetime | None = None
    decided_at: AwareDatetime | None = None
    decided_by: str | None = None
    decided_role: str | None = None
    decision: str = ""
    credit_memo_id: str | None = None

    @property
    def money(self) -> Money:
        """What is or was to be given back."""
        return Money(amount=self.amount, currency=self.currency)

    def shown(self) -> dict[str, Any]:
        """What whoever asks is told of it."""
        return {
            "claim_id": self.claim_id,
            "kind": self.kind.value,
            "case_id": self.case_id,
            "status": self.status.value,
            "refund": self.money.told(),
            "approval": self.approval.value,
            "by": self.claimed_by,
            "at": self.claimed_at.isoformat(),
            "unit_now": str(self.unit_now) if self.unit_now is not None else None,
            "price_version": self.price_version,
            "credit_memo": self.credit_memo_id,
            "due": self.due_at.isoformat() if self.due_at and self.status is ClaimStatus.WAITING else None,
        }


class BoughtLine(Carried):
    """An order line with what became of it.

    `delivered_on` counts only while `tracked`, once anything was heard of its fulfilment; `left` is what earlier credits of
    any kind have left of its price, before tax, and `taxes` what they have left of the invoices that it stood on, if it was
    `invoiced` here; `claims` are those on it that count.
    """

    account_id: str
    order_id: str
    line_id: str
    product: str
    product_name: str
    kind: ProductKind
    currency: str
    quantity: int
    unit_price: Decimal
    per: PricePer
    bought_on: date
    tax_rates: tuple[Decimal, ...] = ()
    tracked: bool = False
    delivered_on: date | None = None
    returned: int = 0
    price_book: str = "standard"
    left: Decimal
    invoiced: bool = False
    taxes: tuple[Taxed, ...] = ()
    claims: tuple[Claim, ...] = ()

    @property
    def name(self) -> str:
        """How people call it."""
        return f"line {self.line_id} of order {self.order_id}"

    @property
    def taxes_left(self) -> tuple[Taxed, ...]:
        """The tax that credits may still give back: of its invoices, or of what was charged elsewhere."""
        if self.invoiced:
            return self.taxes
        return tuple(taxed([(self.left, self.tax_rates)], rounding_of(self.currency)))

    def with_tax(self, net: Decimal) -> Decimal:
        """What a credit of `net` comes to with the tax that it gives back."""
        return all_of(self.taxes_left, self.tax_rates, net, rounding_of(self.currency)).gross

    @property
    def kept(self) -> int:
        """Units that the customer still has."""
        return max(0, self.quantity - self.returned)

    @property
    def matches(self) -> list[Claim]:
        """The price matches among its claims."""
        return [claim for claim in self.claims if claim.kind is ClaimKind.PRICE_MATCH]


class BookPrice(Carried):
    """What the same buyer pays for one unit now, from the edition of a price book that is valid."""

    book: str
    currency: str
    price: Decimal
    per: PriceUnit
    since: date

    @property
    def version(self) -> str:
        """Names the price and where it stands."""
        return f"{self.book}:{self.currency}:{self.since}:{self.price.normalize():f}"


class Claimant(Carried):
    """Who claims: their segment, their local day, and what price matches gave them in this calendar year."""

    segment: str
    today: date
    used_year: Decimal = ZERO
