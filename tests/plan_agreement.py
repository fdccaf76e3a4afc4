"""How far the plan of a customer's first day agrees with what then happened: step by step, without those that something disturbed.

A step is disturbed once a request, an order, or what put off a mail has planned it anew, dropped it, or dropped its stage.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from typing import Any

from activities.journey.agenda_facts import load_facts
from domain.frame.state import Step
from domain.journey.horizon import Horizon
from domain.journey.planning import agenda
from tests.conftest import Servers

RHYTHMS = (
    "adoption_check_in",
    "relationship_anniversary",
    "renewal_notice",
    "renewal_term_end",
    "billing_invoice",
    "play",
)
"""Kinds that are foretold whole: one of them that comes unannounced and undisturbed is as wrong as one that does not come."""


@dataclass
class Agreement:
    """Steps that came on their day, those that did not, those that came without being planned, and how many were disturbed."""

    kept: list[str] = field(default_factory=list)
    missed: list[str] = field(default_factory=list)
    unforeseen: list[str] = field(default_factory=list)
    disturbed: int = 0

    def __add__(self, other: Agreement) -> Agreement:
        return Agreement(
            self.kept + other.kept,
            self.missed + other.missed,
            self.unforeseen + other.unforeseen,
            self.disturbed + other.disturbed,
        )

    @property
    def share(self) -> float:
        """Of the steps that nothing disturbed."""
        return len(self.kept) / max(len(self.kept) + len(self.missed) + len(self.unforeseen), 1)

    def __str__(self) -> str:
        return (
            f"{self.share:.1%} of {len(self.kept) + len(self.missed) + len(self.unforeseen):,} steps that nothing disturbed"
            f" came as planned; {self.disturbed:,} were disturbed; missed {self.missed[:5]}, unforeseen {self.unforeseen[:5]}"
        )


async def foretold(servers: Servers, account: str, months: int = 12) -> list[Step]:
    """The plan of now, so many months ahead."""
    now = await servers.client.now(account)
    async with servers.pool.acquire() as connection:
        facts = await load_facts(connection, account, now)
    assert facts is not None
    return agenda(facts, Horizon(months=months)).plan()


async def compared(servers: Servers, account: str, plan: list[Step], since: datetime) -> Agreement:
    """The plan beside what happened after `since`, as far as the customer's own time has come."""
    now = await servers.client.now(account)
    rows = await servers.pool.fetch(
        "select e.key, e.as_of, e.outcome, (select array_agg(j.kind) from journal j where j.key = e.key) as kinds,"
        " (e.as_of at time zone a.time_zone)::date as day from effect e join account a using (account_id)"
        " where e.account_id = $1 order by e.as_of",
        account,
    )
    done: dict[str, date] = {}
    kinds: dict[str, list[str]] = {}
    disturbing = []
    for row in rows:
        key = row["key"].removeprefix(f"journey:{account}/")
        if row["as_of"] > since and ("/" not in key or key.startswith("reschedule_pace:")):
            disturbing.append(row["outcome"])
        else:
            done[key] = row["day"]
            kinds[key] = row["kinds"] or []
    touched = _touched(disturbing)
    found = Agreement()
    ours = [step for step in plan if step.at <= now - timedelta(days=1)]
    for step in ours:
        if touched.has(step.key, step.on):
            found.disturbed += 1
        elif done.get(step.key) == step.on:
            found.kept.append(step.key)
        else:
            found.missed.append(f"{step.key} on {step.on}, done {done.get(step.key)}")
    planned = {step.key for step in plan}
    for key, names in kinds.items():
        at_all = {"/" in key, key not in planned, not touched.names(key), any(name in RHYTHMS for name in names)}
        if at_all == {True} and done[key] > since.date():
            found.unforeseen.append(key)
    return found


@dataclass
class _Touched:
    planned: dict[str, date]
    dropped: set[str]

    def names(self, key: str) -> bool:
        first, _, number = key.rpartition(".")  # a play that comes again follows from its first time
        return key in self.planned or (number.isdigit() and first in self.planned) or self._dropped(key)

    def has(self, key: str, on: date) -> bool:
        return self._dropped(key) or self.planned.get(key, on) != on

    def _dropped(self, key: str) -> bool:
        stage = key.partition("/")[0]
        return any(drop in (key, stage) or (drop.endswith("*") and key.startswith(drop[:-1])) for drop in self.dropped)


def _touched(outcomes: Iterable[dict[str, Any]]) -> _Touched:
    found = _Touched({}, set())
    for outcome in outcomes:
        found.dropped |= set(outcome.get("drop") or ())
        for step in (*(outcome.get("plan") or ()), *(outcome.get("plays") or ())):
            found.planned[f"{step['stage']}/{step['name']}"] = date.fromisoformat(step["on"])
            if step["kind"] == "adoption_check_in":  # one after the other: the next ones count from it
                found.dropped.add("adoption/check-in-*")
    return found
