"""What a term has brought, from what is on record: in the notice with the price of the next one, and nothing where nothing is known."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from domain.kernel.calendar import local_day
from domain.success.usage import UsageRow
from tests.agendas import apart
from tests.conftest import Servers
from tests.e2e.lives import account_of, settled
from tests.workflows.contracts.test_in_grace import from_today, said


async def _lived(servers: Servers, document: dict[str, Any], days: int) -> Any:
    account, contract_id = account_of(document), document["contracts"][0]["contract_id"]
    ends_at = await servers.pool.fetchval("select ends_at from contract_term where contract_id = $1", contract_id)
    await servers.client.fast_forward_to(account, ends_at - timedelta(days=days))
    return ends_at


async def test_use_and_units_of_the_term_stand_in_the_first_notice_with_a_price(servers: Servers) -> None:
    document = from_today()
    document["contacts"][0]["language"] = "en"
    account, contract_id = account_of(document), document["contracts"][0]["contract_id"]
    await servers.client.place_order(document)
    ends_at = await _lived(servers, document, 95)
    seats = await servers.pool.fetchval(
        "select asset_id from asset where contract_id = $1 and product_code = 'SEATS'", contract_id
    )
    await servers.client.ask(account, "amend_assets", {"assets": [{"asset_id": seats, "add": 5}], "by": "S-1"})
    today = local_day(ends_at - timedelta(days=95), "Asia/Tokyo")
    rows = [
        UsageRow(account_id=account, product="SEATS", day=today - timedelta(days=n), active_users=30 + n % 2)
        for n in range(1, 41)
    ]
    await servers.client.record_usage(rows)
    await _lived(servers, document, 28)
    await settled(servers.pool, account)
    notices = await said(servers, account, "renewal_notice")
    brought = [one["value"] for one in notices]
    assert [one is not None for one in brought] == [
        bool(n["quote"]) and not any(m["quote"] for m in notices[:k]) for k, n in enumerate(notices)
    ]
    [value] = [one for one in brought if one]
    assert value["use"] == [{"product": "Workspace", "active": 31}]
    assert value["units"] == [{"product": "Workspace", "first": 40, "now": 45}]
    assert (value["cases"], value["given_back"]) == (None, None)
    texts = [
        servers.stack.mailbox.read(mail.id).text or "" for mail in servers.mails_to(document["contacts"][0]["email"])
    ]
    [text] = [text for text in texts if "This is what the term has brought" in text]
    assert "Workspace, users on an average day" in text
    assert "40 at first, 45 now" in text
    assert "Requests solved" not in text
    assert await apart(servers, account) == []


@pytest.mark.parametrize("users", [None, 2])
async def test_nothing_is_said_where_nothing_is_known_or_hardly_anything_used(
    servers: Servers, users: int | None
) -> None:
    document = from_today()
    await servers.client.place_order(document)
    ends_at = await _lived(servers, document, 95)
    today, account = local_day(ends_at - timedelta(days=95), "Asia/Tokyo"), account_of(document)
    days = [today - timedelta(days=n) for n in range(1, 41)] if users else []
    rows = [UsageRow(account_id=account, product="SEATS", day=day, active_users=users or 0) for day in days]
    await servers.client.record_usage(rows)
    await _lived(servers, document, 28)
    await settled(servers.pool, account_of(document))
    notices = await said(servers, account_of(document), "renewal_notice")
    assert notices
    assert all(one["value"] is None for one in notices)
