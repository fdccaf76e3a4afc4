"""What one step or request wrote leaves in one activity; nobody waits there for anybody else, and nothing leaves twice."""

from __future__ import annotations

import asyncio
import threading
from collections import Counter
from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from aiosmtpd.smtp import SMTP, Envelope, Session

from domain.frame.flight import TOGETHER, Channel, TogetherCall
from gateway.cases import CaseClient
from gateway.client import PerennialClient
from gateway.histories import remember
from gateway.outgoing import Outgoing
from tests.activities.channels.smtp_server import Mailbox, SmtpServer
from tests.bench.history import histories_of
from tests.builders import order
from tests.conftest import Servers
from tests.e2e.lives import account_of, attention_of, settled, until
from tests.e2e.outages import Outside, outside
from tests.patience import patient
from workers.wiring import build_activities, build_worker

pytestmark = pytest.mark.engine  # histories, and workers of their own

MAIL_AND_NOTICE = "Mail and notice to our people: change of what they own"


async def ready(client: PerennialClient, servers: Servers, document: dict[str, Any]) -> str:
    """The account of an order whose own mails have left."""
    await client.place_order(document)
    await settled(servers.pool, account_of(document))
    return account_of(document)


async def change(client: PerennialClient, document: dict[str, Any]) -> None:
    """More seats, by somebody of ours: a mail to the customer, a notice to whoever looks after them."""
    assets = [{"asset_id": f"{document['order_id']}.1", "add": 2}]
    await client.ask(account_of(document), "amend_assets", {"assets": assets, "by": "S-2", "request_id": "more"})


async def carried(servers: Servers, account: str) -> list[tuple[str, str]]:
    """The activities of a journey that carried something out, each with its row in the Temporal UI."""
    found = []
    for run in await histories_of(servers.temporal, f"journey-{account}"):
        for event in run:
            if event.HasField("activity_task_scheduled_event_attributes"):
                name = event.activity_task_scheduled_event_attributes.activity_type.name
                if name in (TOGETHER, Channel.MAIL, Channel.NOTICE):
                    (row,) = await servers.temporal.data_converter.decode([event.user_metadata.summary])
                    found.append((name, row))
    return found


async def waiting(servers: Servers, account: str) -> list[str]:
    rows = await servers.pool.fetch(
        "select delivery_id from outbox where account_id = $1 and status = 'waiting' order by 1", account
    )
    return [row["delivery_id"] for row in rows]


async def test_a_mail_and_a_notice_of_one_request_leave_in_one_activity(servers: Servers) -> None:
    document = order()
    account = await ready(servers.client, servers, document)
    before = await carried(servers, account)
    await change(servers.client, document)
    await settled(servers.pool, account)
    assert (await carried(servers, account))[len(before) :] == [(TOGETHER, f"{MAIL_AND_NOTICE} more")]
    rows = await servers.pool.fetch(
        "select channel, status, message_id from outbox where account_id = $1 and delivery_id like '%amend_assets%'",
        account,
    )
    assert Counter((row["channel"], row["status"]) for row in rows) == {
        ("deliver_mail", "sent"): 1,
        ("deliver_notice", "sent"): 1,
    }
    arrived = Counter(mail.message_id for mail in servers.stack.mailbox.list())
    assert [arrived[row["message_id"]] for row in rows] == [1, 1]


