"""Random stories in which much is agreed ahead, one thing on top of the other: changes, swaps, ends and renewals of contracts."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from random import Random
from typing import Any

from tests.accountant.stories import Maker


def made_dense(seed: int, number: int, after: date) -> dict[str, Any]:
    """Story `number` of a seed; it begins within 15 months after a day."""
    return _DenseMaker(Random(f"{seed}/{number}"), f"{seed}/{number}", after).story()


class _DenseMaker(Maker):
    def _later(self, day: int) -> dict[str, str]:
        return {} if self.dice.random() < 0.4 else {"effective": f"day {day + self.dice.randrange(1, 90)}"}

    def _swap(self, day: int) -> None:
        super()._swap(day)
        self.acts[-1]["request"].update(self._later(day))

    def _add_alike(self, day: int) -> None:
        """Units at the price of others that go on the same day."""
        asset, later = self._asset(), self._later(day)
        self._amend(day, asset, {"remove": self.dice.randrange(1, 5)}, **later)
        self._amend(day, asset, {"add": self.dice.randrange(1, 5)}, **later)

    def _early_alone(self, day: int) -> None:
        """One of the assets of a contract."""
        self._early(day)
        request = self.acts[-1]["request"]
        contract = next(each for each in self.contracts if each.contract_id == request["contract_id"])
        if len(contract.assets) > 1 and "start" in request:
            del request["contract_id"]
            request["assets"] = [{"asset_id": self.dice.choice(contract.assets)}]

    def _cancel_renew_and_take_back(self, day: int) -> None:
        """An asset of a contract that is renewed while it is cancelled."""
        contract = self._running(day)
        asset = self.dice.choice(contract.assets)
        effective = self.dice.choice(("period_end", f"day {day + self.dice.randrange(3, 90)}"))
        self._ask(day, "cancel_assets", assets=[{"asset_id": asset}], effective=effective)
        if self.dice.random() < 0.3:
            self._ask(day + 1, "answer_renewal", contract_id=contract.contract_id, decision="accept")
        else:
            self._early(day + 1)
            self.acts[-1]["request"]["contract_id"] = contract.contract_id
        self._ask(day + self.dice.randrange(2, 6), "rollback", asset_id=asset)

    def _acts(self, with_other: bool) -> None:
        if self.dice.random() < 0.15:
            self._changes_every(self.dice.choice((3, 7, 14)))
        ways: list[Callable[[int], None]] = [
            self._add, self._add, self._remove, self._remove, self._price_change, self._price_change,
            self._add_on, self._swap, self._swap, self._end, self._early, self._early,
            self._take_back, self._late, self._accept, self._add_alike, self._early_alone,
        ]  # fmt: skip
        for _ in range(self.dice.randrange(4, 16)):
            self.dice.choice(ways)(self.dice.randrange(1, max(2, min(self.days, 300) - 2)))
        if self.dice.random() < 0.4:
            self._cancel(self.dice.randrange(1, self.days - 2))
        if self.dice.random() < 0.3:
            self._cancel_renew_and_take_back(self.dice.randrange(1, max(2, min(self.days, 300) - 9)))
