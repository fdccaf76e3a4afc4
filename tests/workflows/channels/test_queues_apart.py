"""Kinds of work with task queues of their own: who serves which, and what is said of one that nobody serves."""

from __future__ import annotations

from uuid import uuid4

import pytest
from pydantic import ValidationError
from temporalio.worker import Replayer

from domain.frame.batches import Batch
from domain.frame.flight import TOGETHER, Channel
from domain.frame.work_kinds import WorkKind, kind_of
from gateway.client import PerennialClient
from gateway.plugin import OWN
from tests.builders import order
from tests.conftest import Servers
from tests.e2e.lives import until
from workers.attending import is_polled
from workers.settings import Settings
from workers.wiring import WORKFLOWS, desks_of, working

pytestmark = pytest.mark.engine


@pytest.fixture
def queue() -> str:
    return f"q-{uuid4().hex[:8]}"


async def test_deliveries_are_done_where_their_queue_is_served(servers: Servers, queue: str) -> None:
    whole = servers.settings.model_copy(update={"task_queue": queue, "queues_apart": "deliveries"})
    journeys = whole.model_copy(update={"works_on": "journeys"})
    client = PerennialClient(servers.temporal, servers.pool, task_queue=queue)
    document = order()
    account, address = str(document["account"]["account_id"]), document["contacts"][0]["email"]
    async with working(servers.temporal, servers.pool, journeys):
        await client.place_order(document)
        assert not await is_polled(servers.temporal, f"{queue}-deliveries")
        assert servers.mails_to(address) == [], "nobody serves what leaves"
    async with working(servers.temporal, servers.pool, whole):

        async def told() -> bool:
            return bool(servers.mails_to(address))

        await until(told, "the welcome has left")
        assert await is_polled(servers.temporal, f"{queue}-deliveries")
    history = await servers.handle(account).fetch_history()
    queues = {
        one.activity_task_scheduled_event_attributes.activity_type.name: (
            one.activity_task_scheduled_event_attributes.task_queue.name
        )
        for one in history.events
        if one.HasField("activity_task_scheduled_event_attributes")
    }
    assert queues.pop("activate_order") == queue
    sent = {name: where for name, where in queues.items() if kind_of(name) is WorkKind.DELIVERIES}
    assert set(sent.values()) == {f"{queue}-deliveries"}
    # A worker whose settings know of no queues apart replays what one of others has begun.
    await Replayer(workflows=WORKFLOWS, plugins=[OWN]).replay_workflow(history)


def test_what_comes_in_is_attended_to_where_journeys_are_done(servers: Servers) -> None:
    def desks(works_on: str) -> int:
        settings = servers.settings.model_copy(update={"queues_apart": "deliveries", "works_on": works_on})
        return len(desks_of(servers.temporal, servers.pool, settings))

    assert (desks(""), desks("journeys"), desks("deliveries")) == (2, 2, 0)


def test_each_activity_is_of_one_kind() -> None:
    assert {kind_of(one) for one in (TOGETHER, *Channel)} == {WorkKind.DELIVERIES}
    assert {kind_of(one) for one in Batch} == {WorkKind.BATCHES}
    assert kind_of("take_over_orders") is WorkKind.IMPORTS
    assert kind_of("renewal_notice") is WorkKind.JOURNEYS


def test_a_worker_serves_what_its_settings_say() -> None:
    def served(apart: str, works_on: str) -> list[str]:
        given = {"task_queue": "q", "queues_apart": apart, "works_on": works_on}
        return sorted(Settings.model_validate(given).queues.values())

    assert served("", "") == ["q"]
    assert served("deliveries, batches", "") == ["q", "q-batches", "q-deliveries"]
    assert served("deliveries,batches", "batches") == ["q-batches"]
    with pytest.raises(ValidationError, match="PERENNIAL_WORKS_ON names imports; there is journeys, deliveries"):
        served("deliveries", "imports")
    with pytest.raises(ValidationError, match="PERENNIAL_QUEUES_APART names mails"):
        served("mails", "")