async def test_what_its_server_does_not_take_yet_is_tried_alone_and_the_rest_is_done_with(
    servers: Servers, tmp_path: Path
) -> None:
    async with outside(servers, tmp_path) as world:
        document = order()
        account = await ready(world.client, servers, document)
        customer = document["contacts"][0]["email"]
        _greylist(world, customer)
        await change(world.client, document)

        async def one_has_left() -> bool:
            return len(await waiting(servers, account)) == 1

        await until(one_has_left, "the notice has left")
        cases = CaseClient(servers.temporal, servers.pool, task_queue=world.task_queue)
        outgoing = Outgoing(servers.temporal, servers.pool, world.client, cases)

        async def says_why() -> bool:
            (row,) = await outgoing.list("mail", account)
            return row["tried"] is not None and "451" in row["tried"].said

        await until(says_why, "the list says why it has not left")
        assert [name for name, _ in (await carried(servers, account))[-2:]] == [TOGETHER, Channel.MAIL]
        await world.client.fast_forward(account, timedelta(hours=2))
        assert "delivery" in await attention_of(servers.temporal, account)
        _greylist(world, None)
        assert [said async for _, said in outgoing.retry("mail", account)] == ["tried again"]
        await settled(servers.pool, account)
        sent = await servers.pool.fetch(
            "select message_id from outbox where account_id = $1 and delivery_id like '%amend_assets%'", account
        )
        arrived = Counter(mail.message_id for mail in world.mailbox.list())
        assert [arrived[row["message_id"]] for row in sent] == [1, 1]


async def test_what_may_have_left_in_one_message_leaves_in_the_same_one_again(servers: Servers, tmp_path: Path) -> None:
    """The server takes a message with two mails in it and dies before it says so: neither is read under another Message-ID too."""
    async with outside(servers, tmp_path) as world:
        account, ends = await _before_two_notices(world, servers)
        before = len(world.mailbox.list())
        dropped = world.mails_go_unanswered(times=1)
        await world.client.fast_forward_to(account, ends - timedelta(days=80))
        await settled(servers.pool, account)
        rows = await _notices(servers, account)
        assert [row["left_with"] for row in rows] == [None, rows[0]["delivery_id"]]
        arrived = world.mailbox.list()[before:]
        copies = [mail for mail in arrived if mail.message_id == rows[0]["message_id"]]
        assert dropped == [copies[0].id]
        assert len(copies) == 2
        assert len({world.mailbox.read(mail.id).text for mail in copies}) == 1
        assert [mail.message_id for mail in arrived if mail not in copies and mail.to == copies[0].to] == []


async def test_what_waits_for_its_turn_leaves_in_one_message_all_the_same(servers: Servers, tmp_path: Path) -> None:
    async with outside(servers, tmp_path, mails_per_second=5) as world:
        account, ends = await _before_two_notices(world, servers)
        await servers.pool.execute("update mail_pace set free_at = now() + interval '8 seconds'")
        await world.client.fast_forward_to(account, ends - timedelta(days=80))
        await settled(servers.pool, account)
        rows = await _notices(servers, account)
        assert [row["left_with"] for row in rows] == [None, rows[0]["delivery_id"]]
        arrived = [mail.message_id for mail in world.mailbox.list()]
        assert arrived.count(rows[0]["message_id"]) == 1
        assert rows[1]["message_id"] not in arrived


async def _before_two_notices(world: Outside, servers: Servers) -> tuple[str, datetime]:
    """A customer of two contracts whose notices leave at one instant, shortly before it; and when their terms end."""
    document = order()
    first = document["contracts"][0]
    lines = [{**first["lines"][0], "line_id": "9"}]
    document["contracts"].append({**first, "contract_id": f"{first['contract_id']}-B", "lines": lines})
    account = await ready(world.client, servers, document)
    ends: datetime = await servers.pool.fetchval(
        "select min(ends_at) from contract_term t join contract using (contract_id) where account_id = $1", account
    )
    await world.client.fast_forward_to(account, ends - timedelta(days=92))
    await settled(servers.pool, account)
    return account, ends


async def _notices(servers: Servers, account: str) -> list[Any]:
    """The renewal notices that have left, the one that leads first."""
    rows: list[Any] = await servers.pool.fetch(
        "select delivery_id, message_id, left_with from outbox where account_id = $1 and status = 'sent'"
        " and body->>'template' = 'renewal_notice' order by left_with nulls first, delivery_id",
        account,
    )
    return rows


def _greylist(world: Outside, address: str | None) -> None:
    assert world._mail is not None
    world._mail.reject = lambda to: "451 4.7.1 try again later" if to == address else None


