"""Customers who use too little, do not pay, decline, complain and lose their people, lived for a year, and what is owed to each of them.

What is owed is read from the tables and the mails that arrived, and shares no rule with the product: no fall of a band without a task for
the next business day, nobody healthy with a block, a refusal or in grace, nobody's inbox full.
"""

from __future__ import annotations

import itertools
import random
from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import holidays

from domain.kernel.refusals import Refusal
from gateway.cases import CaseClient
from tests.builders import order
from tests.cases import case
from tests.conftest import Servers
from tests.e2e.lives import account_of, report_usage, settled
from tests.reader.reading import ASKED_NOW, OF_CASES

QUIET = timedelta(days=3)
YEAR = timedelta(days=366)
SEGMENTS = ("standard", "enterprise", "tech_touch")
PLACES = (
    ("JP", "Asia/Tokyo", "ja"),
    ("DE", "Europe/Berlin", "de"),
    ("GB", "Europe/London", "en"),
    ("US", "America/New_York", "en"),
)


# At no instant, whenever somebody looks: a minute is the time that it takes to look.
_HEALTHY_IN_TROUBLE = """
with shown as (select at, band, lead(at, 1, 'infinity') over (order by at) as next from health_score where account_id = $1),
trouble as (
  select 'blocked' as trouble, recorded_at as since, coalesce(lifted_at, 'infinity') as until
  from sales_hold where account_id = $1 and level = 'block'
  union all
  select status, status_at, 'infinity' from contract where account_id = $1 and status in ('declined', 'grace'))
select at, next, trouble from shown, trouble
where band = 'healthy' and least(next, until) - greatest(at, since) > interval '1 minute'
order by at, trouble
"""


@dataclass
class Care:
    """What was found: how often each thing was looked at, and what was wrong."""

    seen: Counter[str] = field(default_factory=Counter)
    wrong: list[str] = field(default_factory=list)

    def __iadd__(self, other: Care) -> Care:
        self.seen += other.seen
        self.wrong += other.wrong
        return self

    def __str__(self) -> str:
        return f"{dict(self.seen)}; wrong: {len(self.wrong)} {self.wrong[:5]}"


