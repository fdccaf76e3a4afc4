"""Amounts to the smallest unit, and the tables of quotes."""

from __future__ import annotations

import re
from datetime import date
from decimal import ROUND_HALF_UP, Decimal
from typing import Any

from babel.numbers import get_currency_precision

from tests.reader.desk import Desk
from tests.reader.words import Amount

PER = {
    "en": {" per month": "month", " per year": "year", ", once": "once", " per use": "use"},
    "ja": {"（月額）": "month", "（年額）": "year", "（一括）": "once", "（従量）": "use"},
}


def minor(currency: str) -> Decimal:
    """The smallest amount of a currency."""
    return Decimal(1).scaleb(-get_currency_precision(currency))


def rounded(value: Decimal, currency: str) -> Decimal:
    """An amount to its smallest unit, half away from zero."""
    return value.quantize(minor(currency), rounding=ROUND_HALF_UP)


def quote_lines(desk: Desk) -> tuple[list[dict[str, Any]], Amount | None]:
    """The lines of a quote's table, and its total; the heads of its columns are no figures."""
    lines = []
    per = PER[desk.script.language]
    money = desk.script.pattern("{v:money}").pattern
    for cells in desk.rows(4):
        ending = next((words for words in per if cells[2].endswith(words)), None)
        if ending is None:
            continue
        unit = cells[2].removesuffix(ending)
        if not re.fullmatch(money, unit) or not re.fullmatch(money, cells[3]):
            desk.wrong("unaccounted", " | ".join(cells), "an amount")
            continue
        lines.append(
            {
                "product": cells[0],
                "quantity": int(desk.script.number(cells[1])),
                "price": desk.script.amount(unit),
                "per": per[ending],
                "amount": desk.script.amount(cells[3]),
            }
        )
    total = desk.fact({"en": "Total", "ja": "合計"}, "money")
    if not lines or total is None:
        desk.wrong("unsaid", desk.letter.subject, "the lines of the quote and their total")
    return lines, total


def span_of(desk: Desk, text: str) -> tuple[date, date]:
    first, last = re.split(r" – |～", text)
    return desk.script.date(first), desk.script.date(last)
