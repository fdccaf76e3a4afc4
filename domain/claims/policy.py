"""The terms of price protection and goodwill as they are kept in a file: windows, classes, bands, caps and budgets."""

from __future__ import annotations

from decimal import Decimal
from typing import Annotated

from pydantic import Field

from domain.claims.price_protection import ApprovalLevel, Caps, ProtectionPolicy, WindowAnchor
from domain.kernel.base import Received
from domain.kernel.money import CurrencyCode
from domain.orders.order import Code, ProductKind

Limit = Annotated[Decimal, Field(ge=0)]
Days = Annotated[int, Field(ge=0, le=3650)]
ZERO = Decimal(0)


class Amounts(Received):
    """The limits in one currency. Refunds up to `agent` need nobody's approval, up to `lead` a lead's, above it a manager's.

    `cap_item` and `cap_year` are the most that price matches give back for one line, and for one customer in a calendar
    year. Goodwill has bands of its own and a budget for each customer and year.
    """

    agent: Limit = ZERO
    lead: Limit = ZERO
    least_difference: Limit = ZERO
    cap_item: Limit | None = None
    cap_year: Limit | None = None
    goodwill_agent: Limit = ZERO
    goodwill_lead: Limit = ZERO
    goodwill_year: Limit = ZERO


class PriceMatchTerms(Received):
    """What is protected, and for how long; tiers are the customers' segments, categories the kinds of product.

    `classes` names the products of each class, such as clearance; the `excluded_classes` are not protected.
    """

    window_days: Days = 30
    tier_window_days: dict[str, Days] = {}
    category_window_days: dict[ProductKind, Days] = {}
    anchor: WindowAnchor = WindowAnchor.PURCHASE
    claim_by_days: Days | None = None
    classes: dict[str, frozenset[Code]] = {}
    excluded_classes: frozenset[str] = frozenset()
    claims_per_line: Annotated[int, Field(ge=1)] | None = None
    include_tax: bool = True


class ClaimPolicy(Received):
    """Price protection and goodwill. In a currency that `amounts` does not name, a manager decides and goodwill has no budget.

    An approval is asked for again after `remind_after` business days and is refused by itself after `decide_within`.
    """

    version: Annotated[int, Field(ge=1)]
    price_match: PriceMatchTerms = PriceMatchTerms()
    remind_after: Annotated[int, Field(ge=1, le=60)] = 1
    decide_within: Annotated[int, Field(ge=1, le=60)] = 2
    amounts: dict[CurrencyCode, Amounts] = {}

    def amounts_in(self, currency: str) -> Amounts:
        """The limits in a currency; a manager decides about everything where there are none."""
        return self.amounts.get(currency, Amounts())

    def protection(self, currency: str) -> ProtectionPolicy:
        """The terms of a price match in a currency, as `domain.claims.price_protection` takes them."""
        terms, amounts = self.price_match, self.amounts_in(currency)
        return ProtectionPolicy(
            window_days=terms.window_days,
            tier_window_days=terms.tier_window_days,
            category_window_days={kind.value: days for kind, days in terms.category_window_days.items()},
            anchor=terms.anchor,
            claim_by_days=terms.claim_by_days,
            excluded_classes=terms.excluded_classes,
            least_difference=amounts.least_difference,
            caps=Caps(item=amounts.cap_item, year=amounts.cap_year),
            claims_per_line=terms.claims_per_line,
            include_tax=terms.include_tax,
            agent_limit=amounts.agent,
            lead_limit=amounts.lead,
        )

    def class_of(self, product: str) -> str | None:
        """The class of a product; of several an excluded one."""
        found = [name for name, codes in self.price_match.classes.items() if product in codes]
        return min(found, key=lambda name: (name not in self.price_match.excluded_classes, name), default=None)

    def goodwill_approval(self, amount: Decimal, currency: str) -> ApprovalLevel:
        """Who has to approve goodwill of `amount`."""
        amounts = self.amounts_in(currency)
        bands = ProtectionPolicy(agent_limit=amounts.goodwill_agent, lead_limit=amounts.goodwill_lead)
        return bands.approval_of(amount)