@dataclass
class CarefulLife:
    """A customer's year, with what happens to customers, by chance."""

    servers: Servers
    cases: CaseClient
    team: str
    chance: random.Random
    care: Care = field(default_factory=Care)
    users: int = 30
    trouble: str | None = None
    """a case that is open"""

    async def live(self, document: dict[str, Any], later: Sequence[dict[str, Any]] = ()) -> Care:
        client, account = self.servers.client, account_of(document)
        await client.place_order(document)
        self.document, self.account = document, account
        self.fate = self.chance.choice(["thrives", "fades", "silent", "complains", "declines", "owes", "loses people"])
        now = await client.now(account)
        end, coming = now + YEAR, list(later)
        while now < end:
            next_order = [datetime.fromisoformat(one["activated_at"]) for one in coming[:1]]
            until = min([now + timedelta(days=self.chance.randint(3, 8), hours=self.chance.randint(0, 9)), *next_order])
            now = await client.fast_forward_to(account, max(until, now + timedelta(minutes=1)))
            if coming and next_order[0] <= now:
                await client.place_order(coming.pop(0))
            if not await client.is_running(account):
                break
            await self._act(now)
            await client.score_health(account)
            await client.look_at_renewals(account)
            await self._look(now)
        await settled(self.servers.pool, account)
        await self._judge()
        return self.care

    async def _ask(self, update: str, **request: Any) -> None:
        """What a life asks may have come too late, or twice."""
        try:
            await self.servers.client.ask(self.account, update, request)
        except Refusal as refusal:
            self.care.seen[f"refused {update}: {refusal.type}"] += 1

    async def _act(self, now: datetime) -> None:
        await self._onboarding()
        await self._usage()
        await self._service(now)
        await self._money()
        await self._people()
        await self._surveys()

    async def _onboarding(self) -> None:
        if self.fate == "silent":
            return
        rows = await self.servers.pool.fetch(
            "select name from onboarding_task where account_id = $1 and status = 'open' and owner <> 'system' order by due_on, name",
            self.account,
        )
        for row in rows:
            if self.chance.random() < 0.3:
                await self._ask("complete_task", task=row["name"], by="customer", evidence="it works")

    async def _usage(self) -> None:
        if not self.document.get("contracts") or self.fate == "silent" or self.chance.random() < 0.4:
            return
        drift = {"thrives": 1, "fades": -2}.get(self.fate, 0)
        self.users = max(0, min(60, self.users + drift + self.chance.randint(-1, 1)))
        await report_usage(self.servers.client, self.account, self.users, days=8)

    async def _service(self, now: datetime) -> None:
        if self.trouble is not None:
            if self.chance.random() < 0.3:
                said = {"code": "fixed", "text": "Done.", "by": "AG-CARE"}
                await self.cases.ask(self.trouble, "resolve", said)
                self.trouble = None
        elif self.chance.random() < (0.12 if self.fate == "complains" else 0.02):
            urgent = self.chance.choice(["high", "low"])
            opened = await self.cases.open_case(
                case(self.document, team=self.team, impact=urgent, urgency=urgent, opened_at=now.isoformat())
            )
            self.trouble = opened.case_id

    async def _money(self) -> None:
        if self.fate == "owes":
            number = await self.servers.pool.fetchval(
                "select max(number) from invoice where account_id = $1", self.account
            )
            if number is not None and self.chance.random() < 0.2:
                await self._ask(
                    "note_payment", number=number, status=self.chance.choice(["overdue", "paid"]), by="ledger"
                )
        if self.fate == "declines" and self.chance.random() < 0.05:
            for contract in self.document.get("contracts", []):
                name = contract["contract_id"]
                await self._ask(
                    "answer_renewal", contract_id=name, decision="decline", reason="the price", by="customer"
                )
        elif self.fate == "thrives":
            waiting = await self.servers.pool.fetch(
                "select contract_id from contract where account_id = $1 and status in ('active', 'grace') "
                "and exists (select from renewal_quote q where q.contract_id = contract.contract_id)",
                self.account,
            )
            for row in waiting:
                if self.chance.random() < 0.3:
                    await self._ask("answer_renewal", contract_id=row["contract_id"], decision="accept", by="customer")

    async def _people(self) -> None:
        if self.fate == "loses people" and self.chance.random() < 0.05:
            n = self.care.seen["new contacts"]
            await self._ask(
                "change_contacts",
                add=[
                    {
                        "contact_id": f"N-{n}",
                        "name": "Mia Roth",
                        "email": f"mia{n}@{self.account.lower()}.example",
                        "role": "main",
                    }
                ],
                remove=[self.document["contacts"][0]["contact_id"] if n == 0 else f"N-{n - 1}"],
                by="S-1",
            )
            self.care.seen["new contacts"] += 1

    async def _surveys(self) -> None:
        rows = await self.servers.pool.fetch(
            "select survey_id from survey where account_id = $1 and answered_at is null", self.account
        )
        for row in rows:
            if self.chance.random() < 0.3:
                await self._ask(
                    "answer_survey", survey_id=row["survey_id"], score=self.chance.randint(0, 10), by="customer"
                )

    async def _look(self, now: datetime) -> None:
        """Nobody is healthy with a block, a refusal or in grace."""
        row = await self.servers.pool.fetchrow(
            """select (select band from health_score where account_id = $1 order by at desc limit 1) as band,
              exists (select from sales_hold where account_id = $1 and level = 'block' and lifted_at is null and since <= $2) as blocked,
              exists (select from contract where account_id = $1 and status = 'declined') as declined,
              exists (select from contract where account_id = $1 and status = 'grace') as grace""",
            *(self.account, now),
        )
        assert row is not None
        for word in ("blocked", "declined", "grace"):
            if row[word]:
                self.care.seen[f"looks {word}"] += 1
                if row["band"] == "healthy":
                    self.care.wrong.append(f"{self.account} is healthy and {word} at {now}")

    async def _judge(self) -> None:
        for row in await self.servers.pool.fetch(_HEALTHY_IN_TROUBLE, self.account):
            self.care.wrong.append(f"{self.account} was healthy from {row['at']} to {row['next']} and {row['trouble']}")
        account = self.document["account"]
        zone, country = ZoneInfo(account["time_zone"]), account["country"]
        falls = await self.servers.pool.fetch(
            """select h.at, h.band, h.why, h.told_at,
              (select min(t.due_at) from staff_task t where t.account_id = h.account_id and starts_with(t.key, 'health/')
                and t.opened_at <= h.told_at and (t.closed_at is null or t.closed_at >= h.told_at)) as due_at
            from health_score h where account_id = $1 and news = 'fell' order by h.at""",
            self.account,
        )
        for fall in falls:
            self.care.seen[f"falls to {fall['band']}"] += 1
            told = (fall["told_at"] or fall["at"]).astimezone(zone)
            if fall["due_at"] is None:
                self.care.wrong.append(
                    f"{self.account} fell to {fall['band']} at {fall['at']} and nobody has a task: {fall['why']}"
                )
            elif fall["due_at"].astimezone(zone).date() > next_workday(told.date(), country):
                self.care.wrong.append(f"{self.account} fell at {told}, and the task is due at {fall['due_at']}")


