"""The books of a story's customers: days go by, documents are due. What was asked for is heard by the accountant."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import date
from fractions import Fraction
from typing import Any

from tests.accountant.books import (
    DAY,
    Asset,
    Lot,
    half_up,
    served,
)
from tests.accountant.contracts import Contract, Term
from tests.accountant.grid import months_on, on_grid
from tests.accountant.taxes import Charges


@dataclass(frozen=True)
class Due:
    """A document that was due. Amounts are positive; `sources` are assets, or `order/line` of what was bought once."""

    account: str
    day: date
    credit: bool
    net: Fraction
    taxes: dict[Fraction, Fraction]
    sources: tuple[tuple[str, Fraction, int], ...]
    """source, amount, and the number of the invoice that it is on or taken off"""
    why: str
    gross: Fraction | None = None
    """of what is given as an amount with its tax, if there is so much left"""


@dataclass
class Keeping:
    """Contracts, assets and documents, up to a day."""

    currency: str
    today: date
    contracts: dict[str, Contract] = field(default_factory=dict)
    assets: dict[str, Asset] = field(default_factory=dict)
    due: list[Due] = field(default_factory=list)
    charges: Charges = field(init=False)
    purchases: dict[str, dict[str, Any]] = field(default_factory=dict)
    sold: list[tuple[str, str, str, tuple[Fraction, ...], str]] = field(default_factory=list)
    """account, contract, product, tax rates and order of all lines of orders, in order"""
    before_nine: bool = False
    """true in the small hours of `today`, before anything is billed"""

    def __post_init__(self) -> None:
        self.charges = Charges(self.currency)

    def live_to(self, day: date, *, before_nine: bool = False) -> None:
        """All that is due of itself up to and on `day`: terms end at midnight; billing periods and changes begin at nine."""
        while True:
            if self.before_nine and (self.today < day or not before_nine):
                self.before_nine = False
                for contract in list(self.contracts.values()):
                    self._morning(contract)
            if self.today >= day:
                return
            self.today += DAY
            self.before_nine = True
            for contract in list(self.contracts.values()):
                if contract.until == self.today and not contract.over:
                    self._term_ends(contract)

    def _morning(self, contract: Contract) -> None:
        today = self.today
        billing = contract.is_billing_day(today)
        effects = [
            asset
            for asset in self._assets_of(contract)
            if any(today in (change.effective, change.paid) and change.heard < today for change in asset.changes)
        ]
        if billing or effects:
            self._settle(contract.account, self._assets_of(contract), "a billing day" if billing else "a change begins")

    def _term_ends(self, contract: Contract) -> None:
        if not any(asset.held_on(self.today - DAY) and not asset.cancelled for asset in self._assets_of(contract)):
            contract.over = True
        elif contract.auto_renew:
            self._go_on(contract, self._uplifted(contract.uplift), "")

    def _go_on(self, contract: Contract, priced: Callable[[Lot], Lot], request: str) -> None:
        """The next term as the contract says. What ended earlier is not brought back, nor is what is renewed ahead renewed once more;
        what runs longer goes on from its own end."""
        start = contract.until
        anchor = anchor_of(contract, start)
        term = Term(start, months_after(anchor, start, contract.renewal_months), anchor, priced=priced)
        terms = {}
        for asset in self._assets_of(contract):
            if term.first <= asset.until < term.until and not asset.renewals_after(self.today):
                mine = anchor if on_grid(anchor, asset.until) else asset.until
                terms[asset.asset_id] = Term(asset.until, term.until, mine)
        self._renew(contract, terms, self._assets_of(contract), priced, request)
        contract.begin(term, request)

    def _renew(
        self,
        contract: Contract,
        terms: dict[str, Term],
        assets: list[Asset],
        priced: Callable[[Lot], Lot],
        request: str,
        prices: dict[str, Fraction] | None = None,
    ) -> list[Term]:
        """The lots in force when its next term begins go on, each at its new price; what was agreed for later is replaced.

        Returns the terms of what is renewed.
        """
        renewed = []
        for asset in assets:
            term, days = terms.get(asset.asset_id), asset.days()
            if term is None or asset.cancelled:
                continue
            first, anchor = term.first, term.anchor
            ends = min(first, contract.until, asset.until) if first == asset.until else min(first, contract.until)
            before = max((day for day in days if ends - DAY <= day <= first), default=date.min)
            stack = days[before][0] if before in days else ()
            if not (stack or any(held for day, (held, _) in days.items() if day >= first)):
                continue
            renewed.append(term)
            if not stack:  # units that were to come later give way, as all that was agreed for later does
                asset.agree(first, self.today, served(first, term.until, (), anchor), request, renews=True)
                continue
            if asset.until < first:  # nothing is served there, and may be added
                asset.agree(asset.until, self.today, served(asset.until, first, (), contract.terms[-1].anchor), request)
            new = prices.get(asset.asset_id) if prices else None
            stack = tuple(Lot(lot.units, new) if new is not None else priced(lot) for lot in stack)
            # What was the last price is that of these lots from now on.
            mark = -len(asset.changes)
            stack = tuple(replace(lot, sold=mark) for lot in stack)
            asset.agreed.append((first, stack[-1].price, request))
            asset.anew.append((first, mark, request))
            asset.agree(first, self.today, served(first, term.until, stack, anchor), request, renews=True)
        return renewed

    def _uplifted(self, percent: Fraction) -> Callable[[Lot], Lot]:
        return lambda lot: Lot(
            lot.units, half_up(lot.price * (100 + percent) / 100, self.currency) if percent else lot.price
        )

    def rates_on(self, source: str) -> tuple[Fraction, ...]:
        """The tax rates of an asset or of what was bought once."""
        if source in self.assets:
            return self.assets[source].rates
        return rates_of(self.purchases[source if source in self.purchases else "/".join(source.rsplit(".", 1))])

    def _settle(
        self,
        account: str,
        assets: list[Asset],
        why: str,
        bought: list[tuple[str, Fraction, tuple[Fraction, ...]]] | None = None,
        at: dict[str, Fraction] | None = None,
    ) -> dict[str, Fraction]:
        """Charges and credits what assets have cost so far, rounded once, less what was booked. Returns it by asset."""
        charged = list(bought or [])
        credited = []
        moved: dict[str, Fraction] = {}
        for asset in assets:
            until = asset.billed_until(self.contracts[asset.contract_id].paid_until(self.today), self.today)
            begun = asset.begun
            if asset.begun_first and max(until, asset.paid_until) <= asset.begun_first[0]:
                begun = asset.begun_first[1]
            costs = asset.costs_before(until, self.today)
            less = sum(
                (max(cost - costs.get(rate, Fraction(0)), Fraction(0)) for rate, cost in asset.billed.items()),
                Fraction(0),
            )
            so_far = begun + sum(costs.values())
            moving = half_up(so_far, self.currency) - half_up(begun, self.currency) - asset.booked
            if at is not None:
                moving = at[asset.asset_id]
            asset.booked += moving
            asset.billed = costs
            asset.pay(until, self.today)
            moved[asset.asset_id] = moving
            # What units cost less at a price was charged before; what else has moved is charged now.
            back = max(half_up(less, self.currency), -moving)
            if moving + back > 0:
                charged.append((asset.asset_id, moving + back, asset.rates))
            if back > 0:
                credited.append((asset.asset_id, back))
        charged = [each for each in charged if each[1]]
        known = len(self.charges.invoices)
        if charged:
            taxes = self.charges.invoice(charged, {asset.asset_id: asset.paid_until for asset in assets})
            net = sum((amount for _, amount, _ in charged), Fraction(0))
            lines = tuple((each, amount, known) for each, amount, _ in charged)
            self.due.append(Due(account, self.today, False, net, taxes, lines, why))
        self._credit(account, credited, why, self.today, known=known)
        return moved

    def _credit(
        self,
        account: str,
        wanted: list[tuple[str, Fraction]],
        why: str,
        beyond: date = date.min,
        gross: Fraction | None = None,
        known: int | None = None,
    ) -> None:
        """Credits no more than what is left of what was charged for a time `beyond` a day; nothing to credit is no document."""
        sources = [(source, min(amount, self.charges.left_of(source, beyond))) for source, amount in wanted]
        sources = [each for each in sources if each[1]]
        if sources:
            taxes, lines = self.charges.credit(sources, beyond, known)
            net = sum((amount for _, amount in sources), Fraction(0))
            self.due.append(Due(account, self.today, True, net, taxes, tuple(lines), why, gross))

    def _rates_of(self, contract: Contract, product: str) -> tuple[Fraction, ...]:
        """Of what no order taxes: those of the customer's latest order line of that product, else of the contract, else of any."""
        lines = [line for line in self.sold if line[0] == contract.account]
        of_product = [line for line in lines if line[2] == product]
        of_contract = [line for line in lines if line[1] == contract.contract_id]
        found = of_product or of_contract or lines
        return next((line[3] for line in found if line[4] == found[-1][4]), ())

    def _assets_of(self, contract: Contract) -> list[Asset]:
        return [asset for asset in self.assets.values() if asset.contract_id == contract.contract_id]


def anchor_of(contract: Contract, start: date) -> date:
    """The anchor of a term: that of the term before, unless it begins off its grid."""
    before = contract.terms[-1].anchor
    return before if on_grid(before, start) else start


def months_after(anchor: date, start: date, months: int) -> date:
    """The day so many months of the anchor's grid after a day on it."""
    number = (start.year - anchor.year) * 12 + start.month - anchor.month
    return months_on(anchor, number + months)


def rates_of(line: dict[str, Any]) -> tuple[Fraction, ...]:
    """The tax rates of a line of an order, in percent."""
    return tuple(Fraction(str(rate)) for rate in line.get("tax_rates") or ())
