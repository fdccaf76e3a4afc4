"""What assistants proposed: confirmed once, refused with a reason, by those whose role may ask it and who see the customer."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from activities.frame import tool_act_rows
from activities.frame.tool_act_rows import ToolAct
from activities.kernel.clock import present
from domain.frame.access import AccessRole
from gateway.proposals import WAITS_FOR
from tests.builders import order
from tests.conftest import Servers
from tests.gateway.console.browser import Browser, Shown, with_role

WHY = "they asked for <b>ten</b> more seats in their mail"


async def _proposed(servers: Servers, add: int = 10, **changes: Any) -> tuple[str, str, str]:
    """A proposal of more seats: the account, the asset and the act."""
    document = order()
    await servers.client.place_order(document)
    account, asset = str(document["account"]["account_id"]), f"{document['order_id']}.1"
    act = ToolAct(
        act_id=f"act-{account}",
        actor="key:assistant",
        operation="amend_assets",
        subject_id=account,
        request={"assets": [{"asset_id": asset, "add": add}]},
        reason=WHY,
        at=present(),
        expires_at=present() + WAITS_FOR,
    ).model_copy(update=changes)
    async with servers.pool.acquire() as connection:
        await tool_act_rows.add(connection, act)
    return account, asset, act.act_id


async def _amended(servers: Servers, asset: str) -> int:
    return int(
        await servers.pool.fetchval("select count(*) from asset_action where asset_id = $1 and sequence > 1", asset)
    )


async def _decide(browser: Browser, act_id: str, decision: str, **typed: str) -> str:
    """Presses the button of a proposal on the page that is shown; the text of the page that comes."""
    form = next(
        form
        for form in browser.page.forms
        if form.action == f"/proposals/{act_id}" and form.fields["decision"] == decision
    )
    browser.answer = await browser.http.post(form.action, data={**form.fields, **typed}, follow_redirects=True)
    return browser.page.text


async def test_confirmed_it_is_done_once_in_the_readers_name(servers: Servers) -> None:
    account, asset, act_id = await _proposed(servers)
    seller = await with_role(servers, AccessRole.SALES)
    page = await seller.open("/proposals")
    assert WHY in page.text
    assert "<b>ten" not in page.html
    assert f"/customers/{account}" in page.links
    held = seller.answer
    assert "confirmed and done" in await _decide(seller, act_id, "confirm")
    seller.answer = held
    assert "confirmed and done" in await _decide(seller, act_id, "confirm")
    assert await _amended(servers, asset) == 1
    assert f"/customers/{account}" not in (await seller.open("/proposals")).links
    assert f"/customers/{account}" in (await seller.open("/proposals?all=1")).links
    by = await servers.pool.fetchval("select actor from audit_entry where subject = $1", f"account/{account}")
    assert by.startswith("staff:con-")


async def test_refused_it_needs_a_reason_and_is_never_done(servers: Servers) -> None:
    _, asset, act_id = await _proposed(servers)
    seller = await with_role(servers, AccessRole.SALES)
    await seller.open("/proposals")
    assert "say why" in await _decide(seller, act_id, "refuse", reason=" ")
    assert seller.answer.status_code == 422
    assert f"{act_id}: refused" in await _decide(seller, act_id, "refuse", reason="ask them first")
    assert "ask them first" in (await seller.open("/proposals?all=1")).text
    assert await _amended(servers, asset) == 0


async def test_a_rule_has_the_last_word_and_the_page_says_what_it_has_against_it(servers: Servers) -> None:
    _, asset, act_id = await _proposed(servers, request={"assets": [{"asset_id": "nothing.1", "remove": 4000}]})
    seller = await with_role(servers, AccessRole.SALES)
    await seller.open("/proposals")
    text = await _decide(seller, act_id, "confirm")
    assert seller.answer.status_code >= 400
    assert "nothing.1" in text
    assert await _amended(servers, asset) == 0


async def test_who_may_not_ask_it_or_sees_other_customers_neither_reads_nor_decides(servers: Servers) -> None:
    account, asset, act_id = await _proposed(servers)
    for somebody in (
        await with_role(servers, AccessRole.SERVICE),
        await with_role(servers, AccessRole.SALES, own_only=True),
    ):
        page = await somebody.open("/proposals?all=1")
        assert account not in page.html
        assert account not in (await somebody.open(f"/proposals?decided={act_id}")).text
        token = next(form.fields["token"] for form in page.forms if form.action == "/sign-out")
        for decision in ("confirm", "refuse"):
            data = {"token": token, "decision": decision, "reason": "no"}
            answer = await somebody.http.post(f"/proposals/{act_id}", data=data)
            assert answer.status_code in (403, 404)
            assert account not in Shown(answer.text.replace(act_id, "")).text
    assert await _amended(servers, asset) == 0


async def test_what_is_over_cannot_be_confirmed(servers: Servers) -> None:
    account, _, act_id = await _proposed(servers, expires_at=present() - timedelta(seconds=1))
    seller = await with_role(servers, AccessRole.SALES)
    assert account not in (await seller.open("/proposals")).html
    page = await seller.open("/proposals?all=1")
    assert "expired" in page.text
    assert not [form for form in page.forms if form.action == f"/proposals/{act_id}"]
