"""Two customers who live side by side, act after act: what the doors are, what time it is, what the tables know of them."""

from __future__ import annotations

import copy
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from random import Random
from typing import Any

from temporalio.client import Client
from temporalio.exceptions import ApplicationError
from temporalio.service import RPCError

from activities.catalogue.catalogue import save_catalogue
from activities.kernel.clock import present
from activities.kernel.pool import Pool
from domain.kernel.calendar import local_day
from domain.kernel.ids import journey_id
from domain.kernel.refusals import Refusal
from domain.success.usage import UsageRow
from gateway.cases import CaseClient
from gateway.client import PerennialClient
from gateway.inbound import Inbox
from tests.driver.goods import PRICES, catalogue_with
from tests.driver.tally import Tally

ZONES = (
    ("JP", "Asia/Tokyo", "JPY", "ja"),
    ("DE", "Europe/Berlin", "EUR", "de"),
    ("US", "America/New_York", "USD", "en"),
    ("CL", "America/Santiago", "CLP", "es"),
    ("KW", "Asia/Kuwait", "KWD", "en"),
    ("NP", "Asia/Kathmandu", "EUR", "en"),
)
SEGMENTS = ("standard", "standard", "enterprise", "tech_touch", "wholesale")
LONG_AGO = datetime(2020, 1, 1, tzinfo=UTC)
BANDS = ("EUR", "JPY", "USD")
"""Currencies in which agents have bands and budgets."""
AGENT, LEAD, MANAGER = "AG-1", "L-1", "M-1"


@dataclass
class World:
    """The servers and what is counted on them."""

    temporal: Client
    pool: Pool
    client: PerennialClient
    cases: CaseClient
    inbox: Inbox
    tally: Tally


@dataclass
class Party:
    """A customer."""

    account_id: str
    order: dict[str, Any]
    zone: str
    currency: str
    closed: bool = False
    again: bool = False
    """was closed and has come back: a new journey begins in the present, so that a moved customer lives through the same years again"""
    orders: list[dict[str, Any]] = field(default_factory=list)


