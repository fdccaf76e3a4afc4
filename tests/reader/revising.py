"""Rules for what our people are told of a renewal for other terms: its units, its end, its sum, and how much it takes off."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from datetime import date
from decimal import Decimal

from tests.reader.desk import DAY, Desk
from tests.reader.facts import Row
from tests.reader.renewing import months_between
from tests.reader.tables import rounded


def _versions(desk: Desk) -> Iterator[tuple[Row, Row]]:
    """The versions that a notice can be about, each with the contract whose title has it."""
    for contract in desk.facts.rows("contract"):
        if re.search(rf"(?<![\w-]){re.escape(contract['contract_id'])}(?![\w-])", desk.letter.subject):
            for version in desk.facts.rows("renewal_version", contract_id=contract["contract_id"]):
                yield contract, version


def _version(desk: Desk, found: re.Match[str]) -> None:
    desk.among("count", int(found["version"]), {version["version"] for _, version in _versions(desk)})


def _next_term(desk: Desk, found: re.Match[str]) -> None:
    """Units of the next term, its last day, and what they come to, at the prices of now with what is raised and given."""
    right = {said for contract, version in _versions(desk) if (said := _worth(desk, contract, version))}
    desk.among("amount", (int(found["n"]), found["day"], Decimal(found["amount"]), found["currency"]), right)


def _worth(desk: Desk, contract: Row, version: Row) -> tuple[int, str, Decimal, str] | None:
    facts, currency = desk.facts, contract["currency"]
    term = facts.one("contract_term", contract_id=contract["contract_id"], number=version["term"] - 1)
    if term is None:
        return None
    raised = contract["uplift_percent"] if version["uplift_percent"] is None else version["uplift_percent"]
    factor = (1 + raised / Decimal(100)) * (1 - version["discount_percent"] / Decimal(100))
    length = version["months"] or contract["renewal_months"]
    begins = term["until"]
    after = begins.month - 1 + length
    ends = date(begins.year + after // 12, after % 12 + 1, begins.day) - DAY
    units, total = 0, Decimal(0)
    for asset in facts.rows("asset", contract_id=contract["contract_id"]):
        held = [
            period for period in facts.rows("period", asset_id=asset["asset_id"])
            if period["starts_at"] < term["ends_at"] and (period["ends_at"] is None or period["ends_at"] >= term["ends_at"])
        ]  # fmt: skip
        for period in held[-1:]:
            quantity = version["quantities"].get(asset["asset_id"], period["quantity"])
            price = rounded(period["mrr"] / period["quantity"] * factor, currency) if period["quantity"] else Decimal(0)
            units += quantity
            total += quantity * price * (months_between(begins, ends + DAY) or length)
    return units, ends.isoformat(), rounded(total, currency), currency


def _off(desk: Desk, found: re.Match[str]) -> None:
    """What is given, and what is not raised, of the price that the contract provides for."""
    right = set()
    for contract, version in _versions(desk):
        provided = 1 + contract["uplift_percent"] / Decimal(100)
        raised = contract["uplift_percent"] if version["uplift_percent"] is None else version["uplift_percent"]
        price = (1 + raised / Decimal(100)) * (1 - version["discount_percent"] / Decimal(100))
        right.add((100 * (1 - price / provided)).quantize(Decimal("0.01")))
    desk.among("count", Decimal(found["off"]).quantize(Decimal("0.01")), right)


_DAY_OF = r"(?P<day>\d{4}-\d\d-\d\d)"
_MONEY = r"(?P<amount>[\d.]+) (?P<currency>[A-Z]{3})"
RULES: tuple[tuple[str, Callable[[Desk, re.Match[str]], None]], ...] = (
    (r"Renewal of \S+, version (?P<version>\d+),", _version),
    (r"の更新（第(?P<version>\d+)版）", _version),
    (rf"Next term: (?P<n>\d+) units? until {_DAY_OF}, {_MONEY} in all", _next_term),
    (rf"次期：数量(?P<n>\d+)、{_DAY_OF}まで、合計{_MONEY}", _next_term),
    (r"(?P<off>[\d.]+) % off the", _off),
    (r"契約で定めた価格から(?P<off>[\d.]+) ?%の値引き", _off),
)
