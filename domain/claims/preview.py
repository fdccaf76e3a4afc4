"""A price match as an agent sees it before confirming."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from typing import Any

from domain.claims.claims import ZERO
from domain.claims.price_protection import ApprovalLevel
from domain.claims.rules import Assessment
from domain.kernel.base import Carried
from domain.kernel.money import Money


class PricePreview(Carried):
    """A price match before it is claimed: paid, now, difference, tax, window, what is left and who has to approve.

    `refused` is the type of the refusal that claiming it would meet, `says` its words; `claims` are the earlier ones.
    """

    account_id: str
    order_id: str
    line_id: str
    product: str
    product_name: str
    quantity: int
    returned: int
    paid: Money
    paid_on: date
    delivered_on: date | None
    now: Money | None
    price_book: str
    price_since: date | None
    difference: Money
    net: Money
    tax: Money
    refund: Money
    limited_by: str | None
    left: Money
    window_days: int | None
    window_ends_on: date | None
    approval: ApprovalLevel | None
    refused: str | None
    says: str
    claims: list[dict[str, Any]]


def preview_of(found: Assessment) -> PricePreview:
    """The assessment as an agent reads it."""
    line, price, answer = found.line, found.price, found.protection
    gross, tax = found.parts

    def money(amount: Decimal) -> Money:
        return Money(amount=amount, currency=line.currency)

    return PricePreview(
        account_id=line.account_id,
        order_id=line.order_id,
        line_id=line.line_id,
        product=line.product,
        product_name=line.product_name,
        quantity=found.quantity,
        returned=line.returned,
        paid=money(line.unit_price),
        paid_on=line.bought_on,
        delivered_on=line.delivered_on,
        now=Money(amount=price.price, currency=price.currency) if price else None,
        price_book=price.book if price else line.price_book,
        price_since=price.since if price else None,
        difference=money(answer.unit_difference if answer else ZERO),
        net=money(gross),
        tax=money(tax),
        refund=money(found.amount),
        limited_by=answer.reason.value if answer and answer.eligible and answer.reason else None,
        left=money(line.with_tax(line.left)),
        window_days=answer.window_days if answer else None,
        window_ends_on=answer.window_ends_on if answer else None,
        approval=answer.approval if answer and not found.refused else None,
        refused=found.refused,
        says=found.says,
        claims=[claim.shown() for claim in line.claims],
    )
