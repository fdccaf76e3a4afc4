"""What was agreed or asked of the next term of a contract, where it is not simply the present one once more."""

from __future__ import annotations

from decimal import Decimal
from enum import StrEnum

from domain.kernel.base import Carried

HUNDRED = Decimal(100)


class ChurnReason(StrEnum):
    """Why a customer does not renew."""

    PRICE = "price"
    VALUE = "value"
    PRODUCT_GAP = "product_gap"
    SERVICE = "service"
    SPONSOR_LEFT = "sponsor_left"
    BUSINESS_CLOSED = "business_closed"
    COMPETITOR = "competitor"
    OTHER = "other"

    @classmethod
    def of(cls, said: str) -> ChurnReason | None:
        """The reason that somebody wrote as the list has it, such as "Business closed"; null for any other words."""
        word = "_".join(said.lower().replace("-", " ").split()).strip("._")
        return cls(word) if word in set(cls) else None


class VersionState(StrEnum):
    """Where a version of a renewal's quote stands: it waits for an approval, is offered to the customer, or was not approved."""

    WAITING = "waiting"
    OFFERED = "offered"
    REJECTED = "rejected"


class RenewalVersion(Carried):
    """A version of the quote for the next term: what of it differs from the present term, and who may give what it gives.

    `months` is its length, `quantities` are its units by asset (0: not renewed), `discount_percent` comes off the prices after the
    uplift, which is `uplift_percent` if that is given, else the contract's. `role` is that under which it is given: the maker's,
    or while it waits that whose approval is asked.
    """

    version: int
    state: VersionState = VersionState.OFFERED
    months: int | None = None
    quantities: dict[str, int] = {}
    discount_percent: Decimal = Decimal(0)
    uplift_percent: Decimal | None = None
    role: str | None = None
    asked_by: str = ""
    saves: bool = False
    """it is the one offer by which somebody who has declined may be kept"""

    def price_change(self, uplift: Decimal) -> Decimal:
        """By how much per cent the prices of the next term are raised in all, where the contract's own uplift is `uplift`."""
        raised = HUNDRED + (uplift if self.uplift_percent is None else self.uplift_percent)
        return raised * (HUNDRED - self.discount_percent) / HUNDRED - HUNDRED

    def off(self, uplift: Decimal) -> Decimal:
        """What it takes off the price that the contract provides for, in per cent."""
        return HUNDRED - HUNDRED * (HUNDRED + self.price_change(uplift)) / (HUNDRED + uplift)

    def by_itself(self) -> RenewalVersion:
        """What holds of it without the customer's yes: the price that was given, for the units and the length of before."""
        return self.having(months=None, quantities={})


class UseOverTerm(Carried):
    """How many users had a product on an average day of a term, of the days that were reported."""

    product: str
    name: str
    days: int
    active: Decimal


class TermValue(Carried):
    """What a term has brought a customer so far, as far as it is on record.

    `use` by product; `solved` cases with a promise of their solution, of which it was `kept` for so many; `given_back` because prices
    fell or as goodwill, by currency.
    """

    use: list[UseOverTerm] = []
    solved: int = 0
    kept: int = 0
    given_back: dict[str, Decimal] = {}
