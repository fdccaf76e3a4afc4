"""What is heard of orders and of changes to contracts, and what it makes of the books."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import date, timedelta
from fractions import Fraction
from functools import partial
from typing import Any

from tests.accountant.books import (
    DAY,
    Asset,
    Days,
    Lot,
    Stack,
    half_up,
    restacked,
    served,
    stopped,
    taken,
    until_then,
)
from tests.accountant.contracts import FAR, Contract, Term
from tests.accountant.grid import months_on, on_grid
from tests.accountant.keeping import Keeping, anchor_of, months_after, rates_of

MONTHS_OF_PRICE = {"month": 1, "year": 12}
SATURDAY = 5
GRACE = timedelta(days=15)
"""For how long a contract that has run out may be renewed as if it had not."""


@dataclass
class Hearing(Keeping):
    """The books of a story's customers, from what was carried out of contracts."""

    heard: int = 0
    """how many acts"""
    notice: dict[str, int] = field(default_factory=dict)
    """days of notice, by contract"""

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
                    endless=bool(contract.evergreen),
                )
                term = contract.terms[0]
                stack = (Lot(line["quantity"], Fraction(line["unit_price"])),)
                asset.agree(term.first, self.today, served(term.first, term.until, stack, term.anchor))
                asset.agreed.append((term.first, stack[0].price, ""))
                for number, step in enumerate(line.get("ramp", ()), 1):
                    # What is agreed for a later day is charged from that day on, and what goes before only up to it.
                    day, price = date.fromisoformat(step["start"]), step.get("unit_price", stack[0].price)
                    stack = (Lot(step["quantity"], Fraction(price), -number),)
                    asset.changes[-1] = replace(asset.changes[-1], make=until_then(asset.changes[-1].make, day))
                    asset.agree(day, self.today, served(day, term.until, stack, term.anchor))
                    asset.agreed.append((day, stack[0].price, ""))
                self.assets[asset.asset_id] = asset
                sold.append(asset)
        self._settle(account, sold, "an order", bought)

    def _contract(self, document: dict[str, Any], account: str) -> Contract:
        term = document["term"]
        self.notice[document["contract_id"]] = document.get("notice_days", 30)
        first = date.fromisoformat(term["start"])
        evergreen = term.get("evergreen", "")
        months = FAR if evergreen else term.get("months")
        until = months_on(first, months) if months else date.fromisoformat(term["end"]) + DAY
        return Contract(
            document["contract_id"],
            account,
            document.get("billing") or evergreen or "yearly",
            document.get("auto_renew", False),
            document.get("renewal_months") or months or 0,
            Fraction(str(document.get("uplift_percent", 0))),
            first,
            [Term(first, until, first)],
            evergreen=evergreen,
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
            first = max(day, contract.terms[0].first)
            stack = (Lot(document["quantity"], Fraction(document["unit_price"])),)
            asset = Asset(
                document["asset_id"],
                contract.account,
                contract.contract_id,
                MONTHS_OF_PRICE[document.get("per", "month")],
                self._rates_of(contract, document["product"]),
                endless=bool(contract.evergreen),
            )
            self._sell(asset, contract, first, stack, request)
            touched.append(asset)
        self._settle(act["who"], touched, "an amendment")

    def _amend(self, asset: Asset, document: dict[str, Any], day: date, request: str) -> None:
        contract, days = self.contracts[asset.contract_id], asset.days()
        day, last = max(day, min(days, default=day)), max(days, default=day)
        if "add" in document:
            said = Fraction(document["unit_price"]) if "unit_price" in document else None
            asset.add(day, self.today, document["add"], said, self.heard, request)
        elif "remove" in document:
            units = document["remove"]
            asset.reduce(day, self.today, units, request)
        elif "price" in document:
            new, number = Fraction(document["price"]), self.heard
            priced = restacked(day, lambda stack: tuple(Lot(lot.units, new, number) for lot in stack), last)
            asset.agree(day, self.today, priced, request)
            asset.agreed.append((day, new, request))
            asset.anew.append((day, number, request))
        elif "end" in document:
            self._end(asset, contract, date.fromisoformat(document["end"]) + DAY, day, request)

    def _end(self, asset: Asset, contract: Contract, until: date, day: date, request: str) -> None:
        days = asset.days()
        last = max(days)
        stack, anchor = days[last]
        make = stopped(until) if until <= last else served(last + DAY, until, stack, anchor)
        # Days that were paid for heed an end that is nearer when it comes, however often it is moved.
        nearer = until <= max(asset.days(self.today, paid=True), default=last)
        asset.agree(day, self.today, make, request, paid=until if nearer else date.min, moves_end=True)
        self._talk_anew(contract, request)

    def _talk_anew(self, contract: Contract, request: str) -> None:
        """The contract is talked about when the first of what was sold up to its end or longer ends, else the last."""
        contract.remember(request)
        ends = [each.until for each in self._assets_of(contract) if not each.cancelled]
        term = contract.terms[-1]
        term.until = min((end for end in ends if end >= term.until), default=max(ends))

    def _hear_cancel_assets(self, act: dict[str, Any], request: str) -> None:
        body = act["request"]
        if "contract_id" in body:
            assets = [each for each in self._assets_of(self.contracts[body["contract_id"]]) if not each.cancelled]
        else:
            assets = [self.assets[each["asset_id"]] for each in body["assets"]]
        for asset in assets:
            contract = self.contracts[asset.contract_id]
            ends = asset.until
            if contract.evergreen and ends >= contract.terms[0].until:
                ends = contract.period_ends(max(self.today, min(asset.days())) + DAY)
            day = ends if body.get("effective") == "period_end" else self._effective(body)
            asset.stop(day, self.today, request, contract.agreed)
        for contract in {asset.contract_id: self.contracts[asset.contract_id] for asset in assets}.values():
            self._run_out(contract, request)
            if any(self._lives_on(each) for each in self._assets_of(contract)):
                self._talk_anew(contract, request)
        self._settle(act["who"], assets, "a cancellation")

    def _hear_give_notice(self, act: dict[str, Any], request: str) -> None:
        """Notice of so many days counts for a period's end; who wants a later day pays the period to its end."""
        body = act["request"]
        contract = self.contracts[body["contract_id"]]
        until = contract.period_ends(self.today + max(self.notice[contract.contract_id], 1) * DAY)
        if "on" in body:
            until = max(until, contract.period_ends(self._day(body["on"]) + DAY))
        assets = [each for each in self._assets_of(contract) if not each.cancelled]
        for asset in assets:
            asset.stop(until, self.today, request, contract.agreed)
        self._run_out(contract, request)
        self._settle(act["who"], assets, "notice")

    def _hear_convert_contract(self, act: dict[str, Any], request: str) -> None:
        """So many months after the period that runs, it ends, and is renewed then."""
        body = act["request"]
        contract = self.contracts[body["contract_id"]]
        until = months_after(
            contract.anchor, contract.period_ends(max(self.today, contract.anchor) + DAY), body["months"]
        )
        contract.terms[-1].until, contract.evergreen = until, ""
        contract.auto_renew = body.get("auto_renew", False)
        contract.renewal_months = body.get("renewal_months", body["months"])
        contract.uplift = Fraction(str(body.get("uplift_percent", 0)))
        assets = [each for each in self._assets_of(contract) if not each.cancelled]
        for asset in assets:
            asset.agree(self.today, self.today, stopped(until), request)
        self._settle(act["who"], assets, "a term")

    def _run_out(self, contract: Contract, request: str) -> None:
        """What is sold under a contract of which no asset lives on ends with the last of them."""
        assets = self._assets_of(contract)
        if all(asset.cancelled for asset in assets):
            contract.runs_out[request] = max(asset.until for asset in assets)

    def _hear_renew_assets(self, act: dict[str, Any], request: str) -> None:
        body = act["request"]
        if "contract_id" in body:
            contract = self.contracts[body["contract_id"]]
            self._go_on_in_part(contract)
            # What is agreed to go goes, and is not renewed with the rest.
            assets = [each for each in self._assets_of(contract) if each.held_on(each.until - DAY)]
        else:
            assets = [self.assets[each["asset_id"]] for each in body["assets"]]
            contract = self.contracts[assets[0].contract_id]
            self._go_on_in_part(contract)
        uplift = Fraction(str(body["uplift_percent"])) if "uplift_percent" in body else contract.uplift
        prices = {each["asset_id"]: Fraction(each["price"]) for each in body.get("assets", ()) if "price" in each}
        terms = self._asked_terms(contract, assets, body)
        living = [each for each in self._assets_of(contract) if self._lives_on(each)]
        renewed = self._renew(contract, terms, assets, self._uplifted(uplift), request, prices)
        if all(each in assets for each in living):  # else its term goes on, in those that were not renewed
            first = min(term.first for term in renewed)
            until, priced = min(term.until for term in renewed), self._uplifted(uplift)
            term = Term(first, until, anchor_of(contract, first), priced=priced)
            contract.begin(term, request)
        self._settle(act["who"], assets, "a renewal")

    def _go_on_in_part(self, contract: Contract) -> None:
        """Once grace is over nobody has renewed the contract: it goes on in what was renewed or made longer by itself, if there is such."""
        if self.today > _last_of_grace(contract):
            held = [
                each for each in self._assets_of(contract) if each.until > self.today and each.held_on(each.until - DAY)
            ]
            if held:
                anchor = anchor_of(contract, contract.until)
                contract.begin(Term(contract.until, min(each.until for each in held), anchor), "")

    def _lives_on(self, asset: Asset) -> bool:
        return not asset.cancelled and asset.until > self.today and bool(asset.held_on(asset.until - DAY))

    def _asked_terms(self, contract: Contract, assets: list[Asset], body: dict[str, Any]) -> dict[str, Term]:
        """For which term each asset is to be renewed; without a day from its own end on.

        In grace that goes on from where it ended, as if nothing had been; once grace is over, from today.
        """
        months = body.get("months") or contract.renewal_months
        begin = self._day(body["start"]) if "start" in body else None
        if begin is None and self.today > _last_of_grace(contract):
            begin = self.today
        living = [each for each in assets if each.until > self.today or each.until >= contract.until]
        terms = {}
        # What a contract sold and let run out before its end stays so; an asset that is named goes on, however late.
        for asset in living if begin is None or "contract_id" in body else assets:
            start = asset.until if begin is None else begin
            anchor = anchor_of(contract, start)
            until = date.fromisoformat(body["end"]) + DAY if "end" in body else months_after(anchor, start, months)
            terms[asset.asset_id] = Term(start, until, anchor)
        return terms

    def _hear_answer_renewal(self, act: dict[str, Any], request: str) -> None:
        body = act["request"]
        contract = self.contracts[body["contract_id"]]
        if body["decision"] == "decline":
            contract.auto_renew = False
        else:
            uplifted = self._uplifted(contract.uplift)
            self._go_on(contract, uplifted, request)
            assets = self._assets_of(contract)
            self._settle(act["who"], assets, "a renewal")

    def _hear_swap_assets(self, act: dict[str, Any], request: str) -> None:
        body = act["request"]
        day = self._effective(body)
        touched = []
        for document in body["assets"]:
            asset = self.assets[document["asset_id"]]
            units: int | None = document.get("quantity")
            price, number = Fraction(document["unit_price"]), self.heard
            months = MONTHS_OF_PRICE[document["per"]] if document.get("per") else asset.months_of_price
            rates = self._rates_of(self.contracts[asset.contract_id], document["to_product"])
            new = Asset(document["to_asset_id"], asset.account, asset.contract_id, months, rates, endless=asset.endless)
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
                evergreen=contract.evergreen,
            )
            self.contracts[theirs.contract_id] = theirs
            new = Asset(
                document["to_asset_id"], body["to_account"], theirs.contract_id, asset.months_of_price, asset.rates
            )
            new.endless = asset.endless
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
        back = [each for each in touched if each.cancelled == last]
        for each in touched:
            each.undo(last)
        contract = self.contracts[asset.contract_id]
        contract.take_back(last)
        for each in back:
            self._renew_too(contract, each, request)
        self._settle(act["who"], touched, "a roll-back")

    def _renew_too(self, contract: Contract, asset: Asset, request: str) -> None:
        """Who takes a cancellation back goes on with the contract, at what was agreed of a term since: from where that begins, or the
        asset ends."""
        *_, before, term = [*contract.terms[:1], *contract.terms]
        if term.number > asset.cancelled_after and before.until <= asset.until < term.until and term.priced:
            first = max(asset.until, term.first)
            mine = term.anchor if on_grid(term.anchor, first) else first
            self._renew(contract, {asset.asset_id: Term(first, term.until, mine)}, [asset], term.priced, request)

    def _sell(self, asset: Asset, contract: Contract, first: date, stack: Stack, request: str) -> None:
        """Units are sold up to the end of all terms that are agreed; those that have not begun are paid for when they do."""
        asset.agree(first, self.today, contract.serving(first, stack), request)
        for term in contract.terms:
            if term.first > max(first, self.today):
                asset.changes[-1] = replace(asset.changes[-1], make=until_then(asset.changes[-1].make, term.first))
                asset.agree(term.first, self.today, contract.serving(term.first, stack), request, renews=True)
        asset.agreed.append((first, stack[0].price, request))
        self.assets[asset.asset_id] = asset

    def _effective(self, body: dict[str, Any]) -> date:
        return self._day(body["effective"]) if body.get("effective") not in (None, "now") else self.today

    def _day(self, text: str) -> date:
        return date.fromisoformat(text)


def _last_of_grace(contract: Contract) -> date:
    """Its last day is one on which people work."""
    last = contract.until + GRACE
    while last.weekday() >= SATURDAY:
        last += DAY
    return last


def _prices_of(days: Days) -> list[tuple[date, Fraction, str]]:
    """The prices at which lots were handed over, the last sold at the end, each from the first day with it on."""
    first: dict[int, tuple[date, Fraction, str]] = {}
    order: dict[int, int] = {}
    for day, (stack, _) in sorted(days.items()):
        for place, lot in enumerate(stack):
            first.setdefault(lot.sold, (day, lot.price, ""))
            order.setdefault(lot.sold, place)
    return [each for _, _, each in sorted((each[0], order[sold], each) for sold, each in first.items())]


def _off(stack: Stack, units: int) -> Stack:
    """What is handed over of a day's lots."""
    return taken(stack, units)[1]


def _replaced(stack: Stack, units: int | None, price: Fraction, own: int) -> Stack:
    """What takes the place of units, all of them if no number is given."""
    held = sum(lot.units for lot in stack)
    return (Lot(min(held, units or held), price, own=own),) if held else ()
