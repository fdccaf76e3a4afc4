"""Crediting or refunding part of an invoice, exactly, with one rounding for each figure that is shown."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from decimal import Decimal
from enum import StrEnum
from fractions import Fraction

from domain.claims.errors import AboveLineError, InvalidAmountError, UnpaidInvoiceError
from domain.kernel.base import Carried
from domain.kernel.money import CurrencyCode, rounding_of
from tests.oracles.dialects.errors import AboveInvoiceError, LineNotFoundError


class CreditKind(StrEnum):
    """A credit reduces what is owed; a refund pays back, so it needs a payment."""

    CREDIT = "credit"
    REFUND = "refund"


class RefundLine(Carried):
    """A line before coupons and tax: its `amount`, what was `credited` of it before, and its tax rates in percent."""

    id: str
    amount: Decimal
    credited: Decimal = Decimal(0)
    tax_rates: tuple[Decimal, ...] = ()


class CreditableInvoice(Carried):
    """An invoice whose `coupons` are spread over its lines by amount; `credited` is what was credited with tax."""

    currency: CurrencyCode
    lines: tuple[RefundLine, ...]
    coupons: Decimal = Decimal(0)
    credited: Decimal = Decimal(0)
    paid: bool = False


class CreditItem(Carried):
    """An amount of one line, before coupons and tax."""

    line: str
    amount: Decimal


class TaxPart(Carried):
    """The tax at one rate in percent."""

    rate: Decimal
    amount: Decimal


class CreditBreakdown(Carried):
    """A credit in the currency of its invoice, each figure rounded once, half up, from exact values.

    `total` is `subtotal` plus `tax_residual`, so the parts that are shown add up; `tax_rounded` is the tax rounded by
    itself. `blended_rate` is tax as percent of the base, unrounded; none when the base is zero.
    """

    currency: CurrencyCode
    coupons_adjustment: Decimal
    subtotal: Decimal
    total: Decimal
    tax_residual: Decimal
    tax_rounded: Decimal
    taxes: tuple[TaxPart, ...]
    blended_rate: Decimal | None


def credit_breakdown(
    invoice: CreditableInvoice,
    items: Sequence[CreditItem],
    kind: CreditKind = CreditKind.CREDIT,
    requested_total: Decimal | None = None,
) -> CreditBreakdown:
    """What crediting `items` of an invoice comes to.

    Args:
        requested_total: the total that the caller means to credit, checked instead of the computed one.

    Raises:
        UnpaidInvoiceError, LineNotFoundError, InvalidAmountError, AboveLineError, AboveInvoiceError: looked for in this
            order; zero is a legal amount.
    """
    if kind is CreditKind.REFUND and not invoice.paid:
        raise UnpaidInvoiceError("the invoice is not paid; credit it instead of refunding it")
    lines = {line.id: line for line in invoice.lines}
    _check_items(lines, items)
    share = _coupon_share(invoice)
    bases = [(lines[item.line], Fraction(item.amount) * (1 - share)) for item in items]
    coupons = sum((Fraction(item.amount) for item in items), Fraction(0)) * share
    base = sum((amount for _, amount in bases), Fraction(0))
    by_rate: dict[Decimal, Fraction] = {}
    for line, amount in bases:
        for rate in line.tax_rates:
            by_rate[rate] = by_rate.get(rate, Fraction(0)) + amount * Fraction(rate) / 100
    tax = sum(by_rate.values(), Fraction(0))
    subtotal, total = _rounded(base, invoice.currency), _rounded(base + tax, invoice.currency)
    _check_total(invoice, total if requested_total is None else requested_total)
    blended = tax * 100 / base if base else None
    return CreditBreakdown(
        currency=invoice.currency,
        coupons_adjustment=_rounded(coupons, invoice.currency),
        subtotal=subtotal,
        total=total,
        tax_residual=total - subtotal,
        tax_rounded=_rounded(tax, invoice.currency),
        taxes=tuple(TaxPart(rate=rate, amount=_rounded(part, invoice.currency)) for rate, part in by_rate.items()),
        blended_rate=None if blended is None else Decimal(blended.numerator) / Decimal(blended.denominator),
    )


def left_of_invoice(invoice: CreditableInvoice) -> Decimal:
    """What can still be credited, with tax: lines less coupons, plus tax, less earlier credits."""
    return _rounded(sum(_line_totals(invoice), Fraction(0)), invoice.currency) - invoice.credited


def _check_items(lines: dict[str, RefundLine], items: Sequence[CreditItem]) -> None:
    for item in items:
        if item.line not in lines:
            raise LineNotFoundError(f"the invoice has no line {item.line!r}; it has {', '.join(lines) or 'none'}")
    wanted: dict[str, Decimal] = {}
    for item in items:
        if item.amount < 0:
            raise InvalidAmountError(f"{item.amount} of line {item.line!r} is negative; give zero or more")
        wanted[item.line] = wanted.get(item.line, Decimal(0)) + item.amount
    for name, amount in wanted.items():
        left = lines[name].amount - lines[name].credited
        if amount > left:
            raise AboveLineError(f"{amount} is more than the {left} left of line {name!r}; give at most {left}")


def _check_total(invoice: CreditableInvoice, total: Decimal) -> None:
    left = left_of_invoice(invoice)
    if total > left:
        raise AboveInvoiceError(f"{total} is more than the {left} left of the invoice; give at most {left}")


def _coupon_share(invoice: CreditableInvoice) -> Fraction:
    """The part of each line's amount that coupons pay."""
    amount = sum((Fraction(line.amount) for line in invoice.lines), Fraction(0))
    return Fraction(invoice.coupons) / amount if amount else Fraction(0)


def _line_totals(invoice: CreditableInvoice) -> Iterator[Fraction]:
    share = _coupon_share(invoice)
    for line in invoice.lines:
        rates = sum((Fraction(rate) for rate in line.tax_rates), Fraction(0))
        yield Fraction(line.amount) * (1 - share) * (1 + rates / 100)


def _rounded(value: Fraction, currency: str) -> Decimal:
    """An exact amount, zero or more, at the currency's minor unit, ties up; a quotient would not see every tie."""
    decimals = rounding_of(currency).decimals
    return Decimal((value * 10**decimals * 2 + 1) // 2).scaleb(-decimals)
