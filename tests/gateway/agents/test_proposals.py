"""What binds a customer waits for a person: confirmed it is done once, in their name and the tool's; else it is not done."""

from __future__ import annotations

import asyncio
import json
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from activities.frame import access_rows, audit_rows
from activities.frame.access_rows import StaffAccess
from activities.kernel.clock import present
from domain.frame.access import AccessRole, Principal
from domain.journey.registry import OPERATIONS
from domain.journey.ways_back import WAYS_BACK
from domain.kernel.refusals import Refusal
from gateway.doors import Doors
from gateway.proposals import WAITS_FOR, Proposals, person
from tests.builders import order
from tests.conftest import Servers
from tests.gateway.agents.assistant import WHY, Assistant, over_http
from tests.gateway.api.callers import token_of
from tests.workers.cli.running import perennial


async def _customer(servers: Servers, assistant: Assistant) -> tuple[str, str]:
    """A new customer's account and seats, as the assistant has read them."""
    document = order()
    await servers.client.place_order(document)
    account = str(document["account"]["account_id"])
    await assistant.use("find", asked=account)
    await assistant.use("brief", account_id=account)
    return account, f"{document['order_id']}.1"


async def _somebody(servers: Servers, *roles: AccessRole) -> Principal:
    """Olga, who owns the customers, with roles that she was granted."""
    await servers.client.place_order(order())  # whose owner she is
    access = StaffAccess("S-1", tuple(role.value for role in roles), (), False, None, present(), "test")
    async with servers.pool.acquire() as connection:
        await access_rows.grant(connection, access)
    return await person(_doors(servers), "S-1")


def _doors(servers: Servers) -> Doors:
    return Doors(servers.temporal, servers.pool, servers.settings.task_queue)


def _more(asset: str) -> dict[str, Any]:
    return {"assets": [{"asset_id": asset, "add": 10}]}


async def _amended(servers: Servers, asset: str) -> int:
    done: int = await servers.pool.fetchval(
        "select count(*) from asset_action where asset_id = $1 and sequence > 1", asset
    )
    return done


async def test_confirmed_twice_and_by_two_at_once_it_is_done_once_and_taken_back_by_the_same_way(
    servers: Servers,
) -> None:
    proposals, olga = Proposals(_doors(servers), "console"), await _somebody(servers, AccessRole.SALES)
    async with over_http(servers, await token_of(servers, AccessRole.SALES)) as assistant:
        account, seats = await _customer(servers, assistant)
        proposed = await assistant.ask("amend_assets", account, **_more(seats))
        act_id = proposed["act_id"]
        assert proposed["state"] == "waiting"
        assert await _amended(servers, seats) == 0
        assert act_id in {one.act_id for one in await proposals.waiting()}
        both = await asyncio.gather(proposals.confirm(olga, act_id), proposals.confirm(olga, act_id))
        answers = [*both, await proposals.confirm(olga, act_id)]
        assert await _amended(servers, seats) == 1
        assert all(answer == answers[0] for answer in answers)
        became = await assistant.use("outcome", act_id=act_id)
        assert (became["state"], became["confirmed_by"]) == ("done", "staff:S-1")
        assert act_id not in {one.act_id for one in await proposals.waiting()}
        back = await assistant.use("take_back", act_id=act_id, reason="they changed their mind")
        assert back["state"] == "waiting"
        undone = await proposals.confirm(olga, back["act_id"])
    assert undone["undone"]
    async with servers.pool.acquire() as connection:
        log = await audit_rows.entries(connection, f"account/{account}", None, None, 20)
    told = [(row["actor"].partition(":")[0], row["operation"]) for row in reversed(log)]
    assert told[0] == ("key", "propose amend_assets")
    assert ("staff", "amend_assets") in told
    asked = next(row for row in log if row["operation"] == "amend_assets")
    assert (asked["actor"], asked["door"], asked["request_id"]) == ("staff:S-1", "console", act_id)
    assert f"proposed by {log[-1]['actor']} as {act_id}: {WHY}" == asked["reason"]