async def read_mails(servers: Servers) -> Care:
    """Nobody gets two optional mails within three days, but for an answer to what they asked themselves."""
    care = Care()
    rows = await servers.pool.fetch(
        """select o.message_id, o.settled_at, o.body->>'template' as template, a.time_zone from outbox o join account a using (account_id)
        where o.channel = 'deliver_mail' and o.status = 'sent' and o.contact_id is not null"""
    )
    mailbox, left = servers.stack.mailbox, {row["message_id"]: row for row in rows}
    # A question within an answer is no mail more: the answer leaves at once, with or without it.
    left |= {row["message_id"]: row for row in rows if row["template"] in ASKED_NOW}
    by_person: dict[str, list[tuple[datetime, str]]] = defaultdict(list)
    for mail in mailbox.list():
        row = left.get(mail.message_id)
        if (
            row is None
            or row["template"] in (*ASKED_NOW, *OF_CASES)
            or "List-Unsubscribe" not in mailbox.read(mail.id).headers
        ):
            continue
        for to in mail.recipients:
            by_person[to].append((row["settled_at"].astimezone(ZoneInfo(row["time_zone"])), row["template"]))
    for person, mails in by_person.items():
        care.seen["optional mails"] += len(mails)
        for (before, one), (after, other) in itertools.pairwise(sorted(mails)):
            if after.date() - before.date() < QUIET:
                care.wrong.append(f"{person} got {other} on {after:%F}, after {one} on {before:%F}")
    return care


def next_workday(day: date, country: str) -> date:
    """The first day after `day` on which people work there."""
    closed = holidays.country_holidays(country)
    day += timedelta(days=1)
    while day.weekday() >= 5 or day in closed:
        day += timedelta(days=1)
    return day


def subscription(chance: random.Random) -> dict[str, Any]:
    """An order of a subscription, in one of some countries, segments and terms."""
    document = order()
    country, zone, language = chance.choice(PLACES)
    document["account"] |= {
        "segment": chance.choice(SEGMENTS),
        "country": country,
        "time_zone": zone,
        "language": language,
    }
    document["contracts"][0] |= {
        "auto_renew": chance.random() < 0.5,
        "billing": chance.choice(["monthly", "quarterly", "yearly"]),
        "term": document["contracts"][0]["term"] | {"months": chance.choice([6, 9, 12])},
    }
    return document
