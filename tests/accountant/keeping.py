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
    Contract,
    Lot,
    Term,
    half_up,
    served,
)
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
        billing = {day for term in contract.terms for day in term.billing_days(contract.billing) if day == today}
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
            term, uplifted = self._next_term(contract), self._uplifted(contract.uplift)
            self._renew(contract, term, self._assets_of(contract), uplifted, "", by_itself=True)

    def _next_term(self, contract: Contract) -> Term:
        start = contract.until
        anchor = anchor_of(contract, start)
        return Term(start, months_after(anchor, start, contract.renewal_months), anchor)

    def _renew(
        self,
        contract: Contract,
        term: Term,
        assets: list[Asset],
        priced: Callable[[Lot], Lot],
        request: str,
        prices: dict[str, Fraction] | None = None,
        by_itself: bool = False,
    ) -> None:
        """The next term: the lots in force when it begins go on, each at its new price; what was agreed for later is replaced.

        `by_itself`: as the contract says, and not as somebody asks for it.
        """
        for asset in assets:
            days = asset.days()
            first, anchor = term.first, term.anchor
            until = max(days, default=date.min) + DAY
            if by_itself:
                # What ended earlier is not brought back; what runs longer goes on from its own end.
                if not term.first <= until < term.until:
                    continue
                first, before = until, until - DAY
                anchor = anchor if on_grid(anchor, first) else first
            else:
                ends = min(term.first, contract.until)
                before = max((day for day in days if ends - DAY <= day <= term.first), default=date.min)
            stack = days[before][0] if before in days else ()
            if asset.cancelled or not (stack or any(held for day, (held, _) in days.items() if day >= first)):
                continue
            if not stack:  # units that were to come later give way, as all that was agreed for later does
                asset.agree(first, self.today, served(first, term.until, (), anchor), request, renews=True)
                continue
            gap = max(days) + DAY
            if gap < first:  # nothing is served there, and may be added
                asset.agree(gap, self.today, served(gap, first, (), contract.anchor), request)
            new = prices.get(asset.asset_id) if prices else None
            stack = tuple(Lot(lot.units, new) if new is not None else priced(lot) for lot in stack)
            # What was the last price is that of these lots from now on.
            mark = -len(asset.changes)
            stack = tuple(replace(lot, sold=mark) for lot in stack)
            asset.agreed.append((first, stack[-1].price, request))
            asset.anew.append((first, mark, request))
            asset.agree(first, self.today, served(first, term.until, stack, anchor), request, renews=True)
        contract.begin(term, request)

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
            until = self.contracts[asset.contract_id].paid_until(self.today)
            begun = asset.begun
            if asset.begun_first and max(until, asset.paid_until) <= asset.begun_first[0]:
                begun = asset.begun_first[1]
            so_far = begun + asset.cost_before(until, self.today)
            moving = half_up(so_far, self.currency) - half_up(begun, self.currency) - asset.booked
            if at is not None:
                moving = at[asset.asset_id]
            asset.booked += moving
            if any(asset.held_on(self.today + n * DAY) for n in range((until - self.today).days)):
                asset.paid_until = max(asset.paid_until, until)
            moved[asset.asset_id] = moving
            if moving > 0:
                charged.append((asset.asset_id, moving, asset.rates))
            elif moving < 0:
                credited.append((asset.asset_id, -moving))
        charged = [each for each in charged if each[1]]
        if charged:
            taxes = self.charges.invoice(charged, {asset.asset_id: asset.paid_until for asset in assets})
            net = sum((amount for _, amount, _ in charged), Fraction(0))
            number = len(self.charges.invoices) - 1
            lines = tuple((each, amount, number) for each, amount, _ in charged)
            self.due.append(Due(account, self.today, False, net, taxes, lines, why))
        self._credit(account, credited, why, self.today)
        return moved

    def _credit(
        self,
        account: str,
        wanted: list[tuple[str, Fraction]],
        why: str,
        beyond: date = date.min,
        gross: Fraction | None = None,
    ) -> None:
        """Credits no more than what is left of what was charged for a time `beyond` a day; nothing to credit is no document."""
        sources = [(source, min(amount, self.charges.left_of(source, beyond))) for source, amount in wanted]
        sources = [each for each in sources if each[1]]
        if sources:
            taxes, lines = self.charges.credit(sources, beyond)
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
