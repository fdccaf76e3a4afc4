"""The accountant: hears what was carried out on which day, and says which documents were due."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import date, timedelta
from fractions import Fraction
from functools import partial
from typing import Any

from tests.accountant.books import (
    DAY,
    Asset,
    Contract,
    Days,
    Lot,
    Stack,
    Term,
    half_up,
    restacked,
    served,
    stopped,
    taken,
)
from tests.accountant.grid import months_on
from tests.accountant.keeping import Keeping, anchor_of, months_after, rates_of

MONTHS_OF_PRICE = {"month": 1, "year": 12}
GRACE = timedelta(days=15)
"""For how long a contract that has run out may be renewed as if it had not."""


@dataclass(frozen=True)
class Quoted:
    """A quote as it was asked for, and the unit prices of its lines."""

    request: dict[str, Any]
    prices: dict[str, Fraction]
    months: dict[str, int]
    """for how many months the price of each product sold is"""


@dataclass
class Accountant(Keeping):
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
    _number: int = 0

    def hear(self, act: dict[str, Any], day: date, answer: dict[str, Any] | None = None) -> None:
        """Something was carried out on a day of the customer. `answer`: where it says the ids of what is new."""
        self.live_to(day, before_nine="order" not in act and act.get("at", "12:00") < "09:00")
        self.answer = answer or {}
        self._number += 1
        name = act.get("ask") or next(key for key in ("order", "price", "open") if key in act)
        heard: Callable[[dict[str, Any], str], None] = getattr(self, f"_hear_{name}")
        heard(act, act.get("request", {}).get("request_id") or f"act {self._number}")

    def _hear_open(self, act: dict[str, Any], request: str) -> None:
        """A case costs nothing."""

    def _hear_price(self, act: dict[str, Any], request: str) -> None:
        price = act["price"]
        self.prices.setdefault(price["product"], []).append(
            (date.fromisoformat(price["valid_from"]), Fraction(price["price"]))
        )
        self.per[price["product"]] = price.get("per", "once")

    def _hear_order(self, act: dict[str, Any], request: str) -> None:
        order, account = act["order"], act["who"]
        bought = []
        for line in order.get("lines", ()):
            source = f"{order['order_id']}/{line['line_id']}"
            amount = half_up(line["quantity"] * Fraction(line["unit_price"]), self.currency)
            self.purchases[source] = {**line, "price": Fraction(line["unit_price"]), "account": account}
            bought.append((source, amount, rates_of(line)))
        sold = []
        for each in order.get("contracts", ()):
            self.sold += [
                (account, each["contract_id"], line["product"], rates_of(line), order["order_id"])
                for line in each["lines"]
            ]
        self.sold += [
            (account, "", line["product"], rates_of(line), order["order_id"]) for line in order.get("lines", ())
        ]
        for document in order.get("contracts", ()):
            contract = self._contract(document, account)
            self.contracts[contract.contract_id] = contract
            for line in document["lines"]:
                asset = Asset(
                    f"{order['order_id']}.{line['line_id']}",
                    account,
                    contract.contract_id,
                    MONTHS_OF_PRICE[line.get("per", "month")],
                    rates_of(line),
                )
                term = contract.terms[0]
                stack = (Lot(line["quantity"], Fraction(line["unit_price"])),)
                asset.agree(term.first, self.today, served(term.first, term.until, stack, term.anchor))
                asset.agreed.append((term.first, stack[0].price, ""))
                self.assets[asset.asset_id] = asset
                sold.append(asset)
        self._settle(account, sold, "an order", bought)

    def _contract(self, document: dict[str, Any], account: str) -> Contract:
        term = document["term"]
        first = date.fromisoformat(term["start"])
        until = months_on(first, term["months"]) if term.get("months") else date.fromisoformat(term["end"]) + DAY
        return Contract(
            document["contract_id"],
            account,
            document.get("billing") or "yearly",
            document.get("auto_renew", False),
            document.get("renewal_months") or term["months"],
            Fraction(str(document.get("uplift_percent", 0))),
            first,
            [Term(first, until, first)],
        )

    def _hear_amend_assets(self, act: dict[str, Any], request: str) -> None:
        body = act["request"]
        day = self._effective(body)
        touched = []
        for document in body.get("assets", ()):
            asset = self.assets[document["asset_id"]]
            self._amend(asset, document, day, request)
            touched.append(asset)
        for document in body.get("add_ons", ()):
            contract = self.contracts[document["contract_id"]]
            term = contract.term_on(day) or contract.terms[-1]
            first = max(day, term.first)
            stack = (Lot(document["quantity"], Fraction(document["unit_price"])),)
            asset = Asset(
                document["asset_id"],
                contract.account,
                contract.contract_id,
                MONTHS_OF_PRICE[document.get("per", "month")],
                self._rates_of(contract, document["product"]),
            )
            asset.agree(first, self.today, contract.serving(first, stack), request)
            asset.agreed.append((first, stack[0].price, request))
            self.assets[asset.asset_id] = asset
            touched.append(asset)
        self._settle(act["who"], touched, "an amendment")

    def _amend(self, asset: Asset, document: dict[str, Any], day: date, request: str) -> None:
        contract = self.contracts[asset.contract_id]
        last = max(asset.days(), default=day)
        if "add" in document:
            said = Fraction(document["unit_price"]) if "unit_price" in document else None
            asset.add(day, self.today, document["add"], said, self._number, request)
        elif "remove" in document:
            units = document["remove"]
            asset.reduce(day, self.today, units, request)
        elif "price" in document:
            new, number = Fraction(document["price"]), self._number
            priced = restacked(day, lambda stack: tuple(Lot(lot.units, new, number) for lot in stack), last)
            asset.agree(day, self.today, priced, request)
            asset.agreed.append((day, new, request))
            asset.anew.append((day, number, request))
        elif "end" in document:
            self._end(asset, contract, date.fromisoformat(document["end"]) + DAY, day, request)

    def _end(self, asset: Asset, contract: Contract, until: date, day: date, request: str) -> None:
        days = asset.days()
        last = max(days)
        if until <= last:
            asset.agree(day, self.today, stopped(until), request, paid=until)
        else:
            stack, anchor = days[last]
            longer = served(last + DAY, until, stack, anchor)
            asset.agree(day, self.today, longer, request)
        contract.before[request] = [replace(each) for each in contract.terms]
        living = [each for each in self._assets_of(contract) if not each.cancelled]
        ends = [max(each.days(), default=date.min) + DAY for each in living]
        # The contract is talked about when the first of what was sold up to its end or longer ends.
        term = contract.terms[-1]
        term.until = min((end for end in ends if end >= term.until), default=max(ends))

    def _hear_cancel_assets(self, act: dict[str, Any], request: str) -> None:
        body = act["request"]
        if "contract_id" in body:
            assets = self._assets_of(self.contracts[body["contract_id"]])
        else:
            assets = [self.assets[each["asset_id"]] for each in body["assets"]]
        for asset in assets:
            if body.get("effective") == "period_end":
                contract = self.contracts[asset.contract_id]
                term = contract.term_on(max(self.today, contract.terms[0].first))
                day = term.until if term else self.today
            else:
                day = self._effective(body)
            asset.stop(day, self.today, request)
        for contract in {asset.contract_id: self.contracts[asset.contract_id] for asset in assets}.values():
            self._run_out(contract, request)
        self._settle(act["who"], assets, "a cancellation")

    def _run_out(self, contract: Contract, request: str) -> None:
        """What is sold under a contract of which no asset lives on ends with the last of them."""
        assets = self._assets_of(contract)
        if all(asset.cancelled for asset in assets):
            contract.runs_out[request] = max(max(asset.days(), default=date.min) + DAY for asset in assets)

    def _hear_renew_assets(self, act: dict[str, Any], request: str) -> None:
        body = act["request"]
        if "contract_id" in body:
            contract = self.contracts[body["contract_id"]]
            assets = self._assets_of(contract)
        else:
            assets = [self.assets[each["asset_id"]] for each in body["assets"]]
            contract = self.contracts[assets[0].contract_id]
        # In grace it goes on from its end, as if nothing had been; once it is over, from today.
        otherwise = contract.until if self.today < contract.until + GRACE else self.today
        start = self._day(body["start"]) if "start" in body else otherwise
        anchor = anchor_of(contract, start)
        months = body.get("months") or contract.renewal_months
        until = date.fromisoformat(body["end"]) + DAY if "end" in body else months_after(anchor, start, months)
        uplift = Fraction(str(body["uplift_percent"])) if "uplift_percent" in body else contract.uplift
        prices = {each["asset_id"]: Fraction(each["price"]) for each in body.get("assets", ()) if "price" in each}
        self._renew(contract, Term(start, until, anchor), assets, self._uplifted(uplift), request, prices)
        self._settle(act["who"], assets, "a renewal")

    def _hear_answer_renewal(self, act: dict[str, Any], request: str) -> None:
        body = act["request"]
        contract = self.contracts[body["contract_id"]]
        if body["decision"] == "decline":
            contract.auto_renew = False
        else:
            uplifted = self._uplifted(contract.uplift)
            term, assets = self._next_term(contract), self._assets_of(contract)
            self._renew(contract, term, assets, uplifted, request, by_itself=True)
            self._settle(act["who"], assets, "a renewal")

    def _hear_swap_assets(self, act: dict[str, Any], request: str) -> None:
        body = act["request"]
        day = self._effective(body)
        touched = []
        for document in body["assets"]:
            asset = self.assets[document["asset_id"]]
            units: int | None = document.get("quantity")
            price, number = Fraction(document["unit_price"]), self._number
            months = MONTHS_OF_PRICE[document["per"]] if document.get("per") else asset.months_of_price
            rates = self._rates_of(self.contracts[asset.contract_id], document["to_product"])
            new = Asset(document["to_asset_id"], asset.account, asset.contract_id, months, rates)
            new.take_over(asset, day, self.today, partial(_replaced, units=units, price=price, own=number), request)
            new.agreed.append((day, price, request))
            asset.reduce(day, self.today, units, request)
            self.assets[new.asset_id] = new
            touched += [asset, new]
        self._settle(act["who"], touched, "a swap")

    def _hear_transfer_assets(self, act: dict[str, Any], request: str) -> None:
        body = act["request"]
        day = self._effective(body)
        for document in body["assets"]:
            asset = self.assets[document["asset_id"]]
            contract = self.contracts[asset.contract_id]
            later = [stack for each, (stack, _) in asset.days().items() if each >= day]
            units = document.get("quantity") or min(sum(lot.units for lot in stack) for stack in later)
            theirs = Contract(
                f"{contract.contract_id} of {body['to_account']} by {request}",
                body["to_account"],
                contract.billing,
                contract.auto_renew,
                contract.renewal_months,
                contract.uplift,
                contract.anchor,
                [Term(max(day, term.first), term.until, term.anchor) for term in contract.terms if day < term.until],
            )
            self.contracts[theirs.contract_id] = theirs
            new = Asset(
                document["to_asset_id"], body["to_account"], theirs.contract_id, asset.months_of_price, asset.rates
            )
            new.take_over(asset, day, self.today, partial(_off, units=units), request)
            new.agreed = _prices_of(new.days())
            new.anew = [(begins, mark, "") for begins, mark, _ in asset.anew if begins > day]
            asset.reduce(day, self.today, units, request)
            new.begun = asset.begun + asset.cost_before(date.max, None)
            self.assets[new.asset_id] = new
            given = self._settle(act["who"], [asset], "a transfer")
            paid = contract.paid_until(self.today)
            new.begun_first = (theirs.paid_until(self.today), asset.begun + asset.cost_before(paid, self.today))
            # What one loses the other gets, on the day and in all.
            self._settle(
                body["to_account"], [new], "a transfer", at={new.asset_id: -given.get(asset.asset_id, Fraction(0))}
            )

    def _hear_rollback(self, act: dict[str, Any], request: str) -> None:
        asset = self.assets[act["request"]["asset_id"]]
        last = asset.changes[-1].request
        touched = [each for each in self.assets.values() if any(change.request == last for change in each.changes)]
        for each in touched:
            each.undo(last)
        contract = self.contracts[asset.contract_id]
        contract.take_back(last)
        self._settle(act["who"], touched, "a roll-back")

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
            else:
                asset = self.assets[line["asset_id"]]
                less = any(line["line_id"] in discount["lines"] for discount in quoted.request.get("discounts", ()))
                asset = self._changed(asset, line, price, less, request)
            touched[asset.asset_id] = asset
        self._settle(account, list(touched.values()), "a quote")

    def _sold(
        self, contract: Contract, line: dict[str, Any], price: Fraction, months: int, asset_id: str, request: str
    ) -> Asset:
        first = self._day(line["start"])
        asset = Asset(
            asset_id, contract.account, contract.contract_id, months, self._rates_of(contract, line["product"])
        )
        stack = (Lot(line["quantity"], price),)
        asset.agree(first, self.today, contract.serving(first, stack), request)
        asset.agreed.append((first, price, request))
        self.assets[asset_id] = asset
        return asset

    def _changed(self, asset: Asset, line: dict[str, Any], price: Fraction, less: bool, request: str) -> Asset:
        day = self._day(line["effective"])
        if line["kind"] == "cancel":
            asset.stop(day, self.today, request)
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

    def _effective(self, body: dict[str, Any]) -> date:
        return self._day(body["effective"]) if body.get("effective") not in (None, "now") else self.today

    def _day(self, text: str) -> date:
        return date.fromisoformat(text)


def _prices_of(days: Days) -> list[tuple[date, Fraction, str]]:
    """The prices at which lots were handed over, the last sold at the end, each from the first day with it on."""
    first: dict[int, tuple[date, Fraction, str]] = {}
    order: dict[int, int] = {}
    for day, (stack, _) in sorted(days.items()):
        for place, lot in enumerate(stack):
            first.setdefault(lot.sold, (day, lot.price, ""))
            order.setdefault(lot.sold, place)
    return [each for _, _, each in sorted((each[0], order[sold], each) for sold, each in first.items())]


def _at_most_six_decimals(price: Fraction) -> Fraction:
    """What a quote discounts is a price by the price book's decimals, which are six unless it says otherwise."""
    return Fraction(int(price * 10**6 + Fraction(1, 2)), 10**6)


def _off(stack: Stack, units: int) -> Stack:
    """What is handed over of a day's lots."""
    return taken(stack, units)[1]


def _replaced(stack: Stack, units: int | None, price: Fraction, own: int) -> Stack:
    """What takes the place of units, all of them if no number is given."""
    held = sum(lot.units for lot in stack)
    return (Lot(min(held, units or held), price, own=own),) if held else ()
