"""Figures of invoices: lines, credit memos, remainders and prepaid units."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal
from fractions import Fraction
from itertools import accumulate

from pydantic import Field

from domain.assets.errors import PolicyError
from domain.assets.proration_policy import RemainderTo
from domain.kernel.base import Carried
from domain.kernel.money import Rounding

ZERO = Decimal(0)


class InvoiceLine(Carried):
    """`quantity` units for `used_units` of a period's `period_units`; a negative quantity is a credit."""

    unit_price: Decimal
    quantity: int
    used_units: int = 1
    period_units: int = Field(default=1, ge=1)

    def amount(self, rounding: Rounding) -> Decimal:
        share = Fraction(self.used_units, self.period_units)
        return rounding.apply(Fraction(self.unit_price) * self.quantity * share)


class InvoiceResult(Carried):
    """`credit_applied`: the memo's part that settles the open balance or, on a charge, the account credit used."""

    line_amounts: tuple[Decimal, ...]
    total: Decimal
    credit_memo: Decimal
    credit_applied: Decimal
    amount_due: Decimal
    open_balance_after: Decimal
    account_credit_after: Decimal


class Allocation(Carried):
    parts: tuple[Decimal, ...]
    remainder: Decimal


def apply_invoice(
    lines: Sequence[InvoiceLine], open_balance: Decimal, account_credit: Decimal, rounding: Rounding
) -> InvoiceResult:
    """Book an invoice: a negative total becomes a credit memo, a positive one consumes account credit."""
    amounts = tuple(line.amount(rounding) for line in lines)
    total = sum(amounts, ZERO)
    memo, charge = max(ZERO, -total), max(ZERO, total)
    settled = min(memo, open_balance)
    consumed = min(charge, account_credit)
    return InvoiceResult(
        line_amounts=amounts,
        total=total,
        credit_memo=memo,
        credit_applied=settled if memo else consumed,
        amount_due=charge - consumed,
        open_balance_after=open_balance - settled + charge - consumed,
        account_credit_after=account_credit + memo - settled - consumed,
    )


def allocate(
    total: Decimal, weights: Sequence[Decimal], weight_total: Decimal, rounding: Rounding, remainder_to: RemainderTo
) -> Allocation:
    """Cut `total` by weights of `weight_total`; what rounding or missing weights leave over goes to `remainder_to`."""
    if weight_total == 0 or not weights:
        raise PolicyError("an amount needs weights to be allocated by")
    parts = [rounding.apply(Fraction(total) * Fraction(weight) / Fraction(weight_total)) for weight in weights]
    remainder = total - sum(parts, ZERO)
    if remainder_to is not RemainderTo.SEPARATE:
        parts[0 if remainder_to is RemainderTo.FIRST else -1] += remainder
    return Allocation(parts=tuple(parts), remainder=remainder)


def charge_prepaid_units(unit_price: Decimal, units: Sequence[int], rounding: Rounding) -> tuple[Decimal, ...]:
    """The charge at each unit count: only units above the highest count paid so far; a decrease gives nothing back."""
    paid = [0, *accumulate(units, max)]
    return tuple(
        rounding.apply(Fraction(unit_price) * max(0, count - highest))
        for count, highest in zip(units, paid, strict=False)
    )
