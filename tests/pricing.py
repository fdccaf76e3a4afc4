"""Prices that change and cases about them, for tests of price matches: a book and products of their own for each test."""

from __future__ import annotations

import itertools
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

from activities.kernel.clock import present
from domain.claims.claims import Claim
from domain.kernel.calendar import local_day
from gateway.cases import CaseClient
from tests.builders import order
from tests.cases import case_client, staffed
from tests.conftest import Servers
from tests.e2e.lives import until
from workers.embedded.mailbox import MailSummary, StoredMail

_numbers = itertools.count(1)


@dataclass
class Shop:
    """A customer with one order of five terminals at 80,000 yen and beans, and a price book of their own."""

    servers: Servers
    cases: CaseClient
    account_id: str
    order_id: str
    contract_line: str
    email: str
    owner_email: str
    book: str
    product: str
    team: str
    agent: str
    lead: str
    manager: str

    async def publish(self, price: str, since: date, *, product: str | None = None, currency: str = "JPY") -> None:
        """A new price in the customer's book from a day on: of the terminals, unless another product is named."""
        change = {"product": product or self.product, "price": price, "currency": currency}
        await self.servers.client.publish_prices(
            {**change, "valid_from": since.isoformat(), "book": self.book}, as_of=present()
        )

    async def open_case(self, **more: Any) -> str:
        """A case of the customer by telephone, owned by the agent."""
        case_id = f"PM-{next(_numbers)}-{present():%H%M%S%f}"
        await self.cases.open_case(
            {
                "case_id": case_id,
                "account_id": self.account_id,
                "subject": "Cheaper today",
                "channel": "phone",
                "category": "price_match",
                "owner": self.agent,
                "team": self.team,
                "by": self.agent,
                **more,
            }
        )
        return case_id

    async def claim(self, case_id: str, **more: Any) -> dict[str, Any]:
        """A price match on the terminals."""
        request = {"order_id": self.order_id, "line_id": "3", "by": self.agent, **more}
        return await self.cases.ask(case_id, "claim_price_match", request)

    async def day(self) -> date:
        """The customer's local day."""
        return local_day(await self.servers.client.now(self.account_id), "Asia/Tokyo")

    async def later(self, days: int) -> date:
        """The customer's local day once so many days have passed for them."""
        await self.servers.client.fast_forward(self.account_id, timedelta(days=days))
        return await self.day()

    async def claims(self) -> list[Claim]:
        """All claims of the customer, oldest first."""
        return (await self.cases.claims_of(self.account_id))[::-1]

    async def kinds(self, case_id: str) -> list[str]:
        """What happened in a case."""
        rows = await self.servers.pool.fetch(
            "select kind from case_event where case_id = $1 order by sequence", case_id
        )
        return [row["kind"] for row in rows]

    async def mail(self, words: str, address: str | None = None) -> StoredMail:
        """The one mail to the customer, or to somebody else, with these words in its subject, once it is there."""

        def found() -> list[MailSummary]:
            return [mail for mail in self.servers.mails_to(address or self.email) if words in mail.subject]

        async def has_come() -> bool:
            return bool(found())

        await until(has_come, f"a mail with {words!r} arrives")
        [summary] = found()
        return self.servers.stack.mailbox.read(summary.id)

    async def memos(self) -> list[Any]:
        """The credit memos of the customer, oldest first."""
        return await self.servers.pool.fetch(
            "select m.*, l.kind, l.order_id, l.line_id, l.key as line_key from credit_memo m"
            " join credit_memo_line l using (credit_memo_id) where account_id = $1 order by m.number",
            self.account_id,
        )

    async def returned(self, units: int) -> None:
        """Units of the terminals come back."""
        await self._fulfilled("returned", units)

    async def shipped(self) -> None:
        """The terminals leave."""
        await self._fulfilled("shipped", 5)

    async def delivered(self) -> None:
        """The terminals arrive."""
        await self.delivered_units(5)

    async def delivered_units(self, units: int) -> None:
        """So many terminals arrive."""
        await self._fulfilled("delivered", units)

    async def _fulfilled(self, step: str, units: int) -> None:
        await self.servers.pool.execute(
            "insert into fulfilment_event (order_id, line_id, event_id, step, quantity, at, reported_by, recorded_at)"
            " values ($1, '3', $2, $3, $4, $5, 'warehouse', $5)",
            self.order_id,
            f"F-{next(_numbers)}",
            step,
            units,
            await self.servers.client.now(self.account_id),
        )


async def open_shop(
    servers: Servers, *, term: dict[str, Any] | None = None, seat_rates: list[str] | None = None, **more: Any
) -> Shop:
    """A new customer who just bought, and a team that serves them.

    `more` changes the line of terminals, `term` the contract's; `seat_rates` are the tax rates of the contract's lines.
    """
    number = f"{next(_numbers)}-{present():%H%M%S%f}"
    product, book = f"TERMINAL-{number}", f"book-{number}"
    document = order()
    document["products"][2] = {"code": product, "name": "レジ端末", "kind": "device"}
    document["lines"] = [
        {"line_id": "3", "product": product, "quantity": 5, "unit_price": "80000", **more},
        {"line_id": "4", "product": "BEANS", "quantity": 12, "unit_price": "900"},
    ]
    document["contracts"][0]["term"] |= term or {}
    for line in document["contracts"][0]["lines"] if seat_rates else []:
        line["tax_rates"] = seat_rates
    await servers.client.place_order(document)
    await servers.pool.execute("update asset set price_book = $2 where order_id = $1", document["order_id"], book)
    team = await staffed(servers, f"AG-{number}")
    lead, manager = (f"{letter}-{team.removeprefix('team-')}" for letter in "LM")
    return Shop(
        servers=servers,
        cases=case_client(servers),
        account_id=document["account"]["account_id"],
        order_id=document["order_id"],
        contract_line="1",
        email=document["contacts"][0]["email"],
        owner_email=document["account"]["owner"]["email"],
        book=book,
        product=product,
        team=team,
        agent=f"AG-{number}",
        lead=lead,
        manager=manager,
    )
