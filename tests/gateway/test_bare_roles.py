"""In which role a request counts that comes by the bare engine: that of service, whatever it claims and however it is signed."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from temporalio.client import WorkflowUpdateFailedError

from activities.kernel.clock import present
from activities.mail.keys import GRACE
from domain.frame.vouching import as_service, signed_id
from domain.journey.registry import OPERATIONS
from domain.kernel.ids import journey_id
from domain.kernel.refusals import Refusal
from domain.mail.signing import Key
from gateway.entity import Entities
from tests.conftest import Servers
from tests.workflows.service_side import onboarded, open_case

OVERRIDE = {"by": "S-1", "role": "service_lead", "reason": "they asked for it", "hours": 4}
LEFT = {"finish_staff_task", "snooze_staff_task", "hand_over_staff_task", "reopen_staff_task"}
"""They know a manager and nobody else: by the bare engine they are asked without a role."""


class Bare:
    """Somebody at the bare engine, who asks a customer's journey."""

    def __init__(self, servers: Servers, account: str) -> None:
        self.handle = servers.handle(account)

    async def asks(self, request: dict[str, Any], id: str | None = None) -> str:
        """What a request comes to that is sent without a door of ours: `done`, or why it is refused."""
        try:
            await self.handle.execute_update("override_hold", request, id=id)
        except WorkflowUpdateFailedError as error:
            return str(error.cause)
        return "done"


async def held(servers: Servers) -> str:
    """A customer whose sales are held back by a case."""
    _, account = await onboarded(servers)
    await open_case(servers, account, owner="S-2")
    return account


async def test_a_role_counts_by_our_doors_and_not_by_the_bare_engine(
    servers: Servers, monkeypatch: pytest.MonkeyPatch
) -> None:
    account, other = await held(servers), await held(servers)
    here = Bare(servers, account)
    assert "a service may not override" in await here.asks({**OVERRIDE, "request_id": "o-1"})
    assert "a service may not override" in await here.asks({**OVERRIDE, "request_id": "o-2"}, f"x.1.{'0' * 40}")
    assert "a service may not override" in await here.asks({**OVERRIDE, "request_id": "o-3"}, "x.99999999.é")
    asked, sent = Entities.ask, list[str]()

    async def noted(self: Entities, workflow_id: str, update: str, request: dict[str, Any], update_id: str) -> Any:
        sent.append(update_id)
        return await asked(self, workflow_id, update, request, update_id)

    monkeypatch.setattr(Entities, "ask", noted)
    request = {**OVERRIDE, "request_id": "o-4"}
    assert (await servers.client.ask(other, "override_hold", request))["cases"]
    (signed,) = sent
    for stolen in (request, {**request, "hours": 5}, {**request, "request_id": "o-5"}):
        assert "a service may not override" in await here.asks(stolen, signed), "it is signed for another customer"
    theirs = Bare(servers, other)
    assert "a service may not override" in await theirs.asks({**request, "request_id": "o-6"}, signed)
    overrides = "select count(*) from hold_override where account_id = $1"
    assert [await servers.pool.fetchval(overrides, one) for one in (account, other)] == [0, 1]
    with pytest.raises(Refusal, match="may not override"):
        await servers.client.ask(account, "override_hold", {**request, "role": "sales_rep", "request_id": "o-7"})


async def test_a_key_that_was_retired_vouches_for_a_day_and_then_for_nobody(servers: Servers) -> None:
    account, pool = await held(servers), servers.pool
    number = await pool.fetchval(
        "insert into signing_key (secret, made_at) values ($1, $2) returning number", b"k" * 32, present()
    )
    key = Key(number, b"k" * 32)
    here = Bare(servers, account)

    async def asks(request_id: str) -> str:
        request = {**OVERRIDE, "request_id": request_id}
        return await here.asks(
            request, signed_id(request_id, journey_id(account), "override_hold", request, key.number, key.secret)
        )

    retire = "update signing_key set retired_at = $2 where number = $1"
    await pool.execute(retire, number, present() - GRACE - timedelta(minutes=5))
    try:
        assert "a service may not override" in await asks("o-late")
        await pool.execute(retire, number, present() - GRACE + timedelta(minutes=5))
        assert await asks("o-in-time") == "done"
    finally:
        await pool.execute(retire, number, present() - GRACE * 2)


def test_every_request_in_a_role_has_one_of_service() -> None:
    kinds = [kind for kind in OPERATIONS.values() if kind.is_in_a_role]
    assert len(kinds) > 10
    for kind in kinds:
        counts = as_service(kind, {"role": "director", "by": "s-1"})
        assert counts.get("role") in (None, "service", "agent"), kind.update
        assert ("role" in counts) == (kind.update not in LEFT), kind.update
