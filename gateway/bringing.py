"""A playbook brought to customers as it was rehearsed: by batches, each customer by a request of their own journey."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass, field

from activities.journey.rehearsals import Rehearsal, Trial, put_on_record, try_on
from activities.kernel.clock import present
from activities.kernel.pool import Pool
from domain.frame.playbook import Playbook
from domain.kernel.refusals import NOT_ALLOWED, MendableError, Refusal
from gateway.client import PerennialClient
from gateway.trials import held

_AT_ONCE = 8
_NAMED = 5


class MoreThanRehearsedError(MendableError, RuntimeError):
    """More would change than was rehearsed; nothing of the batch was done."""


@dataclass
class Batch:
    """What became of some customers: `brought` have the version, `waiting` get it once their onboarding is over, of `refused` is
    said why not."""

    brought: list[Trial] = field(default_factory=list)
    waiting: list[str] = field(default_factory=list)
    refused: dict[str, str] = field(default_factory=dict)


async def bring(
    client: PerennialClient, pool: Pool, playbook: Playbook, rehearsal: Rehearsal, by: str, size: int
) -> AsyncIterator[Batch]:
    """Brings the playbook to all of its segment who have another version, so many at a time; whoever has it already is left aside,
    so that it can be asked for again.

    Raises MoreThanRehearsedError before a batch in which more would change than was rehearsed of it.
    """
    accounts = [one for one in await held(pool, playbook.segment) if one.version != playbook.version]
    async with pool.acquire() as connection:
        await put_on_record(connection, playbook)
    for at in range(0, len(accounts), size):
        chunk = accounts[at : at + size]
        async with pool.acquire() as connection, connection.transaction(readonly=True):
            trials = await try_on(connection, playbook, chunk, present(), rehearsal.until)
        _check(trials, rehearsal)
        batch = Batch(waiting=[one.account_id for one in trials if one.waits])
        read = {one.account_id for one in trials}
        batch.refused |= {one.account_id: "it cannot be read" for one in chunk if one.account_id not in read}
        ready = [one for one in trials if not one.waits]
        for first in range(0, len(ready), _AT_ONCE):
            some = ready[first : first + _AT_ONCE]
            await asyncio.gather(*(_bring_to(client, playbook, one, by, batch) for one in some))
        yield batch


def _check(trials: list[Trial], rehearsal: Rehearsal) -> None:
    now = sum(one.changes for one in trials)
    known = sum(rehearsal.changes.get(one.account_id, 0) for one in trials)
    if now <= known:
        return
    more = [one for one in trials if one.changes > rehearsal.changes.get(one.account_id, 0)]
    named = ", ".join(
        f"{one.account_id} ({one.changes}, rehearsed {rehearsal.changes.get(one.account_id, 0)})"
        for one in more[:_NAMED]
    )
    others = f" and {len(more) - _NAMED} more" if len(more) > _NAMED else ""
    raise MoreThanRehearsedError(
        f"stopped: {now} steps would change in the next {len(trials)} customers, and {known} were rehearsed: {named}{others}."
        " Nothing was done for them; look with `perennial playbook rehearse FILE --portfolio`, then apply again"
    )


async def _bring_to(client: PerennialClient, playbook: Playbook, trial: Trial, by: str, batch: Batch) -> None:
    wanted = {
        "playbook_version": playbook.version,
        "request_id": f"playbook-{playbook.segment}-{playbook.version}",
        "by": by,
        "reason": f"playbook {playbook.named}",
    }
    try:
        await client.ask(trial.account_id, "change_account", wanted)
    except Refusal as refusal:
        if refusal.type == NOT_ALLOWED:
            batch.waiting.append(trial.account_id)
        else:
            batch.refused[trial.account_id] = str(refusal)
        return
    batch.brought.append(trial)
