"""The agenda of journeys that run against the one that follows from the facts."""

from __future__ import annotations

import asyncio
import time

from temporalio.service import RPCError

from activities.journey.agenda_facts import load_facts
from activities.journey.standing import load_standing
from domain.journey.agenda import Running
from domain.journey.comparing import compare
from domain.journey.planning import agenda
from tests.conftest import Servers
from tests.e2e.lives import PATIENCE


async def differences(servers: Servers, account_id: str) -> list[str]:
    """What the journey of an account has otherwise than the facts call for, in words; a journey that is closed has nothing."""
    running = await servers.handle(account_id).query("agenda", result_type=Running)
    if running.closed or running.opened_at is None:
        return []
    async with servers.pool.acquire() as connection:
        facts = await load_facts(connection, account_id, running.now)
        assert facts is not None
        standing = await load_standing(connection, facts)
    situation = facts.situation
    if facts.lacks(running.last):
        return [f"{running.last} was done last, and is not on record"]
    found = compare(agenda(facts), running, situation.as_of, situation.customer.account.time_zone, standing)
    return [difference.says for difference in found]


async def apart(servers: Servers, account_id: str) -> list[str]:
    """As `differences`, once what is just being done is done, and without what a test may leave behind."""
    deadline = time.monotonic() + PATIENCE
    while found := [said for said in await differences(servers, account_id) if not _passing(said)]:
        if time.monotonic() > deadline:
            return found
        await asyncio.sleep(0.1)
    return []


def _passing(said: str) -> bool:
    """What a test may leave behind: a case that was moved alone is ahead of its journey, which looks at holds when it gets there; and
    who got another owner or playbook by a statement, of which no journey hears."""
    behind_its_back = said.startswith(("the journey shows owner", "the journey shows playbook"))
    return "service/review-" in said or said.startswith("stage service is open") or behind_its_back


async def apart_of_all(servers: Servers, accounts: list[str]) -> dict[str, list[str]]:
    """The differences of every journey among these accounts that can be asked: whose worker is gone would be asked for half a minute."""
    found = {}
    for account_id in accounts:
        try:
            described = await servers.handle(account_id).describe()
            if described.task_queue != servers.settings.task_queue:
                continue
            if says := await apart(servers, account_id):
                found[account_id] = says
        except RPCError:
            continue  # no journey, or none that answers
    return found
