"""How far ahead an agenda reaches: the next step of each kind, as a journey carries it, so many months, or all that was sold."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from typing import Final

from domain.frame.customer import ContractStatus
from domain.journey.agenda_facts import Facts
from domain.kernel.calendar import add_months, start_of_day


@dataclass(frozen=True)
class Horizon:
    """With none, the next step of each kind. `months`: from now on, terms that renew by themselves renewed; `life`: until the
    last of what is sold by now ends; `day`: until it begins for the customer."""

    months: int | None = None
    life: bool = False
    day: date | None = None

    def until(self, facts: Facts) -> datetime | None:
        """The instant up to which steps are planned; null for the next of each kind alone."""
        situation = facts.situation
        if self.day is not None:
            return start_of_day(self.day, situation.customer.account.time_zone)
        if self.months is not None:
            return start_of_day(add_months(situation.today, self.months), situation.customer.account.time_zone)
        if not self.life:
            return None
        ends = [record.end for record in situation.records.values() if record.end is not None]
        terms = [
            contract.term.ends_at
            for contract in situation.customer.contracts
            if contract.status != ContractStatus.ENDED and not contract.term.is_open
        ]
        return max([situation.as_of, *ends, *terms])


NEXT: Final = Horizon()
