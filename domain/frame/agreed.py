"""Prices as they were agreed, by the month or the year, and as the asset ledger keeps them."""

from __future__ import annotations

from decimal import Decimal

from domain.kernel.money import by_one_month, for_months
from domain.orders.order import PricePer


def by_month(unit_price: Decimal, per: PricePer) -> Decimal:
    """A price as the asset ledger keeps it."""
    return by_one_month(unit_price, 12) if per is PricePer.YEAR else unit_price


def agreed_price(monthly: Decimal, per: PricePer) -> Decimal:
    """The price that was agreed, for the time that it was agreed for, from the asset ledger's."""
    return for_months(monthly, 12) if per is PricePer.YEAR else monthly
