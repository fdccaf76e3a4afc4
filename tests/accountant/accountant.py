"""The accountant: hears what was carried out on which day, and says which documents were due."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import date
from fractions import Fraction
from typing import Any

from tests.accountant.books import Asset, Lot, half_up
from tests.accountant.contracts import Contract
from tests.accountant.hearing import MONTHS_OF_PRICE, Hearing


@dataclass(frozen=True)
class Quoted:
    """A quote as it was asked for, and the unit prices of its lines."""

    request: dict[str, Any]
    prices: dict[str, Fraction]
    months: dict[str, int]
    """for how many months the price of each product sold is"""


@dataclass
class Accountant(Hearing):
    """The books of a story's customers, from what is heard of it."""

    prices: dict[str, list[tuple[date, Fraction]]] = field(default_factory=dict)
    per: dict[str, str] = field(default_factory=dict)
    """for what time a list price is"""
    quoted: dict[str, Quoted] = field(default_factory=dict)
    matched: dict[str, list[Fraction]] = field(default_factory=dict)
    """what each unit of a purchase costs after price matches, the dearest first"""
    granted: list[Fraction] = field(default_factory=list)
    """goodwill, tax included"""
    answer: dict[str, Any] = field(default_factory=dict)

    def hear(self, act: dict[str, Any], day: date, answer: dict[str, Any] | None = None) -> None:
        """Something was carried out on a day of the customer. `answer`: where it says the ids of what is new."""
        self.live_to(day, before_nine="order" not in act and act.get("at", "12:00") < "09:00")
        self.answer = answer or {}
        self.heard += 1
        name = act.get("ask") or next(key for key in ("order", "price", "open") if key in act)
        listen: Callable[[dict[str, Any], str], None] = getattr(self, f"_hear_{name}")
        listen(act, act.get("request", {}).get("request_id") or f"act {self.heard}")

    def _hear_open(self, act: dict[str, Any], request: str) -> None:
        """A case costs nothing."""

    def _hear_price(self, act: dict[str, Any], request: str) -> None:
        price = act["price"]
        self.prices.setdefault(price["product"], []).append(
            (date.fromisoformat(price["valid_from"]), Fraction(price["price"]))
        )
        self.per[price["product"]] = price.get("per", "once")

    def _hear_request_quote(self, act: dict[str, Any], request: str) -> None:
        body = act["request"]
        months = {
            line["product"]: MONTHS_OF_PRICE[self.per[line["product"]]]
            for line in body["lines"]
            if line["kind"] == "sale"
        }
        prices = {line["line_id"]: self._quoted(body, line) for line in body["lines"]}
        self.quoted[body["quote_id"]] = Quoted(body, prices, months)

    def _quoted(self, body: dict[str, Any], line: dict[str, Any]) -> Fraction:
        """The unit price of a line, less its discounts: a list price of the day, or what was agreed last."""
        sale = line["kind"] == "sale"
        price = (
            self._list_price(line["product"])
            if sale
            else self.assets[line["asset_id"]].price_on(self._day(line["effective"]))
        )
        for discount in body.get("discounts", ()):
            if line["line_id"] in discount["lines"]:
                price = _at_most_six_decimals(price * (100 - Fraction(discount["value"])) / 100)
        return price

    def _list_price(self, product: str) -> Fraction:
        begun = [(first, price) for first, price in self.prices[product] if first <= self.today]
        return max(begun, key=lambda each: each[0])[1]

    def _hear_accept_quote(self, act: dict[str, Any], request: str) -> None:
        quoted, account = self.quoted[act["request"]["quote_id"]], act["who"]
        new_assets, new_contracts = iter(self.answer["new_assets"]), iter(self.answer["new_contracts"])
        spans: dict[tuple[str, int], Contract] = {}
        touched: dict[str, Asset] = {}
        sold = []
        for line in quoted.request["lines"]:
            price = quoted.prices[line["line_id"]]
            if line["kind"] == "sale":
                running = self.contracts.get(quoted.request.get("contract_id") or "")
                contract = running or spans.get((line["start"], line["months"]))
                if contract is None:
                    terms = {**quoted.request.get("new_contract", {}), "contract_id": next(new_contracts)}
                    term = {"start": line["start"], "months": line["months"]}
                    contract = self._contract({**terms, "term": term}, account)
                    self.contracts[contract.contract_id] = spans[(line["start"], line["months"])] = contract
                months = quoted.months[line["product"]]
                asset = self._sold(contract, line, price, months, next(new_assets), request)
                sold.append((account, contract.contract_id, line["product"], asset.rates, request))
            else:
                asset = self.assets[line["asset_id"]]
                less = any(line["line_id"] in discount["lines"] for discount in quoted.request.get("discounts", ()))
                asset = self._changed(asset, line, price, less, request)
            touched[asset.asset_id] = asset
        self.sold += sold
        self._settle(account, list(touched.values()), "a quote")

    def _sold(
        self, contract: Contract, line: dict[str, Any], price: Fraction, months: int, asset_id: str, request: str
    ) -> Asset:
        begins = contract.terms[0].first
        first = max(self._day(line["start"]), begins) if begins > self.today else self._day(line["start"])
        asset = Asset(
            asset_id, contract.account, contract.contract_id, months, self._rates_of(contract, line["product"])
        )
        self._sell(asset, contract, first, (Lot(line["quantity"], price),), request)
        return asset

    def _changed(self, asset: Asset, line: dict[str, Any], price: Fraction, less: bool, request: str) -> Asset:
        day = self._day(line["effective"])
        if line["kind"] == "cancel":
            asset.stop(day, self.today, request, self.contracts[asset.contract_id].agreed)
        elif line["kind"] == "price":
            self._amend(asset, {"price": price}, day, request)
        elif line["delta"] > 0:
            self._amend(asset, {"add": line["delta"], **({"unit_price": price} if less else {})}, day, request)
        else:
            self._amend(asset, {"remove": -line["delta"]}, day, request)
        return asset

    def _hear_grant_goodwill(self, act: dict[str, Any], request: str) -> None:
        """An amount with its tax."""
        body = act["request"]
        source = self._source(body)
        amount = Fraction(body["amount"])
        self.granted.append(amount)
        net = self.charges.before_tax(source, amount, self.rates_on(source))
        self._credit(act["who"], [(source, net)], "goodwill", gross=amount)

    def _hear_claim_price_match(self, act: dict[str, Any], request: str) -> None:
        """Each unit is worth what it costs now, the dearest first; of those that were matched before only the increment comes back."""
        body = act["request"]
        source = f"{body['order_id']}/{body['line_id']}"
        line = self.purchases[source]
        now = self._list_price(line["product"])
        units = self.matched.setdefault(source, [line["price"]] * line["quantity"])
        dearer = [n for n, price in enumerate(units) if price > now][: body.get("quantity") or line["quantity"]]
        amount = half_up(sum((units[n] - now for n in dearer), Fraction(0)), self.currency)
        for n in dearer:
            units[n] = now
        units.sort(reverse=True)
        self._credit(line["account"], [(source, amount)], "a price match")

    def _source(self, body: dict[str, Any]) -> str:
        asset = f"{body['order_id']}.{body['line_id']}"
        return asset if asset in self.assets else f"{body['order_id']}/{body['line_id']}"


def _at_most_six_decimals(price: Fraction) -> Fraction:
    """What a quote discounts is a price by the price book's decimals, which are six unless it says otherwise."""
    return Fraction(int(price * 10**6 + Fraction(1, 2)), 10**6)
