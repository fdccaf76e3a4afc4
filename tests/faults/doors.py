"""The doors as senders use them who must not lose anything: until there is an answer, and each message once more, late."""

from __future__ import annotations

import asyncio
import time
from collections import Counter
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from random import Random
from typing import Any

import aiosmtplib
import httpx2

from activities.frame import access_rows
from activities.frame.access_rows import ApiKey
from activities.kernel.clock import present
from activities.kernel.pool import Pool
from domain.frame.access import ANYTHING
from domain.kernel.refusals import Refusal
from domain.mail.reading import mail_key
from domain.success.usage import UsageRow
from gateway.cases import CaseClient
from gateway.client import PerennialClient
from gateway.tokens import Token
from tests.faults.gate import Gate
from tests.faults.persisting import persist
from tests.faults.world import World

LATE_SECONDS = (1.0, 40.0)
WITHIN = timedelta(seconds=20)
_LOOK_EVERY = 0.05
_TABLES_ALONE = ("price", "usage")
"""what no history has"""
Send = Callable[[], Awaitable[Any]]


@dataclass
class Heard:
    """What senders were told was taken: what an honest company now has to know."""

    orders: dict[str, tuple[str, Any]] = field(default_factory=dict)
    """by order: the account, and the answer"""
    requests: list[tuple[str, str, str]] = field(default_factory=list)
    """account, update and request id"""
    cases: dict[str, str] = field(default_factory=dict)
    """by case: the account"""
    case_requests: list[tuple[str, str, str]] = field(default_factory=list)
    mails: dict[str, str] = field(default_factory=dict)
    """by the id in the inbox: the account of whoever wrote"""
    otherwise: list[str] = field(default_factory=list)
    """what was sent again and answered otherwise"""
    sent: Counter[str] = field(default_factory=Counter)
    again: Counter[str] = field(default_factory=Counter)


@dataclass(order=True)
class _Late:
    at: float
    what: str = field(compare=False)
    send: Send = field(compare=False)
    answer: Any = field(compare=False)