async def test_only_a_person_whose_role_may_ask_it_decides(servers: Servers) -> None:
    proposals = Proposals(_doors(servers), "console")
    async with over_http(servers, await token_of(servers, AccessRole.SALES)) as assistant:
        account, seats = await _customer(servers, assistant)
        act_id = (await assistant.ask("amend_assets", account, **_more(seats)))["act_id"]
    service = await _somebody(servers, AccessRole.SERVICE)
    machine = Principal("key:erp", "erp", frozenset({AccessRole.ADMIN}))
    for who in (service, machine):
        with pytest.raises(Refusal, match=who.name) as refused:
            await proposals.confirm(who, act_id)
        assert refused.value.type == "NotAllowed"
    olga = await _somebody(servers, AccessRole.SALES)
    await proposals.refuse(olga, act_id, "ask them first")
    with pytest.raises(Refusal, match="is refused"):
        await proposals.confirm(olga, act_id)
    assert await _amended(servers, seats) == 0


async def test_what_nobody_confirmed_within_a_week_is_over_and_what_is_taken_back_before_is_withdrawn(
    servers: Servers,
) -> None:
    proposals, olga = Proposals(_doors(servers), "console"), await _somebody(servers, AccessRole.SALES)
    async with over_http(servers, await token_of(servers, AccessRole.SALES)) as assistant:
        account, seats = await _customer(servers, assistant)
        late = (await assistant.ask("amend_assets", account, **_more(seats)))["act_id"]
        meant = (await assistant.ask("cancel_assets", account, assets=[{"asset_id": seats}]))["act_id"]
        withdrawn = await assistant.use("take_back", act_id=meant, reason="it was a misunderstanding")
        await servers.pool.execute(
            "update tool_act set at = at - $2::interval, expires_at = expires_at - $2::interval where act_id = $1",
            late,
            WAITS_FOR + timedelta(seconds=1),
        )
        over = await assistant.use("outcome", act_id=late)
    assert (withdrawn["state"], over["state"]) == ("withdrawn", "expired")
    for act_id in (late, meant):
        with pytest.raises(Refusal, match="not done any more"):
            await proposals.confirm(olga, act_id)
    assert await _amended(servers, seats) == 0


async def test_a_rule_has_the_last_word_when_a_proposal_is_confirmed(servers: Servers) -> None:
    proposals, olga = Proposals(_doors(servers), "console"), await _somebody(servers, AccessRole.SALES)
    async with over_http(servers, await token_of(servers, AccessRole.SALES)) as assistant:
        account, seats = await _customer(servers, assistant)
        wish = {"assets": [{"asset_id": seats, "remove": 4000}]}
        act_id = (await assistant.ask("amend_assets", account, **wish))["act_id"]
        with pytest.raises(Refusal) as refused:
            await proposals.confirm(olga, act_id)
        became = await assistant.use("outcome", act_id=act_id)
    assert became["state"] == refused.value.type
    assert await _amended(servers, seats) == 0


@pytest.mark.engine
async def test_proposals_are_confirmed_and_refused_on_the_command_line(servers: Servers, tmp_path: Path) -> None:
    await _somebody(servers, AccessRole.SALES)
    async with over_http(servers, await token_of(servers, AccessRole.SALES)) as assistant:
        account, seats = await _customer(servers, assistant)
        yes, no = [(await assistant.ask("amend_assets", account, **_more(seats)))["act_id"] for _ in range(2)]

        async def access(*arguments: str) -> Any:
            there = {"TEMPORAL_ADDRESS": servers.stack.temporal_address}
            return await perennial(
                "access", *arguments, dsn=servers.stack.postgres_dsn, environment=there, folder=tmp_path
            )

        listed = json.loads((await access("proposals", "--json")).out)
        nobody = await access("confirm", yes)
        confirmed = await access("confirm", yes, "--by", "S-1")
        refused = await access("refuse", no, "--by", "S-1", "--reason", "one is enough")
        became = await assistant.use("outcome", act_id=no)
    assert {yes, no} <= {one["act_id"] for one in listed if one["state"] == "waiting"}
    assert (nobody.code, confirmed.code, refused.code) == (1, 0, 0), (confirmed.err, refused.err)
    assert json.loads(confirmed.out)["assets"]
    assert (became["state"], became["why_not"]) == ("refused", "one is enough")
    assert await _amended(servers, seats) == 1


def test_each_way_back_is_a_request_of_the_same_thing() -> None:
    for operation, way in WAYS_BACK.items():
        forth, back = OPERATIONS[operation], OPERATIONS[way.by]
        assert forth.asked_by & back.asked_by, operation
        asked = json.loads(forth.example)
        answer = {"hold_id": "0123456789abcdef", "assets": [{"asset_id": "SO-1.1"}]}
        made = way.made(asked, answer)
        needed = {
            name: "because"
            for name, field in back.model.model_fields.items()
            if name == "reason" and field.is_required()
        }
        back.read({**made, **needed, "by": "s-1"})
