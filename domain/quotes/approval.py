"""Who may give which discount, and whom a quote has to wait for."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal

from domain.catalogue.errors import DiscountLimitError
from domain.frame.playbook import RoleLimit
from domain.kernel.base import Carried
from domain.kernel.money import Money
from domain.quotes.discounts import HUNDRED
from domain.quotes.quote import Quote, QuoteLine

ZERO = Decimal(0)


class DeepLine(Carried):
    """A line with a discount beyond the limit of whoever made the quote."""

    line_id: str
    percent: Decimal


class Approval(Carried):
    """A quote that waits for `role`: its deepest discount in per cent, and all that its discounts take off."""

    quote_id: str
    version: int
    role: str
    percent: Decimal
    discount: Money
    lines: tuple[DeepLine, ...]


def discount_percent(line: QuoteLine) -> Decimal:
    """Per cent that the discounts of this quote take off a line's price; an uplift before them does not count."""
    if line.pricing is None or not line.pricing.base_price:
        return ZERO
    return HUNDRED - HUNDRED * line.pricing.net_price / line.pricing.base_price


def needs_approval(quote: Quote, limits: Sequence[RoleLimit]) -> Approval | None:
    """What a quote has to wait for; None if its maker may give its discounts. A role without limits may give none.

    `limits` ascend: the first role above the maker's that covers the quote is asked.

    Raises:
        DiscountLimitError: No role above covers it.
    """
    depths = [DeepLine(line_id=line.line_id, percent=discount_percent(line)) for line in quote.lines]
    deepest = max(depth.percent for depth in depths)
    total = Money(amount=quote.totals.discount, currency=quote.currency)
    rank = rank_of(quote.role, limits)
    own = limits[rank] if rank >= 0 else RoleLimit(role=quote.role, percent=ZERO, amounts=())
    if own.covers(deepest, total):
        return None
    for limit in limits[rank + 1 :]:
        if limit.covers(deepest, total):
            return Approval(
                quote_id=quote.quote_id,
                version=quote.version,
                role=limit.role,
                percent=deepest,
                discount=total,
                lines=tuple(depth for depth in depths if depth.percent > own.percent),
            )
    raise DiscountLimitError(
        f"{quote.quote_id}: no role may give {deepest.normalize():f} per cent or {total.amount} {total.currency} in all; "
        f"the limits are {', '.join(f'{limit.role} {limit.percent} per cent' for limit in limits) or 'none'}"
    )


def rank_of(role: str, limits: Sequence[RoleLimit]) -> int:
    """The place of a role among the ascending limits; -1 if it has none."""
    return next((place for place, limit in enumerate(limits) if limit.role == role), -1)
