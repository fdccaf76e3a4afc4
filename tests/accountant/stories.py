"""Random stories: the same seed makes the same stories on the same day."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import date, timedelta
from decimal import Decimal
from random import Random
from typing import Any

from tests.accountant.books import EXPONENTS

ZONES = {
    "Asia/Tokyo": "JP",
    "America/New_York": "US",
    "Pacific/Kiritimati": "KI",
    "Europe/Berlin": "DE",
    "America/Sao_Paulo": "BR",
}
CURRENCIES = ("JPY", "EUR", "BHD")
BILLING = ("monthly", "monthly", "quarterly", "yearly", "whole_term")
TERMS = (1, 1, 1, 2, 3, 3, 6, 12, 12, 13, 18, 24, 36)
CLOCK = ("00:05", "08:15", "11:00", "17:40", "23:30")


def made(seed: int, number: int, after: date) -> dict[str, Any]:
    """Story `number` of a seed; it begins within 15 months after a day."""
    return Maker(Random(f"{seed}/{number}"), f"{seed}/{number}", after).story()


@dataclass
class _Contract:
    contract_id: str
    first: int
    until: int
    months: int
    auto_renew: bool
    assets: list[str]


@dataclass
class Maker:
    """Makes a story by dice. It keeps rough books only: what it asks may be refused."""

    dice: Random
    name: str
    after: date
    days: int = 0
    acts: list[dict[str, Any]] = field(default_factory=list)
    held: dict[str, int] = field(default_factory=dict)
    contracts: list[_Contract] = field(default_factory=list)
    made: int = 0
    bought: list[tuple[int, str, dict[str, Any]]] = field(default_factory=list)
    """what was bought once: on which day, by which order, and the line"""
    priced_later: bool = False
    """a price of the future is agreed: what is added from here on says its own"""
    lengths: tuple[int, ...] = (150, 300, 450, 800)
    """days that a story may last at most"""

    def story(self) -> dict[str, Any]:
        dice = self.dice
        self.currency = dice.choice(CURRENCIES)
        zone = dice.choice(list(ZONES))
        self.first = self._anchor()
        with_other = dice.random() < 0.25
        orders = [self._opening("~a", "~P0")] if dice.random() < 0.7 else []
        orders.append(self._order(0, "~a"))
        longest = max(contract.until for contract in self.contracts)
        self.days = min(longest + dice.randrange(20, 200), dice.choice(self.lengths))
        if dice.random() < 0.3:
            orders.append(self._order(dice.randrange(5, self.days - 10), "~a"))
        self._acts(with_other)
        accounts = [{"account_id": "~a", "orders": orders}]
        if with_other:
            accounts.append({"account_id": "~b", "orders": [self._opening("~b", "~P1")]})
        return {
            "name": self.name,
            "by_dice": True,
            "begins": self.first.isoformat(),
            "days": self.days,
            "currency": self.currency,
            "time_zone": zone,
            "country": ZONES[zone],
            "accounts": accounts,
            "acts": self.acts,
            "products": [
                {"code": "~TAB", "name": "Tablet", "kind": "device"},
                {"code": "~SUITE", "name": "Suite", "kind": "subscription"},
            ],
        }

    def _anchor(self) -> date:
        """A day on which months are hard to count, more often than not."""
        day = self.after + timedelta(days=self.dice.randrange(3, 460))
        wanted = self.dice.choice((None, 28, 29, 30, 31, 31))
        if wanted is None:
            return day
        while day.day != wanted:
            day += timedelta(days=1)
        return day

    def _price(self) -> str:
        low, high = self.dice.choice(((1, 100), (100, 10_000), (1_000, 500_000)))
        return str(Decimal(self.dice.randrange(low, high)).scaleb(-EXPONENTS[self.currency]))

    def _opening(self, who: str, order_id: str) -> dict[str, Any]:
        """A first order of something else: the customer is known, and their clock is moved to the next one."""
        line = {"line_id": "1", "product": "BEANS", "quantity": 1, "unit_price": self._price()}
        return {"day": -1, "who": who, "order": {"order_id": order_id, "lines": [line]}}

    def _taxed(self) -> dict[str, list[str]]:
        return self.dice.choice(({}, {"tax_rates": ["10"]}, {"tax_rates": ["8"]}, {"tax_rates": ["5", "9.975"]}))

    def _order(self, day: int, who: str) -> dict[str, Any]:
        self.made += 1
        order_id = f"~O{self.made}"
        lines = iter(range(1, 20))
        contracts = [self._contract(day, order_id, lines, n) for n in range(self.dice.choice((1, 1, 1, 2)))]
        bought = [
            {
                "line_id": str(next(lines)),
                "product": "~TAB",
                "quantity": self.dice.randrange(1, 9),
                "unit_price": self._price(),
                **self._taxed(),
            }
            for _ in range(self.dice.choice((0, 0, 1, 2)))
        ]
        self.bought += [(day, order_id, line) for line in bought]
        order = {"order_id": order_id, "contracts": contracts, "lines": bought}
        return {"day": day, "at": self.dice.choice(CLOCK), "who": who, "order": order}

    def _contract(self, day: int, order_id: str, lines: Any, n: int) -> dict[str, Any]:
        dice = self.dice
        months = dice.choice(TERMS)
        first = day + dice.choice((0, 0, 0, 0, dice.randrange(1, 60), -dice.randrange(1, 20) if day > 30 else 0))
        contract_id = f"~K{self.made}{'ab'[n]}"
        sold = []
        for _ in range(dice.choice((1, 1, 2))):
            line_id = str(next(lines))
            per = dice.choice(("month", "month", "month", "year"))
            quantity = dice.randrange(1, 40)
            line = {"line_id": line_id, "product": dice.choice(("CRM", "CARE")), "quantity": quantity, "per": per}
            sold.append({**line, "unit_price": self._price(), **self._taxed()})
            self.held[f"{order_id}.{line_id}"] = quantity
        auto_renew = dice.random() < 0.7
        assets = [f"{order_id}.{line['line_id']}" for line in sold]
        until = first + round(months * 30.5)
        self.contracts.append(_Contract(contract_id, first, until, months, auto_renew, assets))
        return {
            "contract_id": contract_id,
            "term": {"start": f"day {first}", "months": months},
            "billing": dice.choice(BILLING),
            "auto_renew": auto_renew,
            "notice_days": dice.choice((0, 3, 5)),
            **({"renewal_months": dice.choice(TERMS)} if dice.random() < 0.2 else {}),
            "uplift_percent": dice.choice(("0", "0", "3", "3.333", "7.25")),
            "lines": sold,
        }

    def _acts(self, with_other: bool) -> None:
        if self.dice.random() < 0.25:
            self._changes_every(self.dice.choice((3, 7, 7, 14)))
        ways: list[Callable[[int], None]] = [
            self._add, self._add, self._remove, self._remove, self._price_change, self._add_on, self._swap,
            self._end, self._early, self._take_back, self._late, self._accept,
            self._quote, self._quote, self._goodwill, self._match,
        ]  # fmt: skip
        if with_other:
            ways += [self._transfer] * 4
        for _ in range(self.dice.randrange(0, 8)):
            self.dice.choice(ways)(self.dice.randrange(1, self.days - 2))
        if self.dice.random() < 0.4:
            self._cancel(self.dice.randrange(1, self.days - 2))

    def _ask(self, day: int, ask: str, **request: Any) -> None:
        number = len(self.acts) + 1
        body = {**request, "by": "s-1", "request_id": f"q-{number}"}
        self.acts.append({"day": day, "at": self.dice.choice(CLOCK), "who": "~a", "ask": ask, "request": body})

    def _later(self, day: int) -> dict[str, str]:
        if self.dice.random() < 0.75:
            return {}
        return {"effective": f"day {day + self.dice.randrange(1, 60)}"}

    def _asset(self, day: int = 0) -> str:
        return self.dice.choice(list(self.held))

    def _running(self, day: int) -> _Contract:
        running = [each for each in self.contracts if each.first <= day and (each.auto_renew or day < each.until)]
        return self.dice.choice(running or self.contracts)

    def _changes_every(self, days: int) -> None:
        asset, up = self._asset(), True
        for day in range(days, min(self.days - 3, days * 40), days):
            units = self.dice.randrange(1, 4) if up else 1
            self._amend(day, asset, {"add": units} if up else {"remove": 1})
            self.held[asset] += units if up else -1
            up = not up or self.held[asset] < 2

    def _amend(self, day: int, asset: str, change: dict[str, Any], **more: Any) -> None:
        self._ask(day, "amend_assets", assets=[{"asset_id": asset, **change}], **more)

    def _add(self, day: int) -> None:
        asset = self._asset()
        units = self.dice.randrange(1, 10)
        self.held[asset] += units
        price = {"unit_price": self._price()} if self.priced_later or self.dice.random() < 0.5 else {}
        self._amend(day, asset, {"add": units, **price}, **self._later(day))

    def _remove(self, day: int) -> None:
        asset = self._asset()
        if self.held[asset] > 1:
            units = self.dice.randrange(1, self.held[asset])
            self.held[asset] -= units
            self._amend(day, asset, {"remove": units}, **self._later(day))

    def _price_change(self, day: int) -> None:
        self.priced_later = True
        self._amend(day, self._asset(), {"price": self._price()}, **self._later(day))

    def _add_on(self, day: int) -> None:
        contract = self._running(day)
        asset = f"~X{len(self.acts)}"
        quantity = self.dice.randrange(1, 9)
        add_on = {
            "contract_id": contract.contract_id,
            "product": "PRO",
            "quantity": quantity,
            "unit_price": self._price(),
        }
        self._ask(day, "amend_assets", add_ons=[{**add_on, "asset_id": asset}])
        self.held[asset] = quantity
        contract.assets.append(asset)

    def _swap(self, day: int) -> None:
        asset = self._asset()
        new = f"~S{len(self.acts)}"
        units = self.dice.randrange(1, max(1, self.held[asset]) + 1)
        part = {} if units == self.held[asset] else {"quantity": units}
        swapped = {"asset_id": asset, "to_product": "PRO", "unit_price": self._price(), "to_asset_id": new, **part}
        self._ask(day, "swap_assets", assets=[swapped])
        self.held[new] = units
        self.held[asset] -= units
        if not self.held[asset] and len(self.held) > 1:
            del self.held[asset]

    def _end(self, day: int) -> None:
        contract = self._running(day)
        if len(contract.assets) == 1:
            end = max(day + 1, contract.until + self.dice.randrange(-40, 40))
            self._amend(day, contract.assets[0], {"end": f"day {end}"})

    def _early(self, day: int) -> None:
        self.priced_later = True
        contract = self._running(day)
        begins = {"start": f"day {day + self.dice.choice((0, 1, 20))}"} if self.dice.random() < 0.7 else {}
        self._ask(
            day,
            "renew_assets",
            contract_id=contract.contract_id,
            months=self.dice.choice(TERMS),
            uplift_percent=self.dice.choice(("0", "-10", "2.5", "3.333")),
            **begins,
        )

    def _late(self, day: int) -> None:
        """A contract that is not renewed by itself, some days after its end."""
        over = [each for each in self.contracts if not each.auto_renew and each.until + 3 < self.days - 5]
        if over:
            contract = self.dice.choice(over)
            day = self.dice.randrange(contract.until + 2, self.days - 3)
            begins = {"start": f"day {day + self.dice.choice((0, 0, 9))}"}
            self._ask(day, "renew_assets", contract_id=contract.contract_id, months=self.dice.choice(TERMS), **begins)

    def _accept(self, day: int) -> None:
        """A contract that is not renewed by itself, answered around its end."""
        ending = [each for each in self.contracts if not each.auto_renew and each.until + 6 < self.days]
        if ending:
            contract = self.dice.choice(ending)
            day = contract.until + self.dice.randrange(-10, 5)
            if day > 0:
                self._ask(day, "answer_renewal", contract_id=contract.contract_id, decision="accept")

    def _take_back(self, day: int) -> None:
        asset = self._asset()
        self._amend(day, asset, {"add": 2}, effective=f"day {day + 30}")
        self._ask(min(day + 5, self.days - 1), "rollback", asset_id=asset)

    def _transfer(self, day: int) -> None:
        asset = self._asset()
        units = self.dice.randrange(1, max(1, self.held[asset]) + 1)
        part = {} if units == self.held[asset] else {"quantity": units}
        self._ask(
            day,
            "transfer_assets",
            to_account="~b",
            assets=[{"asset_id": asset, "to_asset_id": f"~B{len(self.acts)}", **part}],
        )
        self.held[asset] -= units
        if not self.held[asset] and len(self.held) > 1:
            del self.held[asset]

    def _publish(self, day: int, product: str, price: str, **more: str) -> None:
        document = {"product": product, "price": price, "currency": self.currency, "valid_from": f"day {day}", **more}
        self.acts.append({"day": day, "at": "00:01", "who": "~a", "price": document})

    def _in_a_case(self, day: int, ask: str, **request: Any) -> None:
        case = {"who": "~a", "case": f"~C{len(self.acts)}"}
        body = {**request, "by": "s-1", "role": "director"}
        self.acts.append({"day": day, "at": "00:02", **case, "open": {"subject": "Money", "urgency": "low"}})
        self.acts.append({"day": day, "at": self.dice.choice(CLOCK), **case, "ask": ask, "request": body})

    def _goodwill(self, day: int) -> None:
        """Some money for what was sold for a term."""
        order_id, _, line_id = self._asset().partition(".")
        if line_id:
            amount = str(Decimal(self.dice.choice((7, 130, 2_999, 50_000))).scaleb(-EXPONENTS[self.currency]))
            self._in_a_case(
                day, "grant_goodwill", order_id=order_id, line_id=line_id, amount=amount, reason="it was late"
            )

    def _match(self, day: int) -> None:
        """What was bought is cheaper some days later, perhaps cheaper still after that."""
        if not self.bought:
            return
        bought, order_id, line = self.dice.choice(self.bought)
        digits = EXPONENTS[self.currency]
        for after in sorted(self.dice.sample(range(1, 29), self.dice.choice((1, 1, 2)))):
            price = Decimal(line["unit_price"]) * self.dice.randrange(80, 100) / 100
            if bought + after < self.days - 1:
                self._publish(bought + after, line["product"], str(round(price, digits)))
                part = {"quantity": self.dice.randrange(1, line["quantity"] + 1)} if self.dice.random() < 0.5 else {}
                self._in_a_case(bought + after, "claim_price_match", order_id=order_id, line_id=line["line_id"], **part)

    def _quote(self, day: int) -> None:
        """A quote at a list price of the day, taken on the same day or some days later."""
        dice, quote_id = self.dice, f"~Q{len(self.acts)}"
        taken = day + dice.choice((0, 0, 3))
        self._publish(day, "~SUITE", self._price(), book="~list", per=dice.choice(("month", "month", "year")))
        begins = f"day {taken + dice.choice((0, 0, 0, 11, 40))}"
        into = self._running(day).contract_id if dice.random() < 0.25 else None
        sale = {"kind": "sale", "line_id": "1", "product": "~SUITE", "quantity": dice.randrange(1, 30), "start": begins}
        changes: list[dict[str, Any]] = [
            {"kind": "quantity", "delta": dice.choice((3, 5, -1))},
            {"kind": "price"},
            {"kind": "cancel"},
        ]
        change = {**dice.choice(changes), "line_id": "2", "asset_id": self._asset(), "effective": begins}
        lines = dice.choice(
            ([sale], [sale], [change])
        )  # what is sold has its own price book here, and nobody may mix them
        sale.update({} if into else {"months": dice.choice(TERMS)})
        less = [{"name": "less", "value": dice.choice(("3", "4.5")), "lines": [dice.choice(lines)["line_id"]]}]
        terms = {
            "billing": dice.choice(BILLING),
            "auto_renew": dice.random() < 0.5,
            "notice_days": 3,
            "uplift_percent": dice.choice(("0", "3.333")),
        }
        asked = {
            "quote_id": quote_id,
            "lines": lines,
            "role": "director",
            **({"price_book": "~list"} if lines == [sale] else {}),
            "discounts": less if dice.random() < 0.5 else [],
            **({"contract_id": into} if into else {"new_contract": terms}),
        }
        self._at(day, "00:03", "request_quote", **asked)
        self._at(taken, "00:04", "accept_quote", quote_id=quote_id)

    def _at(self, day: int, at: str, ask: str, **request: Any) -> None:
        self._ask(day, ask, **request)
        self.acts[-1]["at"] = at

    def _cancel(self, day: int) -> None:
        effective = self.dice.choice(("now", "now", "period_end", f"day {day + self.dice.randrange(1, 50)}"))
        if self.dice.random() < 0.5:
            self._ask(day, "cancel_assets", contract_id=self._running(day).contract_id, effective=effective)
        else:
            self._ask(day, "cancel_assets", assets=[{"asset_id": self._asset()}], effective=effective)