class Life:
    """One life of two customers by one seed; `log` is what was done, to be read if something breaks."""

    def __init__(self, world: World, seed: int, number: int) -> None:
        self.world = world
        self.random = Random(f"{seed}:{number}")
        self.name = f"{seed}-{number}"
        self.log: list[str] = []
        self.made = 0
        self.device = f"TERM-{self.name}"
        self.parties = [self._party(letter) for letter in "AB"]

    def new_id(self, what: str) -> str:
        """An id that nobody has yet."""
        self.made += 1
        return f"{what}{self.made}-{self.name}"

    def _party(self, letter: str) -> Party:
        country, zone, currency, language = self.random.choice(ZONES)
        account_id = f"{letter}-{self.name}"
        person = {"staff_id": "S-1", "name": "Olga Owner", "email": "olga@seller.example"}
        manager = {"staff_id": "S-2", "name": "Sam Success", "email": "sam@seller.example"}
        base = {
            "currency": currency,
            "account": {
                "account_id": account_id,
                "name": f"Customer {account_id}",
                "country": country,
                "time_zone": zone,
                "language": language,
                "segment": self.random.choice(SEGMENTS),
                "owner": person,
                "success_manager": manager,
            },
            "contacts": [
                {"contact_id": "P-1", "name": "Jo", "email": f"jo.{account_id}@customer.example".lower()},
                {"contact_id": "P-2", "name": "Bo", "email": f"bo.{account_id}@customer.example".lower(), "role": "billing"},
            ],
            "products": [
                {"code": "SEATS", "name": "Workspace", "kind": "subscription"},
                {"code": "PRO", "name": "Workspace Pro", "kind": "subscription"},
                {"code": "CARE", "name": "Care", "kind": "support"},
                {"code": self.device, "name": "Terminal", "kind": "device"},
                {"code": "BEANS", "name": "Beans", "kind": "goods"},
            ],
        }  # fmt: skip
        return Party(account_id, base, zone, currency)

    def price(self, party: Party, most: int = 200) -> str:
        """A price that the customer's currency can have."""
        whole = self.random.randint(1, most) * (100 if party.currency in ("JPY", "CLP") else 1)
        decimals = {"JPY": 0, "CLP": 0, "KWD": 3}.get(party.currency, 2)
        return f"{whole}.{self.random.randrange(10**decimals):0{decimals}d}" if decimals else str(whole)

    def order(self, party: Party, now: datetime, *, ahead: int | None = None, past: bool = False) -> dict[str, Any]:
        """An order of the customer: seats and care for a term, now and then devices and goods."""
        pick = self.random
        today = local_day(now, party.zone)
        if past:
            now, ahead = now - timedelta(days=pick.randint(20, 200)), 0
            today = local_day(now, party.zone)
        if ahead is None:
            ahead = pick.choice([0, 0, 0, 1, 5, 20])
        contract = {
            "contract_id": self.new_id("K"),
            "term": {
                "start": (today + timedelta(days=ahead)).isoformat(),
                "months": pick.choice([1, 3, 6, 12, 12, 24]),
            },
            "auto_renew": pick.random() < 0.5,
            "notice_days": pick.choice([0, 30, 60]),
            "uplift_percent": pick.choice(["0", "3", "7.5"]),
            "billing": pick.choice(["monthly", "quarterly", "yearly", "whole_term"]),
            "lines": [
                {"line_id": "1", "product": "SEATS", "quantity": pick.randint(1, 60), "unit_price": self.price(party)},
                {"line_id": "2", "product": "CARE", "quantity": 1, "unit_price": self.price(party, 900), "per": "year"},
            ],
        }
        document = {
            **copy.deepcopy(party.order),
            "order_id": self.new_id("SO"),
            "activated_at": now.isoformat(),
            "contracts": [contract],
        }
        lines = [
            {
                "line_id": "3",
                "product": self.device,
                "quantity": pick.randint(1, 6),
                "unit_price": self.price(party, 800),
            },
            {"line_id": "4", "product": "BEANS", "quantity": pick.randint(1, 40), "unit_price": self.price(party, 20)},
        ]
        document["lines"] = [line for line in lines if pick.random() < 0.7]
        return document

    # Time and facts

    async def now(self, party: Party) -> datetime:
        return await self.world.client.now(party.account_id)

    async def today(self, party: Party) -> date:
        return local_day(await self.now(party), party.zone)

    async def later(self, party: Party, days: float) -> None:
        """The customer's clock goes on by so many days."""
        self.log.append(f"{party.account_id}: {days:g} days pass")
        until = await self.now(party) + timedelta(days=days)
        if await self.world.client.is_running(party.account_id):
            await self.world.client.fast_forward_to(party.account_id, until)

    async def rows(self, sql: str, *values: Any) -> list[Any]:
        found: list[Any] = await self.world.pool.fetch(sql, *values)
        return found

    async def one(self, sql: str, *values: Any) -> Any | None:
        """One of the rows, by chance, null if there is none."""
        found = await self.rows(sql, *values)
        return self.random.choice(found) if found else None

    async def asset(self, party: Party, where: str = "true") -> Any | None:
        """A living asset of the customer, with its units now."""
        return await self.one(
            "select a.*, p.quantity from asset a join asset_state_period p using (asset_id)"
            " where a.account_id = $1 and a.lock is null and p.quantity > 0 and (p.ends_at is null or p.ends_at > $2)"
            f" and (p.starts_at <= $2 or a.lifecycle_start > $2) and {where}"
            " and not exists (select from asset_action c where c.asset_id = a.asset_id and c.type = 'Cancel')"
            " order by a.asset_id, p.starts_at",
            party.account_id,
            await self.now(party),
        )

    async def contract(self, party: Party) -> Any | None:
        """A contract of the customer that is not over, with its last term."""
        return await self.one(
            "select c.contract_id, c.status, t.starts_at, t.ends_at, t.start_on, t.until, t.number from contract c"
            " join lateral (select * from contract_term t where t.contract_id = c.contract_id order by number desc limit 1) t"
            " on true where c.account_id = $1 and c.status <> 'ended' and t.ends_at > $2 order by c.contract_id",
            party.account_id,
            await self.now(party),
        )

    async def case(self, party: Party, states: Sequence[str]) -> str | None:
        """A case of the customer in one of these states."""
        row = await self.one(
            "select case_id from service_case where account_id = $1 and status = any($2) order by case_id",
            party.account_id,
            list(states),
        )
        return row["case_id"] if row else None

    def other(self, party: Party) -> Party:
        """The other of the two."""
        return next(one for one in self.parties if one is not party)

    async def onboard(self, party: Party) -> None:
        """People do everything that an onboarding asks of them."""
        for row in await self.rows(
            "select name, stage from onboarding_task where account_id = $1 and status = 'open' and owner <> 'system'"
            " order by due_at, stage, name",
            party.account_id,
        ):
            task = {"task": row["name"], "order_id": row["stage"].removeprefix("onboarding:"), "by": "S-2"}
            await self.ask(party, "complete_task", task)

    # Prices

    @property
    def book(self) -> str:
        """The price book of the life's own quotes: what other lives publish does not change it."""
        return f"book-{self.name}"

    async def prices(self, party: Party) -> None:
        """The catalogue's entry of the life's own device, and prices for all that a quote may name."""
        async with self.world.pool.acquire() as connection, connection.transaction():
            await save_catalogue(connection, catalogue_with(self.device), as_of=LONG_AGO)
        for product, price, per in (*PRICES, (self.device, "400", "once")):
            change: dict[str, Any] = {"product": product, "price": price, "per": per, "currency": party.currency}
            await self.world.client.publish_prices(
                {**change, "book": self.book, "valid_from": "2020-01-01"}, as_of=LONG_AGO
            )

    async def publish(self, party: Party, product: str, price: str) -> None:
        """A price of one product from the customer's today on, in the book that what they own was sold from."""
        change = {"product": product, "price": price, "currency": party.currency}
        day = (await self.today(party)).isoformat()
        await self.world.client.publish_prices({**change, "valid_from": day}, as_of=await self.now(party))

    # Cases

    def case_document(self, party: Party, **more: Any) -> dict[str, Any]:
        """A case to be opened."""
        pick, levels = self.random, ["high", "medium", "low"]
        return {
            "case_id": self.new_id("C"),
            "account_id": party.account_id,
            "subject": "The till is down",
            "body": "Since nine o'clock nothing prints.",
            "channel": pick.choice(["phone", "web", "mail"]),
            "category": pick.choice(["question", "incident", "request", "complaint"]),
            "impact": pick.choice(levels),
            "urgency": pick.choice(levels),
            "owner": AGENT,
            "team": "service",
            **more,
        }

    async def open_case(self, party: Party, **more: Any) -> str:
        """A new case of the customer, with an owner."""
        document = self.case_document(party, **more)
        await self.ask_case(document["case_id"], "open_case", document)
        return str(document["case_id"])

    async def settle_cases(self, party: Party) -> None:
        """What holds sales back is over: cases are cancelled, holds lifted, what is left is read."""
        for row in await self.rows(
            "select case_id from service_case where account_id = $1"
            " and status not in ('resolved', 'closed', 'merged', 'cancelled') order by case_id",
            party.account_id,
        ):
            await self.ask_case(row["case_id"], "cancel", {"reason": "all is well", "by": AGENT})
        for row in await self.rows(
            "select hold_id from sales_hold where account_id = $1 and reason = 'manual' and lifted_at is null order by hold_id",
            party.account_id,
        ):
            await self.ask(party, "lift_hold", {"hold_id": row["hold_id"], "by": "S-2"})
        holds = await self.rows(
            "select 1 from sales_hold where account_id = $1 and lifted_at is null", party.account_id
        )
        if holds:
            await self.ask(party, "acknowledge_hold", {"by": "S-1"})

    # Doors

    async def send(self, name: str, call: Any, shown: str) -> dict[str, Any] | None:
        """One request through its door, counted; its answer, null if it was refused."""
        try:
            answer = await call
        except Refusal as refusal:
            self.world.tally.refused[name] += 1
            self.world.tally.reasons[refusal.type] += 1
            self.log.append(f"{shown} refused: {refusal.type}: {str(refusal)[:200]}")
            if refusal.type == "StepFailed":
                self.world.tally.failures.append(f"life {self.name}: {shown}: {refusal}")
            return None
        except (RPCError, ApplicationError) as error:
            self.log.append(f"{shown} broke: {error}")
            self.world.tally.failures.append(f"life {self.name}: {shown}: {type(error).__name__}: {error}")
            return None
        self.world.tally.accepted[name] += 1
        self.log.append(f"{shown} accepted")
        return answer if isinstance(answer, dict) else {"answer": answer}

    async def ask(self, party: Party, update: str, request: dict[str, Any]) -> dict[str, Any] | None:
        """A request to the customer's journey."""
        client = self.world.client
        shown = f"{party.account_id}: {update} {request}"
        if update in ("place_order", "import_order"):
            door = client.place_order if update == "place_order" else client.import_order
            before = await self.now(party) if party.closed else None
            answer = await self.send(update, door(request), shown)
            if answer is not None:
                party.closed = False
                if before is not None and before > present() + timedelta(minutes=30):
                    party.again = True
                    await client.fast_forward_to(party.account_id, before)
            return answer
        return await self.send(update, client.ask(party.account_id, update, request), shown)

    async def ask_case(self, case_id: str, update: str, request: dict[str, Any]) -> dict[str, Any] | None:
        """A request to a case."""
        shown = f"case {case_id}: {update} {request}"
        if update == "open_case":
            return await self.send("case.open_case", self.world.cases.open_case(request), shown)
        return await self.send(f"case.{update}", self.world.cases.ask(case_id, update, request), shown)

    async def use(self, party: Party, share: float) -> None:
        """The meter: so large a share of the seats in use, on the last 28 days."""
        seats = await self.rows(
            "select coalesce(sum(quantity), 0) as n from asset_state_period p join asset a using (asset_id)"
            " where account_id = $1 and product_code = 'SEATS' and starts_at <= $2 and (ends_at is null or ends_at > $2)",
            party.account_id,
            await self.now(party),
        )
        today = (await self.now(party)).astimezone(UTC).date()
        rows = [
            UsageRow(
                account_id=party.account_id,
                product="SEATS",
                day=today - timedelta(days=n),
                active_users=int(int(seats[0]["n"]) * share),
            )
            for n in range(28)
        ]
        self.log.append(f"{party.account_id}: {share:.0%} of the seats are used")
        await self.world.client.record_usage(rows)

    async def parked(self) -> list[str]:
        """What is set aside in the journeys of both and in their cases."""
        found = []
        cases = await self.rows(
            "select case_id from service_case where account_id = any($1)", [one.account_id for one in self.parties]
        )
        ids = [journey_id(one.account_id) for one in self.parties] + [f"case-{row['case_id']}" for row in cases]
        for workflow_id in ids:
            description = await self.world.temporal.get_workflow_handle(workflow_id).describe()
            pairs = {pair.key.name: pair.value for pair in description.typed_search_attributes}
            reasons = pairs.get("AttentionReasons") or []
            found += [
                f"{workflow_id}: {reason}"
                for reason in (reasons if isinstance(reasons, list) else [reasons])
                if str(reason).startswith(("parked", "stuck", "unreadable", "unknown"))
            ]
            if "TemporalReportedProblems" in pairs:
                found.append(f"{workflow_id}: {pairs['TemporalReportedProblems']}")
        return found