class Doors:
    """Each call returns the answer, or raises `Refusal`; what was taken is sent once more some seconds later, and has to be told the same."""

    def __init__(
        self, world: World, client: PerennialClient, pool: Pool, http: httpx2.AsyncClient, gate: Gate, dice: Random
    ) -> None:
        self.client = client
        self.pool = pool
        self.gate = gate
        self.heard = Heard()
        self._world = world
        self._cases = CaseClient(client.temporal, pool, within=WITHIN)
        self._http = http
        self._dice = dice
        self._late: list[_Late] = []
        self._told: list[Send] = []
        self._mails: list[Send] = []

    # What comes in

    async def order(self, document: dict[str, Any], *, by_http: bool) -> dict[str, Any]:
        """An order, by the API or by the client."""

        async def by_client() -> dict[str, Any]:
            return (await self.client.place_order(document)).model_dump(mode="json")

        path = "/orders"
        send = (lambda: self._post(path, document, document["order_id"])) if by_http else by_client
        answer: dict[str, Any] = await self._twice("order", send)
        self.heard.orders[document["order_id"]] = (document["account"]["account_id"], answer)
        return answer

    async def ask(self, account: str, update: str, request: dict[str, Any]) -> dict[str, Any]:
        """A request to a journey; it has an id."""
        answer: dict[str, Any] = await self._twice(update, lambda: self.client.ask(account, update, request))
        self.heard.requests.append((account, update, request["request_id"]))
        return answer

    async def open_case(self, document: dict[str, Any], *, by_http: bool) -> None:
        """A case, by the API or by the client."""

        async def by_client() -> dict[str, Any]:
            return (await self._cases.open_case(document)).model_dump(mode="json")

        send = (lambda: self._post("/cases", document, document["case_id"])) if by_http else by_client
        await self._twice("open_case", send)
        self.heard.cases[document["case_id"]] = document["account_id"]

    async def ask_case(self, case: str, update: str, request: dict[str, Any]) -> dict[str, Any]:
        """A request to a case; it has an id."""
        answer: dict[str, Any] = await self._twice(f"case.{update}", lambda: self._cases.ask(case, update, request))
        self.heard.case_requests.append((case, update, request["request_id"]))
        return answer

    async def publish(self, price: dict[str, Any], as_of: datetime) -> None:
        """A list price."""
        await self._twice("price", lambda: self._published(price, as_of))

    async def _published(self, price: dict[str, Any], as_of: datetime) -> None:
        await self.client.publish_prices(price, as_of=as_of)

    async def usage(self, rows: list[UsageRow]) -> None:
        """What the product's meter reports."""
        await self._twice("usage", lambda: self._used(rows))

    async def _used(self, rows: list[UsageRow]) -> None:
        await self.client.record_usage(rows)

    async def write(self, account: str, raw: bytes, sender: str, to: str) -> None:
        """A mail of a customer, by SMTP, until it was looked at."""
        await self._twice("mail", lambda: self._deliver(raw, sender, to))
        inbox_id = mail_key(raw.replace(b"\r\n", b"\n"))
        self.heard.mails[inbox_id] = account
        await persist(lambda: self._looked_at(inbox_id))

    async def _deliver(self, raw: bytes, sender: str, to: str) -> None:
        port = self._world.port("inbox")
        async with aiosmtplib.SMTP(hostname="127.0.0.1", port=port, timeout=15) as smtp:
            await smtp.sendmail(sender, [to], raw)

    async def _looked_at(self, inbox_id: str) -> None:
        deadline = time.monotonic() + 60
        while time.monotonic() < deadline:
            status = await self.pool.fetchval("select status from inbox_message where inbox_id = $1", inbox_id)
            if status not in (None, "new"):
                return
            await asyncio.sleep(_LOOK_EVERY)
        raise TimeoutError(f"mail {inbox_id} is not looked at")

    async def _post(self, path: str, body: dict[str, Any], key: str) -> dict[str, Any]:
        answer = await self._http.post(path, json=body, headers={"Idempotency-Key": key, "Prefer": "wait=15"})
        if answer.status_code in (200, 201):
            found: dict[str, Any] = answer.json()
            return found
        said = answer.text[:300]
        if answer.status_code in (400, 404, 422):
            raise Refusal(answer.json().get("code", "Refused"), said)
        raise httpx2.HTTPError(f"{answer.status_code}: {said}")

    # Time

    async def move(self, account: str, until: datetime) -> None:
        """Moves a customer's clock."""
        await persist(lambda: self.client.fast_forward_to(account, until))

    # Twice, and late

    async def _twice(self, what: str, send: Send) -> Any:
        answer = await persist(send)
        self.heard.sent[what] += 1
        if what in _TABLES_ALONE:
            self._told.append(send)
        if what == "mail":
            self._mails.append(send)
        self._late.append(_Late(time.monotonic() + self._dice.uniform(*LATE_SECONDS), what, send, answer))
        return answer

    async def repeat(self) -> None:
        """Sends again what is due, until it is cancelled."""
        while True:
            due = [one for one in self._late if one.at <= time.monotonic()]
            self._late = [one for one in self._late if one not in due]
            for one in due:
                await self._again(one)
            await asyncio.sleep(0.2)

    async def tell_tables_again(self, *, mended: bool) -> None:
        """Tells once more what is in no history, and was told to the tables alone. Before all is mended, what is said of customers who are
        not on record any more is refused."""
        for send in self._told:
            try:
                await persist(send)
            except Refusal as refusal:
                if mended:
                    self.heard.otherwise.append(f"a price or use was taken, and then refused: {refusal}")

    async def mail_again(self) -> None:
        """All mails of customers once more, which are known again by now."""
        for send in self._mails:
            await persist(send)

    async def repeat_all(self) -> None:
        """Sends again what has not been yet."""
        late, self._late = self._late, []
        for one in late:
            await self._again(one)

    async def _again(self, late: _Late) -> None:
        async with self.gate.passing():
            try:
                answer = await persist(late.send)
            except Refusal as refusal:
                self.heard.otherwise.append(f"{late.what} was taken, and then refused: {refusal.type}: {refusal}")
                return
        self.heard.again[late.what] += 1
        if answer != late.answer:
            self.heard.otherwise.append(f"{late.what} was answered {late.answer}, and then {answer}")


async def api(world: World, pool: Pool) -> httpx2.AsyncClient:
    """The API by the proxy, with a key that may do anything."""
    token = Token.new()
    key = ApiKey(token.key_id, f"faults-{token.key_id}", ("admin",), (), tuple(ANYTHING), present(), "faults")
    async with pool.acquire() as connection:
        await access_rows.add_key(connection, key, token.secret)
    headers = {"Authorization": f"Bearer {token}"}
    return httpx2.AsyncClient(base_url=f"http://{world.front('gateway')}/v1", headers=headers, timeout=20)
