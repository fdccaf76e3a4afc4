"""What cannot leave is shown within the hour, is tried for as long as it takes, and leaves at once when somebody asks for it."""

from __future__ import annotations

import re
from datetime import timedelta
from pathlib import Path

from gateway.cases import CaseClient
from gateway.outgoing import Outgoing
from tests.activities.channels.fake_provisioning import Behaviour
from tests.builders import order
from tests.conftest import Servers
from tests.e2e.lives import account_of, attention_of, settled, until
from tests.e2e.outages import outside


async def test_a_dead_mail_server_needs_attention_within_two_hours_and_its_backlog_leaves_at_once(
    servers: Servers, tmp_path: Path
) -> None:
    async with outside(servers, tmp_path) as world:
        document = order()
        account = account_of(document)
        await world.mail_goes_down()
        await world.client.place_order(document)
        await world.client.fast_forward(account, timedelta(days=4))

        async def shown() -> bool:
            return "delivery" in await attention_of(servers.temporal, account)

        await until(shown, "what cannot leave is shown")
        briefing = await world.client.briefing(account)
        assert "has not left for an hour" in briefing
        assert "retry_deliveries" in briefing
        waits = "select count(*) from outbox where account_id = $1 and status = 'waiting'"
        assert await servers.pool.fetchval(waits, account) > 0
        cases = CaseClient(servers.temporal, servers.pool, task_queue=world.task_queue)
        outgoing = Outgoing(servers.temporal, servers.pool, world.client, cases)
        rows = await outgoing.list("mail", account)
        assert rows
        assert all(row["tried"] is not None and row["tried"].attempts >= 1 for row in rows)
        assert any("connect" in row["tried"].said.lower() for row in rows)
        by_then = re.findall(r"By then it had been tried (\d+) times", briefing)
        assert by_then, "the briefing says how often it was tried"
        await world.client.fast_forward(account, timedelta(days=1))
        later = await outgoing.list("mail", account)
        assert max(row["tried"].attempts for row in later) > max(map(int, by_then))
        await world.mail_comes_up()
        assert [said async for _, said in outgoing.retry("mail", account)] == ["tried again"]

        async def left() -> bool:
            return not await servers.pool.fetchval(waits, account)

        await until(left, "the backlog has left without waiting for its next try")

        async def hidden() -> bool:
            return not await shown()

        await until(hidden, "what has left needs no attention any more")
        to = document["contacts"][0]["email"]
        ids = [mail.message_id for mail in world.mailbox.list() if to in mail.to]
        assert ids
        assert len(ids) == len(set(ids))


async def test_dead_provisioning_is_shown_long_before_forty_days(servers: Servers, tmp_path: Path) -> None:
    async with outside(servers, tmp_path) as world:
        document = order()
        account = account_of(document)
        world.provisioning.behaviour = Behaviour.DOWN
        await world.client.place_order(document)
        await world.client.fast_forward(account, timedelta(days=5))
        briefing = await world.client.briefing(account)
        assert "provisioning of order" in briefing
        assert "delivery" in await attention_of(servers.temporal, account)
        world.provisioning.behaviour = Behaviour.RIGHT
        await world.client.ask(account, "retry_deliveries", {})
        await world.client.fast_forward(account, timedelta(minutes=5))
        await settled(servers.pool, account)
        assert "delivery" not in await attention_of(servers.temporal, account)


async def test_what_leaves_within_the_hour_is_never_shown(servers: Servers, tmp_path: Path) -> None:
    async with outside(servers, tmp_path) as world:
        document = order()
        account = account_of(document)
        world.provisioning.behaviour = Behaviour.DOWN
        await world.client.place_order(document)
        running = await world.client.agenda_of(account)
        assert running is not None
        asked = next(step.at for step in running.steps if step.kind == "onboarding_provisioning")
        await world.client.fast_forward_to(account, asked + timedelta(minutes=29))
        described = await servers.handle(account).describe()
        tried = {one.activity_type.name: one for one in described.raw_description.pending_activities}
        assert tried["provision"].attempt > 3, "it was tried and failed"
        assert "delivery" not in await attention_of(servers.temporal, account)
        world.provisioning.behaviour = Behaviour.RIGHT
        await world.client.fast_forward(account, timedelta(minutes=28))
        await settled(servers.pool, account)
        assert "delivery" not in await attention_of(servers.temporal, account)
        assert "has not left" not in await world.client.briefing(account)
