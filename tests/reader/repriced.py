"""Rules for the lines of a renewal: units and prices of the next term, and what is said of the price before."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

from tests.reader.desk import Desk
from tests.reader.facts import Row
from tests.reader.tables import rounded

_DEARER = {
    "en": "\n{product:text}: {by:money} {way:word} than until now ({was:money})",
    "ja": "\n{product:text}：これまでの単価{was:money}から{by:money}の{way:word}",
}
_RISES = {"more": 1, "less": -1, "値上げ": 1, "値下げ": -1}


def each_line(
    desk: Desk, contract: Row, term: Row, lines: Sequence[dict[str, Any]], months: int | None, offered: Row
) -> None:
    """The lines of what follows on `term`. Whoever is told a price that is not that of before is told that one and the difference."""
    said = list(desk.each(_DEARER))
    for line in lines:
        _renewed_line(desk, contract, term, line, months, offered)
        own = [one for one in said if one["product"] == line["product"]]
        price, was = line["price"].value, _until_now(desk, contract, term, line)
        told = [one for one in own if one["was"].value + _RISES[one["way"]] * one["by"].value == price]
        if price not in was and not told:
            desk.wrong("unsaid", f"{line['product']} at {price}", f"until now {' or '.join(map(str, sorted(was)))}")
        for one in told:
            desk.among("amount", one["was"].value, was)
            desk.same("amount", rounded(one["was"].value * _factor(contract, offered), contract["currency"]), price)
    prices = {(line["product"], line["price"].value) for line in lines}
    for one in said:
        now = (one["product"], one["was"].value + _RISES[one["way"]] * one["by"].value)
        if not one["by"].value or not desk.script.is_in(one["was"], contract["currency"]):
            desk.wrong("amount", f"{one['by'].sign} {one['by'].value}", f"a difference in {contract['currency']}")
        desk.among("amount", now, prices)


def _until_now(desk: Desk, contract: Row, term: Row, line: dict[str, Any]) -> set[Decimal]:
    """What units of a product cost at the end of a term, for the time that the line's price pays for."""
    facts, found, months = desk.facts, set(), 12 if line["per"] == "year" else 1
    for asset in facts.rows("asset", contract_id=contract["contract_id"]):
        if facts.name_of(asset) != line["product"]:
            continue
        found |= {
            rounded(row["unit_price"] * months, asset["currency"])
            for row in facts.rows("source", asset_id=asset["asset_id"])
            if row["unit_price"] is not None
            and row["starts_at"] < term["ends_at"]
            and (row["ends_at"] is None or row["ends_at"] >= term["ends_at"])
        }
    return found


def _factor(contract: Row, offered: Row) -> Decimal:
    """What prices are multiplied by for the next term: raised as agreed, less what was given."""
    raised = offered.get("uplift_percent")
    uplift = 1 + Decimal(contract["uplift_percent"] if raised is None else raised) / Decimal(100)
    return uplift * (1 - Decimal(offered.get("discount_percent", 0)) / Decimal(100))


def _renewed_line(desk: Desk, contract: Row, term: Row, line: dict[str, Any], months: int | None, offered: Row) -> None:
    """Units that are held at the end of the term, or were asked for, at what they cost with the uplift and what was given, for the
    months of the next."""
    facts, currency = desk.facts, contract["currency"]
    assets = [
        a for a in facts.rows("asset", contract_id=contract["contract_id"]) if facts.name_of(a) == line["product"]
    ]
    if not desk.among(
        "offer", line["product"], {facts.name_of(a) for a in facts.rows("asset", contract_id=contract["contract_id"])}
    ):
        return
    units = set()
    for at in (term["ends_at"] - timedelta(seconds=1), desk.letter.created_at):
        units |= _quantities(desk, assets, at)
    units |= {n for asset in assets if (n := (offered.get("quantities") or {}).get(asset["asset_id"])) is not None}
    if units and not any(line["quantity"] <= one for one in units):
        desk.wrong("count", line["quantity"], " or ".join(map(str, sorted(units))))
    uplift = _factor(contract, offered)
    paid = _prices(desk, assets)
    right = {rounded(price * uplift, currency) for price in paid} | paid
    price = line["price"]
    if not desk.script.is_in(price, currency) or (paid and price.value not in right):
        desk.wrong("amount", f"{price.sign} {price.value}", f"{currency} " + " or ".join(map(str, sorted(right))))
    if months is not None:
        share = Decimal(months) / 12 if line["per"] == "year" else Decimal(months)
        desk.amount(line["amount"], rounded(line["quantity"] * price.value * share, currency), currency)


def _quantities(desk: Desk, assets: list[Row], at: datetime) -> set[int]:
    return {
        period["quantity"]
        for asset in assets
        for period in desk.facts.rows("period", asset_id=asset["asset_id"])
        if period["starts_at"] <= at and (period["ends_at"] is None or at < period["ends_at"])
    }


def _prices(desk: Desk, assets: list[Row]) -> set[Decimal]:
    """What units of these were ever agreed at: with their orders, by offers, by changes."""
    found: set[Decimal] = set()
    for asset in assets:
        found |= {
            row["unit_price"]
            for row in desk.facts.rows("order_line", order_id=asset["order_id"], line_id=asset["line_id"])
        }
        found |= {row["unit_price"] for row in desk.facts.rows("offer", asset_id=asset["asset_id"])}
        found.add(asset["unit_price"])
        sources = desk.facts.rows("source", asset_id=asset["asset_id"])
        months = 12 if asset["price_per"] == "year" else 1
        found |= {
            rounded(row["unit_price"] * months, asset["currency"]) for row in sources if row["unit_price"] is not None
        }
    return found
