"""Random stories of contracts without an end: changed at any time, given notice of, the notice taken back."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from random import Random
from typing import Any

from tests.accountant.stories import Maker

BILLING = (None, None, "monthly", "quarterly", "yearly")


def made_evergreen(seed: int, number: int, after: date) -> dict[str, Any]:
    """Story `number` of a seed; it begins within 15 months after a day."""
    return _EvergreenMaker(Random(f"{seed}/{number}"), f"{seed}/{number}", after).story()


class _EvergreenMaker(Maker):
    def _contract(self, day: int, order_id: str, lines: Any, n: int) -> dict[str, Any]:
        """Three of four have no end."""
        document = super()._contract(day, order_id, lines, n)
        if self.dice.random() < 0.75:
            evergreen, billing = self.dice.choice(("monthly", "monthly", "yearly")), self.dice.choice(BILLING)
            document["term"] = {"start": document["term"]["start"], "evergreen": evergreen}
            document |= {"billing": billing, "auto_renew": False, "uplift_percent": "0"}
            document["notice_days"] = self.dice.choice((0, 1, 14, 30, 31, 90))
            document.pop("renewal_months", None)
            self.contracts[-1].auto_renew = True  # it goes on by itself
            self.contracts[-1].until = self.contracts[-1].first + self.dice.randrange(60, 700)
        return {name: value for name, value in document.items() if value is not None}

    def _later(self, day: int) -> dict[str, str]:
        return {} if self.dice.random() < 0.5 else {"effective": f"day {day + self.dice.randrange(1, 90)}"}

    def _notice(self, day: int) -> None:
        contract = self._running(day)
        on = {"on": f"day {day + self.dice.randrange(1, 120)}"} if self.dice.random() < 0.4 else {}
        self._ask(day, "give_notice", contract_id=contract.contract_id, **on)
        if self.dice.random() < 0.4:
            self._ask(min(day + self.dice.randrange(1, 20), self.days - 1), "rollback", asset_id=contract.assets[0])

    def _convert(self, day: int) -> None:
        contract = self._running(day)
        months, uplift = self.dice.choice((1, 2, 6, 12)), self.dice.choice(("0", "3.333"))
        terms = {"months": months, "auto_renew": self.dice.random() < 0.6, "uplift_percent": uplift}
        self._ask(day, "convert_contract", contract_id=contract.contract_id, **terms)

    def _acts(self, with_other: bool) -> None:
        ways: list[Callable[[int], None]] = [
            self._add, self._add, self._remove, self._remove, self._price_change, self._price_change,
            self._add_on, self._swap, self._take_back, self._cancel, self._notice, self._notice, self._convert,
        ]  # fmt: skip
        for _ in range(self.dice.randrange(3, 12)):
            self.dice.choice(ways)(self.dice.randrange(1, max(2, self.days - 2)))