async def test_an_address_that_does_not_exist_fails_alone(servers: Servers) -> None:
    nobody = {"contact_id": "P-1", "name": "Nobody", "email": "nobody@customer.example"}
    document = order(contacts=[nobody])
    account = await ready(servers.client, servers, document)
    await change(servers.client, document)
    await settled(servers.pool, account)
    rows = await servers.pool.fetch(
        "select channel, status from outbox where account_id = $1 and delivery_id like '%amend_assets%'", account
    )
    assert {row["channel"]: row["status"] for row in rows}["deliver_notice"] == "sent"
    assert "address_rejected" in await attention_of(servers.temporal, account)


class _Slow(Mailbox):
    """Takes its time for one recipient, until it is told to go on."""

    def __init__(self) -> None:
        super().__init__()
        self.slow = ""
        self.go_on = threading.Event()

    async def handle_RCPT(  # noqa: N802 - the server calls it so
        self, server: SMTP, session: Session, envelope: Envelope, address: str, options: list[str]
    ) -> str:
        if address == self.slow:
            await asyncio.to_thread(self.go_on.wait, 20)
        return await super().handle_RCPT(server, session, envelope, address, options)


@pytest.fixture
def slow_server() -> Iterator[tuple[SmtpServer, _Slow]]:
    server = SmtpServer()
    server.mailbox = mailbox = _Slow()
    yield server, mailbox
    mailbox.go_on.set()
    server.stop()


async def test_a_slow_server_keeps_nobody_else_waiting(servers: Servers, slow_server: tuple[SmtpServer, _Slow]) -> None:
    server, mailbox = slow_server
    settings = servers.settings.model_copy(update={"smtp_port": server.port, "task_queue": "slow-server"})
    client = PerennialClient(servers.temporal, servers.pool, task_queue="slow-server")
    async with build_worker(servers.temporal, servers.pool, settings):
        document = order()
        account = await ready(client, servers, document)
        mailbox.slow = document["contacts"][0]["email"]
        before = Counter(mailbox.recipients)
        await change(client, document)

        async def only_the_slow_one_waits() -> bool:
            return len(await waiting(servers, account)) == 1

        await until(only_the_slow_one_waits, "the notice has left")
        assert (
            await client.ask(account, "pause", {"reason": "the journey goes on meanwhile", "by": "S-2"})
        ) is not None
        assert len(await waiting(servers, account)) == 1
        mailbox.go_on.set()
        await settled(servers.pool, account)
        came = Counter(mailbox.recipients) - before
        assert came == {mailbox.slow: 1, "olga@seller.example": 1}
        assert (await carried(servers, account))[-1][0] == TOGETHER


async def test_a_try_that_is_repeated_sends_nothing_again_and_comes_to_the_same(servers: Servers) -> None:
    """As after a worker that died before it could say what had left."""
    document = order()
    account = await ready(servers.client, servers, document)
    await change(servers.client, document)
    await settled(servers.pool, account)
    prefix = f"journey:{account}/"
    rows = await servers.pool.fetch("select delivery_id, channel from outbox where account_id = $1", account)
    call = TogetherCall(
        account_id=account,
        deliveries={row["delivery_id"].removeprefix(prefix): Channel(row["channel"]) for row in rows},
        as_of=await servers.client.now(account),
    )
    mails = len(servers.stack.mailbox.list())
    again = next(
        one
        for one in build_activities(servers.pool, servers.settings, servers.temporal)
        if one.__name__ == "deliver_together"
    )
    came = await patient().run(again, call)
    assert (set(came.outcomes), came.failed) == (set(call.deliveries), {})
    assert len(servers.stack.mailbox.list()) == mails


async def test_histories_remember_what_left_together(servers: Servers) -> None:
    document = order()
    account = await ready(servers.client, servers, document)
    await change(servers.client, document)
    await settled(servers.pool, account)

    async def remembered() -> set[str]:
        return set((await remember(servers.temporal, account)).sent)

    sent = await servers.pool.fetch("select delivery_id from outbox where account_id = $1 and status = 'sent'", account)

    async def all_of_them() -> bool:
        return {row["delivery_id"] for row in sent} <= await remembered()

    await until(all_of_them, "each message is remembered")
